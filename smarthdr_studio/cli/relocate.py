"""The verb `relocate`: a dataset folder has moved, and the project is told where it is now."""

from pathlib import Path
from typing import Annotated

import typer

from smarthdr_studio.cli.decide import ProjectFolder
from smarthdr_studio.cli.output import Json, print_json, say


def relocate(
    project: ProjectFolder,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the dataset lies now.")],
    *,
    partly: Annotated[
        bool, typer.Option("--partly", help="A folder with fewer than half of the scenes will do.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell a project where its dataset lies now.

    The scenes are looked for in FOLDER, and right inside and around it. Nothing is copied.
    """
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.safekeeping import moved_dataset

    with Project.open(project) as opened:
        now = moved_dataset.relocate(opened, folder, even_partly=partly)
        forgets = opened.read_only
    if as_json:
        print_json({"dataset": str(now.root), "found": now.found, "scenes": now.scenes})
        return
    say(f"{now.root}: {now.found} of {now.scenes} scenes are here.")
    if forgets:
        say(f"It could not be remembered: {forgets}.")
