"""The small controls every panel is built of: cards, captions, buttons, choices."""

from collections.abc import Container
from datetime import datetime
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.environment import moment_in
from smarthdr_studio.core.words import percent as in_percent

GAP: Final = 8
PARTED: Final = " · "  # between the parts of one line
MORE: Final = " …"  # behind the last part that has room
_FRAME: Final = QSize(8, 40)  # what a desktop draws around a window


def card(*, name: str, margin: int = 10) -> tuple[QFrame, QVBoxLayout]:
    """A framed box and its column."""
    frame = QFrame()
    frame.setObjectName("card")
    frame.setAccessibleName(name)
    column = QVBoxLayout(frame)
    column.setContentsMargins(margin, margin - 2, margin, margin)
    column.setSpacing(6)
    return frame, column


def caption(text: str, *, role: str = "") -> QLabel:
    """A label; roles are those of the style sheet."""
    label = QLabel(text)
    if role:
        label.setProperty("role", role)
    return label


def button(text: str, *, tip: str, role: str = "") -> QPushButton:
    """A push button that tells what it does, to the eye and to a screen reader."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAccessibleName(text)
    made.setAccessibleDescription(tip)
    if role:
        made.setProperty("role", role)
    return made


def rename(made: QPushButton, text: str, *, tip: str = "") -> None:
    """Call a button otherwise, to the eye and to a screen reader alike; "" keeps what it tells."""
    made.setText(text)
    made.setAccessibleName(text)
    if tip:
        give_tip(made, tip)
        made.setAccessibleDescription(tip)


def give_tip(widget: QWidget, tip: str) -> None:
    """Another tooltip; Qt would tell the same one again to everybody who listens."""
    if widget.toolTip() != tip:
        widget.setToolTip(tip)


def row_of(*parts: QWidget | None, spacing: int) -> QHBoxLayout:
    """Controls beside each other, where a line of text grows; None is a gap that grows."""
    row = QHBoxLayout()
    row.setSpacing(spacing)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part, 1 if isinstance(part, ElidedLabel) else 0)
    return row


def describe(widget: QWidget, *, name: str, tip: str) -> None:
    """Name a control for a screen reader and for the mouse."""
    widget.setAccessibleName(name)
    widget.setToolTip(tip)


def size_within_screen(window: QWidget, width: int, height: int) -> None:
    """As large as wished, or as there is room for with its frame on the screen.

    There is room at least for what its parent takes.
    """
    room, over = window.screen().availableSize() - _FRAME, window.parentWidget()
    room = room if over is None else room.expandedTo(over.window().size())
    window.resize(QSize(width, height).boundedTo(room))


def give_role(widget: QWidget, *, role: str) -> None:
    """Change a widget's role of the style sheet."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def clear(layout: QLayout) -> None:
    """Take every widget out of a layout and let it go."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()


def percent(share: float | None, *, decimals: int = 0) -> str:
    """A share in [0, 1]; a dash where there is none."""
    return "–" if share is None else in_percent(share, decimals=decimals)


def small(value: float | None) -> str:
    """A small positive number with two telling digits; a dash where there is none."""
    return "–" if value is None else f"{value:.2g}" if value < 0.0095 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """How long, in words, as precise as anyone needs."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def local_time(at: str, *, seconds: bool = True) -> str:
    """A moment of a file, UTC, on the clock of this person; a text that is none stays."""
    moment = moment_in(at)
    if moment is None:
        return at
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def short_time(at: str, *, seconds: bool = False, now: datetime | None = None) -> str:
    """The same as short as it can be told: without today's date or this year's number."""
    whole, day = local_time(at), (now or datetime.now().astimezone()).strftime("%Y-%m-%d")
    ends = 19 if seconds else 16
    if whole.startswith(day):
        return f"today {whole[11:ends]}"
    return whole[5:ends] if whole.startswith(day[:5]) else whole[:ends]


def whole_parts(text: str, metrics: QFontMetrics, width: int) -> str:
    """As many parts of a line, which · divides, as there is room for; the first is cut if it must.

    What matters most comes first in such a line; a mark says that there is more.
    """
    parts, shown = text.split(PARTED), text
    while len(parts) > 1 and metrics.horizontalAdvance(shown) > width:
        parts.pop()
        shown = PARTED.join(parts) + MORE
    return metrics.elidedText(shown, Qt.TextElideMode.ElideRight, width)


