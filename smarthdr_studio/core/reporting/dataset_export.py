"""The curated set as a dataset folder: frames linked or converted, labels, masks, a manifest."""

import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio import __version__
from smarthdr_studio.core.environment import utc_now
from smarthdr_studio.core.errors import (
    BadScene,
    ExportError,
    ForeignPlace,
    LabelError,
    StudioError,
    UnreadableImage,
)
from smarthdr_studio.core.files import (
    AnyPath,
    copy_bytes,
    drafted,
    file_checksum,
    flush_folder,
    own_file,
)
from smarthdr_studio.core.imaging.bracket import Scene, decode_ground_truth
from smarthdr_studio.core.imaging.image_files import (
    examine,
    frame_orientations,
    image_size,
    read_frame,
    read_radiance,
    write_frame_tiff,
    write_radiance_exr,
    write_radiance_hdr,
)
from smarthdr_studio.core.imaging.image_headers import is_whole, sniff
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.project.debris import sweep_beside
from smarthdr_studio.core.project.journal import SceneState, Status
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.places import label_file, refuse_inside
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import refuse_without_dataset
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.remedies import FIND_DATASET
from smarthdr_studio.core.reporting.tables import (
    Progress,
    below,
    cannot_write,
    no_progress,
    write_json,
    write_text,
)
from smarthdr_studio.core.trust.pseudo_label import PseudoLabel, read_pseudo_label
from smarthdr_studio.core.words import counted

Way = Literal["link", "copy"]
How = Literal["link", "hard link", "copy", "converted"]

FRAME_NAMES: Final = ("1.tif", "2.tif", "3.tif")


def put_frames(
    scene: Scene, folder: AnyPath, *, dataset: AnyPath, way: Way
) -> list[dict[str, str]]:
    """Put under, reference and over frame into `folder` as FRAME_NAMES; says how each got there.

    A frame that stands in for another is put once, so that two frames stay two.
    A frame that is no TIFF, whatever it is called, becomes a 16-bit TIFF of exactly its values, and
    one that is read under the camera's curve a TIFF with gamma 2.2.
    Raises BadScene or UnreadableImage where a frame is gone, damaged or of another size, OSError
    where the folder cannot be written, and ForeignPlace where what would be carried along lies
    outside the dataset.
    """
    folder = Path(folder)
    dataset = Path(dataset)
    told = []
    frames = tuple(dict.fromkeys(scene.frames))
    for source in frames:
        _is_there(source)
    turns = frame_orientations(frames)
    for source, name, turn in zip(frames, FRAME_NAMES, turns, strict=False):
        kind, plain = _checked(source, scene, turn=turn)
        how: How = "converted"
        if kind == "tiff" and plain and turn == 1 and scene.reading.response is None:
            how = put_file(source, folder / name, way=way, of=dataset)
        else:
            own_file(dataset, source)
            frame = read_frame(source, orientation=turn, response=scene.reading.response)
            write_frame_tiff(folder / name, frame)
        told.append({"file": name, "from": below(dataset, source), "how": how})
        if how == "converted":
            told[-1]["was"] = kind
    return told


def put_file(source: AnyPath, target: AnyPath, *, way: Way, of: AnyPath) -> How:
    """Link or copy one file; links are relative, and hard or copies where there can be none.

    `of` is the folder that the file belongs to: what lies outside it is never more than pointed to.
    Raises OSError and ForeignPlace.
    """
    source = Path(source)
    target = Path(target)
    if way == "link" and _is_done(_link, source, target):
        return "link"
    own_file(of, source)
    if way == "link" and _is_done(_hard_link, source, target):
        return "hard link"
    copy_bytes(source, target)
    return "copy"


def _is_done(link: Callable[[Path, Path], None], source: Path, target: Path) -> bool:
    try:
        link(source, target)
    except (OSError, NotImplementedError):
        return False
    return True


def _link(source: Path, target: Path) -> None:
    """A symbolic link that says the way from the folder it lies in."""
    real = source.parent.resolve() / source.name
    home = target.parent.resolve()
    shared = next(folder for folder in (home, *home.parents) if real.is_relative_to(folder))
    up = len(home.relative_to(shared).parts)
    target.symlink_to(Path(*[".."] * up) / real.relative_to(shared))


def _hard_link(source: Path, target: Path) -> None:
    target.hardlink_to(source)


