"""Everything about how pictures are shown that is not needed every minute, on one card."""

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, Final

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QWidget

from smarthdr_studio.core.display import (
    ColourMap,
    DisplaySettings,
    HeatScale,
    Layer,
    ToneMap,
    colour_bar,
)
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import Comparison, StudioState
from smarthdr_studio.studio.widgets.controls import (
    OF_A_CARD,
    button,
    caption,
    describe,
    takes_first,
)
from smarthdr_studio.studio.widgets.slider import Dial, Span

GIB: Final = 1024**3
BUDGETS: Final = tuple(round(size * GIB) for size in (0.5, 1, 2, 4, 8))
AGAINST: Final = (
    Layer.GROUND_TRUTH,
    Layer.STUDENT,
    Layer.PROMOTED,
    Layer.OTHER_ROUND,
    Layer.MERGE,
    Layer.REFERENCE,
)
_BAR: Final = QSize(72, 12)


class DisplaySheet(QFrame):
    """A card under its button; Esc or a click beside it puts it away, and it stops nobody."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"display", "compare", "active", "views", "cache_budget", "cache_bytes"}
    )

    display_picked = Signal(object)
    gain_picked = Signal(float)
    zebra_picked = Signal(bool)
    budget_picked = Signal(object)  # bytes, more than 32 bits hold

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("card")
        self.setAccessibleName("Display")
        self._shown = DisplaySettings()
        self._mu = _dial(
            "μ of the μ-law", _MU, "The larger μ, the further the μ-law opens the shadows"
        )
        self._gamma = _dial("γ", _GAMMA, "The larger γ, the further it opens the shadows")
        self._overlay = _dial("Mask strength", _SHARE, "How strong masks cover the picture")
        self._gain = _dial("Gain of differences", _GAIN, "Differences are multiplied by this")
        self._tones, self._colours, self._scale = (QComboBox() for _ in range(3))
        self._against, self._budget = QComboBox(), QComboBox()
        self._of_mu, self._of_gamma = (caption(words, role="muted") for words in ("μ", "γ"))
        self._zebra = button("", tip=by_id("toggle_zebra").tip_with_key)
        self._used = caption("", role="muted")
        self._reset = button("Reset all", tip="As at first, exposure too; not the memory")
        self._fill()
        self._lay_out()
        self._connect()

    def open_under(self, opener: QWidget) -> None:
        """Show the card below a button, within its screen."""
        self._draw_bars()
        self.adjustSize()
        where = opener.mapToGlobal(QPoint(0, opener.height() + 4))
        screen = opener.screen().availableGeometry()
        where.setX(max(screen.left(), min(where.x(), screen.right() - self.width())))
        where.setY(max(screen.top(), min(where.y(), screen.bottom() - self.height())))
        self.move(where)
        self.show()
        self._tones.setFocus(Qt.FocusReason.TabFocusReason)

    @Slot(object, object)
    def show_state(self, _old: StudioState, state: StudioState) -> None:
        """Show what is picked now."""
        self._shown = shown = state.display
        self._tones.setCurrentIndex(tuple(ToneMap).index(shown.tone_map))
        self._show_rows(shown.tone_map)
        self._mu.show_value(shown.mu)
        self._gamma.show_value(shown.gamma)
        self._overlay.show_value(100 * shown.overlay)
        self._gain.show_value(state.compare.gain)
        self._colours.setCurrentIndex(tuple(ColourMap).index(shown.colour_map))
        self._scale.setCurrentIndex(tuple(HeatScale).index(shown.heat_scale))
        self._against.setCurrentIndex(self._against.findText(str(shown.error_against)))
        self._zebra.setText(f"Stripes where view {state.active + 1} is clipped")
        self._zebra.setChecked(state.views[state.active].zebra)
        self._show_memory(state.cache_budget, state.cache_bytes)

    def event(self, event: QEvent) -> bool:
        """While the card is open, the keys that move in it are its own."""
        return takes_first(event, OF_A_CARD) or super().event(event)

    def _show_rows(self, tone: ToneMap) -> None:
        """μ and γ only where the tone map has one."""
        for part in (self._of_mu, self._mu):
            part.setVisible(tone is ToneMap.MU_LAW)
        for part in (self._of_gamma, self._gamma):
            part.setVisible(tone is ToneMap.GAMMA)
        if self.isVisible():
            self.adjustSize()

    def _show_memory(self, budget: int, used: int) -> None:
        place = self._budget.findData(budget)
        if place < 0 and budget:
            # Set by hand in the file of preferences.
            self._budget.addItem(_in_gib(budget), budget)
            place = self._budget.count() - 1
        self._budget.setCurrentIndex(place)
        self._used.setText(f"{used / 2**20:.0f} MiB in use")

    def _fill(self) -> None:
        self._colours.setIconSize(_BAR)
        self._colours.addItems([str(colours) for colours in ColourMap])
        self._tones.addItems([str(tone) for tone in ToneMap])
        self._scale.addItems([str(scale) for scale in HeatScale])
        self._against.addItems([str(layer) for layer in AGAINST])
        for size in BUDGETS:
            self._budget.addItem(_in_gib(size), size)
        describe(self._tones, name="Tone map", tip="How linear radiance is brought to the screen")
        describe(self._colours, name="Colour map", tip=by_id("next_colour_map").tip_with_key)
        describe(self._scale, name="Heat scale", tip="How values are spread over the colours")
        describe(self._against, name="Error against", tip="What the error layer is held against")
        describe(self._budget, name="Memory for caches", tip="Scenes kept ready to be shown again")
        self._zebra.setCheckable(True)
        self._zebra.setAccessibleName("Zebra")

    def _draw_bars(self) -> None:
        dense = self.devicePixelRatioF()
        for place, colours in enumerate(ColourMap):
            high, wide = round(_BAR.height() * dense), round(_BAR.width() * dense)
            # Upright, the highest value is on top; lying, it is at the right.
            lying = np.rot90(colour_bar(colours, width=high, height=wide), -1)
            rgb8 = np.ascontiguousarray(lying)
            image = QImage(rgb8.data, wide, high, wide * 3, QImage.Format.Format_RGB888).copy()
            image.setDevicePixelRatio(dense)
            self._colours.setItemIcon(place, QIcon(QPixmap.fromImage(image)))

    def _lay_out(self) -> None:
        table = QGridLayout(self)
        table.setContentsMargins(14, 12, 14, 12)
        table.setHorizontalSpacing(12)
        table.setVerticalSpacing(7)
        rows: tuple[tuple[str | QWidget, QWidget], ...] = (
            ("Tone map", self._tones),
            (self._of_mu, self._mu),
            (self._of_gamma, self._gamma),
            ("Colour map", self._colours),
            ("Heat scale", self._scale),
            ("Mask strength", self._overlay),
            ("Zebra", self._zebra),
            ("Error against", self._against),
            ("Difference ×", self._gain),
            ("Memory for caches", _row((self._budget, self._used))),
        )
        for place, (words, control) in enumerate(rows):
            name = caption(words, role="muted") if isinstance(words, str) else words
            table.addWidget(name, place, 0)
            table.addWidget(control, place, 1)
        table.addWidget(self._reset, len(rows), 1, Qt.AlignmentFlag.AlignRight)
        table.setColumnMinimumWidth(1, 270)
        dials = (self._mu, self._gamma, self._overlay, self._gain)
        wide = max(dial.number.width() for dial in dials)
        for dial in dials:
            dial.number.setFixedWidth(wide)

    def _connect(self) -> None:
        self._mu.turned.connect(self._mu_turned)
        self._gamma.turned.connect(self._gamma_turned)
        self._overlay.turned.connect(self._overlay_turned)
        self._gain.turned.connect(self.gain_picked)
        self._tones.activated.connect(self._tone_picked)
        self._colours.activated.connect(self._colours_picked)
        self._scale.activated.connect(self._scale_picked)
        self._against.activated.connect(self._against_picked)
        self._budget.activated.connect(self._budget_chosen)
        self._zebra.clicked.connect(self.zebra_picked)
        self._reset.clicked.connect(self._reset_all)

    @Slot(float)
    def _mu_turned(self, mu: float) -> None:
        self.display_picked.emit(replace(self._shown, mu=mu))

    @Slot(float)
    def _gamma_turned(self, gamma: float) -> None:
        self.display_picked.emit(replace(self._shown, gamma=gamma))

    @Slot(float)
    def _overlay_turned(self, hundredths: float) -> None:
        self.display_picked.emit(replace(self._shown, overlay=hundredths / 100))

    @Slot(int)
    def _tone_picked(self, place: int) -> None:
        self.display_picked.emit(replace(self._shown, tone_map=tuple(ToneMap)[place]))

    @Slot(int)
    def _colours_picked(self, place: int) -> None:
        self.display_picked.emit(replace(self._shown, colour_map=tuple(ColourMap)[place]))

    @Slot(int)
    def _scale_picked(self, place: int) -> None:
        self.display_picked.emit(replace(self._shown, heat_scale=tuple(HeatScale)[place]))

    @Slot(int)
    def _against_picked(self, place: int) -> None:
        self.display_picked.emit(replace(self._shown, error_against=AGAINST[place]))

    @Slot(int)
    def _budget_chosen(self, place: int) -> None:
        self.budget_picked.emit(self._budget.itemData(place))

    @Slot()
    def _reset_all(self) -> None:
        self.display_picked.emit(DisplaySettings())
        self.gain_picked.emit(Comparison().gain)
        striped = False
        self.zebra_picked.emit(striped)


_MU: Final = Span(low=10, high=50_000, steps=240, logarithmic=True)
_GAMMA: Final = Span(low=1.0, high=4.0, steps=60, decimals=2)
_SHARE: Final = Span(low=0, high=100, steps=20, suffix=" %")
_GAIN: Final = Span(low=1, high=100, steps=120, decimals=1, logarithmic=True)


def _dial(name: str, span: Span, tip: str) -> Dial:
    return Dial(span, name=name, tip=tip)


def _in_gib(size: int) -> str:
    return f"{size / GIB:g} GiB"


def _row(parts: Iterable[QWidget]) -> QWidget:
    """Controls beside each other."""
    group = QWidget()
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(10)
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    return group
