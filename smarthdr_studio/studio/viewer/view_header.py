"""The title bar of a view: its layer with the menu, what is special about it, and a warning."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from smarthdr_studio.core.display import Layer
from smarthdr_studio.studio.theme import DARK, Palette
from smarthdr_studio.studio.widgets.controls import whole_parts
from smarthdr_studio.studio.widgets.icons import icon

GROUPS: Final[tuple[tuple[str, tuple[Layer, ...]], ...]] = (
    (
        "Pictures",
        (
            Layer.PSEUDO_LABEL,
            Layer.STUDENT,
            Layer.PROMOTED,
            Layer.GROUND_TRUTH,
            Layer.MERGE,
        ),
    ),
    ("Frames", (Layer.UNDER, Layer.REFERENCE, Layer.OVER)),
    ("Uncertainty", (Layer.UNCERTAINTY, Layer.PATCH_SCORE, Layer.PIXEL_SCORE)),
    (
        "Masks",
        (
            Layer.PATCH_MASK,
            Layer.PIXEL_MASK,
            Layer.TRUSTED,
            Layer.PERSON_MASK,
            Layer.COMBINED_MASK,
        ),
    ),
    ("Diagnostics", (Layer.ERROR, Layer.REASONS)),
    ("Rounds", (Layer.FLIPS, Layer.OTHER_ROUND, Layer.OTHER_SIGMA)),
)
_KEYS: Final = 9
_NUMBERS = {layer: number for number, layer in enumerate(Layer, 1) if number <= _KEYS}
# Denser than other menus: with all its layers it has to fit a screen of 720 lines.
_DENSE: Final = """
QMenu::item { padding: 1px 24px 1px 12px; }
QMenu::separator { margin: 2px 8px; }
QMenu::item:disabled { color: %s; }
"""


class LayerMenu(QMenu):
    """Says which layer was picked, which one to compare with, or that the zebra is wanted."""

    layer_picked = Signal(str)
    partner_picked = Signal(str)
    zebra_asked = Signal()

    def __init__(self, parent: QWidget, *, number: int) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Layers of view {number}")
        self._refusals: dict[Layer, str] = {}
        self._layers = _fill(self, keys=True)
        self._partners = QMenu("Compare with", self)
        self._partners.setToolTip("Hold this view against another layer: wipe, or hold Shift")
        self._partners.setAccessibleName(f"Layers to compare view {number} with")
        self._others = _fill(self._partners, keys=False)
        self._others.triggered.connect(self._pick_partner)
        self._layers.triggered.connect(self._pick_layer)
        self._by_layer: dict[Layer, list[QAction]] = {layer: [] for layer in Layer}
        for action in (*self._layers.actions(), *self._others.actions()):
            self._by_layer[Layer(action.data())].append(action)
        self.addSeparator()
        self.addMenu(self._partners)
        zebra = self.addAction("Zebra\tZ")
        zebra.setToolTip("Stripe highlights and shadows that are clipped, in this view")
        zebra.triggered.connect(self._ask_zebra)
        for menu in (self, self._partners):
            menu.setToolTipsVisible(True)

    def set_palette_colours(self, palette: Palette) -> None:
        """Names of groups are quiet."""
        for menu in (self, self._partners):
            menu.setStyleSheet(_DENSE % palette.muted)

    def check(self, title: str) -> None:
        """Tick the layer that is shown; none when it is no layer of its own."""
        ticked = self._layers.checkedAction()
        if ticked is not None and ticked.data() == title:
            return
        for action in self._layers.actions():
            action.setChecked(action.data() == title)

    def refuse(self, refusals: Mapping[Layer, str]) -> None:
        """Grey the layers that are not there; their tips say why. Others are left as they are."""
        before, self._refusals = self._refusals, dict(refusals)
        new = {x for x in Layer if before.get(x, "") != self._refusals.get(x, "")}
        if not new:
            return
        for layer in new:
            why = self._refusals.get(layer, "")
            for action in self._by_layer[layer]:
                action.setEnabled(not why)
                action.setToolTip(f"{layer.tip} {why}." if why else layer.tip)

    @Slot(QAction)
    def _pick_layer(self, action: QAction) -> None:
        self.layer_picked.emit(action.data())

    @Slot(QAction)
    def _pick_partner(self, action: QAction) -> None:
        self.partner_picked.emit(action.data())

    @Slot()
    def _ask_zebra(self) -> None:
        self.zebra_asked.emit()


def _fill(menu: QMenu, *, keys: bool) -> QActionGroup:
    """Every layer under the name of its group."""
    group = QActionGroup(menu)
    group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
    for name, layers in GROUPS:
        heading = menu.addAction(name.upper())  # unlike a layer that is not there
        heading.setEnabled(False)
        for layer in layers:
            action = QAction(layer.value, group)
            if keys and layer in _NUMBERS:
                action.setText(f"{layer.value}\t{_NUMBERS[layer]}")
            action.setData(layer.value)
            action.setCheckable(keys)
            action.setToolTip(layer.tip)
            menu.addAction(action)
    return group


_SIGN: Final = 14  # width of the warning sign
_PLAIN: Final = "border: none; background: transparent; padding: 1px 2px;"


class Header(QWidget):
    """Says what was picked from its menu, and that the view should fill the place."""

    layer_picked = Signal(str)
    partner_picked = Signal(str)
    zebra_asked = Signal()
    maximise_asked = Signal()

    def __init__(self, *, number: int) -> None:
        super().__init__()
        self._title, self._detail = Title(), Detail()
        self._larger = QToolButton()
        self.menu = LayerMenu(self, number=number)
        self._palette: Palette | None = None
        self._active = self._alone = False
        self._lay_out(number)
        self._larger.clicked.connect(self.maximise_asked)
        self.menu.layer_picked.connect(self.layer_picked)
        self.menu.partner_picked.connect(self.partner_picked)
        self.menu.zebra_asked.connect(self.zebra_asked)

    def show_words(self, title: str, detail: str, *, warning: str = "") -> None:
        """The layer's title, what is special about the picture, and what is wrong with it."""
        self._title.show_words(title)
        self._detail.show_words(detail, warning=warning)
        self.menu.check(title)

    def set_active(self, *, active: bool) -> None:
        """The button of the view that keys act upon has a filled ground."""
        if active != self._active:
            self._active = active
            self._dress_larger()

    def set_palette_colours(self, palette: Palette) -> None:
        """Title in the text's colour, everything else quieter."""
        self._palette = palette
        hover = f"QToolButton:hover {{ color: {palette.accent}; }}"
        self._title.setStyleSheet(
            f"QToolButton {{ {_PLAIN} font-weight: 600; color: {palette.text}; text-align: left; }}"
            f" {hover} QToolButton::menu-indicator {{ image: none; width: 0; }}"
        )
        self._detail.set_palette_colours(palette)
        self.menu.set_palette_colours(palette)
        self._dress_larger()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click beside the words fills the place with this view, or brings all back."""
        self.maximise_asked.emit()
        event.accept()

    def show_alone(self, *, alone: bool) -> None:
        """Whether this view fills the place, so that its button brings the others back."""
        self._alone = alone
        self._dress_larger()

    def _dress_larger(self) -> None:
        palette = self._palette
        if palette is None:
            return
        ground = palette.accent if self._active else "transparent"
        ink = palette.on_accent if self._active else palette.muted
        look = f"border: none; border-radius: 3px; padding: 1px 3px; background: {ground};"
        under = palette.accent if self._active else palette.raised
        hover = f"QToolButton:hover {{ background: {under}; }}"
        self._larger.setStyleSheet(f"QToolButton {{ {look} }} {hover}")
        shape = icon("smaller" if self._alone else "maximise")
        self._larger.setIcon(shape.for_menu(self, colour=QColor(ink)))

    def _lay_out(self, number: int) -> None:
        self._title.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._title.setMenu(self.menu)
        self._title.setAccessibleName(f"Layer of view {number}")
        self._larger.setToolTip(
            "Fill the place with this view, or show all again (Ctrl+Return, or a double click)"
        )
        self._larger.setAccessibleName(f"Maximise view {number}")
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 3, 4, 3)
        row.setSpacing(5)
        for button in (self._title, self._larger):
            # The arrow keys belong to the scene list, whatever was clicked.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self._title)
        row.addWidget(self._detail, 1)
        row.addWidget(self._larger)


class Title(QToolButton):
    """A layer's name that ends in … where there is no room for all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_words(self, words: str) -> None:
        """Show this name; the tooltip holds all of it."""
        if words != self._words:
            self._words = words
            self.setToolTip(f"{words}: choose what this view shows (1 to 9 under the cursor)")
            self._shorten()
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for the whole name."""
        wide = self._room(self._words) + self._room(" ▾")
        return QSize(wide, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(self._room("Ab… ▾"), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As much of the name as there is room for."""
        super().resizeEvent(event)
        self._shorten()

    def changeEvent(self, event: QEvent) -> None:
        """Other letters need other room."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
            self._shorten()

    def _shorten(self) -> None:
        metrics = self.fontMetrics()
        room = self.width() - self._room(" ▾") - 2
        shown = metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, max(room, 0))
        self.setText(f"{shown} ▾")

    def _room(self, words: str) -> int:
        self.ensurePolished()  # bold letters are wider
        return self.fontMetrics().horizontalAdvance(words) + 4


class Detail(QWidget):
    """One quiet line, after a warning with its sign; never asks for more width than there is.

    It follows the hand, so it has a ground of its own: nothing that lies under it is painted too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._words, self._warning = "", ""
        self._palette = DARK
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def places_of_words(self) -> tuple[QRectF, ...]:
        """All of it."""
        return (QRectF(self.rect()),)

    def show_words(self, words: str, *, warning: str = "") -> None:
        """Show this line; the tooltip holds all of it."""
        if (words, warning) != (self._words, self._warning):
            self._words, self._warning = words, warning
            whole = " · ".join(part for part in (warning, words) if part)
            self.setToolTip(whole)
            self.setAccessibleName(f"Warning: {whole}" if warning else whole)
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """The colours of quiet words and of warnings."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        """As high as a line of text."""
        return QSize(0, self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The line, shortened to the room there is."""
        painter = QPainter(self)
        place, loud = self.rect(), QColor(self._palette.warn)
        painter.fillRect(place, QColor(self._palette.panel))
        if self._warning and place.width() > _SIGN:
            _draw_sign(painter, place, loud)
            place.setLeft(place.left() + _SIGN + 4)
            shown = self._write(painter, place, self._warning, loud)
            place.setLeft(place.left() + self.fontMetrics().horizontalAdvance(shown) + 10)
        self._write(painter, place, self._words, QColor(self._palette.muted))
        painter.end()

    def _write(self, painter: QPainter, place: QRect, words: str, colour: QColor) -> str:
        """Write what fits, and answer what that is."""
        shown = whole_parts(words, self.fontMetrics(), max(place.width(), 0))
        painter.setPen(colour)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
        return shown


def _draw_sign(painter: QPainter, place: QRect, colour: QColor) -> None:
    """A triangle with a stroke and a dot: a shape that warns without its colour."""
    left, middle = float(place.left()), place.center().y() + 0.5
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.5))
    top, below = middle - 6, middle + 6
    painter.drawPolygon(
        QPolygonF(
            [
                QPointF(left + 1, below),
                QPointF(left + _SIGN / 2, top),
                QPointF(left + _SIGN - 1, below),
            ]
        )
    )
    x = left + _SIGN / 2
    painter.drawLine(QPointF(x, middle - 2), QPointF(x, middle + 1.5))
    painter.drawPoint(QPointF(x, middle + 4))
    painter.restore()