def _is_there(path: Path) -> None:
    if not path.is_file():
        raise BadScene(
            f"{path}: is gone; put it back, or say where the dataset is with: {FIND_DATASET}"
        )


def _checked(path: Path, scene: Scene, *, turn: int) -> tuple[str, bool]:
    """The kind of a usable frame's file, and whether any program reads it as this one does."""
    height, width = image_size(path, orientation=turn)
    if (height, width) != (scene.height, scene.width):
        raise BadScene(
            f"{path}: is now {width}×{height}, but was {scene.width}×{scene.height} when the "
            "project was made; put the first file back"
        )
    kind, header = examine(path)
    with open_plain(path) as stream:
        if not is_whole(stream, kind=kind):
            raise UnreadableImage(
                f"{path}: is truncated or damaged; copy it again from its source."
            )
    return kind, header.plain


Suffix = Literal["hdr", "exr"]

TRUSTED: Final = "trusted.png"
PERSON: Final = "person.png"


def put_label(
    project: Project, scene: Scene, folder: AnyPath, *, suffix: Suffix, way: Way
) -> dict[str, Any] | None:
    """Put the scene's label into `folder` as HDRImg; says what it is, None where there is none.

    A promoted label gets its trust mask beside it, and what a person painted. Raises LabelError,
    BadScene or UnreadableImage where a file is gone or damaged, and OSError where the folder
    cannot be written.
    """
    folder = Path(folder)
    state, target = project.state(scene.id), folder / f"HDRImg.{suffix}"
    if state.status is Status.PROMOTED:
        return _put_promoted(project, scene, state, target)
    if state.status not in (Status.GROUND_TRUTH, Status.TEST) or scene.ground_truth is None:
        return None
    source = scene.ground_truth
    if state.truth is not None:
        check_label(source, state.truth_checksum, imported=True)
    home = project.dataset if state.truth is None else project.folder
    told = {"file": target.name, "from": below(home, source)}
    if _can_stay(scene, source, suffix=suffix):
        # What lies in the project may be cleaned up one day, so it is never linked.
        put = "copy" if state.truth is not None else way
        how: str = put_file(source, target, way=put, of=home)
    else:
        own_file(home, source)
        _write(target, decode_ground_truth(scene).astype(np.float32))
        how = "converted"
    origin = "a ground truth that was brought" if state.truth else "the dataset's ground truth"
    return {**told, "is": origin, "how": how, "sha256": file_checksum(target)}


def _put_promoted(
    project: Project, scene: Scene, state: SceneState, target: Path
) -> dict[str, Any]:
    source = label_file(project.folder, str(state.label), scene=scene.id)
    check_label(source, state.checksum)
    label = read_pseudo_label(source, expect=(scene.height, scene.width))
    trusted = trusted_pixels(label, whole=state.whole)
    _write(target, label.hdr.astype(np.float32))
    _write_mask(target.with_name(TRUSTED), np.where(trusted, 255, 0).astype(np.uint8))
    of = label.provenance
    told = {
        "file": target.name,
        "is": "a promoted pseudo-label",
        "from": state.label,
        "source_sha256": state.checksum,
        "sha256": file_checksum(target),
        "trust_mask": TRUSTED,
        "trusted_share": float(trusted.mean()),
        "whole": state.whole,
        "run": of.run,
        "round": of.round,
        "epoch": of.epoch,
        "checkpoint": of.checkpoint,
        "network": of.network,
        "made": of.made,
        "tau_patch": of.masks.tau_patch,
        "tau_pixel": of.masks.tau_pixel,
    }
    if label.person is not None:
        shades = np.array([0, 128, 255], np.uint8)  # distrust, neither, trust
        _write_mask(target.with_name(PERSON), shades[np.sign(label.person).astype(np.intp) + 1])
        told["person_mask"] = PERSON
    return told


def trusted_pixels(label: PseudoLabel, *, whole: bool) -> npt.NDArray[np.bool_]:
    """H×W, True where the loss counts a promoted label, with the masks it was frozen with."""
    if whole:
        return np.ones(label.sigma.shape, bool)
    found: npt.NDArray[np.bool_] = label.trust(person=label.person).trusted
    return found


def _can_stay(scene: Scene, source: Path, *, suffix: Suffix) -> bool:
    """Whether a ground truth is what is asked for already, after making sure it can be read."""
    if not source.is_file() or image_size(source) != (scene.height, scene.width):
        decode_ground_truth(scene)  # says what is wrong
    with open_plain(source) as stream:
        kind = sniff(stream)
    if kind != suffix or (scene.ground_truth_gain, scene.ground_truth_gamma) != (1, 1):
        return False
    return bool(read_radiance(source).max() <= 1)