class ElidedLabel(QLabel):
    """One line of text that shortens itself and tells the whole in its tooltip.

    Where it is `parted` it leaves out whole parts, which · divides, and shows no part cut; before
    that it takes briefer words where it has some. It wishes for the room of its `widest` words
    from the start, so that nothing beside it moves.
    """

    def __init__(
        self,
        *,
        role: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parted: bool = False,
        widest: str = "",
    ) -> None:
        super().__init__()
        self._whole, self._mode, self._parted, self._widest = "", mode, parted, widest
        self._briefer: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if role:
            self.setProperty("role", role)

    def tell(self, text: str, *briefer: str) -> None:
        """Show this text, or where it has no room the first of these that has, or the last."""
        if (text, briefer) != (self._whole, self._briefer):
            self._whole, self._briefer = text, briefer
            self._fit()

    @property
    def whole(self) -> str:
        """The text before it was shortened."""
        return self._whole

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(24, QFontMetrics(self.font()).height())

    def sizeHint(self) -> QSize:
        """The whole text, if there is room."""
        metrics = QFontMetrics(self.font())
        wide = max(metrics.horizontalAdvance(words) for words in (self._whole, self._widest))
        return QSize(wide + 2, metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics = QFontMetrics(self.font())
        ways = self._whole, *self._briefer
        fit = (way for way in ways if metrics.horizontalAdvance(way) <= self.width())
        text = next(fit, ways[-1])
        if self._parted:
            short = whole_parts(text, metrics, self.width())
            short = short if text.startswith(short.removesuffix(MORE)) else MORE.strip()
        else:
            short = metrics.elidedText(text, self._mode, self.width())
        self.setText(short)
        give_tip(self, self._whole if short != self._whole else "")
        self.setAccessibleName(self._whole)
        self.updateGeometry()


_SMALL: Final = """
QPushButton { padding: 1px 4px; }
QPushButton:checked { background: palette(highlight); color: palette(highlighted-text); }
"""


class Choice(QWidget):
    """Says which word was picked; shows the one it is told to."""

    picked = Signal(str)

    def __init__(self, words: dict[str, str], *, name: str, again: bool = False) -> None:
        """`words` and what each of them means, for its tooltip; `name` says what is chosen.

        With `again` a click on the word that is shown is told as well.
        """
        super().__init__()
        self._tips, self._again = words, again
        self._shown = ""
        self._buttons = {word: button(word, tip=tip) for word, tip in words.items()}
        self._group = QButtonGroup(self)
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for word, each in self._buttons.items():
            each.setCheckable(True)
            each.setAccessibleName(f"{name}: {word}")
            each.setStyleSheet(_SMALL)
            # The arrow keys belong to the scene list, whatever was clicked.
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(each)
            row.addWidget(each)
        self._group.buttonClicked.connect(self._clicked)

    def show_word(self, word: str) -> None:
        """Mark this word as picked, or none with ""."""
        self._shown = word
        if self._buttons.get(word) is self._group.checkedButton():
            return
        self._group.setExclusive(bool(word))
        for each, pressed in self._buttons.items():
            pressed.setChecked(each == word)

    def offer(self, word: str, *, refusal: str) -> None:
        """Let a word be picked, or say in its tooltip why it cannot be ("" lets it be)."""
        self._buttons[word].setEnabled(not refusal)
        give_tip(self._buttons[word], refusal or self._tips[word])

    @Slot(QAbstractButton)
    def _clicked(self, pressed: QAbstractButton) -> None:
        if self._again or pressed.text() != self._shown:
            self.picked.emit(pressed.text())


ALONG: Final = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End})
OF_A_LIST: Final = frozenset(
    {
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Return,
        Qt.Key.Key_Enter,
        Qt.Key.Key_Escape,
    }
)
OF_A_CARD: Final = ALONG | OF_A_LIST | {Qt.Key.Key_Space}


def takes_first(event: QEvent, keys: Container[int]) -> bool:
    """Whether Qt asks who wants one of these keys, pressed alone; if so it is claimed here."""
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
        return False
    if event.key() not in keys or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return False
    event.accept()
    return True


