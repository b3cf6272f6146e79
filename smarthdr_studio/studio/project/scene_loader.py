"""Fetches scenes and thumbnails for the screen; the newest wish comes first."""

import ctypes
import hashlib
import logging
import platform
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import cv2
import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from smarthdr_studio.core.errors import ProjectError, StudioError
from smarthdr_studio.core.files import FileStamp, file_stamp
from smarthdr_studio.core.imaging.bracket import Bracket, FrameStore, Half, Scene
from smarthdr_studio.core.imaging.image_files import read_frame
from smarthdr_studio.core.trust.pseudo_label import PseudoLabel, read_pseudo_label
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.settings import FIRST_BUDGET
from smarthdr_studio.studio.tasks import How, Job, Priority, RepeatedTask, Report, TaskRunner, plain

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFiles:
    """Which scene to read, and what its files are; `label` is the one it was promoted with.

    `stamp` changes when the pseudo-label or the promoted label is written, replaced or lost.
    """

    scene: Scene
    pseudo: Path
    stamp: tuple[FileStamp, FileStamp]
    label: Path | None = None

    @classmethod
    def of(cls, scene: Scene, *, pseudo: Path, label: Path | None = None) -> "SceneFiles":
        """The files as they lie on disk now."""
        stamps = file_stamp(pseudo), () if label is None else file_stamp(label)
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


CACHE_BYTES: Final = 256 * 2**20  # on disk: some 15,000 pictures
_WIDTH: Final = 320  # what the gallery shows at most; lists shrink it further
_QUALITY: Final = 88


def make_thumbnails(
    report: Report, *, frames: Mapping[str, Path], cache: Path
) -> dict[str, QImage]:
    """A small picture of each frame, by scene; frames that cannot be read are left out."""
    made = {}
    for done, (scene, path) in enumerate(frames.items()):
        report("", done, len(frames))
        try:
            made[scene] = _thumbnail(path, cache)
        except (StudioError, OSError):
            continue  # opening the scene tells what is wrong with its files
    return made


def trim_cache(*, cache: Path, most: int = CACHE_BYTES) -> int:
    """Let the oldest pictures go until at most three quarters of `most` bytes are left.

    Nothing is done below `most`. Answers how many bytes there are then.
    """
    found = []
    for path in cache.glob("*") if cache.is_dir() else ():
        try:
            seen = path.stat()
        except OSError:  # another window is tidying up as well
            continue
        found.append((seen.st_mtime, seen.st_size, path))
    total = sum(size for _, size, _ in found)
    if total <= most:
        return total
    for _, size, path in sorted(found):
        if total <= most * 3 // 4:
            break
        path.unlink(missing_ok=True)
        total -= size
    return total


def _thumbnail(frame: Path, cache: Path) -> QImage:
    name = hashlib.sha256(f"{frame.resolve()} {modified(frame)} {_WIDTH}".encode()).hexdigest()
    kept = cache / f"{name[:32]}.jpg"
    picture = QImage(str(kept)) if kept.is_file() else QImage()
    if not picture.isNull():
        return picture
    picture = _shrunk(frame)
    cache.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(".part.jpg")
    if picture.save(str(draft), quality=_QUALITY):
        draft.replace(kept)
    return picture


