"""Fetches scenes and thumbnails for the screen; the newest wish comes first."""

import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.preferences import FIRST_BUDGET
from smarthdr_studio.studio.tasks import How, Job, Priority, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.threads.memory import give_back
from smarthdr_studio.studio.threads.scenes import LoadedScene, SceneFiles, load_scene
from smarthdr_studio.studio.threads.thumbnails import make_thumbnails, trim_cache

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


class SceneDesk(QObject):
    """Loads one scene at a time on a thread; keeps what was loaded, within a memory budget.

    Frames and ground truths lie in the frame store, everything else of a scene beside it.
    """

    loaded = Signal(int, object)
    thumbnail_made = Signal(str, QImage)

    def __init__(self, keeper: Keeper, tasks: TaskRunner, *, thumbnails: Path) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks, self._cache = keeper, tasks, thumbnails
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
        keeper.switched.connect(self._switch)

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
        if self._keeper.project is not None:
            self._tidy(plain(trim_cache, cache=self._cache))

    def fetch(self, scene: str, *, generation: int) -> None:
        """Load a scene; answers with `generation`, at once if it is at hand and unchanged."""
        if self._keeper.project is None:
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
        if self._keeper.project is None or seen is None:
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
        assert self._keeper.project is not None
        project, label = self._keeper.project, None
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
        if not self._wanted or self._keeper.project is None:
            return None
        batch = [self._wanted.pop() for _ in range(min(_THUMBNAILS_AT_ONCE, len(self._wanted)))]
        frames = {scene: self._keeper.project.scene(scene).frames[1] for scene in batch}
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
