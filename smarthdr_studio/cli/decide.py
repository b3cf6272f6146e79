"""The verbs that decide for a person, take decisions back, and tell what was decided."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.output import Json, print_json, print_table, say
from smarthdr_studio.core.errors import LabelError, ProjectError

if TYPE_CHECKING:
    from smarthdr_studio.core.decisions import Decisions
    from smarthdr_studio.core.masking import MaskSettings, Range
    from smarthdr_studio.core.project import Project

ProjectFolder = Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")]
SceneIds = Annotated[list[str], typer.Argument(metavar="SCENE...", help="Scene ids.")]
Note = Annotated[str, typer.Option(help="Why; kept in the project's journal.")]
Tags = Annotated[list[str] | None, typer.Option(metavar="TAG", help="One word; repeatable.")]


def promote(
    project: ProjectFolder,
    scenes: SceneIds,
    *,
    whole: Annotated[
        bool, typer.Option("--whole", help="Learn from every pixel, not the trusted ones alone.")
    ] = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Learn from the pseudo-labels of scenes.

    Each is frozen as it is now, masked with the project's thresholds and the person's brush.
    """
    with _decisions(project) as (opened, decisions):
        ranges = dict.fromkeys(scenes, _pool_ranges(opened, decisions.masks()))
        decisions.promote(scenes, whole=whole, note=note, ranges=ranges)
        _tell(opened, scenes, verb="promote", as_json=as_json)


def demote(
    project: ProjectFolder, scenes: SceneIds, *, note: Note = "", as_json: Json = False
) -> None:
    """Take scenes back to unlabelled.

    Their label files stay, so that undo finds them.
    """
    with _decisions(project) as (opened, decisions):
        decisions.demote(scenes, note=note)
        _tell(opened, scenes, verb="demote", as_json=as_json)


def exclude(
    project: ProjectFolder, scenes: SceneIds, *, note: Note = "", as_json: Json = False
) -> None:
    """Leave scenes out of training."""
    with _decisions(project) as (opened, decisions):
        decisions.exclude(scenes, note=note)
        _tell(opened, scenes, verb="exclude", as_json=as_json)


def restore(project: ProjectFolder, scenes: SceneIds, *, as_json: Json = False) -> None:
    """Bring excluded scenes back to what they were."""
    with _decisions(project) as (opened, decisions):
        decisions.restore(scenes)
        _tell(opened, scenes, verb="restore", as_json=as_json)


def annotate(
    project: ProjectFolder,
    scenes: SceneIds,
    *,
    note: Annotated[str | None, typer.Option(help="In place of the note there is.")] = None,
    tag: Tags = None,
    untag: Tags = None,
    as_json: Json = False,
) -> None:
    """Give scenes a note and tags, or take them away.

    Training does not look at either.
    """
    add, remove = tag or [], untag or []
    if note is None and not add and not remove:
        raise ProjectError(f"{project}: nothing to note; give --note, --tag or --untag")
    with _decisions(project) as (opened, decisions):
        decisions.annotate(scenes, note=note, add=add, remove=remove)
        states = {name: opened.state(name) for name in scenes}
    if as_json:
        told = [{"id": name, "note": of.note, "tags": of.tags} for name, of in states.items()]
        print_json({"note": told})
        return
    for name, of in states.items():
        say(" ".join((f"{name}:", *(f"#{each}" for each in of.tags), of.note)).rstrip())


def history(
    project: ProjectFolder,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many decisions.")] = 20,
    as_json: Json = False,
) -> None:
    """Say what was decided, the latest first.

    When, by whom, what and why; with --json also the scenes, thresholds, run and round.
    """
    from smarthdr_studio.core.curation.moments import story
    from smarthdr_studio.core.project import Project

    with Project.open(project) as opened:
        lines = story(opened.entries())[:limit]
    if as_json:
        print_json({"history": [asdict(line) for line in lines]})
        return
    rows = [
        (
            f"{line.at[:16].replace('T', ' ')} UTC",
            line.who,
            f"{line.what} (undone)" if line.undone else line.what,
            line.note,
        )
        for line in lines
    ]
    print_table(("when", "who", "what", "why"), rows, title="What was decided", words=4)


def undo(project: ProjectFolder, *, as_json: Json = False) -> None:
    """Take back the last decision."""
    _step_through(project, step=lambda decisions: decisions.undo(), verb="undo", as_json=as_json)


def redo(project: ProjectFolder, *, as_json: Json = False) -> None:
    """Do again what was undone last."""
    _step_through(project, step=lambda decisions: decisions.redo(), verb="redo", as_json=as_json)


def _step_through(
    folder: Path, *, step: "Callable[[Decisions], str | None]", verb: str, as_json: bool
) -> None:
    with _decisions(folder) as (_, decisions):
        what = step(decisions)
    if what is None:
        raise ProjectError(f"{folder}: there is nothing to {verb}")
    if as_json:
        print_json({verb: what})
    else:
        say(f"{verb}: {what}")


@contextmanager
def _decisions(folder: Path) -> "Iterator[tuple[Project, Decisions]]":
    from smarthdr_studio.core.decisions import Decisions
    from smarthdr_studio.core.project import Project

    with Project.open(folder) as project:
        yield project, Decisions(project)


def _pool_ranges(project: "Project", masks: "MaskSettings") -> "tuple[Range, Range | None]":
    """What σ of the whole pool scores 0 and 1 now; a label is frozen as the screen shows it."""
    from smarthdr_studio.core.journal import Status
    from smarthdr_studio.core.masking import Range
    from smarthdr_studio.core.retention import PoolStatistics
    from smarthdr_studio.core.statistics import SceneStatistics

    scenes = {}
    for name, status in project.statuses().items():
        # A scene without readable statistics takes no part, as in the window.
        with suppress(LabelError):
            if status is Status.UNLABELLED and project.statistics_path(name).is_file():
                scenes[name] = SceneStatistics.load(project.statistics_path(name))
    found = PoolStatistics(scenes).retention(masks)
    return found.patch_range or Range(0.0, 0.0), found.pixel_range


def _tell(project: "Project", ids: list[str], *, verb: str, as_json: bool) -> None:
    statuses, told = project.statuses(), tuple(dict.fromkeys(ids))
    if as_json:
        print_json({verb: [{"id": name, "status": str(statuses[name])} for name in told]})
        return
    for name in told:
        say(f"{name}: {statuses[name]}")