def _shrunk(frame: Path) -> QImage:
    pixels = read_frame(frame)
    height = max(1, round(_WIDTH * pixels.shape[0] / pixels.shape[1]))
    small = cv2.resize(pixels, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    rgb8 = np.right_shift(small.view(np.uint16), 8).astype(np.uint8)
    # copy() because QImage does not own the array's memory.
    return QImage(rgb8.data, _WIDTH, height, 3 * _WIDTH, QImage.Format.Format_RGB888).copy()


def give_back() -> None:
    """Return freed pages; some 20 ms after a few hundred megabytes, so it is done on a thread."""
    if sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


_log: Final = logging.getLogger(__name__)

_LABEL_SHARE: Final = 0.25
_FREED_AT_ONCE: Final = 2**28  # bytes
_THUMBNAILS_AT_ONCE: Final = 4
_MOST_THUMBNAILS: Final = 400  # that wait; whoever scrolled past more does not miss them


@dataclass(frozen=True, slots=True)
class _Wish:
    """A scene to load: `generation` is the number of the answer, 0 if nobody waits for it."""

    generation: int
    files: SceneFiles


class _Sight(NamedTuple):
    """What was found when a scene was read: its stamp, and which frames were not there."""

    stamp: object
    missing: tuple[Path, ...]


class SceneController(QObject):
    """Loads one scene at a time on a thread; keeps what was loaded, within a memory budget.

    Frames and ground truths lie in the frame store, everything else of a scene beside it.
    """

    loaded = Signal(int, object)
    thumbnail_made = Signal(str, QImage)

    def __init__(self, store: Store, tasks: TaskRunner, *, thumbnails: Path) -> None:
        super().__init__(store)
        self._store, self._tasks, self._cache = store, tasks, thumbnails
        self._budget, self._beside = FIRST_BUDGET, 0
        self.frames = FrameStore(self._budget)
        self._kept: OrderedDict[str, LoadedScene] = OrderedDict()
        self._seen: dict[str, _Sight] = {}
        self._freed = 0  # bytes let go of since the system got any back
        self._loading = RepeatedTask(tasks, self._to_load, self._answered)
        self._now: _Wish | None = None
        self._next: _Wish | None = None
        self._drawing = RepeatedTask(tasks, self._to_draw, self._drawn, self._not_drawn)
        self._wanted: list[str] = []
        store.switched.connect(self._switch)

    @property
    def held_bytes(self) -> int:
        """Memory held by decoded frames and pseudo-labels."""
        return self.frames.used_bytes + self._label_bytes()

    def set_budget(self, budget: int) -> None:
        """Hold at most so many bytes, with what `make_room_beside` said last."""
        self._budget = budget
        self._make_room()

    def make_room_beside(self, nbytes: int) -> None:
        """Finished pictures take so much of the budget now."""
        if nbytes != self._beside:
            self._beside = nbytes
            self._make_room()

    @Slot()
    def _switch(self) -> None:
        self.frames = FrameStore(self._budget)
        self._kept.clear()
        self._seen.clear()
        self._next = None
        self._wanted.clear()
        if self._store.project is not None:
            self._tidy(plain(trim_cache, cache=self._cache))

    def fetch(self, scene: str, *, generation: int) -> None:
        """Load a scene; answers with `generation`, at once if it is at hand and unchanged."""
        if self._store.project is None:
            return
        files = self._files(scene)
        kept = self._at_hand(files)
        if kept is not None:
            if generation:
                self.loaded.emit(generation, kept)
            return
        if generation or not self._loading.at_work:
            self._next = _Wish(generation, files)
            self._loading.ask()

    def has_changed(self, scene: str) -> bool:
        """Whether labels came or went, another ground truth was brought, or lost frames are back.

        Only looks at what the file system says of a few files.
        """
        seen = self._seen.get(scene)
        if self._store.project is None or seen is None:
            return False
        stamp = _stamp_of(self._files(scene))
        return seen.stamp != stamp or any(path.exists() for path in seen.missing)

    def want_thumbnails(self, scenes: tuple[str, ...]) -> None:
        """Make thumbnails of these, the ones asked for last first."""
        newest = frozenset(scenes)
        waiting = (scene for scene in self._wanted if scene not in newest)
        self._wanted = [*waiting, *scenes[::-1]][-_MOST_THUMBNAILS:]
        self._drawing.ask()

    def _to_load(self) -> Job[LoadedScene] | None:
        self._now, self._next = self._next, None
        if self._now is None:
            return None
        return plain(load_scene, files=self._now.files, frames=self.frames)

    def _answered(self, scene: LoadedScene) -> None:
        generation = self._now.generation if self._now is not None else 0
        self._keep(scene)
        gone = [path for path in scene.files.scene.frames if not path.exists()]
        self._seen[scene.id] = _Sight(_stamp_of(scene.files), tuple(gone if scene.problems else ()))
        if generation:
            self.loaded.emit(generation, scene)

    def _files(self, scene: str) -> SceneFiles:
        assert self._store.project is not None
        project, label = self._store.project, None
        with suppress(ProjectError):  # a journal that cannot be read is told by who reads it
            label = project.label_path(scene)
        return SceneFiles.of(project.scene(scene), pseudo=project.pseudo_path(scene), label=label)

    def _at_hand(self, files: SceneFiles) -> LoadedScene | None:
        """The scene, if nothing of it has to be read."""
        kept = self._kept.get(files.scene.id)
        if kept is None or kept.files.stamp != files.stamp or kept.problems:
            return None
        bracket, truth = self.frames.held(files.scene)
        if bracket is None or (truth is None and files.scene.ground_truth is not None):
            return None
        self._kept.move_to_end(kept.id)
        return replace(kept, bracket=bracket, ground_truth=truth)

    def _keep(self, scene: LoadedScene) -> None:
        self._kept[scene.id] = replace(scene, bracket=None, ground_truth=None)
        self._kept.move_to_end(scene.id)
        self._make_room()

    def _make_room(self) -> None:
        before = self.held_bytes
        while self._label_bytes() > self._budget * _LABEL_SHARE and len(self._kept) > 1:
            self._kept.popitem(last=False)
        self.frames.resize(max(self._budget - self._beside - self._label_bytes(), 0))
        self._freed += before - self.held_bytes
        if self._freed > _FREED_AT_ONCE:
            self._freed = 0
            self._tidy(plain(give_back))

    def _tidy(self, job: Job[object]) -> None:
        """The system is to have memory or disk again; nobody waits for it."""
        how = How(priority=Priority.BACKGROUND)
        self._tasks.start(job, on_refused=_log_refusal, how=how)

    def _label_bytes(self) -> int:
        return sum(scene.nbytes for scene in self._kept.values())

    def _to_draw(self) -> Job[dict[str, QImage]] | None:
        if not self._wanted or self._store.project is None:
            return None
        batch = [self._wanted.pop() for _ in range(min(_THUMBNAILS_AT_ONCE, len(self._wanted)))]
        frames = {scene: self._store.project.scene(scene).frames[1] for scene in batch}
        return partial(make_thumbnails, frames=frames, cache=self._cache)

    def _drawn(self, pictures: dict[str, QImage]) -> None:
        for scene, picture in pictures.items():
            self.thumbnail_made.emit(scene, picture)
        self._drawing.ask()

    def _not_drawn(self, message: str) -> None:
        _log_refusal(message)
        self._drawing.ask()


def _log_refusal(message: str) -> None:
    _log.warning("thumbnails: %s", message)


def _stamp_of(files: SceneFiles) -> object:
    """What is another value when there is something new to read."""
    return files.stamp, files.scene.ground_truth