class ClampedLabel(QLabel):
    """A label of so many lines; the tooltip holds all of the words."""

    def __init__(self, *, lines: int, role: str = "") -> None:
        super().__init__()
        self._whole, self._lines = "", lines
        if role:
            self.setProperty("role", role)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def tell(self, words: str) -> None:
        """Show these words."""
        if words != self._whole:
            self._whole = words
            self.setToolTip(words)
            self.setAccessibleName(words)
            self._fit()

    @property
    def whole(self) -> str:
        """The words before they were shortened."""
        return self._whole

    def sizeHint(self) -> QSize:
        """Room for all lines, whatever is told, so that nothing around it jumps."""
        return QSize(200, QFontMetrics(self.font()).lineSpacing() * self._lines)

    def minimumSizeHint(self) -> QSize:
        """As high as it would be."""
        return QSize(80, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        words = self._whole.split(" ")
        kept = len(words)
        while kept > 1 and not self._fits(_ended(words, kept)):
            kept -= 1
        self.setText(_ended(words, kept))

    def _fits(self, text: str) -> bool:
        room = self.contentsRect().adjusted(0, 0, 0, 10_000)
        taken = QFontMetrics(self.font()).boundingRect(room, Qt.TextFlag.TextWordWrap, text)
        return taken.height() <= self.sizeHint().height()


def _ended(words: list[str], kept: int) -> str:
    return " ".join(words[:kept]) + (" …" if kept < len(words) else "")


class Tabs(QWidget):
    """Shows one panel at a time; says which one came to the front."""

    turned = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._bar, self._stack = QTabBar(), QStackedWidget()
        self._names: list[str] = []
        self._bar.setDrawBase(False)
        self._bar.setExpanding(False)
        self._bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._bar.setAccessibleName(name)
        self._bar.currentChanged.connect(self._turn)
        head = QHBoxLayout()
        head.addWidget(self._bar)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._stack, 1)

    def add(self, name: str, title: str, panel: QWidget, *, tip: str) -> None:
        """One more panel behind a tab; `name` is how commands call it."""
        self._names.append(name)
        self._stack.addWidget(panel)
        self._bar.setTabToolTip(self._bar.addTab(title), tip)

    @property
    def current(self) -> str:
        """The name of the panel in front."""
        return self._names[self._stack.currentIndex()]

    def has(self, name: str) -> bool:
        """Whether a panel of that name is among these."""
        return name in self._names

    def go(self, name: str) -> None:
        """Bring a panel to the front."""
        if name in self._names:
            self._bar.setCurrentIndex(self._names.index(name))

    @Slot(int)
    def _turn(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self.turned.emit(self._names[place])


class EventWatch:
    """Hears what comes to other objects before they do; mixed into what is a QObject.

    Qt may still ask a filter whose Python half has been collected: a window that dies takes the
    keyboard from its fields. Nothing is left then of what the filter knew, so all goes its way.
    """

    _watches = False  # of the class: what stays once the object has forgotten everything

    def watch(self, *others: QObject) -> None:
        """Hear their events from now on."""
        self._watches = True
        for each in others:
            each.installEventFilter(self)  # type: ignore[arg-type]

    def unwatch(self, *others: QObject) -> None:
        """Hear them no longer."""
        for each in others:
            each.removeEventFilter(self)  # type: ignore[arg-type]

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """What came to one of them; True keeps it from whom it was for."""
        raise NotImplementedError

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask `heard`, and Qt's own filter of this object next."""
        if not self._watches:
            return False
        return self.heard(watched, event) or bool(
            super().eventFilter(watched, event)  # type: ignore[misc]
        )


class Scrolled(EventWatch, QScrollArea):
    """As wide as its place, as high as it, or as the least its panels need.

    Qt's own way gives panels with wrapped words the height they would like to have instead.
    """

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside = inside
        self.setWidget(inside)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.watch(inside)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another place."""
        super().resizeEvent(event)
        self._fit()

    def heard(self, _watched: QObject, event: QEvent) -> bool:
        """The panels want another height."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._fit()
        return False

    def _fit(self) -> None:
        layout, room = self._inside.layout(), self.viewport().size()
        if layout is None:
            return
        wrapped = layout.hasHeightForWidth()
        least = layout.minimumHeightForWidth(room.width()) if wrapped else 0
        least = max(least, layout.minimumSize().height())
        self._inside.resize(room.width(), max(room.height(), least))