def _write(path: Path, radiance: Floats) -> None:
    if path.suffix == ".hdr":
        write_radiance_hdr(path, radiance)
        return
    try:
        write_radiance_exr(path, radiance)
    except RuntimeError as error:  # what the library makes of a full disk
        raise OSError(str(error).partition("\n")[0]) from None


def _write_mask(path: Path, mask: npt.NDArray[np.uint8]) -> None:
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(mask))
    if not done:
        raise ValueError(f"OpenCV cannot write {mask.dtype} {mask.shape} as PNG")
    path.write_bytes(encoded.tobytes())


FORMAT: Final = 1
_RADIANCE: Final = (
    "Linear RGB in [0, 1]; 1 is what clips the first frame, so camera values of frame i are "
    "(radiance x 2^EV_i)^(1/2.2), clipped, with EV_i from exposure.txt."
)
_README: Final = """{name}: the curated set of a SmartHDR Studio project, {exported}

{counts}

Layout of Kalantari and Ramamoorthi (2017):
  Training/ID, Test/ID{unlabelled}
    1.tif 2.tif 3.tif   under, reference and over frame, camera values with gamma 1/2.2
    exposure.txt        their exposure values, counted from the first frame
    HDRImg.{suffix}          the label, aligned to 2.tif; a test scene may have none
    trusted.png         beside promoted labels: 255 where the label can be trusted, 0 elsewhere;
                        a scene without it is to be trusted everywhere
    person.png          where somebody painted: 255 trust forced, 0 distrust forced, 128 neither

{radiance}
{precision}
A promoted label is a pseudo-label: what a network made of the frames. Count only its trusted
pixels in the loss. manifest.json says for every scene what it is, where its files are from, with
which run, round, checkpoint and thresholds its label was made, and every checksum.
{links}"""


def manifest(
    project: Project, scenes: Sequence[Mapping[str, Any]], *, left_out: Collection[str] = ()
) -> dict[str, Any]:
    """Everything about an exported dataset as plain values; of what was left out the names alone.

    Why it was names files of this machine, which are nobody else's.
    """
    return {
        "format": FORMAT,
        "made_by": f"SmartHDR Studio {__version__}",
        "exported": utc_now(),
        "project": project.name,
        "dataset": project.dataset.name,
        "radiance": _RADIANCE,
        "scenes": list(scenes),
        "left_out": list(left_out),
    }


def readme(of: Mapping[str, Any], *, suffix: str) -> str:
    """The same for people, in a page."""
    scenes = of["scenes"]
    counts = Counter(scene["status"] for scene in scenes)
    hows = Counter(frame["how"] for scene in scenes for frame in scene["frames"])
    linked = hows["link"] + hows["hard link"]
    has_unlabelled = any(scene["folder"].startswith("Unlabelled/") for scene in scenes)
    links = _LINKS if hows["link"] else _HARD_LINKS if linked else ""
    converted = _CONVERTED.format(count=hows["converted"]) if hows["converted"] else ""
    lacks = ", ".join(of["left_out"])
    left_out = f"\n{fill(_LEFT_OUT.format(scenes=lacks), 96)}\n" if lacks else ""
    return _README.format(
        name=of["project"],
        exported=of["exported"],
        counts=", ".join(f"{count} {status}" for status, count in sorted(counts.items())) + ".",
        unlabelled=", and Unlabelled/ID without a label" if has_unlabelled else "",
        suffix=suffix,
        radiance=fill(_RADIANCE, 96),
        precision=_PRECISION[suffix],
        links=links + converted + left_out,
    )


