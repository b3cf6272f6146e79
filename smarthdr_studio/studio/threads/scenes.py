"""Reading one scene whole: frames, labels, ground truth; what fails is told, not raised."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from smarthdr_studio.core.bracket import Bracket, Half, Scene
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.file_stamps import Stamp, stamp_of
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.pseudo_label import PseudoLabel, read_pseudo_label

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFiles:
    """Which scene to read, and what its files are; `label` is the one it was promoted with.

    `stamp` changes when the pseudo-label or the promoted label is written, replaced or lost.
    """

    scene: Scene
    pseudo: Path
    stamp: tuple[Stamp, Stamp]
    label: Path | None = None

    @classmethod
    def of(cls, scene: Scene, *, pseudo: Path, label: Path | None = None) -> "SceneFiles":
        """The files as they lie on disk now."""
        stamps = stamp_of(pseudo), () if label is None else stamp_of(label)
        return cls(scene=scene, pseudo=pseudo, stamp=stamps, label=label)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedScene:
    """Everything a view can need of one scene; each of `problems` is a sentence."""

    files: SceneFiles
    bracket: Bracket | None = None
    label: PseudoLabel | None = None
    promoted: PseudoLabel | None = None
    ground_truth: Half | None = None
    problems: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The scene's id."""
        return self.files.scene.id

    @property
    def nbytes(self) -> int:
        """Memory of every array held here, whoever else holds it too."""
        frames = 0 if self.bracket is None else self.bracket.nbytes
        truth = 0 if self.ground_truth is None else self.ground_truth.nbytes
        return frames + truth + _label_bytes(self.label) + _label_bytes(self.promoted)


def load_scene(*, files: SceneFiles, frames: FrameStore) -> LoadedScene:
    """Read what there is; a part that cannot be read leaves its sentence among the problems."""
    scene, lost, problems = files.scene, list[str](), list[str]()
    with ThreadPoolExecutor(max_workers=1) as beside:
        # Labels are unpacked while frames are decoded: neither needs the other.
        labels = beside.submit(_labels, files, problems)
        bracket = _try(lambda: frames.bracket(scene), lost)
        truth = None
        if scene.ground_truth is not None:
            truth = _try(lambda: frames.ground_truth(scene), lost)
        label, promoted = labels.result()
    if lost and (folder := _vanished(scene)) is not None:
        # One cause is one sentence, however many files it takes along.
        lost = [f"{folder}: is not there any more; put it back or plug in its disk"]
    return LoadedScene(
        files=files,
        bracket=bracket,
        label=label,
        promoted=promoted,
        ground_truth=truth,
        problems=(*lost, *problems),
    )


def modified(path: Path) -> float:
    """When a file was written, or 0 where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _try(read: Callable[[], _Part], problems: list[str]) -> _Part | None:
    try:
        return read()
    except StudioError as error:
        problems.append(str(error))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        where = error.filename or "A file of this scene"
        problems.append(f"{where}: cannot be read ({reason}); look at the disk")
    return None


def _labels(
    files: SceneFiles, problems: list[str]
) -> tuple[PseudoLabel | None, PseudoLabel | None]:
    """The pseudo-label, and the one the scene was promoted with."""
    label = _try(lambda: _pseudo_label(files), problems)
    frozen = files.label
    if frozen is None:
        return label, None
    return label, _try(lambda: _read(frozen, files.scene), problems)


def _pseudo_label(files: SceneFiles) -> PseudoLabel | None:
    """None where there never was one: its statistics outlive a file that was deleted."""
    statistics = files.pseudo.with_suffix(".npz")
    if not files.stamp[0] and not files.pseudo.is_file() and not statistics.is_file():
        return None
    return _read(files.pseudo, files.scene)


def _read(path: Path, scene: Scene) -> PseudoLabel:
    return read_pseudo_label(path, expect=(scene.height, scene.width))


def _vanished(scene: Scene) -> Path | None:
    """The outermost folder of a scene that is not there any more."""
    missing = [folder for folder in scene.frames[1].parents if not _is_folder(folder)]
    return missing[-1] if missing else None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # the disk answers no more
        return False


def _label_bytes(label: PseudoLabel | None) -> int:
    if label is None:
        return 0
    person = 0 if label.person is None else label.person.nbytes
    return label.hdr.nbytes + label.sigma.nbytes + person
