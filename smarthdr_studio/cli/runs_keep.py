"""The verbs that keep order among runs: discard, restore, note, and back to how it was."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.decide import ProjectFolder
from smarthdr_studio.cli.output import Json, print_json, say
from smarthdr_studio.cli.runs_words import RunName, opened
from smarthdr_studio.core.errors import ProjectError

if TYPE_CHECKING:
    from smarthdr_studio.core.runs import RunFolder


def discard(project: ProjectFolder, run: RunName, *, as_json: Json = False) -> None:
    """Move a run to the trash, whole; restore brings it back.

    `tidy --empty-trash` deletes it for good. Promoted labels stay.
    """
    from smarthdr_studio.core.running.discarded import discard_run

    with opened(project, run) as (found, folder):
        gone = discard_run(found, folder.id)
    if as_json:
        print_json({"discarded": gone.id, "trash": str(gone.folder)})
    else:
        say(f"{gone.id}: in the trash; back with: smarthdr-studio runs restore {project} {gone.id}")


def restore(
    project: ProjectFolder,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The name of a discarded run.")],
    *,
    as_json: Json = False,
) -> None:
    """Bring a discarded run back from the trash."""
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.running.discarded import restore_run

    with Project.open(project) as found:
        folder = restore_run(found, run)
    if as_json:
        print_json({"restored": folder.id, "folder": str(folder.path)})
    else:
        say(f"{folder.id}: is back")


def note_(
    project: ProjectFolder,
    run: RunName,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help='The note; "" takes it away.')
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Write a note at a run, or read it."""
    from smarthdr_studio.core.running.notes import read_note, write_note

    with opened(project, run) as (_, folder):
        if text is not None:
            write_note(folder, text)
        told = read_note(folder)
    if as_json:
        print_json({"run": folder.id, "note": told})
    else:
        say(f"{folder.id}: {told}".rstrip(": "))


def back(
    project: ProjectFolder,
    run: RunName,
    *,
    layout: Annotated[
        bool, typer.Option("--layout", help="The views of the window as well; close it first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the project what it was when a run was started.

    Labels, brush and thresholds, as one decision that `undo` takes back.
    """
    from smarthdr_studio.core.decisions import Decisions
    from smarthdr_studio.core.running.stand import go_back

    with opened(project, run) as (found, folder):
        did = go_back(Decisions(found), folder)
        if layout:
            _put_layout_back(folder, found.folder)
    if as_json:
        print_json(
            {"run": folder.id, "scenes": did.scenes, "thresholds": did.thresholds, "layout": layout}
        )
        return
    changed = [*did.scenes, *(["the thresholds"] if did.thresholds else [])]
    said = f"as before: {', '.join(changed)}" if changed else "nothing of labels was otherwise"
    say(f"{folder.id}: {said}")


def _put_layout_back(run: "RunFolder", project: Path) -> None:
    from smarthdr_studio.core.files import replacing

    if not run.window_path.is_file():
        raise ProjectError(f"{run.path}: how the window looked was not kept; leave --layout away")
    try:
        with replacing(project / run.window_path.name) as draft:
            shutil.copyfile(run.window_path, draft)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{project / run.window_path.name}: cannot be written ({reason}); free some space or "
            "allow writing there"
        ) from None
