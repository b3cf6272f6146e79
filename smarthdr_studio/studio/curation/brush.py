"""The brush in the hand: shows strokes while they are drawn, keeps them when they end."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QHBoxLayout, QPushButton, QWidget

from smarthdr_studio.core.display import Pattern, key_swatch
from smarthdr_studio.core.display.overlay import DISTRUST_HATCH, TRUST_HATCH
from smarthdr_studio.core.errors import BrushError, StudioError
from smarthdr_studio.core.imaging.regions import Box
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.brush import Area, Brush, Dabs, Ink, Stroke, apply, footprint
from smarthdr_studio.core.words import percent
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.project.screen import Screen
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import BrushShape, Centre, Notice, StudioState, Tool, refused
from smarthdr_studio.studio.tasks import TaskQueue
from smarthdr_studio.studio.widgets.controls import ElidedLabel, button, caption
from smarthdr_studio.studio.widgets.icons import IconButton, icon
from smarthdr_studio.studio.widgets.slider import Dial, Span

LEAST_RADIUS: Final = 0.5
MOST_RADIUS: Final = 500.0
_PER_STEP: Final = 1.25
_REPLAYED: Final = "A past round is on the screen: go back to now (N) to paint."
_NO_REGION: Final = "Nothing is marked: mark a region first (S, L or T, before B), then paint it."


class PaintingController(QObject):
    """`decided` tells that a stroke is in the journal; what cannot be kept is taken back and told.

    A fill works on what the screen shows as untrusted at that moment: by the thresholds on the
    screen, with everything painted before. Scenes without a pseudo-label can be painted too; it
    counts once they have one. A past round cannot. A stroke is kept when all that was decided
    before it is in the journal.
    """

    decided = Signal(bool)

    def __init__(self, store: Store, screen: Screen, decisions: TaskQueue) -> None:
        super().__init__(store)
        self._store, self._screen, self._stage = store, screen, screen.stage
        self._decisions = decisions
        self._under_hand = _UnderHand()
        self._stroke: Dabs | None = None
        self._scene: str | None = None  # where the stroke was begun
        self._refresh = QTimer(self, singleShot=True, interval=0)
        self._refresh.timeout.connect(self._show)
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._forget()

    def rest(self) -> None:
        """Show no stroke any more."""
        self._refresh.stop()
        self._forget()

    def toggle(self) -> None:
        """Take the brush, and show the pictures; or put it away."""
        state = self._store.state
        held = state.tool is Tool.BRUSH and state.centre is Centre.PICTURES
        self._store.become(tool=Tool.HAND if held else Tool.BRUSH, centre=Centre.PICTURES)

    @Slot(str)
    def set_ink(self, ink: str) -> None:
        """What strokes leave behind from now on."""
        self._become(ink=Ink(ink))

    @Slot(str)
    def set_shape(self, shape: str) -> None:
        """How the hand paints from now on."""
        self._become(shape=BrushShape(shape))

    @Slot(float)
    def set_radius(self, radius: float) -> None:
        """How far the brush reaches, in pixels of the picture."""
        held = min(max(radius, LEAST_RADIUS), MOST_RADIUS)
        self._become(radius=round(held * 2) / 2 if held < 10 else float(round(held)))

    @Slot(int)
    def nudge_radius(self, steps: int) -> None:
        """Larger by so many steps, smaller when negative."""
        now = self._store.state.brush.radius
        wanted = now * _PER_STEP**steps
        least = 0.5 if now < 10 else 1.0  # so that rounding never swallows a step
        self.set_radius(max(wanted, now + least) if steps > 0 else min(wanted, now - least))

    @Slot(float)
    def set_hardness(self, hardness: float) -> None:
        """Which share of the radius is painted solid."""
        self._become(hardness=min(max(round(hardness, 2), 0.0), 1.0))

    def nudge_hardness(self, by: float) -> None:
        """A harder rim, a softer one when negative."""
        self.set_hardness(self._store.state.brush.hardness + by)

    @Slot(object)
    def stroke_moved(self, stroke: Dabs) -> None:
        """Show a stroke that is still being drawn; shown at the next painting of the screen."""
        if self._stroke is None:
            if not self._may_paint():
                return
            self._scene = self._stage.scene
        self._stroke = stroke
        self._refresh.start()

    @Slot()
    def stroke_cancelled(self) -> None:
        """The hand thought better of it."""
        if self._stroke is not None:
            self._forget()
            self._screen.preview(None, None)

    @Slot(object)
    def stroke_ended(self, stroke: Stroke) -> None:
        """Keep a stroke; on return it outlives a power cut, or it is taken back and told why."""
        begun, scene = self._stroke is not None, self._scene
        if not begun and not self._may_paint():
            return
        if begun and scene != self._stage.scene:  # another scene came under the hand
            self._forget()
            return
        hand = self._under_hand
        if begun and isinstance(stroke, Dabs):
            hand.follow(stroke, base=self._stage.person, size=self._size)
        trust, (width, height) = self._stage.material.trust, self._size
        trusted = None if trust is None else trust.trusted

        def change(mask: Brush | None) -> Brush | None:
            if begun and mask is hand.base:
                return hand.mask
            return apply(stroke, mask, height=height, width=width, trusted=trusted)

        self._keep(change)

    @Slot()
    def paint_region(self) -> None:
        """Paint what a person marked, be it a rectangle, a lasso or the least trusted patch."""
        region = self._store.state.region
        if region is None:
            self._store.notice(refused(_NO_REGION))
        else:
            self.stroke_ended(Area(region=region, ink=self._store.state.brush.ink))

    @Slot()
    def clear(self) -> None:
        """Erase everything painted on the scene on the screen."""
        if self._may_paint() and self._stage.person is not None:
            self._keep(lambda _mask: None)

    @property
    def _size(self) -> tuple[int, int]:
        return self._stage.size or (0, 0)

    def _keep(self, change: Callable[[Brush | None], Brush | None]) -> None:
        """Into the journal with it."""
        if self._store.project is not None and self._stage.scene is not None:
            self._decisions.call(
                partial(self._write, self._store.project, self._stage.scene, change)
            )

    def _write(
        self, project: Project, scene: str, change: Callable[[Brush | None], Brush | None]
    ) -> None:
        refusal = None
        try:
            Decisions(project).paint(scene, change)
        except StudioError as error:
            refusal = _refusal(error)
        self._forget()
        self._stage.forget_preview()
        if refusal is not None:
            self._screen.preview(None, None)
        self._store.notice(refusal)
        self.decided.emit(refusal is None)

    def _may_paint(self) -> bool:
        """Whether there is something to paint on; else why not is told."""
        if self._store.project is None or self._stage.scene is None or self._stage.size is None:
            return False
        if self._stage.replaying:
            self._store.notice(refused(_REPLAYED))
            return False
        return True

    @Slot()
    def _show(self) -> None:
        """The stroke as far as it has come, on every view."""
        if self._stroke is None or self._scene != self._stage.scene:
            return
        box = self._under_hand.follow(self._stroke, base=self._stage.person, size=self._size)
        self._screen.preview(self._under_hand.mask, box)

    def _forget(self) -> None:
        self._refresh.stop()
        self._stroke, self._scene = None, None
        self._under_hand = _UnderHand()

    def _become(self, **changes: object) -> None:
        brush = replace(self._store.state.brush, **changes)  # type: ignore[arg-type]
        self._store.become(brush=brush)


class _UnderHand:
    """The mask with the stroke so far; only what is new of the stroke is painted each time."""

    def __init__(self) -> None:
        self.base: Brush | None = None
        self.mask: Brush | None = None
        self._done = 0  # points of the stroke that are painted

    def follow(self, stroke: Dabs, *, base: Brush | None, size: tuple[int, int]) -> Box | None:
        """Paint the rest of a stroke over a mask; where that is, or None for anywhere."""
        width, height = size
        anew = self.mask is None or base is not self.base
        if anew:
            self.base, self._done = base, 0
        over = base if anew else self.mask
        mask = np.zeros((height, width), np.int8) if over is None else over.copy()
        rest = replace(stroke, points=stroke.points[max(self._done - 1, 0) :])
        box, covered = footprint(rest, height=height, width=width)
        np.copyto(mask[box], np.int8(stroke.ink.sign), where=covered)
        self.mask, self._done = mask, len(stroke.points)
        return None if anew else box


def _refusal(error: StudioError) -> Notice:
    """Why a stroke was not kept; a fill in the wrong place is no fault of anything."""
    words = str(error)
    if isinstance(error, BrushError):
        return refused(f"{words[:1].upper()}{words[1:]}.")
    return Notice(text=words, tone="bad")


_SIZES: Final = Span(low=0.5, high=500, steps=120, decimals=1, suffix=" px", logarithmic=True)
_HARDNESSES: Final = Span(low=0, high=100, steps=20, suffix=" %")
_SHAPES: Final[tuple[tuple[BrushShape, str, str], ...]] = (
    (BrushShape.DAB, "disc", "shape_brush"),
    (BrushShape.FILL, "bucket", "shape_fill"),
    (BrushShape.LASSO, "lasso", "shape_lasso"),
    (BrushShape.POLYGON, "polygon", "shape_polygon"),
)
_SWATCH: Final = 16
_EDGE: Final = 8
_WIDE: Final = 1200  # from here on everything has room in one row
_SPELT: Final = 620  # from here on inks have room for their words
_NAMED: Final = 770  # from here on the dials have room for their names
_LEAST: Final = 460
_FLAT: Final = "QPushButton { padding: 1px 8px; }"


class BrushBar(QFrame):
    """Says what a person picked; shows the brush, and how much of the scene is painted."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"tool", "brush", "region", "shown", "scenes", "display", "retained", "training"}
    )

    ink_picked = Signal(str)
    shape_picked = Signal(str)
    radius_picked = Signal(float)
    hardness_picked = Signal(float)
    region_asked = Signal()
    clear_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._inks, self._shapes = QButtonGroup(self), QButtonGroup(self)
        self._size = Dial(_SIZES, name="Brush size", tip="How far the brush reaches ([ and ])")
        self._hardness = Dial(
            _HARDNESSES, name="Hardness", tip="How much of it paints solid ({ and })"
        )
        self._region = button("Paint region", tip=by_id("paint_region").tip_with_key)
        self._clear = button("Clear", tip=by_id("clear_painting").tip_with_key)
        self._words = ElidedLabel(role="muted")
        self._captions = caption("Size", role="muted"), caption("Hardness", role="muted")
        self._second, self._rows = QWidget(), QGridLayout(self)
        self._second_at = (-1, -1)
        self.setObjectName("card")
        self.setAccessibleName("Brush")
        self._set_up()
        self._lay_out()
        self._connect()
        self.hide()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the brush while it is in the hand."""
        self.setVisible(new.tool is Tool.BRUSH)
        if new.tool is not Tool.BRUSH:
            return
        brush = new.brush
        self._inks.button(tuple(Ink).index(brush.ink)).setChecked(True)
        self._shapes.button(tuple(BrushShape).index(brush.shape)).setChecked(True)
        self._size.show_value(brush.radius)
        self._hardness.show_value(100 * brush.hardness)
        for dial in (self._size, self._hardness):
            dial.setEnabled(brush.shape is BrushShape.DAB)
        self._region.setEnabled(new.region is not None)
        self._clear.setEnabled(brush.trusted + brush.distrusted > 0)
        self._words.tell(in_words(new))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is painted, and what to do with all of it, goes below where there is little room."""
        super().resizeEvent(event)
        self._place_second()
        named = _NAMED <= self.width() < _WIDE or self.width() >= _WIDE + _NAMED // 4
        for word in self._captions:
            word.setVisible(named)
        for made in self._inks.buttons():
            if isinstance(made, InkButton):
                made.spell(wanted=self.width() >= _SPELT)

    def minimumSizeHint(self) -> QSize:
        """As narrow as the samples of the inks without their words."""
        return QSize(_LEAST, super().minimumSizeHint().height())

    def _set_up(self) -> None:
        for place, ink in enumerate(Ink):
            made = InkButton(ink, tip=by_id(f"ink_{ink}").tip_with_key)
            self._inks.addButton(made, place)
        for place, (shape, picture, action) in enumerate(_SHAPES):
            shaped = IconButton(
                icon(picture), name=f"Shape: {shape}", tip=by_id(action).tip_with_key
            )
            shaped.setCheckable(True)
            self._shapes.addButton(shaped, place)
        for dial in (self._size, self._hardness):
            dial.slider.setMinimumWidth(36)
        for pressed in (self._region, self._clear):
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            pressed.setStyleSheet(_FLAT)

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout(self._second)
        first.setSpacing(6)
        for group in (self._inks, self._shapes):
            beside = QHBoxLayout()
            beside.setSpacing(1)
            for each in group.buttons():
                beside.addWidget(each)
            first.addLayout(beside)
        dials = self._size, self._hardness
        for word, dial, stretch in zip(self._captions, dials, (3, 2), strict=True):
            first.addWidget(word)
            first.addWidget(dial, stretch)
        second.setContentsMargins(0, 0, 0, 0)
        second.setSpacing(4)
        second.addWidget(self._words, 1)
        second.addWidget(self._region)
        second.addWidget(self._clear)
        self._rows.setContentsMargins(6, 4, 6, 4)
        self._rows.setHorizontalSpacing(12)
        self._rows.setVerticalSpacing(2)
        self._rows.addLayout(first, 0, 0)
        self._place_second()

    def _place_second(self) -> None:
        wide = self.width() >= _WIDE
        place = (0, 1) if wide else (1, 0)
        if place != self._second_at:
            self._second_at = place
            self._rows.addWidget(self._second, *place)
            self._rows.setColumnStretch(0, 3)
            self._rows.setColumnStretch(1, 4 if wide else 0)

    def _connect(self) -> None:
        self._inks.idClicked.connect(self._ink_clicked)
        self._shapes.idClicked.connect(self._shape_clicked)
        self._size.turned.connect(self.radius_picked)
        self._hardness.turned.connect(self._hardness_turned)
        self._region.clicked.connect(self.region_asked)
        self._clear.clicked.connect(self.clear_asked)

    @Slot(int)
    def _ink_clicked(self, place: int) -> None:
        self.ink_picked.emit(str(tuple(Ink)[place]))

    @Slot(int)
    def _shape_clicked(self, place: int) -> None:
        self.shape_picked.emit(str(tuple(BrushShape)[place]))

    @Slot(float)
    def _hardness_turned(self, percent: float) -> None:
        self.hardness_picked.emit(percent / 100)


