"""A dataset folder that has moved: noticed cheaply, guessed at, and told once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import BadDataset, ProjectError, UnreadableImage
from smarthdr_studio.core.files import AnyPath, is_file, is_folder, shown_path
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.imaging.image_files import image_size
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.remedies import FIND_DATASET, TAKE_PART
from smarthdr_studio.core.words import counted

_SAMPLE: Final = 8
_MOST_FOLDERS: Final = 2000  # looked at for a guess, each with one question to the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Frames are not where the project knows them: `found` of `asked` scenes have theirs."""

    root: Path
    found: int
    asked: int

    @property
    def sentence(self) -> str:
        """What is missing, and the remedy."""
        what = "some of its scenes are gone" if self.found else "the dataset is not there"
        return f"{shown_path(self.root)}: {what}; say where it is with: {FIND_DATASET}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocated:
    """Where the dataset lies now, and how many of the project's scenes were found there."""

    root: Path
    found: int
    scenes: int


def missing_dataset(project: Project) -> Missing | None:
    """What is missing of a few scenes' frames, spread over the dataset; None when all are there.

    Costs a handful of questions to the disk, whatever the size of the dataset.
    """
    sample = _sample(project.scenes)
    found = sum(is_file(scene.frames[1]) for scene in sample)
    if found == len(sample):
        return None
    return Missing(root=project.dataset, found=found, asked=len(sample))


def lost_dataset(project: Project) -> Missing | None:
    """What is missing, where not one scene has its reference frame where the project knows it.

    A dataset that merely lacks some is a matter of those scenes.
    """
    missing = missing_dataset(project)
    if missing is None or missing.found or any(is_file(each.frames[1]) for each in project.scenes):
        return None
    return missing


def refuse_without_dataset(project: Project) -> None:
    """Asked by whatever needs frames before it begins, so that one sentence says where they were.

    Raises ProjectError where the whole dataset is not where the project knows it.
    """
    if (missing := lost_dataset(project)) is not None:
        raise ProjectError(missing.sentence)


def guess(project: Project) -> Path | None:
    """Where the dataset may be now: beside the project, one level around, or below its old parent.

    Only a folder in which all of a few scenes' reference frames lie is named.
    """
    sample = _sample(_below(project))
    for folder in islice(_around(project), _MOST_FOLDERS):
        if sample and _holds(folder, sample[:1], project) and _holds(folder, sample, project):
            return folder.resolve()
    return None


def relocate(project: Project, root: AnyPath, *, even_partly: bool = False) -> Relocated:
    """The dataset lies at `root` now, or in a folder right inside or around it; remembered.

    Nothing is copied, and no decision changes. Raises BadDataset: fewer than half of the scenes
    are there (none with `even_partly`), or their frames are of another size.
    """
    root = Path(root).expanduser().resolve()
    scenes = _below(project)
    found, best = _best(root, scenes, project)
    least = 1 if even_partly else (len(scenes) + 1) // 2
    if found < max(least, 1):
        raise BadDataset(
            f"{root}: holds {found} of the {counted(len(scenes), 'scene')} of {project.name}; give "
            f"the folder that was {project.dataset}"
            + (f", or say that a part is enough with {TAKE_PART}" if found else "")
        )
    _refuse_other_sizes(best, [s for s in scenes if _has(best, s, project)], project)
    project.move_dataset(best)
    return Relocated(root=best, found=found, scenes=len(scenes))


def _best(root: Path, scenes: Sequence[Scene], project: Project) -> tuple[int, Path]:
    """How many scenes lie below a folder, or below one right inside or around it if those more."""
    counted = [(_count(root, scenes, project), root)]
    if counted[0][0] < len(scenes):
        sample = _sample(scenes)
        near = [each for each in (root.parent, *_folders(root)) if _count(each, sample, project)]
        counted += [(_count(each, scenes, project), each) for each in near]
    return max(counted, key=lambda pair: pair[0])


def _count(folder: Path, scenes: Sequence[Scene], project: Project) -> int:
    return sum(_has(folder, scene, project) for scene in scenes)


def _below(project: Project) -> list[Scene]:
    """The scenes whose frames lie in the dataset folder; others have places of their own."""
    return [s for s in project.scenes if s.frames[1].is_relative_to(project.dataset)]


def _sample(scenes: Sequence[Scene]) -> list[Scene]:
    return list(scenes[:: max(len(scenes) // _SAMPLE, 1)][:_SAMPLE])


def _around(project: Project) -> Iterator[Path]:
    """Folders worth a look, the likeliest first, each possibly several times."""
    home, old = project.folder.parent, project.dataset
    near = [home, home.parent, old.parent]
    named = (place / old.name for place in [*near, *_folders(home), *_folders(home.parent)])
    return chain(named, near, *(_folders(place) for place in near))


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(
            each for each in place.iterdir() if is_folder(each) and each.suffix != ".shdr"
        )
    except OSError:
        return []


def _moved(folder: Path, path: Path, project: Project) -> Path:
    return folder / path.relative_to(project.dataset)


def _holds(folder: Path, scenes: Sequence[Scene], project: Project) -> bool:
    return all(is_file(_moved(folder, scene.frames[1], project)) for scene in scenes)


def _has(folder: Path, scene: Scene, project: Project) -> bool:
    frames = [path for path in scene.frames if path.is_relative_to(project.dataset)]
    return all(is_file(_moved(folder, path, project)) for path in frames)


def _refuse_other_sizes(folder: Path, scenes: Sequence[Scene], project: Project) -> None:
    for scene in _sample(scenes):
        path = _moved(folder, scene.frames[1], project)
        try:
            height, width = image_size(path)
        except UnreadableImage as error:
            raise BadDataset(str(error)) from None
        # A frame may lie on its side, its EXIF saying how to turn it.
        if sorted((height, width)) != sorted((scene.height, scene.width)):
            raise BadDataset(
                f"{path}: {width}×{height} pixels, but {scene.id} has {scene.width}×{scene.height}"
                "; this is another dataset, give the one the project was made from"
            )
