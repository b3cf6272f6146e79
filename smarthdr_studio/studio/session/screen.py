"""What is on the screen: the current scene, how it is shown, and what is trusted of it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from smarthdr_studio.core.display import DisplaySettings, Layer
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.retention import Retention
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.pool_desk import PoolDesk
from smarthdr_studio.studio.session.scene_desk import SceneDesk
from smarthdr_studio.studio.session.stage import Stage
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.threads.scenes import LoadedScene

_CHARTS_AFTER_MS: Final = 60  # charts and list follow at leisure, pictures and shares at once


class Screen(QObject):
    """Shows scenes and trust; the last good picture stays until the next one is whole."""

    painted = Signal(int, object)
    sized = Signal(int, int)
    thumbnail_made = Signal(str, QImage)

    def __init__(self, keeper: Keeper, crew: Crew, *, thumbnails: Path) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._stage = Stage()
        self._scenes = SceneDesk(crew, thumbnails=thumbnails, parent=self)
        self._pool = PoolDesk(crew, self)
        self._retention: Retention | None = None
        self._repaint = QTimer(self, singleShot=True, interval=0)
        self._rechart = QTimer(self, singleShot=True, interval=_CHARTS_AFTER_MS)
        self._scenes.loaded.connect(self._show_scene)
        self._scenes.refused.connect(self._scene_refused)
        self._scenes.thumbnail_made.connect(self.thumbnail_made)
        self._pool.read.connect(self.judge)
        self._pool.refused.connect(keeper.complain)
        self._repaint.timeout.connect(self._paint)
        self._rechart.timeout.connect(self._chart)

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self._scenes.serve(project)
        self._pool.serve(project)
        self._stage.clear()
        self._retention = None
        self._pool.refresh()

    def rest(self) -> None:
        """Paint no more."""
        self._repaint.stop()
        self._rechart.stop()

    @Slot(str)
    def pick(self, scene: str) -> None:
        """Show a scene; the one on the screen stays until the new one is read."""
        generation = self._keeper.state.generation + 1
        self._keeper.become(current=scene, generation=generation, readout=None)
        self._scenes.fetch(scene, generation=generation)

    @Slot(object)
    def want_thumbnails(self, scenes: tuple[str, ...]) -> None:
        """Make thumbnails of these scenes."""
        self._scenes.want_thumbnails(scenes)

    @Slot(object)
    def set_display(self, display: DisplaySettings) -> None:
        """Show every view so."""
        self._keeper.become(display=display)
        self._repaint.start()

    @Slot(int, str)
    def set_layer(self, view: int, layer: str) -> None:
        """Show a layer in a view; 0 is the first view."""
        views = list(self._keeper.state.views)
        views[view] = replace(views[view], layer=Layer(layer))
        self._keeper.become(views=tuple(views))
        self._repaint.start()

    @Slot(object)
    def hover(self, at: tuple[int, int] | None) -> None:
        """Read the pixel under the cursor."""
        size = self._stage.size
        inside = at is not None and size is not None and at[0] < size[0] and at[1] < size[1]
        readout = self._stage.read(at) if inside and at is not None else None
        self._keeper.become(readout=readout)

    @Slot(object)
    def move_masks(self, masks: MaskSettings) -> None:
        """Try thresholds while the hand still moves them."""
        self._keeper.become(masks=masks)
        self.judge()

    @Slot()
    def judge(self) -> None:
        """Count again what the thresholds keep, of the pool and of the scene on the screen."""
        state = self._keeper.state
        self._retention = self._pool.retention(state.masks)
        share = self._stage.judge(masks=state.masks, pool=self._retention)
        if share is not None and self._stage.scene is not None:
            self._pool.note_share(self._stage.scene, share)
        self._keeper.become(retained=share, pool=self._pool.shares(self._retention))
        self._repaint.start()
        if not self._rechart.isActive():
            self._rechart.start()

    def take_statuses(self, statuses: dict[str, Status]) -> None:
        """The journal adds up to these; another pool is read anew."""
        before = {row.id: row.status for row in self._keeper.state.scenes}
        self._keeper.become(scenes=self._pool.rows(statuses))
        if before != statuses:
            self._pool.refresh()
        self.judge()

    def reload(self) -> None:
        """New pseudo-labels are on disk: read the pool and the current scene again."""
        self._pool.refresh()
        state = self._keeper.state
        if state.current is not None:
            self._scenes.fetch(state.current, generation=state.generation)

    def ranges(self, scenes: Iterable[str]) -> dict[str, tuple[Range, Range | None]]:
        """The pool's ranges of σ the masks on the screen are made with, for these scenes."""
        pool = self._retention
        if pool is None or pool.patch_range is None:
            return {}
        return dict.fromkeys(scenes, (pool.patch_range, pool.pixel_range))

    @Slot(int, object)
    def _show_scene(self, generation: int, loaded: LoadedScene) -> None:
        state = self._keeper.state
        if generation != state.generation:
            return
        self._stage.show(loaded, masks=state.masks, pool=self._retention)
        if self._stage.size is not None:
            self.sized.emit(*self._stage.size)
        self._keeper.become(shown=loaded.id, readout=None, cache_bytes=self._scenes.held_bytes)
        if loaded.problems:
            first, *others = loaded.problems
            self._keeper.notice(Notice(text=first, tone="bad", details=tuple(others)))
        self.judge()
        self._prefetch(loaded.id)

    @Slot(int, str)
    def _scene_refused(self, generation: int, message: str) -> None:
        if generation == self._keeper.state.generation:
            self._keeper.complain(message)

    def _prefetch(self, scene: str) -> None:
        """The scene after this one is likely to be asked for next."""
        ids = [row.id for row in self._keeper.state.scenes]
        after = ids.index(scene) + 1 if scene in ids else len(ids)
        if after < len(ids):
            self._scenes.fetch(ids[after], generation=0)

    @Slot()
    def _paint(self) -> None:
        state = self._keeper.state
        for place, view in enumerate(state.views):
            self.painted.emit(place, self._stage.paint(view.layer, state.display))

    @Slot()
    def _chart(self) -> None:
        state = self._keeper.state
        statuses = {row.id: row.status for row in state.scenes}
        self._keeper.become(scenes=self._pool.rows(statuses), charts=self._pool.charts(state.masks))
