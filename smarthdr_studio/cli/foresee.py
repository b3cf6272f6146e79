"""What `train --estimate` says: what a run will take, from a probe of about two seconds."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from smarthdr_studio.cli.output import duration, note, print_json, print_table, progress
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.core.run_estimate import size_in_words

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan
    from smarthdr_studio.core.run_estimate import Estimate


def foresee(plan: "TrainingPlan", project: Path, *, as_json: bool) -> None:
    """Measure and say; nothing is trained or written. Raises StudioError as `train` does."""
    from smarthdr_studio.learning.estimate import estimate

    found: Estimate | None = None
    with progress() as bar:
        task = bar.add_task("measuring", total=None)
        for event in estimate(plan, project):
            if isinstance(event, PhaseChanged):
                bar.update(task, description=event.text)
            else:
                found = event
    if found is None:
        return
    if as_json:
        print_json({"estimate": {**asdict(found), "all_disk_bytes": found.all_disk_bytes}})
        return
    _print(found)


def _print(found: "Estimate") -> None:
    rows = [
        ("device", f"{found.device}, {found.precision}"),
        ("steps", f"{found.steps:,} in {found.epochs} epochs"),
        ("rounds, checks", f"{found.rounds}, {found.validations}"),
        ("an epoch on labels only", _time(found.warmup_epoch_seconds)),
        ("an epoch", _time(found.learning_epoch_seconds)),
        ("a round", _time(found.round_seconds)),
        ("altogether", _time(found.total_seconds)),
        ("memory at its peak", _size(found.peak_memory_bytes, free=found.free_memory_bytes)),
        ("disk", _size(found.all_disk_bytes, free=found.free_disk_bytes)),
    ]
    print_table(("what", "about"), rows, title="What this run will take", words=2)
    for sentence in (found.measured, *found.warnings):
        note(f"{sentence.rstrip('.')}.")


def _time(seconds: float | None) -> str:
    return "none" if seconds is None else duration(seconds)


def _size(count: int | None, *, free: int | None) -> str:
    if count is None:
        return "not known"
    return size_in_words(count) + ("" if free is None else f" of {size_in_words(free)} free")
