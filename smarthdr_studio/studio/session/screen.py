"""What is on the screen: the current scene, what is trusted of it, and its finished pictures."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.display import Layer, Painted
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.regions import Box
from smarthdr_studio.core.retention import Retention
from smarthdr_studio.core.what_if import WhatIf
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.persons import Persons
from smarthdr_studio.studio.session.pool_desk import PoolDesk
from smarthdr_studio.studio.session.scene_desk import SceneDesk
from smarthdr_studio.studio.session.stage import Stage
from smarthdr_studio.studio.session.viewing import Viewing, settings_of
from smarthdr_studio.studio.state import CompareMode, Notice, PoolCharts, PoolShares
from smarthdr_studio.studio.tasks import TaskRunner
from smarthdr_studio.studio.threads.scenes import LoadedScene

_POOL_EVERY_S: Final = 0.15
_AHEAD_AFTER_MS: Final = 50  # the next scene is read once this one has been painted
_CHARTS_AFTER_MS: Final = 60  # charts and list follow at leisure, pictures and shares at once


class Screen(QObject):
    """Shows scenes and trust; the last good picture stays until the next one is whole."""

    painted = Signal(int, object)
    partnered = Signal(int, object, str)  # view, Painted or None, "wipe" or "flicker"
    sized = Signal(int, int)
    thumbnail_made = Signal(str, QImage)
    picked = Signal(str)
    scene_shown = Signal(str)
    judged = Signal()
    charted = Signal()

    def __init__(self, keeper: Keeper, tasks: TaskRunner, *, thumbnails: Path) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self.stage = Stage()
        self.viewing = Viewing(keeper)
        self.scenes = SceneDesk(keeper, tasks, thumbnails=thumbnails)
        self.pool = PoolDesk(keeper, tasks)
        self.past_masks: MaskSettings | None = None  # of the round that is replayed as it was used
        self.held_elsewhere: Callable[[], int] = int  # bytes others keep of scenes that were shown
        self.rows_of = self.pool.rows  # whoever knows more of scenes than the pool
        self._persons = Persons(keeper)
        self._retention: Retention | None = None
        self._pooled_at = 0.0  # when the pool's share was last told while drawing
        self._wiped: int | None = None
        self._repaint = QTimer(self, singleShot=True, interval=0)
        self._ahead = QTimer(self, singleShot=True, interval=_AHEAD_AFTER_MS)
        self._rechart = QTimer(self, singleShot=True, interval=_CHARTS_AFTER_MS)
        self.scenes.loaded.connect(self._show_scene)
        self.scenes.thumbnail_made.connect(self.thumbnail_made)
        self.pool.read.connect(self.judge)
        self.pool.charted.connect(self._charted)
        self.viewing.repaint_wanted.connect(self.repaint)
        self.viewing.flicker_wanted.connect(self._flicker)
        self._ahead.timeout.connect(self._prefetch)
        self._repaint.timeout.connect(self._paint)
        self._rechart.timeout.connect(self._chart)
        keeper.switched.connect(self._switch)

    @property
    def retention(self) -> Retention | None:
        """What the thresholds keep of the pool, and its ranges."""
        return self._retention

    @Slot()
    def _switch(self) -> None:
        self.stage.clear()
        self._retention = self.past_masks = None

    def rest(self) -> None:
        """Paint no more."""
        for timer in (self._repaint, self._rechart, self._ahead):
            timer.stop()

    @Slot()
    def repaint(self) -> None:
        """Paint every view once all that is being changed has changed."""
        self._repaint.start()

    @Slot(str)
    def pick(self, scene: str) -> None:
        """Show a scene; the one on the screen stays until the new one is read."""
        generation = self._keeper.state.generation + 1
        self._keeper.become(current=scene, generation=generation)
        self._ahead.stop()
        self.picked.emit(scene)
        self.scenes.fetch(scene, generation=generation)

    @Slot(object)
    def want_thumbnails(self, scenes: tuple[str, ...]) -> None:
        """Make thumbnails of these scenes."""
        self.scenes.want_thumbnails(scenes)

    @Slot(object)
    def move_masks(self, masks: MaskSettings) -> None:
        """Try thresholds while the hand still moves them."""
        self._keeper.become(masks=masks)
        self.judge()

    @Slot()
    def judge(self) -> None:
        """Count again what the thresholds keep, of the pool and of the scene on the screen."""
        state = self._keeper.state
        self._retention = self.pool.retention(state.masks)
        masks = self.past_masks or state.masks
        share = self.stage.judge(masks=masks, pool=self._retention)
        loaded = self.stage.loaded
        if share is not None and loaded is not None and loaded.label and state.replay is None:
            self.pool.note_share(loaded.id, share)
        self._told(share, pool=self._shares(share))
        self.judged.emit()
        self.repaint()
        if not self._rechart.isActive():
            self._rechart.start()

    def preview(self, person: Brush | None, box: Box | None) -> None:
        """Show a stroke while it is being drawn; None and no box show the journal's mask again.

        The scene's share follows the hand, the pool's a few times a second.
        """
        share, pool, now = self.stage.preview(person, box), self._keeper.state.pool, monotonic()
        if person is None or now - self._pooled_at > _POOL_EVERY_S:
            pool, self._pooled_at = self._shares(share, drawing=person is not None), now
        self._told(share, pool=pool)
        self.repaint()

    def _told(self, share: float | None, *, pool: PoolShares | None) -> None:
        trusted, distrusted = self.stage.painted_shares()
        brush = replace(self._keeper.state.brush, trusted=trusted, distrusted=distrusted)
        self._keeper.become(retained=share, pool=pool, brush=brush)

    def take_statuses(self, statuses: dict[str, Status]) -> None:
        """The journal adds up to these and its brush; another pool is read anew."""
        before = {row.id: row.status for row in self._keeper.state.scenes}
        self._keeper.become(scenes=self.rows_of(statuses))
        if self._persons.read() or before != statuses or self.pool.reading is None:
            self.pool.refresh()
        self.stage.take_person(self._persons.of(self.stage.scene))
        self.judge()

    def _shares(self, share: float | None, *, drawing: bool = False) -> PoolShares | None:
        """The pool, set right by the scene on the screen while its brush is still to be counted."""
        scene = self.stage.scene
        if scene is None or share is None or self._keeper.state.replay is not None:
            return self.pool.shares(self._retention)
        counted = not drawing and self.pool.counts(scene, self._persons.hash(scene))
        return self.pool.shares(self._retention, exact=None if counted else (scene, share))

    def reload(self) -> None:
        """New pseudo-labels are on disk: read the pool and the current scene again."""
        self.pool.refresh()
        self.look_again()

    def look_again(self) -> None:
        """Read the current scene again if its files have changed."""
        state = self._keeper.state
        if state.current is not None and self.scenes.has_changed(state.current):
            self.scenes.fetch(state.current, generation=state.generation)

    def ranges(self, scenes: Iterable[str]) -> dict[str, tuple[Range, Range | None]]:
        """The pool's ranges of σ the masks on the screen are made with, for these scenes."""
        pool = self._retention
        if pool is None or pool.patch_range is None:
            return {}
        return dict.fromkeys(scenes, (pool.patch_range, pool.pixel_range))

    def painted_view(self, place: int) -> Painted:
        """The finished picture of one view as it is on the screen."""
        state = self._keeper.state
        layer, settings = state.views[place].layer, settings_of(state, place)
        compare = state.compare
        if compare.mode is CompareMode.DIFFERENCE and compare.view == place:
            return self.stage.difference(layer, compare.partner, settings)
        return self.stage.paint(layer, settings)

    @Slot(int, object)
    def _show_scene(self, generation: int, loaded: LoadedScene) -> None:
        state = self._keeper.state
        if generation != state.generation:
            return
        if self._is_worse(loaded):
            self._complain(loaded)
            return
        self.stage.show(loaded)
        self.stage.take_person(self._persons.of(self.stage.scene))
        if self.stage.size is not None:
            self.sized.emit(*self.stage.size)
        self._keeper.become(shown=loaded.id, clues_known=False)
        if loaded.problems:
            self._complain(loaded)
        self.scene_shown.emit(loaded.id)
        self.judge()
        self._ahead.start()

    def _is_worse(self, loaded: LoadedScene) -> bool:
        """Whether the picture on the screen is the last good one and has to stay."""
        shown = self.stage.loaded
        if shown is None:
            return False
        if loaded.bracket is None and loaded.label is None and loaded.ground_truth is None:
            return True
        lost_label = shown.label is not None and loaded.label is None
        return shown.id == loaded.id and lost_label

    def _complain(self, loaded: LoadedScene) -> None:
        lost = f"{loaded.files.pseudo}: is gone, its last picture stays; label the scene anew"
        first, *others = loaded.problems or (lost,)
        self._keeper.notice(Notice(text=first, tone="bad", details=tuple(others)))

    @Slot()
    def _prefetch(self) -> None:
        """The scene after this one is likely to be asked for next."""
        state, scene = self._keeper.state, self.stage.scene
        ids = state.queue.scenes or tuple(row.id for row in state.scenes)
        after = ids.index(scene) + 1 if scene in ids else len(ids)
        if after < len(ids):
            self.scenes.fetch(ids[after], generation=0)

    @Slot()
    def _paint(self) -> None:
        state = self._keeper.state
        for place in range(len(state.views)):
            self.painted.emit(place, self.painted_view(place))
        compare = state.compare
        wiped = compare.view if compare.mode is CompareMode.WIPE else None
        if self._wiped not in (None, wiped):
            self.partnered.emit(self._wiped, None, "wipe")
        if wiped is not None:
            self.partnered.emit(wiped, self._partner(wiped, compare.partner), "wipe")
        self._wiped = wiped
        beside = self.stage.nbytes + self.held_elsewhere()
        self.scenes.make_room_beside(beside)
        self._keeper.become(cache_bytes=self.scenes.held_bytes + beside)

    @Slot(int, bool)
    def _flicker(self, view: int, held: object) -> None:
        partner = self._keeper.state.compare.partner
        shown = self._partner(view, partner) if held else None
        self.partnered.emit(view, shown, "flicker")
        if not held and self._wiped == view:
            self.repaint()

    def _partner(self, view: int, layer: Layer) -> Painted:
        return self.stage.paint(layer, settings_of(self._keeper.state, view))

    @Slot()
    def _chart(self) -> None:
        self.pool.chart(self._keeper.state.masks)

    @Slot(object, object)
    def _charted(self, charts: PoolCharts | None, what_if: WhatIf | None) -> None:
        statuses = {row.id: row.status for row in self._keeper.state.scenes}
        self._keeper.become(
            scenes=self.rows_of(statuses), charts=self._in_scope(charts), what_if=what_if
        )
        self.charted.emit()

    def _in_scope(self, charts: PoolCharts | None) -> PoolCharts | None:
        """Histograms of the scene or the region in place of the pool's."""
        state = self._keeper.state
        report = state.report
        if state.scope == "scene":
            counts = self.stage.score_counts()
        elif state.scope == "region" and report is not None:
            patches, pixels = report.patch_counts, report.pixel_counts
            counts = None if patches is None or pixels is None else (patches, pixels)
        else:
            counts = None
        if charts is None or counts is None:
            return charts
        return replace(charts, patches=counts[0], pixels=counts[1], scope=state.scope)