class InkButton(QPushButton):
    """A word beside a sample of what this ink leaves behind, in its colour and its pattern."""

    def __init__(self, ink: Ink, *, tip: str) -> None:
        super().__init__()
        self._ink = ink
        self._word = str(ink).capitalize()
        self.setCheckable(True)
        self.setToolTip(tip)
        self.setAccessibleName(f"Ink: {ink}")
        self.setAccessibleDescription(tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

        self._spelt = False
        self.spell(wanted=True)

    def spell(self, *, wanted: bool) -> None:
        """Write the word beside the sample, or leave it to the tooltip."""
        if wanted != self._spelt:
            self._spelt = wanted
            word = self.fontMetrics().horizontalAdvance(self._word) + 6 if wanted else 0
            self.setFixedWidth(_SWATCH + word + 2 * _EDGE + 2)

    def changeEvent(self, event: QEvent) -> None:
        """Another font needs other room."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._spelt = not self._spelt
            self.spell(wanted=not self._spelt)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button as the style draws it, the sample and the word on it."""
        super().paintEvent(event)
        painter = QPainter(self)
        place = QRectF(_EDGE, (self.height() - _SWATCH) / 2, _SWATCH, _SWATCH)
        _draw_sample(painter, place, self._ink, ratio=self.devicePixelRatioF())
        role = self.palette().ColorRole.ButtonText
        painter.setPen(self.palette().color(role))
        room = QRectF(self.rect()).adjusted(_EDGE + _SWATCH + 6, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self._word if self._spelt else "")
        painter.end()


def in_words(state: StudioState) -> str:
    """How much is painted, and when it counts."""
    brush, row = state.brush, state.row(state.shown)
    trust, distrust = (percent(share, decimals=1) for share in (brush.trusted, brush.distrusted))
    shares = f"trust {trust} · distrust {distrust}"
    if not state.display.mask_visible:
        shares = f"⚠ hidden with the masks (M) · {shares}"
    status = row.status if row is not None else None
    if status is Status.GROUND_TRUTH:
        return f"{shares} · a ground truth counts whole, whatever is painted"
    if status is Status.PROMOTED:
        return f"{shares} · the promoted label stays as it is; promote again to use this"
    if status in (Status.EXCLUDED, Status.TEST):
        return f"{shares} · this scene takes no part in training"
    if state.retained is None:
        return f"{shares} · from the first pseudo-label on"
    return f"{shares} · {_when(state)}"


def _when(state: StudioState) -> str:
    if state.training.busy:
        return f"from {state.training.next_round} on"
    return "from the next round on"


def _draw_sample(painter: QPainter, place: QRectF, ink: Ink, *, ratio: float) -> None:
    patterns: dict[Ink, tuple[tuple[int, int, int], Pattern]] = {
        Ink.TRUST: (TRUST_HATCH.colour, TRUST_HATCH.pattern),
        Ink.DISTRUST: (DISTRUST_HATCH.colour, DISTRUST_HATCH.pattern),
    }
    if ink in patterns:
        colour, pattern = patterns[ink]
        side = round(_SWATCH * ratio)
        rgb8 = key_swatch(colour, pattern, width=side, height=side)
        image = QImage(rgb8.tobytes(), side, side, 3 * side, QImage.Format.Format_RGB888)
        painter.drawImage(place, image)
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(place, QColor(40, 40, 40))
    painter.setPen(QPen(QColor(235, 235, 235), 1.5))
    corner = QPointF(4, 4)
    painter.drawLine(place.topLeft() + corner, place.bottomRight() - corner)
    painter.drawLine(place.topRight() + QPointF(-4, 4), place.bottomLeft() + QPointF(4, -4))
