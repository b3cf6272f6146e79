"""What is on the screen: the current scene, what is trusted of it, and its finished pictures."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from time import monotonic
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.display import DisplaySettings, LabelComes, Layer, Painted
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.regions import Box
from smarthdr_studio.core.project.journal import SceneState, Status
from smarthdr_studio.core.project.project import JournalReading
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.pool import Retention
from smarthdr_studio.core.trust.thresholds import WhatIf
from smarthdr_studio.studio.project.current_scene import Stage
from smarthdr_studio.studio.project.pool import PoolController
from smarthdr_studio.studio.project.scene_loader import LoadedScene, SceneController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import (
    MOST_VIEWS,
    CompareMode,
    Comparison,
    Notice,
    PoolCharts,
    PoolShares,
    StudioState,
    Tool,
    ViewSetup,
)
from smarthdr_studio.studio.widgets.pace import Pace, least_gap_ms

MOST_EV: Final = 10.0
_FILLERS: Final = (
    Layer.PSEUDO_LABEL,
    Layer.UNCERTAINTY,
    Layer.PATCH_MASK,
    Layer.PIXEL_MASK,
    Layer.REFERENCE,
    Layer.REASONS,
)


class Viewing(QObject):
    """Takes every intent about views; whoever paints listens to `repaint_wanted`."""

    repaint_wanted = Signal()
    flicker_wanted = Signal(int, bool)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._store = store

    @property
    def _state(self) -> StudioState:
        return self._store.state

    @Slot(object)
    def set_display(self, display: DisplaySettings) -> None:
        """Show every view so."""
        self._become(display=display)

    @Slot(int, int)
    def set_grid(self, columns: int, count: int) -> None:
        """Arrange 1 to 6 views; views that come anew show what is not shown yet."""
        views = list(self._state.views[:count])
        shown = {view.layer for view in views}
        fillers = [layer for layer in _FILLERS if layer not in shown]
        while len(views) < min(count, MOST_VIEWS):
            views.append(ViewSetup(layer=fillers.pop(0)))
        compare = self._state.compare
        if compare.view >= count:
            compare = Comparison(gain=compare.gain)
        active = min(self._state.active, count - 1)
        self._become(views=tuple(views), columns=columns, active=active, compare=compare)

    @Slot(int, str)
    def set_layer(self, view: int, layer: str) -> None:
        """Show a layer in a view; 0 is the first view."""
        self._change(view, layer=Layer(layer))

    @Slot(int)
    def activate(self, view: int) -> None:
        """Keys act upon this view, unless it goes while the mouse is over it."""
        if view < len(self._state.views):
            self._store.become(active=view)

    def step_view(self, steps: int) -> None:
        """Keys act upon another view."""
        self.activate((self._state.active + steps) % len(self._state.views))

    @Slot(str)
    def set_compare(self, mode: str) -> None:
        """Hold the active view against its partner so."""
        now = self._state.compare
        self._become(compare=replace(now, mode=CompareMode(mode), view=self._state.active))

    def toggle_compare(self, mode: CompareMode) -> None:
        """Hold the active view against its partner so, or no longer."""
        now = self._state.compare
        on = now.mode is mode and now.view == self._state.active
        self.set_compare(CompareMode.OFF if on else mode)

    @Slot(int, str)
    def set_partner(self, view: int, layer: str) -> None:
        """Hold a view against this layer; by a wipe, unless another way is on already."""
        now = self._state.compare
        mode = now.mode if now.mode is not CompareMode.OFF else CompareMode.WIPE
        self._become(active=view, compare=replace(now, mode=mode, view=view, partner=Layer(layer)))

    @Slot(float)
    def set_gain(self, gain: float) -> None:
        """Multiply differences."""
        self._become(compare=replace(self._state.compare, gain=gain))

    @Slot(int, bool)
    def flicker(self, view: int, held: object) -> None:
        """Show the partner while the key is held."""
        self.flicker_wanted.emit(view, bool(held))

    @Slot(int)
    def toggle_zebra(self, view: int) -> None:
        """Stripe what is clipped in one view, or no longer."""
        self._change(view, zebra=not self._state.views[view].zebra)

    @Slot(bool)
    def set_active_zebra(self, striped: object) -> None:
        """Stripe what is clipped in the active view, or not."""
        self._change(self._state.active, zebra=bool(striped))

    @Slot(bool)
    def link_exposure(self, linked: object) -> None:
        """One exposure for all views, or one for each."""
        shared = self._state.display.exposure_ev
        own = None if linked else shared
        self._become(views=tuple(replace(view, exposure_ev=own) for view in self._state.views))

    @property
    def linked(self) -> bool:
        """Whether all views share one exposure."""
        return all(view.exposure_ev is None for view in self._state.views)

    def expose(self, stops: float) -> None:
        """Brighter by these stops, all views or, unlinked, the active one."""
        state = self._state
        own = state.views[state.active].exposure_ev
        now = state.display.exposure_ev if own is None else own
        self.set_exposure(now + stops)

    @Slot(float)
    def set_exposure(self, exposure_ev: float) -> None:
        """This exposure, for all views or, unlinked, the active one."""
        held = min(max(round(exposure_ev, 1), -MOST_EV), MOST_EV)
        if self.linked:
            self._become(display=replace(self._state.display, exposure_ev=held))
        else:
            self._change(self._state.active, exposure_ev=held)

    @Slot(str)
    def set_tool(self, tool: str) -> None:
        """What the left button does in a picture."""
        self._store.become(tool=Tool(tool))

    def _change(self, place: int, **changes: object) -> None:
        views = list(self._state.views)
        if place < len(views):
            views[place] = replace(views[place], **changes)  # type: ignore[arg-type]
            self._become(views=tuple(views))

    def _become(self, **changes: object) -> None:
        self._store.become(**changes)
        self.repaint_wanted.emit()


def settings_of(state: StudioState, place: int) -> DisplaySettings:
    """How one view is shown: the common settings with what is its own."""
    view = state.views[place]
    own = state.display.exposure_ev if view.exposure_ev is None else view.exposure_ev
    return replace(state.display, exposure_ev=own, zebra=view.zebra, gain=state.compare.gain)


def label_comes(state: StudioState) -> LabelComes:
    """How the scene that is shown gets a pseudo-label, where it has none."""
    row = state.row(state.shown)
    if row is not None and row.status in (Status.GROUND_TRUTH, Status.TEST, Status.EXCLUDED):
        return LabelComes.NEVER
    return LabelComes.BY_THIS_RUN if state.training.busy else LabelComes.BY_TRAINING


class PaintedMasks:
    """Remembers which scenes are painted; masks are asked for one at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hashes: dict[str, str] = {}

    def take(self, states: Mapping[str, SceneState]) -> bool:
        """The journal was read; whether anything is painted otherwise than before."""
        before = self._hashes
        self._hashes = {s: state.person for s, state in states.items() if state.person}
        return before != self._hashes

    def hash(self, scene: str) -> str | None:
        """By which name the mask of a scene is kept; None where nothing is painted."""
        return self._hashes.get(scene)

    def of(self, scene: str | None) -> Brush | None:
        """The mask of a scene, H×W; one that is lost or damaged is complained about."""
        if self._store.project is None or scene is None:
            return None
        try:
            return self._store.project.person(scene)
        except ProjectError as error:
            self._store.complain(str(error))
            return None


