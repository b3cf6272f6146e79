"""What is told over the page: a notice with what can be done, where it covers no words."""

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTabBar,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.plots.chart import Chart
from smarthdr_studio.studio.state import (
    Notice,
    Offer,
    StudioState,
)
from smarthdr_studio.studio.widgets.controls import (
    EventWatch,
    button,
    caption,
    clear,
)

_WORDS = {"plain": "", "warn": "Note", "bad": "Not done"}


def _may_leave(notice: Notice) -> bool:
    """Whether nothing is lost where nobody reads it again."""
    asks = notice.offers or notice.details
    return not asks and (notice.tone == "plain" or notice.passes)


_STAYS_MS: Final = 6000
_READ_MS: Final = 70  # a letter, slowly


_MARGINS: Final = (12, 5, 6, 5)  # of a notice
_GAP: Final = 6


class NoticeBar(QFrame):
    """A line over the page, with details, and what can be done, on it.

    Several things to do stand below the sentence, or beside it where that is the better shape.
    It stays until it is closed, but good news that asks for nothing, and why a command did
    nothing, leave once they can have been read, unless the mouse or the keyboard is on them.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset({"notice"})

    closed = Signal()
    open_asked = Signal(object)
    offer_taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._word, self._text = caption("", role="title"), caption("")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more = button("Details", tip="Show what was left out, one line each", role="link")
        self._more.setCheckable(True)
        self._open = button("Open", tip="Look at what was written", role="link")
        self._written: Path | None = None
        self._close = button("Close", tip="Close this note", role="link")
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setAccessibleName("Details")
        self._details.setMaximumHeight(130)
        self._offer_beside, self._offers_below = QHBoxLayout(), QHBoxLayout()
        self._made: list[QPushButton] = []
        self._line: QHBoxLayout | None = None  # where they stand
        self._notice: Notice | None = None
        self.leaving = QTimer(self, singleShot=True)
        self.leaving.timeout.connect(self._leave)
        self._lay_out()
        self._more.toggled.connect(self._details.setVisible)
        self._close.clicked.connect(self.closed)
        self._open.clicked.connect(self._ask_to_open)
        self.hide()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the notice, or nothing."""
        if old.notice is not new.notice:
            self.setVisible(new.notice is not None)
            if new.notice is not None:
                self._tell(new.notice)
            self._stay(new.notice)

    def _stay(self, notice: Notice | None) -> None:
        """For as long as it takes to read it; for ever where something can be done about it."""
        if notice is None or not _may_leave(notice):
            self.leaving.stop()
        else:
            self.leaving.start(_STAYS_MS + _READ_MS * len(notice.text))

    @Slot()
    def _leave(self) -> None:
        held = QApplication.focusWidget()
        if self.underMouse() or (held is not None and self.isAncestorOf(held)):
            self.leaving.start()
        else:
            self.closed.emit()

    def _lay_out(self) -> None:
        for line in (self._offer_beside, self._offers_below):
            line.setSpacing(_GAP)
        row = QHBoxLayout()
        row.addWidget(self._word)
        row.addWidget(self._text, 1)
        row.addLayout(self._offer_beside)
        row.addWidget(self._open)
        row.addWidget(self._more)
        row.addWidget(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(*_MARGINS)
        column.addLayout(row)
        column.addLayout(self._offers_below)
        column.addWidget(self._details)

    @property
    def told(self) -> tuple[object, ...]:
        """What decides how much room it takes."""
        return self._notice, self._more.isChecked(), self.font().key()

    def in_one_line(self) -> QSize | None:
        """What it takes to have all in one line; None where it has one line, or details."""
        if self._more.isChecked() or len(self._made) < 2:
            return None
        beside = (self._word, self._open, self._more, self._close)
        parts = (*self._made, *(part for part in beside if part.isVisibleTo(self)))
        sizes = [_size(part) for part in parts]
        wide = sum(size.width() + _GAP for size in sizes) + _MARGINS[0] + _MARGINS[2]
        high = max(size.height() for size in sizes) + _MARGINS[1] + _MARGINS[3]
        return QSize(wide + self._words_width(), high)

    def put_offers(self, *, beside: bool) -> None:
        """Beside the sentence, or below it."""
        line = self._offer_beside if beside or len(self._made) < 2 else self._offers_below
        if line is self._line:
            return
        self._line = line
        for place in (self._offer_beside, self._offers_below):
            while place.count():
                place.takeAt(0)
        for made in self._made:
            line.addWidget(made)
            made.show()  # a layout leaves out what is not
        if line is self._offers_below:
            line.addStretch(1)

    @property
    def details_shown(self) -> bool:
        """Whether there is more to read than one sentence."""
        return self._more.isChecked()

    def wished_width(self) -> int:
        """What it takes to say all in one line; details take all the width there may be."""
        layout = self.layout()
        if layout is None or self._more.isChecked():
            return _WIDEST
        beside = layout.totalSizeHint().width() - self._text.sizeHint().width()
        return max(beside + self._words_width(), self.least_width())

    def _words_width(self) -> int:
        return self._text.fontMetrics().horizontalAdvance(self._text.text()) + _AIR

    def least_width(self) -> int:
        """What the offers below the sentence take, which are never cut."""
        below = self._made if len(self._made) > 1 else []
        wide = sum(_size(made).width() + _GAP for made in below)
        return max(wide + _MARGINS[0] + _MARGINS[2], _LEAST)

    @Slot()
    def _ask_to_open(self) -> None:
        self.open_asked.emit(self._written)

    def _take(self, offer: Offer) -> None:
        self.offer_taken.emit(offer)

    def _offer(self, offers: tuple[Offer, ...]) -> None:
        """A button for each; only the best of them catches the eye, and several need a line."""
        clear(self._offer_beside)
        clear(self._offers_below)
        self._made, self._line = [], None
        for place, offer in enumerate(offers):
            made = button(offer.text, tip=offer.tip, role="" if place else "primary")
            made.clicked.connect(partial(self._take, offer))
            self._made.append(made)
        self.put_offers(beside=False)

    def _tell(self, notice: Notice) -> None:
        self._notice = notice
        self._offer(notice.offers)
        self._written = notice.opens
        self._open.setVisible(notice.opens is not None)
        self.setProperty("tone", notice.tone)
        self.style().unpolish(self)
        self.style().polish(self)
        self._word.setText(_WORDS[notice.tone])
        self._word.setVisible(bool(_WORDS[notice.tone]))
        self._text.setText(notice.text)
        self._details.setPlainText("\n".join(notice.details))
        self._more.setVisible(bool(notice.details))
        self._more.setChecked(False)
        self._details.setVisible(False)


def _size(part: QWidget) -> QSize:
    """What a part takes, whether it is shown yet or not."""
    part.ensurePolished()
    return part.sizeHint()


_LEAST: Final = 320
_WIDEST: Final = 960
_AIR: Final = 12
_NARROWER: Final = (460, _LEAST)  # than a notice wishes to be
_CELL: Final = 8  # pixels, by which places are tried
_ROW: Final = 20  # pixels: no line of a list is lower
_SETTLED_MS: Final = 80
_LOOKS_MS: Final = 500  # whether other words have come under a notice
_FARTHER: Final = 10_000  # than any way on a screen
_WORDED: Final = (
    *(QLabel, QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QAbstractSlider),
    *(QProgressBar, QHeaderView, Chart),
)


class OverEdge(EventWatch, QObject):
    """Keeps notices over a place where they cover no words, so that nothing else moves.

    At its lower edge, over the middle alone where that has room; where words stand there, as near
    to that as there is room without, be it for a narrower notice. It stays where it came until the
    place is another, or other words have come there.
    """

    def __init__(self, bar: NoticeBar, place: QWidget, middle: QWidget) -> None:
        super().__init__(place)
        self._bar, self._place, self._middle = bar, place, middle
        self._for: object = None  # what the place was found for
        self._sized_for: object = None
        self._sizes: tuple[QSize, ...] = ()
        self._line: QSize | None = None  # all in one, where that has room
        self._settled = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settled.timeout.connect(self._look_again)
        self._covered: frozenset[tuple[int, int, int, int]] = frozenset()
        self._words_come = QTimer(self, interval=_LOOKS_MS)
        self._words_come.timeout.connect(self._leave_new_words)
        shown = bar.isVisibleTo(place)
        bar.setParent(place)
        bar.setVisible(shown)
        self.watch(bar, place, middle)

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """Another room, or other words."""
        kinds = (
            QEvent.Type.Resize,
            QEvent.Type.Move,
            QEvent.Type.LayoutRequest,
            QEvent.Type.Show,
        )
        if watched is self._bar and event.type() is QEvent.Type.Hide:
            self._words_come.stop()
        if event.type() in kinds and self._bar.isVisibleTo(self._place):
            if event.type() is QEvent.Type.Show and watched is self._bar:
                self._for = self._sized_for = None
                self._words_come.start()
            self._move()
        return False

    @Slot()
    def rearranged(self) -> None:
        """Panels came or went: once they are at rest, other words may stand there."""
        if self._bar.isVisibleTo(self._place):
            self._settled.start()

    @Slot()
    def _look_again(self) -> None:
        self._for = None
        if self._bar.isVisibleTo(self._place):
            self._move()

    @Slot()
    def _leave_new_words(self) -> None:
        """A page was turned, or something was told, beneath the notice."""
        if self._words_under(words_over(self._place, but=self._bar)) - self._covered:
            self._look_again()

    def _words_under(self, words: Iterable[QRect]) -> frozenset[tuple[int, int, int, int]]:
        here = self._bar.geometry()
        under = (box for box in words if box.intersects(here))
        return frozenset((box.x(), box.y(), box.width(), box.height()) for box in under)

    def _move(self) -> None:
        room = self._place.rect().adjusted(_AIR, _AIR, -_AIR, -_AIR)
        if room.width() <= 0:
            return
        if self._sized_for != (room, self._bar.told):
            self._sized_for = room, self._bar.told
            self._sizes = self._shapes(room)
        over = self._middle.rect().translated(self._middle.mapTo(self._place, QPoint()))
        if not self._middle.isVisible() or over.width() < self._sizes[0].width() + 2 * _AIR:
            over = self._place.rect()
        found_for = room, over, self._sizes
        if found_for != self._for:
            self._for = found_for
            foot = QPoint(over.center().x(), min(over.bottom() + 1 - _AIR, room.bottom() + 1))
            words = list(words_over(self._place, but=self._bar))
            box = quietest(words, room=room, sizes=self._sizes, foot=foot)
            self._bar.put_offers(beside=box.size() == self._line)
            self._bar.setGeometry(box)
            self._covered = self._words_under(words)
        self._bar.raise_()

    def _shapes(self, room: QRect) -> tuple[QSize, ...]:
        """As wide as it wishes and narrower, what can be done below; at last all in one line."""
        layout, bar = self._bar.layout(), self._bar
        assert layout is not None
        bar.put_offers(beside=False)
        _take_as_it_is_now(bar)
        widest, least = min(room.width(), _WIDEST, bar.wished_width()), bar.least_width()
        others = () if bar.details_shown else dict.fromkeys(max(w, least) for w in _NARROWER)
        widths = (widest, *(width for width in others if width < widest))
        sizes = tuple(QSize(width, min(_height(layout, width), room.height())) for width in widths)
        line = bar.in_one_line()
        self._line = line if line is not None and line.width() <= room.width() else None
        return sizes if self._line is None else (*sizes, self._line)


def _take_as_it_is_now(bar: QWidget) -> None:
    """Fonts are not known before a first painting; a row keeps the sizes of words before."""
    for part in bar.findChildren(QWidget):
        part.ensurePolished()
    layout = bar.layout()
    if layout is not None:
        layout.invalidate()
        layout.activate()


def _height(layout: QLayout, width: int) -> int:
    wrapped = layout.hasHeightForWidth()
    high = layout.totalHeightForWidth(width) if wrapped else layout.totalSizeHint().height()
    return max(high, layout.totalMinimumSize().height())


def quietest(words: Sequence[QRect], *, room: QRect, sizes: Sequence[QSize], foot: QPoint) -> QRect:
    """Where a box of one of these sizes covers the fewest words in a room.

    Of places that cover as few, one of the first size, as near as can be to standing on `foot`.
    """
    wished = []
    for size in sizes:
        box = QRect(foot - QPoint(size.width() // 2, size.height()), size)
        box.moveLeft(max(min(box.left(), room.right() + 1 - box.width()), room.left()))
        box.moveTop(max(box.top(), room.top()))
        wished.append(box)
    if not any(wished[0].intersects(box) for box in words):
        return wished[0]
    cells = np.zeros((room.height() // _CELL, room.width() // _CELL), np.int64)
    for box in (box.translated(-room.topLeft()) & QRect(QPoint(), room.size()) for box in words):
        if not box.isEmpty():
            down = slice(box.top() // _CELL, box.bottom() // _CELL + 1)
            cells[down, box.left() // _CELL : box.right() // _CELL + 1] = 1
    found = [_best(cells, box.translated(-room.topLeft())) for box in wished]
    _covered, best = min(found, key=operator.itemgetter(0))
    return best.translated(room.topLeft())


def _best(cells: npt.NDArray[np.int64], wished: QRect) -> tuple[float, QRect]:
    """How many cells it covers at least, and where; of equal places the one nearest to the wish."""
    high, wide = -(-wished.height() // _CELL), -(-wished.width() // _CELL)
    if high > cells.shape[0] or wide > cells.shape[1]:
        return math.inf, wished
    sums = np.pad(cells.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    covered = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    down, across = np.indices(covered.shape) * _CELL
    away = np.hypot(down - wished.top(), across - wished.left()) / _FARTHER
    place = int((covered + away).argmin())
    box = QRect(QPoint(int(across.flat[place]), int(down.flat[place])), wished.size())
    return float(covered.flat[place]), box


def words_over(place: QWidget, *, but: QWidget) -> Iterator[QRect]:
    """Where words are seen over a place, and what is pressed or read like them."""
    for part in place.findChildren(QWidget):
        if part.isVisible() and part is not but and not but.isAncestorOf(part):
            seen = part.visibleRegion().boundingRect()
            for box in _words_in(part):
                yield (box & seen).translated(part.mapTo(place, QPoint()))


def _words_in(part: QWidget) -> Iterable[QRect]:
    told = getattr(part, "places_of_words", None)
    if told is not None:
        return tuple(box.toAlignedRect() for box in told())
    if isinstance(part, QAbstractItemView):
        view, across, down = part, part.viewport().width(), part.viewport().height()
        points = (QPoint(x, y) for y in range(4, down, _ROW) for x in range(4, across, _ROW))
        lines = {place for point in points if (place := view.indexAt(point)).isValid()}
        return tuple(view.visualRect(place) for place in lines)
    if isinstance(part, QTextEdit):
        high = round(part.document().size().height()) - part.verticalScrollBar().value()
        return (part.viewport().rect() & QRect(0, 0, part.width(), high),)
    if isinstance(part, QTabBar):
        return tuple(part.tabRect(tab) for tab in range(part.count()))
    wordless = isinstance(part, QLabel) and not part.text()
    return (part.rect(),) if isinstance(part, _WORDED) and not wordless else ()
