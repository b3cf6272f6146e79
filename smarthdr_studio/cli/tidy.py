"""The verb `tidy`: older label versions into the trash, and the trash away."""

from collections.abc import Sequence
from typing import Annotated

import typer

from smarthdr_studio.cli.decide import ProjectFolder
from smarthdr_studio.cli.output import Json, print_json, say


def tidy(
    project: ProjectFolder,
    *,
    older: Annotated[
        bool, typer.Option("--older-versions", help="Move labels no scene uses to the trash.")
    ] = False,
    trash: Annotated[
        bool, typer.Option("--empty-trash", help="Delete the trash for good, as it is now.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Say what could be tidied away, or do it.

    Undo and redo bring back from the trash what they need; once the trash is emptied, an undo that
    needs one of its files is refused. The trash is emptied before older versions move into it.
    """
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.safekeeping import tidying

    with Project.open(project) as opened:
        emptying, moving = (trash and not dry), (older and not dry)
        deleted = tidying.empty_trash(opened) if emptying else tidying.in_trash(opened)
        moved = tidying.put_older_away(opened) if moving else tidying.older_versions(opened)
    if as_json:
        print_json(
            {
                "older": {"files": len(moved.files), "bytes": moved.nbytes, "moved": moving},
                "trash": {"files": len(deleted.files), "bytes": deleted.nbytes, "gone": emptying},
            }
        )
        return
    say(_words("older versions", moved.files, moved.nbytes, done=moving and "moved to the trash"))
    say(_words("the trash", deleted.files, deleted.nbytes, done=emptying and "deleted"))


def _words(what: str, files: Sequence[object], nbytes: int, *, done: str | bool) -> str:
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"{what}: {count}, {nbytes / 2**20:.1f} MiB" + (f", {done}" if done else "")
