"""One row over the pictures: exposure, tone map, masks, grid, tools, comparing and exporting."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from PySide6.QtCore import QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QComboBox, QHBoxLayout, QMenu, QWidget

from smarthdr_studio.core.display import DisplaySettings, ToneMap
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import CompareMode, StudioState, Tool
from smarthdr_studio.studio.viewer.display_sheet import DisplaySheet
from smarthdr_studio.studio.widgets.controls import button, caption, describe
from smarthdr_studio.studio.widgets.icons import IconButton, grid_icon, icon
from smarthdr_studio.studio.widgets.slider import Dial, KeyedSlider, Span

_MODES: Final = (
    (CompareMode.OFF, "Off", ""),
    (CompareMode.WIPE, "Wipe", "toggle_wipe"),
    (CompareMode.DIFFERENCE, "Difference", "toggle_difference"),
)
# What is asked for is named like the action that asks for the same.
_EXPORTS: Final = (
    ("export_view", "Picture of this view, PNG…"),
    ("export_sheet", "All views as one sheet, PNG, SVG or PDF…"),
    ("export_png16", "This layer as 16-bit PNG…"),
    ("export_exr", "This layer as EXR…"),
    ("copy_view", "Copy this view"),
    ("copy_sheet", "Copy all views"),
)


class CompareButton(IconButton):
    """Says how the active view is to be held against its partner."""

    compare_picked = Signal(str)

    def __init__(self) -> None:
        tip = "Hold the active view against another layer (W wipes, Shift+W subtracts)"
        super().__init__(icon("halves"), name="Compare", tip=tip, opens=True)
        self.setCheckable(True)
        self._mode = CompareMode.OFF
        self._menu, self._group = QMenu(self), QActionGroup(self)
        for mode, words, action in _MODES:
            line = QAction(words + _key(action), self._group)
            line.setData(mode)
            line.setCheckable(True)
            self._menu.addAction(line)
        self._menu.addSeparator()
        self._menu.addAction("Hold Shift over a view: flicker").setEnabled(False)
        self._menu.setAccessibleName("Ways to compare")
        self.clicked.connect(self._open)
        self._group.triggered.connect(self._picked)

    def show_mode(self, mode: CompareMode) -> None:
        """Pressed while something is compared."""
        self._mode = mode
        self.setChecked(mode is not CompareMode.OFF)

    @Slot()
    def _open(self) -> None:
        # Opening the menu has not yet changed anything.
        self.show_mode(self._mode)
        for line in self._group.actions():
            line.setChecked(line.data() == self._mode)
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _picked(self, line: QAction) -> None:
        self.compare_picked.emit(str(line.data()))


class ExportButton(IconButton):
    """Says by the name of an action what is to leave the window, as a file or to the clipboard."""

    export_asked = Signal(str)

    def __init__(self) -> None:
        key = "".join(f" ({key} exports this view)" for key in by_id("export_view").keys[:1])
        tip = f"Pictures for other programs{key}"
        super().__init__(icon("outbox"), name="Export", tip=tip, opens=True)
        self._menu, self._group = QMenu(self), QActionGroup(self)
        self._whose = self._menu.addAction("")
        self._whose.setEnabled(False)
        for place, (kind, words) in enumerate(_EXPORTS):
            if place in (0, 4):
                self._menu.addSeparator()
            line = QAction(words + _key(kind), self._group)
            line.setData(kind)
            line.setToolTip(by_id(kind).tip)
            self._menu.addAction(line)
        self._menu.addSeparator()
        self._in_sight = self._menu.addAction("Only what is in sight")
        self._in_sight.setCheckable(True)
        self._in_sight.setToolTip("Leave out what lies beyond the edges of a zoomed view")
        self._menu.setToolTipsVisible(True)
        self._menu.setAccessibleName("Exports")
        self.clicked.connect(self._open)
        self._group.triggered.connect(self._picked)

    @property
    def only_in_sight(self) -> bool:
        """Whether a zoomed view is exported as far as it is seen."""
        return self._in_sight.isChecked()

    def show_state(self, state: StudioState) -> None:
        """Know which view is meant."""
        layer = state.views[state.active].layer
        self._whose.setText(f"View {state.active + 1}: {layer}")

    @Slot()
    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _picked(self, line: QAction) -> None:
        self.export_asked.emit(str(line.data()))


class MoreButton(IconButton):
    """Everything of the row that has no room in it."""

    fit_asked = Signal()
    one_to_one_asked = Signal()
    link_asked = Signal(bool)
    tone_picked = Signal(str)

    def __init__(self) -> None:
        super().__init__(icon("dots"), name="More", tip="What has no room in this row")
        self._menu = QMenu(self)
        self._menu.setAccessibleName("What has no room in the row")
        self._tones = self._menu.addMenu("Tone map")
        self._group = QActionGroup(self)
        for tone in ToneMap:
            line = QAction(str(tone), self._group)
            line.setCheckable(True)
            self._tones.addAction(line)
        self._link = self._menu.addAction("Linked exposure" + _key("link_exposure"))
        self._link.setCheckable(True)
        self._fit = self._menu.addAction("Fit" + _key("fit"))
        self._one = self._menu.addAction("1:1" + _key("one_to_one"))
        self._fit.triggered.connect(self.fit_asked)
        self._one.triggered.connect(self.one_to_one_asked)
        self._link.triggered.connect(self.link_asked)
        self._group.triggered.connect(self._tone_picked)
        self.clicked.connect(self._open)

    def offer(self, *, tones: bool, link: bool, fit: bool, one: bool) -> None:
        """Which of these the row has no room for."""
        self._tones.menuAction().setVisible(tones)
        self._link.setVisible(link)
        self._fit.setVisible(fit)
        self._one.setVisible(one)

    def show_choices(self, tone: ToneMap, *, linked: bool) -> None:
        """Show what is picked now."""
        self._link.setChecked(linked)
        for line in self._group.actions():
            line.setChecked(line.text() == tone)

    @Slot()
    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _tone_picked(self, line: QAction) -> None:
        self.tone_picked.emit(line.text())


def _key(action: str) -> str:
    """The key of an action as a menu line shows it."""
    keys = by_id(action).keys if action else ()
    return f"\t{keys[0]}" if keys else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A grid of views; `action` is its line in the table of actions."""

    columns: int
    count: int
    action: str


