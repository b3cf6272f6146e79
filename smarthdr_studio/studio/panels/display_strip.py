"""How the pictures are shown: exposure, tone map, colour map, masks."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

from smarthdr_studio.core.display import ColourMap, DisplaySettings, ToneMap
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.parts import button, caption, describe
from smarthdr_studio.studio.state import StudioState

MOST_EV: Final = 10.0
_PER_EV: Final = 10
_OVERLAY_STEPS: Final = 20


class DisplayStrip(QWidget):
    """One row over the pictures; says how the person wants them shown."""

    display_picked = Signal(object)
    fit_asked = Signal()
    one_to_one_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown = DisplaySettings()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(round(-MOST_EV * _PER_EV), round(MOST_EV * _PER_EV))
        self._slider.setPageStep(_PER_EV // 2)
        self._number = QDoubleSpinBox(
            minimum=-MOST_EV,
            maximum=MOST_EV,
            singleStep=0.1,
            decimals=1,
            suffix=" EV",
        )
        self._number.setKeyboardTracking(False)
        self._number.setFixedWidth(self.fontMetrics().horizontalAdvance("−10.0 EV") + 20)
        self._tones, self._colours = QComboBox(), QComboBox()
        self._tones.addItems([str(tone) for tone in ToneMap])
        self._colours.addItems([str(colours) for colours in ColourMap])
        self._masks = button("Masks", tip=by_id("toggle_masks").tip_with_key)
        self._masks.setCheckable(True)
        self._overlay = QSlider(Qt.Orientation.Horizontal)
        self._overlay.setRange(0, _OVERLAY_STEPS)
        self._fit = button("Fit", tip=by_id("fit").tip_with_key)
        self._one = button("1:1", tip=by_id("one_to_one").tip_with_key)
        self._lay_out()
        self._describe()
        self._connect()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show how the pictures are shown."""
        if new.display == self._shown:
            return
        self._shown = shown = new.display
        self._slider.setValue(round(shown.exposure_ev * _PER_EV))
        self._number.setValue(shown.exposure_ev)
        self._tones.setCurrentText(str(shown.tone_map))
        self._colours.setCurrentText(str(shown.colour_map))
        self._masks.setChecked(shown.mask_visible)
        self._overlay.setValue(round(shown.overlay * _OVERLAY_STEPS))

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 2, 0)
        row.setSpacing(6)
        self._slider.setMinimumWidth(60)
        self._overlay.setFixedWidth(64)
        row.addWidget(caption("Exposure", role="muted"))
        row.addWidget(self._slider, 1)
        row.addWidget(self._number)
        for part in (self._tones, self._colours, self._masks, self._overlay, self._fit, self._one):
            row.addWidget(part)
        for pressed in (self._masks, self._fit, self._one):
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._masks.setChecked(self._shown.mask_visible)
        self._overlay.setValue(round(self._shown.overlay * _OVERLAY_STEPS))

    def _describe(self) -> None:
        brighter = "Exposure (E and Shift+E half a stop, [ and ] a tenth, R resets)"
        describe(self._slider, name="Exposure", tip=brighter)
        describe(self._number, name="Exposure, number", tip=brighter)
        describe(self._tones, name="Tone map", tip="How linear radiance is brought to the screen")
        describe(self._colours, name="Colour map", tip=by_id("next_colour_map").tip_with_key)
        describe(self._overlay, name="Mask strength", tip="How strong masks cover the picture")

    def _connect(self) -> None:
        self._slider.valueChanged.connect(self._slid)
        self._number.valueChanged.connect(self._typed)
        self._number.editingFinished.connect(self._number.clearFocus)
        self._tones.activated.connect(self._tone_picked)
        self._colours.activated.connect(self._colours_picked)
        self._masks.clicked.connect(self._masks_clicked)
        self._overlay.valueChanged.connect(self._overlay_slid)
        self._fit.clicked.connect(self.fit_asked)
        self._one.clicked.connect(self.one_to_one_asked)

    @Slot(int)
    def _slid(self, step: int) -> None:
        if step != round(self._shown.exposure_ev * _PER_EV):
            self.display_picked.emit(replace(self._shown, exposure_ev=step / _PER_EV))

    @Slot(float)
    def _typed(self, exposure_ev: float) -> None:
        if exposure_ev != round(self._shown.exposure_ev, 1):
            self.display_picked.emit(replace(self._shown, exposure_ev=exposure_ev))

    @Slot(int)
    def _tone_picked(self, place: int) -> None:
        self.display_picked.emit(replace(self._shown, tone_map=tuple(ToneMap)[place]))

    @Slot(int)
    def _colours_picked(self, place: int) -> None:
        self.display_picked.emit(replace(self._shown, colour_map=tuple(ColourMap)[place]))

    @Slot(bool)
    def _masks_clicked(self, visible: object) -> None:
        self.display_picked.emit(replace(self._shown, mask_visible=bool(visible)))

    @Slot(int)
    def _overlay_slid(self, step: int) -> None:
        if step != round(self._shown.overlay * _OVERLAY_STEPS):
            self.display_picked.emit(replace(self._shown, overlay=step / _OVERLAY_STEPS))
