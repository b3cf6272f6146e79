"""Writing a model of a run as one file, and reading what a model file says of itself."""

from pathlib import Path

from smarthdr_studio.core.errors import CheckpointError, ExportError
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.studio.state import SUFFIXES, ModelWish, Which
from smarthdr_studio.studio.tasks import Report
from smarthdr_studio.studio.threads.handover import Written


def put_model(report: Report, *, project: Path, wish: ModelWish) -> Written:
    """Writes the file whole or not at all; given up between two of its steps.

    Raises CheckpointError: the run has no checkpoint or a damaged one; ExportError: the file
    cannot be written, packages are missing, or it answers otherwise than ours.
    """
    report("loading torch", 0, 0)
    from smarthdr_studio.learning.export import export_model

    suffix = SUFFIXES[wish.form]
    if wish.file.suffix.casefold() != suffix:
        right = wish.file.with_suffix(suffix)
        raise ExportError(f"{wish.file}: this kind ends in {suffix}; name it {right.name}")
    checkpoint = checkpoint_of(project / "runs" / wish.run, which=wish.which)
    for event in export_model(
        checkpoint, wish.file, form=wish.form, part=wish.part, project=project
    ):
        if isinstance(event, PhaseChanged):
            report(event.text, event.done, event.total)
        else:
            size = f"{event.bytes / 1e6:.1f} MB"
            words = f"The {event.card.title}, is in {event.path} ({size}); it {event.words}."
            return Written(words=words, path=event.path)
    raise ExportError(f"{wish.file}: nothing was written; export again")


def checkpoint_of(run: Path, *, which: Which) -> Path:
    """The best or the last checkpoint of a run folder. Raises CheckpointError."""
    from smarthdr_studio.core.runs import best_checkpoint, checkpoints_of

    found = checkpoints_of(run)
    if not found:
        raise CheckpointError(f"{run}: has no checkpoint yet; train on, or choose another run")
    return found[-1] if which == "last" else best_checkpoint(run) or found[-1]


def look_at_model(report: Report, *, model: Path) -> str:
    """What a model file is, in a few words. Raises CheckpointError."""
    report(f"reading {model.name}", 0, 0)
    from smarthdr_studio.learning.model_files import load_model

    _, card = load_model(model)
    return f"{card.title}, network {card.network}"