LAYOUTS: Final = (
    Layout(1, 1, "grid_1"),
    Layout(2, 2, "grid_2"),
    Layout(1, 2, "grid_stacked"),
    Layout(3, 3, "grid_3"),
    Layout(2, 4, "grid_4"),
    Layout(3, 5, "grid_5"),
    Layout(3, 6, "grid_6"),
)


class ViewChooser(IconButton):
    """Shows the grid in use; opens the others and says which was picked, columns and views."""

    grid_picked = Signal(int, int)

    def __init__(self) -> None:
        tip = "How many views, and how they stand (Ctrl+Alt+1 to Ctrl+Alt+6)"
        super().__init__(grid_icon(2, 4), name="Grid of views", tip=tip, opens=True)
        self._shown = (2, 4)
        self._menu, self._group = QMenu(self), QActionGroup(self)
        for layout in LAYOUTS:
            line = by_id(layout.action)
            action = QAction(line.line_with_key, self._group)
            action.setData(layout)
            action.setCheckable(True)
            action.setToolTip(line.tip)
            self._menu.addAction(action)
        self._menu.setToolTipsVisible(True)
        self._menu.setAccessibleName("Grids of views")
        self.clicked.connect(self.open)
        self._group.triggered.connect(self._picked)

    def show_grid(self, columns: int, count: int) -> None:
        """Show the grid in use."""
        if (columns, count) != self._shown:
            self._shown = (columns, count)
            self.show_icon(grid_icon(columns, count))

    @Slot()
    def open(self) -> None:
        """Offer the grids, drawn in the colours of now."""
        for action in self._group.actions():
            layout: Layout = action.data()
            shown = (layout.columns, layout.count) == self._shown
            little = grid_icon(layout.columns, layout.count, filled=shown)
            action.setIcon(little.for_menu(self))
            action.setChecked(shown)
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    @Slot(QAction)
    def _picked(self, action: QAction) -> None:
        layout: Layout = action.data()
        self.grid_picked.emit(layout.columns, layout.count)


MOST_EV: Final = 10.0
_STOPS: Final = Span(low=-MOST_EV, high=MOST_EV, steps=200, decimals=1, suffix=" EV")
_OVERLAY_STEPS: Final = 20
_GAP: Final = 4
_EDGE: Final = 2
_SHORT_SLIDER: Final = 40
_SPARE: Final = 56  # what the exposure slider wants beyond that before words are written
_TOOLS: Final = (
    (Tool.HAND, "hand", "tool_hand"),
    (Tool.RECTANGLE, "rectangle", "tool_rectangle"),
    (Tool.LASSO, "lasso", "tool_lasso"),
    (Tool.BRUSH, "brush", "tool_brush"),
)