_POOL_EVERY_S: Final = 0.15
_HALF_MIB: Final = 2**19
_WEIGHED_AFTER_MS: Final = 1000  # pictures take memory long before anybody reads how much
_AHEAD_AFTER_MS: Final = 50  # the next scene is read once this one has been painted
_CHARTS_AFTER_MS: Final = 60  # charts and list follow at leisure, pictures and shares at once
_CHARTS_IN_TRAINING_MS: Final = 500  # what they cost is taken from the run
_ALMOST_DUE: Final = 4  # charts that wait for less than one part in so many come with pictures


class Screen(QObject):
    """Shows scenes and trust; the last good picture stays until the next one is whole."""

    painted = Signal(int, object)
    refused = Signal(object)  # layers that are not there, and why
    partnered = Signal(int, object, str)  # view, Painted or None, "wipe" or "flicker"
    sized = Signal(int, int)
    thumbnail_made = Signal(str, QImage)
    picked = Signal(str)
    scene_shown = Signal(str)
    trust_updated = Signal()
    past_masks_left = Signal()  # a hand moves thresholds over a round as it was used
    charted = Signal()

    def __init__(
        self,
        store: Store,
        pool: PoolController,
        scenes: SceneController,
        *,
        rows_of: Callable[[Mapping[str, Status]], tuple[SceneFacts, ...]],
        bytes_beside: Callable[[], int],
    ) -> None:
        """`rows_of` makes every scene's line, in their order.

        `bytes_beside` says how many bytes others keep of scenes that were shown.
        """
        super().__init__(store)
        self._store, self.pool, self.scenes = store, pool, scenes
        self._rows_of, self._bytes_beside = rows_of, bytes_beside
        self.stage = Stage()
        self.viewing = Viewing(store)
        self.past_masks: MaskSettings | None = None  # of the round that is replayed as it was used
        self._painted_masks = PaintedMasks(store)
        self._retention: Retention | None = None
        self._held: Retention | None = None  # goes before it for the scene on the screen
        self._pooled_at = 0.0  # when the pool's share was last told while drawing
        self._wiped: int | None = None
        self._refusals: Mapping[Layer, str] = {}
        self._repaint, self._painted_at = QTimer(self, singleShot=True, interval=0), 0.0
        self._hand = Pace(self._apply, self)
        self._weigh, self._ahead = (
            QTimer(self, singleShot=True, interval=after)
            for after in (_WEIGHED_AFTER_MS, _AHEAD_AFTER_MS)
        )
        self._rechart = QTimer(self, singleShot=True)
        self.scenes.loaded.connect(self._show_scene)
        self.scenes.thumbnail_made.connect(self.thumbnail_made)
        self.pool.read.connect(self.update_trust)
        self.pool.charted.connect(self._charted)
        self.viewing.repaint_wanted.connect(self.repaint)
        self.viewing.flicker_wanted.connect(self._flicker)
        self._ahead.timeout.connect(self._prefetch)
        self._repaint.timeout.connect(self._paint)
        self._weigh.timeout.connect(self._make_room)
        self._rechart.timeout.connect(self._chart)
        store.switched.connect(self._switch)
        store.watch({"training"}, self._run_came_or_went)

    @Slot(object, object)
    def _run_came_or_went(self, old: StudioState, new: StudioState) -> None:
        """What has no pseudo-label says who makes one, and one of another run that it is."""
        before, now = old.training, new.training
        if (before.busy, before.run) != (now.busy, now.run) and self.stage.scene is not None:
            self.repaint()

    @property
    def retention(self) -> Retention | None:
        """What the thresholds keep of the pool, and its ranges."""
        return self._retention

    @Slot()
    def _switch(self) -> None:
        self.stage.clear()
        self._retention = self._held = self.past_masks = None

    def rest(self) -> None:
        """Paint no more."""
        for timer in (self._repaint, self._weigh, self._rechart, self._ahead):
            timer.stop()
        self._hand.rest()

    @Slot()
    def repaint(self) -> None:
        """Paint every view once all that is being changed has changed, beside a run with a gap."""
        if not self._repaint.isActive():
            since = round((monotonic() - self._painted_at) * 1000)
            self._repaint.start(max(least_gap_ms(self._store.state.training) - since, 0))

    @Slot(str)
    def pick(self, scene: str) -> None:
        """Show a scene; the one on the screen stays until the new one is read."""
        generation = self._store.state.generation + 1
        self._ahead.stop()
        with self._store.one_change():
            self._store.become(current=scene, generation=generation)
            self.picked.emit(scene)
            self.scenes.fetch(scene, generation=generation)

    @Slot(object)
    def want_thumbnails(self, scenes: tuple[str, ...]) -> None:
        """Make thumbnails of these scenes."""
        self.scenes.want_thumbnails(scenes)

    @Slot(object)
    def follow_masks(self, masks: MaskSettings) -> None:
        """Try thresholds while the hand still moves them, as often as a run beside it bears."""
        self._hand.take(masks, gap_ms=least_gap_ms(self._store.state.training))

    @Slot(object)
    def move_masks(self, masks: MaskSettings) -> None:
        """Show these thresholds, whatever a hand has tried before."""
        self._hand.forget()
        self._apply(masks)

    def _apply(self, masks: MaskSettings) -> None:
        """One computation, one change."""
        masks = self.pool.fitted(masks)
        if self.past_masks is not None and masks != self._store.state.masks:
            self.past_masks = None  # whoever moves thresholds wants to see what they do
            self.past_masks_left.emit()
        self._retention = self.pool.retention(masks)
        ends = self._held or self._retention
        share = self.stage.update_trust(masks=self.past_masks or masks, pool=ends)
        loaded, replay = self.stage.loaded, self._store.state.replay
        if share is not None and loaded is not None and loaded.label and replay is None:
            self.pool.note_share(loaded.id, share)
        with self._store.one_change():
            self._told(share, pool=self._shares(share), masks=masks)
            self.trust_updated.emit()
        if share is not None:  # else no picture heeds thresholds
            self.repaint()
        if not self._rechart.isActive():
            busy = self._store.state.training.busy
            self._rechart.start(_CHARTS_IN_TRAINING_MS if busy else _CHARTS_AFTER_MS)

    @Slot()
    def update_trust(self) -> None:
        """Count again what the thresholds keep, of the pool and of the scene on the screen."""
        self._apply(self._store.state.masks)
        self.repaint()

    def preview(self, person: Brush | None, box: Box | None) -> None:
        """Show a stroke while it is being drawn; None and no box show the journal's mask again.

        The scene's share follows the hand, the pool's a few times a second.
        """
        share, pool, now = self.stage.preview(person, box), self._store.state.pool, monotonic()
        if person is None or now - self._pooled_at > _POOL_EVERY_S:
            pool, self._pooled_at = self._shares(share, drawing=person is not None), now
        self._told(share, pool=pool)
        self._repaint.start(0)  # a brush is followed at once

    def _told(
        self, share: float | None, *, pool: PoolShares | None, masks: MaskSettings | None = None
    ) -> None:
        trusted, distrusted = self.stage.painted_shares()
        state = self._store.state
        brush = replace(state.brush, trusted=trusted, distrusted=distrusted)
        self._store.become(masks=masks or state.masks, retained=share, pool=pool, brush=brush)

    def take_journal(self, journal: JournalReading) -> None:
        """The journal has been read: statuses, labels and brush; another pool is read anew."""
        before = {row.id: row.status for row in self._store.state.scenes}
        statuses = journal.statuses
        self._store.become(scenes=self._rows_of(statuses))
        self._hold_ranges(before, statuses)
        if (
            self._painted_masks.take(journal.ledger.scenes)
            or before != statuses
            or self.pool.reading is None
        ):
            self.pool.refresh()
        self.look_again()  # a label may have come with the decision
        self.stage.take_person(self._painted_masks.of(self.stage.scene))
        self.update_trust()

    def _hold_ranges(self, before: Mapping[str, Status], now: Mapping[str, Status]) -> None:
        """Of a scene just promoted, those it was frozen with, until its label is read anew.

        The pool without it may have others, by which nobody has decided anything.
        """
        scene = self.stage.scene
        if scene is None or now.get(scene) is not Status.PROMOTED:
            self._held = None
        elif before.get(scene) is not Status.PROMOTED:
            self._held = self._retention

    def _shares(self, share: float | None, *, drawing: bool = False) -> PoolShares | None:
        """The pool, set right by the scene on the screen while its brush is still to be counted."""
        scene = self.stage.scene
        if scene is None or share is None or self._store.state.replay is not None:
            return self.pool.shares(self._retention)
        counted = not drawing and self.pool.counts(scene, self._painted_masks.hash(scene))
        return self.pool.shares(self._retention, exact=None if counted else (scene, share))

    def reload(self) -> None:
        """New pseudo-labels are on disk: read the pool and the current scene again."""
        self.pool.refresh()
        self.look_again()

    def look_again(self) -> None:
        """Read the current scene again if its files have changed."""
        state = self._store.state
        if state.current is not None and self.scenes.has_changed(state.current):
            self.scenes.fetch(state.current, generation=state.generation)

    def ranges(self, scenes: Iterable[str]) -> dict[str, tuple[Range, Range | None]]:
        """The ranges of σ the masks on the screen are made with, for these scenes.

        The pool's, but for the scene on the screen where it has been promoted.
        """
        pool, wanted = self._retention, tuple(scenes)
        shown, frozen = self.stage.scene, self.stage.frozen_ranges
        known: dict[str, tuple[Range, Range | None]] = {}
        if pool is not None and pool.patch_range is not None:
            known = dict.fromkeys(wanted, (pool.patch_range, pool.pixel_range))
        if frozen is not None and shown is not None and shown in wanted:
            known[shown] = frozen
        return known

    def painted_view(self, place: int) -> Painted:
        """The finished picture of one view as it is on the screen."""
        state = self._store.state
        layer, settings = state.views[place].layer, settings_of(state, place)
        compare = state.compare
        if compare.mode is CompareMode.DIFFERENCE and compare.view == place:
            return self.stage.difference(layer, compare.partner, settings)
        return self.stage.paint(layer, settings)

    @Slot(int, object)
    def _show_scene(self, generation: int, loaded: LoadedScene) -> None:
        state = self._store.state
        if generation != state.generation:
            return
        self._held = None
        if self._is_worse(loaded):
            self._complain(loaded)
            return
        self.stage.show(loaded)
        self.stage.take_person(self._painted_masks.of(self.stage.scene))
        if self.stage.size is not None:
            self.sized.emit(*self.stage.size)
        with self._store.one_change():
            self._store.become(shown=loaded.id, clues_known=False)
            if loaded.problems:
                self._complain(loaded)
            self.scene_shown.emit(loaded.id)
            self.update_trust()
        self._repaint.start(0)
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
        self._store.notice(Notice(text=first, tone="bad", details=tuple(others)))

    @Slot()
    def _prefetch(self) -> None:
        """The scene after this one is likely to be asked for next."""
        state, scene = self._store.state, self.stage.scene
        ids = state.queue.scenes or tuple(row.id for row in state.scenes)
        after = ids.index(scene) + 1 if scene in ids else len(ids)
        if after < len(ids):
            self.scenes.fetch(ids[after], generation=0)

    @Slot()
    def _paint(self) -> None:
        state, self._painted_at = self._store.state, monotonic()
        self.stage.expect_label(label_comes(state))
        self.stage.tell_beside(state.training.run)
        for place in range(len(state.views)):
            self.painted.emit(place, self.painted_view(place))
        refusals = self.stage.refusals(state.display)
        if refusals != self._refusals:
            self._refusals = refusals
            self.refused.emit(refusals)
        compare = state.compare
        wiped = compare.view if compare.mode is CompareMode.WIPE else None
        if self._wiped not in (None, wiped):
            self.partnered.emit(self._wiped, None, "wipe")
        if wiped is not None:
            self.partnered.emit(wiped, self._partner(wiped, compare.partner), "wipe")
        self._wiped = wiped
        if not self._weigh.isActive():
            self._weigh.start()
        # What pictures have left in the caches of the processor would be gone by then.
        if 0 <= self._rechart.remainingTime() < self._rechart.interval() // _ALMOST_DUE:
            self._rechart.stop()
            self._chart()

    @Slot()
    def _make_room(self) -> None:
        """Keep within the budget; only what is told of it, whole MiB, is worth a change."""
        beside = self.stage.nbytes + self._bytes_beside()
        self.scenes.make_room_beside(beside)
        held = self.scenes.held_bytes + beside
        if held // _HALF_MIB != self._store.state.cache_bytes // _HALF_MIB:
            self._store.become(cache_bytes=held)

    @Slot(int, bool)
    def _flicker(self, view: int, held: object) -> None:
        partner = self._store.state.compare.partner
        shown = self._partner(view, partner) if held else None
        self.partnered.emit(view, shown, "flicker")
        if not held and self._wiped == view:
            self.repaint()

    def _partner(self, view: int, layer: Layer) -> Painted:
        return self.stage.paint(layer, settings_of(self._store.state, view))

    @Slot()
    def _chart(self) -> None:
        self.pool.chart(self._store.state.masks)

    @Slot(object, object)
    def _charted(self, charts: PoolCharts | None, what_if: WhatIf | None) -> None:
        statuses = {row.id: row.status for row in self._store.state.scenes}
        with self._store.one_change():
            self._store.become(
                scenes=self._rows_of(statuses), charts=self._in_scope(charts), what_if=what_if
            )
            self.charted.emit()

    def _in_scope(self, charts: PoolCharts | None) -> PoolCharts | None:
        """Histograms of the scene or the region in place of the pool's."""
        state = self._store.state
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
