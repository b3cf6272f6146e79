"""The verb `new`: makes a project from a dataset folder."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.output import Json, note, print_json, print_table
from smarthdr_studio.core.errors import BadDataset, ProjectError

if TYPE_CHECKING:
    from smarthdr_studio.core.bracket import Catalogue, Skipped


def new(
    project: Annotated[
        Path, typer.Argument(metavar="PROJECT", help="The project folder to make, NAME.shdr.")
    ],
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="The dataset folder; never written into.")
    ],
    *,
    labelled: Annotated[
        int | None, typer.Option(min=0, help="Use this many of the ground truths as labels.")
    ] = None,
    labelled_from: Annotated[
        Path | None, typer.Option(help="A file with the id of a labelled scene on each line.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a project from a dataset folder.

    Without --labelled or --labelled-from the labels are those in the dataset's labelled.txt, or
    where there is none, five ground truths if every scene has one, else all there are.
    """
    from smarthdr_studio.core.layouts import find_scenes
    from smarthdr_studio.core.project import Project

    if labelled is not None and labelled_from is not None:
        raise typer.BadParameter("--labelled and --labelled-from exclude each other; give one")
    if not dataset.is_dir():
        raise BadDataset(f"{dataset}: no such folder; give the folder that holds the scenes")
    catalogue = find_scenes(dataset)
    if dataset.resolve() in (project.resolve(), *project.resolve().parents):
        raise ProjectError(f"{project}: lies in the dataset folder; choose a place outside it")
    wanted = _labelled(catalogue, count=labelled, listed=labelled_from)
    with Project.create(project, catalogue, labelled=wanted) as made:
        counts = Counter(status.name for status in made.statuses().values())
    shown = {
        "scenes": len(catalogue.scenes),
        "labelled": counts["GROUND_TRUTH"],
        "unlabelled": counts["UNLABELLED"],
        "test": counts["TEST"],
    }
    if as_json:
        print_json({**shown, "skipped": [_plain(each) for each in catalogue.skipped]})
        return
    for each in catalogue.skipped:
        note(f"skipped: {each.reason}")
    rows = [(name, str(count)) for name, count in shown.items()]
    print_table(("", "scenes"), rows, title=f"{project}")


def _labelled(catalogue: "Catalogue", *, count: int | None, listed: Path | None) -> tuple[str, ...]:
    from smarthdr_studio.core.labelled import labelled_by_default, read_labelled

    if listed is not None:
        return read_labelled(listed, catalogue=catalogue)
    if count is None:
        return labelled_by_default(catalogue)
    able = [s.id for s in catalogue.scenes if s.split == "train" and s.ground_truth is not None]
    if count > len(able):
        raise ProjectError(
            f"{catalogue.root}: has {len(able)} training scenes with a ground truth, not {count}; "
            f"ask for at most --labelled {len(able)}"
        )
    # Spread over the dataset, because neighbours are often the same place.
    return tuple(able[index * len(able) // count] for index in range(count))


def _plain(skipped: "Skipped") -> dict[str, str]:
    return {"path": str(skipped.path), "reason": skipped.reason}