class DisplayStrip(QWidget):
    """Says how the pictures are to be shown; what a narrow row cannot hold hides in a menu.

    `exposure_picked` is the exposure of the active view alone, which is not linked to the others.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"display", "views", "active", "tool", "columns", "compare"}
    )

    display_picked = Signal(object)
    exposure_picked = Signal(float)
    link_asked = Signal(bool)
    tool_picked = Signal(str)
    grid_picked = Signal(int, int)
    compare_picked = Signal(str)
    export_asked = Signal(str)
    gain_picked = Signal(float)
    zebra_picked = Signal(bool)
    budget_picked = Signal(object)
    fit_asked = Signal()
    one_to_one_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown, self._own_ev = DisplaySettings(), False
        self._word = caption("Exposure", role="muted")
        self._exposure = Dial(
            _STOPS,
            name="Exposure",
            tip="Exposure (E and Shift+E half a stop, [ and ] a tenth, R resets)",
        )
        self._tones = QComboBox()
        self._more_display = IconButton(
            icon("sliders"), name="Display", tip=by_id("show_display").tip_with_key, opens=True
        )
        self._masks = button("Masks", tip=by_id("toggle_masks").tip_with_key)
        self._overlay = KeyedSlider()
        self._link = IconButton(
            icon("chain"), name="Linked exposure", tip=by_id("link_exposure").tip_with_key
        )
        self._fit = button("Fit", tip=by_id("fit").tip_with_key)
        self._one = button("1:1", tip=by_id("one_to_one").tip_with_key)
        self._more = MoreButton()
        self._tools = QButtonGroup(self)
        self.sheet = DisplaySheet(self)
        self._views, self._compare, self._export = ViewChooser(), CompareButton(), ExportButton()
        self._openers = self._more_display, self._export
        self._set_up()
        self._row = (
            *(self._word, self._exposure, self._link, self._tones, self._more_display),
            *(self._masks, self._overlay, _beside(self._tools.buttons()), self._views),
            *(self._compare, self._export, self._fit, self._one, self._more),
        )
        self._lay_out()
        self._connect()

    @property
    def only_in_sight(self) -> bool:
        """Whether exports leave out what lies beyond the edges of a zoomed view."""
        return self._export.only_in_sight

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show how the pictures are shown; exposure is that of the active view."""
        self._shown = shown = new.display
        own = new.views[new.active].exposure_ev
        self._own_ev = own is not None
        self._exposure.show_value(shown.exposure_ev if own is None else own)
        self._tones.setCurrentText(str(shown.tone_map))
        self._masks.setChecked(shown.mask_visible)
        self._overlay.setValue(round(shown.overlay * _OVERLAY_STEPS))
        self._link.setChecked(own is None)
        self._link.show_icon(icon("chain" if own is None else "unchained"))
        self._more.show_choices(shown.tone_map, linked=own is None)
        self._tools.button(tuple(Tool).index(new.tool)).setChecked(True)
        self._views.show_grid(new.columns, len(new.views))
        self._compare.show_mode(new.compare.mode)
        self._export.show_state(new)

    @Slot()
    def open_sheet(self) -> None:
        """Show everything about how pictures are shown."""
        self.sheet.open_under(self._more_display)

    def minimumSizeHint(self) -> QSize:
        """As wide as what never hides."""
        return QSize(self._needed(()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide what matters least until the rest fits."""
        super().resizeEvent(event)
        hides = self._dispensable()
        kept = next(
            hides[place:]
            for place in range(len(hides) + 1)
            if self._needed(hides[place:]) + _air(hides[place:]) <= self.width()
            or place == len(hides)
        )
        for part in hides:
            part.setVisible(part in kept)
        gone = {part for part in hides if part not in kept}
        self._more.offer(
            tones=self._tones in gone,
            link=self._link in gone,
            fit=self._fit in gone,
            one=self._one in gone,
        )
        self._more.setVisible(bool(gone - {self._word, self._overlay}))
        self._spell(self.width() - self._needed(kept))

    def _spell(self, air: int) -> None:
        """Where the exposure slider can spare it, buttons that open something say their names."""
        for opener in self._openers:
            words = opener.accessibleName()
            room = opener.room_for(words)
            fits = air - room >= _SPARE
            opener.spell(words if fits else "")
            air -= room if fits else 0

    def _dispensable(self) -> tuple[QWidget, ...]:
        """What hides in a narrow row, the least missed first."""
        return self._word, self._overlay, self._one, self._fit, self._link, self._tones

    def _needed(self, kept: tuple[QWidget, ...]) -> int:
        """The width of a row that keeps these of the dispensable parts."""
        hides = self._dispensable()
        stays = [part for part in self._row if part not in hides or part in kept]
        if len(kept) >= len(hides) - 2:
            stays.remove(self._more)  # the caption and the strength have no line in its menu
        spelt = sum(opener.room_for(opener.words) for opener in self._openers)
        widths = sum(_narrowest(part) for part in stays) - spelt
        return 2 * _EDGE + widths + _GAP * (len(stays) - 1)

    def _set_up(self) -> None:
        self._tones.addItems([str(tone) for tone in ToneMap])
        # One name is long; the list that opens has room for it.
        metrics = self.fontMetrics()
        widest = max(metrics.horizontalAdvance(str(tone)) for tone in ToneMap)
        self._tones.view().setMinimumWidth(widest + 40)
        self._tones.setFixedWidth(metrics.horizontalAdvance("Reinhard") + 34)
        self._masks.setCheckable(True)
        self._masks.setChecked(self._shown.mask_visible)
        self._link.setCheckable(True)
        self._link.setChecked(True)
        self._overlay.setRange(0, _OVERLAY_STEPS)
        self._overlay.setValue(round(self._shown.overlay * _OVERLAY_STEPS))
        self._exposure.show_value(self._shown.exposure_ev)
        describe(self._tones, name="Tone map", tip="How linear radiance is brought to the screen")
        describe(self._overlay, name="Mask strength", tip="How strong masks cover the picture")
        self._exposure.slider.setMinimumWidth(_SHORT_SLIDER)
        self._overlay.setFixedWidth(56)
        for pressed in (self._tones, self._masks, self._fit, self._one):
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for place, (tool, picture, action) in enumerate(_TOOLS):
            made = IconButton(icon(picture), name=f"Tool: {tool}", tip=by_id(action).tip_with_key)
            made.setCheckable(True)
            self._tools.addButton(made, place)
        self._tools.button(0).setChecked(True)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(_EDGE, 0, _EDGE, 0)
        row.setSpacing(_GAP)
        for part in self._row:
            row.addWidget(part, 1 if part is self._exposure else 0)

    def _connect(self) -> None:
        self._exposure.turned.connect(self._exposed)
        self._tones.textActivated.connect(self._tone_picked)
        self._more.tone_picked.connect(self._tone_picked)
        self._more_display.clicked.connect(self.open_sheet)
        self._masks.clicked.connect(self._masks_clicked)
        self._overlay.valueChanged.connect(self._overlay_slid)
        self._tools.idClicked.connect(self._tool_clicked)
        self._views.grid_picked.connect(self.grid_picked)
        self._compare.compare_picked.connect(self.compare_picked)
        self._export.export_asked.connect(self.export_asked)
        self.sheet.display_picked.connect(self.display_picked)
        self.sheet.gain_picked.connect(self.gain_picked)
        self.sheet.zebra_picked.connect(self.zebra_picked)
        self.sheet.budget_picked.connect(self.budget_picked)
        self._link.clicked.connect(self.link_asked)
        self._more.link_asked.connect(self.link_asked)
        self._fit.clicked.connect(self.fit_asked)
        self._more.fit_asked.connect(self.fit_asked)
        self._one.clicked.connect(self.one_to_one_asked)
        self._more.one_to_one_asked.connect(self.one_to_one_asked)

    @Slot(float)
    def _exposed(self, stops: float) -> None:
        if self._own_ev:
            self.exposure_picked.emit(stops)
        else:
            self.display_picked.emit(replace(self._shown, exposure_ev=stops))

    @Slot(str)
    def _tone_picked(self, tone: str) -> None:
        self.display_picked.emit(replace(self._shown, tone_map=ToneMap(tone)))

    @Slot(bool)
    def _masks_clicked(self, visible: object) -> None:
        self.display_picked.emit(replace(self._shown, mask_visible=bool(visible)))

    @Slot(int)
    def _overlay_slid(self, step: int) -> None:
        if step != round(self._shown.overlay * _OVERLAY_STEPS):
            self.display_picked.emit(replace(self._shown, overlay=step / _OVERLAY_STEPS))

    @Slot(int)
    def _tool_clicked(self, place: int) -> None:
        self.tool_picked.emit(str(_TOOLS[place][0]))


def _air(kept: tuple[QWidget, ...]) -> int:
    """What the exposure slider gets before anything but the tone map and the link has room."""
    return _SPARE if len(kept) > 2 else 0


def _narrowest(part: QWidget) -> int:
    hint = part.minimumSizeHint().width()
    return min(max(hint, part.minimumWidth()), part.maximumWidth())


def _beside(buttons: list[QAbstractButton]) -> QWidget:
    """Buttons that belong together."""
    group = QWidget()
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(1)
    for each in buttons:
        row.addWidget(each)
    return group
