"""The curated set as a dataset folder that other people's training code reads."""

import shutil
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.file_checksum import file_checksum
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.handover.dataset_frames import Way, put_frames
from smarthdr_studio.core.handover.dataset_labels import Suffix, put_label
from smarthdr_studio.core.handover.dataset_notes import manifest, readme
from smarthdr_studio.core.handover.tables import (
    Tell,
    cannot_write,
    refuse_inside,
    silent,
    write_json,
    write_text,
)
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.project import Project

CURATED: Final = frozenset({Status.GROUND_TRUTH, Status.PROMOTED, Status.TEST})
_FOLDERS: Final[Mapping[Status, str]] = {
    Status.GROUND_TRUTH: "Training",
    Status.PROMOTED: "Training",
    Status.TEST: "Test",
    Status.UNLABELLED: "Unlabelled",
}
_TEST_PREFIX: Final = "Test-"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetWritten:
    """Where a dataset was written, and how many scenes of each status and frames put how."""

    folder: Path
    scenes: Mapping[str, int]
    frames: Mapping[str, int]

    @property
    def words(self) -> str:
        """What was written, in one sentence."""
        scenes = ", ".join(f"{count} {status}" for status, count in self.scenes.items())
        frames = ", ".join(f"{count} {_DONE[how]}" for how, count in self.frames.items())
        return f"{self.folder}: {scenes}; frames: {frames}"


_DONE: Final = {
    "link": "linked",
    "hard link": "linked hard",
    "copy": "copied",
    "converted": "written as 16-bit TIFF",
}


def export_dataset(
    project: Project,
    target: AnyPath,
    *,
    frames: Way = "link",
    labels: Suffix = "hdr",
    include: Collection[Status] = CURATED,
    tell: Tell = silent,
) -> DatasetWritten:
    """Write the scenes of these statuses to `target` in the layout of Kalantari 2017.

    Excluded scenes never go along. The folder appears when all of it is written; `tell` may raise
    to stop, and then, as after an error, nothing is left. Links stand for frames and for ground
    truths that can stay as they are; what cannot be linked is copied.

    Raises:
        ExportError: nothing to write, `target` is not empty, lies in the dataset or the project,
            or cannot be written.
        StudioError: a frame or a label is gone or damaged.
    """
    target = Path(target).expanduser().absolute()
    places = scene_places(project, include)
    _refuse_unusable(target, project, places)
    told: list[dict[str, Any]] = []
    with _appearing(target) as draft:
        for done, (name, place) in enumerate(places.items()):
            tell(f"writing {name}", done, len(places))
            about_scene = _put_scene(project, name, draft / place, way=frames, suffix=labels)
            told.append({"folder": place, **about_scene})
        tell("writing the notes", len(places), len(places))
        about = manifest(project, told)
        write_json(draft / "manifest.json", about)
        write_text(draft / "README.txt", readme(about, suffix=labels))
    return DatasetWritten(
        folder=target,
        scenes=Counter(scene["status"] for scene in told),
        frames=Counter(frame["how"] for scene in told for frame in scene["frames"]),
    )


def scene_places(project: Project, include: Collection[Status]) -> dict[str, str]:
    """Where the scenes of these statuses go, by id, so that read again they have their ids."""
    places: dict[str, str] = {}
    taken: set[str] = set()
    for name, status in project.statuses().items():
        if status not in include or status not in _FOLDERS:
            continue
        short = name.removeprefix(_TEST_PREFIX) if status is Status.TEST else name
        free = f"{_FOLDERS[status]}/{short}"
        if not short or free.casefold() in taken:
            free = f"{_FOLDERS[status]}/{name}"
        taken.add(free.casefold())
        places[name] = free
    return places


def _put_scene(
    project: Project, name: str, folder: Path, *, way: Way, suffix: Suffix
) -> dict[str, Any]:
    scene, state = project.scene(name), project.state(name)
    folder.mkdir(parents=True)
    put = put_frames(scene, folder, dataset=project.dataset, way=way)
    for frame in put:
        frame["sha256"] = file_checksum(folder / frame["file"])
    label = put_label(project, scene, folder, suffix=suffix, way=way)
    (folder / "exposure.txt").write_text(_exposures(scene), encoding="utf-8")
    return {
        "id": name,
        "status": state.status.value,
        "width": scene.width,
        "height": scene.height,
        "exposure_values": list(scene.stops),
        "frames": put,
        "label": label,
        "note": state.note,
        "tags": list(state.tags),
    }


def _exposures(scene: Scene) -> str:
    """EVs counted from the under frame, because the radiance of the labels is."""
    return "".join(f"{stops:.6g}\n" for stops in scene.stops)


def _refuse_unusable(target: Path, project: Project, places: Mapping[str, str]) -> None:
    if not places:
        raise ExportError(f"{project.folder}: has no scene of those statuses; promote some first")
    refuse_inside(project.dataset, target, what="dataset folder")
    refuse_inside(project.folder, target, what="project")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}: exists and is not empty; choose another name")


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A draft beside the target that takes its place at the end, or vanishes."""
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        draft.mkdir(parents=True)
        yield draft
        if target.exists():
            target.rmdir()
        draft.replace(target)
    except OSError as error:
        failed = Path(error.filename or target)
        inside = failed == draft or draft in failed.parents
        raise cannot_write(target if inside else failed, error) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
