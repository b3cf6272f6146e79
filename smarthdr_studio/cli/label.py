"""The verb `label`: the teacher's opinion of unlabelled scenes, written as pseudo-labels."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from smarthdr_studio.cli.model_option import Model
from smarthdr_studio.cli.output import Json, percent, print_json, progress, say
from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.events import PhaseChanged, RoundFinished
from smarthdr_studio.core.events import as_json as as_plain


def label(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    model: Model = None,
    scenes: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this scene; repeatable.")
    ] = None,
    split: Annotated[
        Literal["unlabelled", "test"], typer.Option(help="Which scenes, without --scenes.")
    ] = "unlabelled",
    device: Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = "auto",
    as_json: Json = False,
) -> None:
    """Write pseudo-labels with the newest teacher, or with another model.

    Each is a layered EXR, masked with the project's thresholds.
    """
    from smarthdr_studio.learning.checkpoints import latest_checkpoint
    from smarthdr_studio.learning.labelling import label_scenes
    from smarthdr_studio.learning.runtime import use_memory_kindly

    use_memory_kindly()
    ids = scenes or (_test_scenes(project) if split == "test" else None)
    chosen = model or latest_checkpoint(project)
    if chosen is None:
        raise CheckpointError(
            f"{project}: no run has a checkpoint yet; train first: smarthdr-studio train {project}"
        )
    finished: RoundFinished | None = None
    with progress() as bar:
        task = bar.add_task("labelling", total=None)
        for event in label_scenes(project, checkpoint=chosen, ids=ids, device=device):
            match event:
                case PhaseChanged(text=text, done=done, total=total):
                    bar.update(task, description=text, completed=done, total=total or None)
                case RoundFinished():
                    finished = event
    if finished is None:
        return
    if as_json:
        print_json({"checkpoint": str(chosen), **as_plain(finished)})
    else:
        count = len(finished.scenes)
        say(f"{project}: {count} pseudo-labels by {chosen}, {percent(finished.retained)} trusted")


def _test_scenes(folder: Path) -> list[str]:
    from smarthdr_studio.core.journal import Status
    from smarthdr_studio.core.project import Project

    with Project.open(folder) as project:
        return [name for name, status in project.statuses().items() if status is Status.TEST]
