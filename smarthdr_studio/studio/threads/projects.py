"""Making projects: from a dataset folder, or around the generated sample."""

import shutil
from pathlib import Path

from smarthdr_studio.core.bracket import Catalogue
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.layouts import find_scenes
from smarthdr_studio.core.project import Project, labelled_by_default
from smarthdr_studio.core.sample.settings import SampleSettings
from smarthdr_studio.studio.tasks import Report


def scan_dataset(report: Report, *, folder: Path) -> Catalogue:
    """Every scene of a dataset folder. Raises BadDataset."""
    report(f"looking for scenes in {folder.name}", 0, 0)
    return find_scenes(folder)


def create_project(report: Report, *, catalogue: Catalogue, place: Path) -> Path:
    """A new project over a dataset, with the labels it names or five of them."""
    report(f"making {place.name}", 0, 0)
    if catalogue.root.resolve() in (place.resolve(), *place.resolve().parents):
        raise ProjectError(
            f"{place}: lies in the dataset folder, where nothing is ever written; "
            "choose a place outside it"
        )
    with Project.create(place, catalogue, labelled=labelled_by_default(catalogue)) as project:
        return project.folder


def make_sample(report: Report, *, folder: Path, settings: SampleSettings) -> Path:
    """The sample dataset and its project in `folder`; what is there already is kept."""
    dataset, place = folder / "sample", folder / "sample.shdr"
    if (place / "project.sqlite").is_file():
        return place
    if not dataset.is_dir():
        from smarthdr_studio.core.sample.writing import write_sample  # only where it is needed

        draft = folder / "sample.part"
        shutil.rmtree(draft, ignore_errors=True)
        report("generating the sample", 0, settings.scenes)
        for written in write_sample(draft, settings):
            words = f"generating the sample: scene {written.index} of {written.total}"
            report(words, written.index, written.total)
        draft.replace(dataset)
    return create_project(report, catalogue=find_scenes(dataset), place=place)