_PRECISION: Final = {
    "hdr": "HDRImg.hdr is RGBE: 8 bits of mantissa, exact to about 0.4 % of the brightest channel.",
    "exr": "HDRImg.exr holds half floats: 11 bits of mantissa.",
}
_LINKS: Final = """
Frames are symbolic links into the dataset they are from: export with copies to hand this folder on.
"""
_HARD_LINKS: Final = """
Frames are hard links: they share their bytes with the dataset they are from, so change none.
"""
_CONVERTED: Final = """
Frames that were no TIFF files or are read under a camera's curve, {count} of them, were written as
16-bit TIFF with gamma 1/2.2.
"""
_LEFT_OUT: Final = (
    "Left out, because their pictures or labels could not be used when this was made: {scenes}."
)


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
    """Where a dataset was written, and how many scenes of each status and frames put how.

    `left_out` says by scene, in a sentence each, why one that was asked for is not in it.
    """

    folder: Path
    scenes: Mapping[str, int]
    frames: Mapping[str, int]
    left_out: Mapping[str, str]

    @property
    def words(self) -> str:
        """What was written, in one sentence."""
        scenes = ", ".join(f"{count} {status}" for status, count in self.scenes.items())
        frames = ", ".join(f"{count} {_DONE[how]}" for how, count in self.frames.items())
        rest = f"; {counted(len(self.left_out), 'scene')} left out" if self.left_out else ""
        return f"{self.folder}: {scenes}; frames: {frames}{rest}"


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
    tell: Progress = no_progress,
) -> DatasetWritten:
    """Write the scenes of these statuses to `target` in the layout of Kalantari 2017.

    Excluded scenes never go along. A scene whose pictures are others than those its label was made
    of, or whose frames or label are gone or damaged, is left out and told. The folder appears when
    all of it is written; `tell` may raise to stop, and then, as after an error, nothing is left.
    Links stand for frames and for ground truths that can stay as they are; what cannot be linked is
    copied.

    Raises:
        ExportError: nothing to write, `target` is not empty, lies in the dataset or the project,
            or cannot be written.
        ProjectError: the dataset is not where it was, or holds other pictures of every scene.
        StudioError: every scene would be left out; why the first one is.
    """
    target = Path(target).expanduser().absolute()
    places = scene_places(project, include)
    _refuse_unusable(target, project, places)
    refuse_without_dataset(project)
    left_out = _other_pictures(project, places)
    told: list[dict[str, Any]] = []
    with _appearing(target) as draft:
        for done, (name, place) in enumerate(places.items()):
            if name in left_out:
                continue
            tell(f"writing {name}", done, len(places))
            try:
                about_scene = _put_scene(project, name, draft / place, way=frames, suffix=labels)
            except (BadScene, UnreadableImage, LabelError, ForeignPlace) as error:
                left_out[name] = str(error)
                _drop(draft / place)
            else:
                told.append({"folder": place, **about_scene})
        left_out = {name: left_out[name] for name in places if name in left_out}
        if not told:
            raise StudioError(next(iter(left_out.values())))
        tell("writing the notes", len(places), len(places))
        about = manifest(project, told, left_out=left_out)
        write_json(draft / "manifest.json", about)
        write_text(draft / "README.txt", readme(about, suffix=labels))
    return DatasetWritten(
        folder=target,
        scenes=Counter(scene["status"] for scene in told),
        frames=Counter(frame["how"] for scene in told for frame in scene["frames"]),
        left_out=left_out,
    )


def _drop(folder: Path) -> None:
    """Take a scene that is left out from the draft, and the folder of its status if it is empty."""
    shutil.rmtree(folder)
    with suppress(OSError):
        folder.parent.rmdir()


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
    return "".join(f"{stops:.6g}\n" for stops in dict.fromkeys(scene.stops))


def _refuse_unusable(target: Path, project: Project, places: Mapping[str, str]) -> None:
    if not places:
        raise ExportError(f"{project.folder}: has no scene of those statuses; promote some first")
    refuse_inside(project.dataset, target)
    refuse_inside(project.folder, target, what="project")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}: exists and is not empty; choose another name")


def _other_pictures(project: Project, ids: Collection[str]) -> dict[str, str]:
    """Why scenes are left out whose pictures are others than the project knows, by scene.

    Raises ProjectError where that is so of all of several.
    """
    found = project.compare_pictures(tuple(ids))
    if len(found.changed) == len(ids) > 1:
        found.refuse()
    return {name: found.of_scene(name) for name in found.changed}


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A draft beside the target that takes its place at the end, or vanishes.

    One of the same target that a kill has left is swept.
    """
    sweep_beside(target)
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with drafted(draft, of=target):
            draft.mkdir(parents=True)
            yield draft
        if target.exists():
            target.rmdir()
        draft.replace(target)
        flush_folder(target.parent)
    except OSError as error:
        failed = Path(error.filename or target)
        inside = failed == target or target in failed.parents
        raise cannot_write(target if inside else failed, error) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
