"""The scenes of the project in one column: find one, look at it, select several."""

from collections.abc import Sequence
from typing import ClassVar, Final

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QProgressBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.curation.scene_listing import (
    BAR,
    QueryLine,
    count_in_words,
    paint_bar,
    paint_chip,
    paint_frame,
    paint_thumbnail,
    status_colour,
)
from smarthdr_studio.studio.curation.scene_model import Role, SceneShelf
from smarthdr_studio.studio.curation.steady_lines import SteadyLines
from smarthdr_studio.studio.state import Centre, QueueKind, StudioState
from smarthdr_studio.studio.theme import Palette, on_selection
from smarthdr_studio.studio.widgets.controls import (
    GAP,
    Choice,
    ClampedLabel,
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    percent,
    small,
)

THUMBNAIL: Final = QSize(72, 54)
_PAD: Final = 6.0
_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class SceneDelegate(QStyledItemDelegate):
    """Thumbnail, name, retained share as a bar and a number, status as a word, mean σ."""

    def __init__(self, palette: Palette, parent: QObject) -> None:
        super().__init__(parent)
        self.palette = self._inks = palette

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Three lines of text, or the thumbnail, whatever is taller."""
        del index
        text = option.fontMetrics.height() * 3 + 6
        return QSize(160, int(max(text, THUMBNAIL.height()) + 2 * _PAD + 4))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        row: SceneFacts = index.data(Role.ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1, 2, -1, -2)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        paint_frame(painter, box, self.palette, selected=selected)
        self._inks = on_selection(self.palette, selected=selected)
        inner = box.adjusted(_PAD, _PAD, -_PAD, -_PAD)
        picture = QRectF(
            inner.x(),
            inner.center().y() - THUMBNAIL.height() / 2,
            THUMBNAIL.width(),
            THUMBNAIL.height(),
        )
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        paint_thumbnail(painter, picture, pixmap, self.palette)
        self._words(painter, inner.adjusted(THUMBNAIL.width() + 8, 0, 0, 0), row)
        painter.restore()

    def _words(self, painter: QPainter, box: QRectF, row: SceneFacts) -> None:
        metrics = QFontMetricsF(painter.font())
        line = box.height() / 3
        first = QRectF(box.x(), box.y(), box.width(), line)
        second, third = first.translated(0, line), first.translated(0, 2 * line)
        self._name(painter, first, row, metrics)
        self._kept(painter, second, row, metrics)
        colour = status_colour(row.status, self.palette)
        wide = paint_chip(painter, third, row.status, colour, ink=self._inks.text)
        self._tags(painter, third.adjusted(wide + 6, 0, 0, 0), row, metrics)

    def _name(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        plain, bold = painter.font(), painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(self._inks.text))
        wide = QFontMetricsF(bold)
        name = wide.elidedText(row.id, Qt.TextElideMode.ElideMiddle, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(plain)
        sigma = f"σ {small(row.sigma_mean)}"
        room = box.width() - wide.horizontalAdvance(name) - 8
        if row.sigma_mean is not None and metrics.horizontalAdvance(sigma) <= room:
            painter.setPen(QColor(self._inks.muted))
            painter.drawText(box, _RIGHT, sigma)

    def _kept(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        painter.setPen(QColor(self._inks.muted))
        painter.drawText(box, _RIGHT, percent(row.retained))
        room = metrics.horizontalAdvance("> 99 %") + 8
        bar = QRectF(box.x(), box.center().y() - BAR / 2, box.width() - room, BAR)
        paint_bar(painter, bar, row.retained, self.palette)

    def _tags(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        """Tags, the sign of a note and that of a review, as far as there is room."""
        sign = tuple(mark for mark, there in (("✎", row.note), ("✓", row.reviewed)) if there)
        many = (f"#{len(row.tags)}",) if row.tags else ()
        for parts in ((*(f"#{tag}" for tag in row.tags), *sign), (*many, *sign), sign):
            words = " ".join(parts)
            if words and metrics.horizontalAdvance(words) <= box.width():
                painter.setPen(QColor(self._inks.muted))
                painter.drawText(box, _RIGHT, words)
                return


_KINDS: Final = {
    "All": (QueueKind.ALL, "queue_all"),
    "Safest": (QueueKind.SAFEST, "queue_safest"),
    "Most worth": (QueueKind.WORTH, "queue_worth"),
}


class QueueBar(QWidget):
    """Three words over the list; says which one was picked."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"queue"})

    kind_picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        tips = {word: by_id(action).tip_with_key for word, (_, action) in _KINDS.items()}
        self._choice = Choice(tips, name="Order of scenes")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._choice)
        self._choice.picked.connect(self._pick)
        self.show_kind(QueueKind.ALL)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show which queue is walked."""
        if old.queue.kind is not new.queue.kind:
            self.show_kind(new.queue.kind)

    def show_kind(self, kind: QueueKind) -> None:
        """Mark the word of this order."""
        self._choice.show_word(next(word for word, (k, _) in _KINDS.items() if k is kind))

    @Slot(str)
    def _pick(self, word: str) -> None:
        self.kind_picked.emit(_KINDS[word][0])


_LINES: Final = 4
_HINTS: Final = {
    Status.GROUND_TRUTH: "has its ground truth",
    Status.PROMOTED: "is promoted",
    Status.EXCLUDED: "is excluded",
    Status.TEST: "is a test scene",
    Status.UNLABELLED: "has no pseudo-label yet, or came back after the queue was ranked",
}


class QueueFooter(QWidget):
    """A count with a thin bar, and below it the reason while a queue is walked."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"queue", "current", "scenes"})

    anew_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._count, self._bar = ElidedLabel(role="muted"), QProgressBar(textVisible=False)
        self._reason, self._work = ClampedLabel(lines=_LINES), ElidedLabel(role="warn")
        self._anew = button("↻", tip=by_id("rank_anew").tip_with_key, role="link")
        self._anew.setAccessibleName("Rank anew")
        self._anew.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._anew.clicked.connect(self.anew_asked)
        self._bar.setAccessibleName("Reviewed scenes")
        above = QHBoxLayout()
        above.setSpacing(4)
        above.addWidget(self._count, 1)
        above.addWidget(self._anew)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(above)
        column.addWidget(self._bar)
        column.addWidget(self._work)
        column.addWidget(self._reason)
        self._show(StudioState())

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the progress and the reason of the current scene."""
        if (old.queue, old.current) != (new.queue, new.current) or old.scenes is not new.scenes:
            self._show(new)

    def _show(self, state: StudioState) -> None:
        queue = state.queue
        walked = queue.kind is not QueueKind.ALL
        self._count.tell(f"{queue.reviewed} of {queue.total} reviewed" if queue.total else "")
        self._bar.setRange(0, max(queue.total, 1))
        self._bar.setValue(queue.reviewed)
        self._bar.setVisible(bool(queue.total))
        self._reason.setVisible(walked)
        self._anew.setVisible(walked)
        self._work.setVisible(bool(queue.work))
        self._work.tell(queue.work)
        self._reason.tell(reason_in_words(state) if walked else "")


def reason_in_words(state: StudioState) -> str:
    """Why the current scene stands where it stands, or why it does not stand there."""
    queue, row = state.queue, state.row(state.current)
    reason = queue.reason_of(state.current)
    if not reason and row is not None and state.current not in queue.scenes:
        reason = f"{row.id} is not in this queue: it {_HINTS[row.status]}"
    if not queue.scenes:
        return "No scene waits: none is unlabelled with a pseudo-label"
    return f"Preliminary: {reason}" if queue.preliminary and reason else reason


Index = QModelIndex | QPersistentModelIndex

_AHEAD: Final = 2  # scenes after the current one that stay in sight
_CENTRES = {
    "Pictures": (Centre.PICTURES, "show_pictures"),
    "Table": (Centre.TABLE, "show_table"),
    "Gallery": (Centre.GALLERY, "show_gallery"),
    "Pair": (Centre.PAIR, "show_pair"),
}


class SceneList(QWidget):
    """A virtual list: a thousand scenes cost no more than those in view."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"table", "pool", "centre", "scenes", "queue", "current"}
    )

    worst_wanted = Signal()
    query_typed = Signal(str)
    centre_picked = Signal(str)

    def __init__(self, palette: Palette, shelf: SceneShelf) -> None:
        super().__init__()
        self._shelf, self._model = shelf, shelf.model
        self._delegate = SceneDelegate(palette, self)
        tips = {word: by_id(action).tip_with_key for word, (_, action) in _CENTRES.items()}
        self._centre = Choice(tips, name="In the middle")
        self._search, self._list = QueryLine(), self._list_view()
        self.queue, self.footer = QueueBar(), QueueFooter()
        self._count, self._fault = ElidedLabel(role="muted"), caption("", role="warn")
        self._fault.setWordWrap(True)
        self._fault.hide()
        self._worst = button("Least trusted", tip=by_id("least_trusted").tip_with_key, role="link")
        self._worst.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._worst.clicked.connect(self.worst_wanted)
        self._lay_out()
        self._mark_centre(Centre.PICTURES)
        self._search.textEdited.connect(self.query_typed)
        self._centre.picked.connect(self._pick_centre)

    @property
    def list(self) -> QListView:
        """The lines of scenes alone."""
        return self._list

    def selected(self) -> tuple[str, ...]:
        """The ids of the selected scenes, in the order of the list."""
        return self._shelf.selected()

    def step(self, by: int) -> None:
        """Show the scene that stands this many lines further down."""
        self._shelf.step(by)

    @Slot()
    def take_keyboard(self) -> None:
        """Keys go to the list, where none of them presses anything."""
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def start_search(self) -> None:
        """Put the cursor into the filter."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._delegate.palette = palette
        self._list.viewport().update()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the query line and what fills the middle; the shelf lists the scenes."""
        self.queue.show_state(old, new)
        self.footer.show_state(old, new)
        self._worst.setEnabled(new.pool is not None)
        if (old.table, old.centre) != (new.table, new.centre):
            self._search.show_query(new.table)
            self._mark_centre(new.centre)
        parts = ((state.table, state.scenes, state.queue.scenes) for state in (old, new))
        if any(was is not now for was, now in zip(*parts, strict=True)):
            self._count.tell(count_in_words(new))
            self._fault.setText(new.table.fault)
            for part in (self._count, self._worst):
                part.setVisible(not new.table.fault)
            self._fault.setVisible(bool(new.table.fault))

    def _mark_centre(self, centre: Centre) -> None:
        self._centre.show_word(next((w for w, (c, _) in _CENTRES.items() if c is centre), ""))

    def _lay_out(self) -> None:
        frame, column = card(name="Scenes")
        below = QHBoxLayout()
        below.addWidget(self._count, 1)
        below.addWidget(self._worst)
        column.addWidget(self._centre)
        column.addWidget(self._search)
        column.addWidget(self.queue)
        column.addWidget(self._list, 1)
        column.addLayout(below)
        column.addWidget(self._fault)
        column.addWidget(self.footer)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.setMinimumWidth(252)

    def _list_view(self) -> QListView:
        view = _Lines(self._shelf)
        describe(view, name="Scenes", tip="")
        view.setModel(self._model)
        view.setSelectionModel(self._shelf.selection)
        self._shelf.begun.connect(view.scrollToTop)
        view.setItemDelegate(self._delegate)
        view.setUniformItemSizes(True)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.verticalScrollBar().setSingleStep(GAP * 3)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return view

    @Slot(str)
    def _pick_centre(self, word: str) -> None:
        self.centre_picked.emit(str(_CENTRES[word][0]))


class _Lines(SteadyLines, QListView):
    """Keeps the current scene in sight, and with it what comes next unless it was clicked."""

    def __init__(self, shelf: SceneShelf) -> None:
        super().__init__()
        self._shelf = shelf
        self._pressing = self._pointed = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A scene that was clicked stays under the mouse."""
        self._pressing = True
        super().mousePressEvent(event)
        self._pressing = False

    def dataChanged(  # noqa: N802 - called by Qt
        self, first: Index, last: Index, roles: Sequence[int] = ()
    ) -> None:
        """A list of Qt lays out and paints all lines for one; ours are as high as ever."""
        ends = first.sibling(first.row(), 0), last.sibling(last.row(), 0)
        QAbstractItemView.dataChanged(self, *ends, roles)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Of several lines that changed only those: Qt would paint what lies between them too."""
        for place in event.region():  # type: ignore[attr-defined]
            super().paintEvent(QPaintEvent(place))

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Another scene is current."""
        self._pointed = self._pressing
        super().currentChanged(current, previous)

    def scrollTo(
        self,
        index: Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Bring a scene into sight; of those after it as many as are worth seeing."""
        if index.isValid() and not self._pointed:
            last = min(index.row() + _AHEAD, self.model().rowCount() - 1)
            super().scrollTo(self.model().index(last, 0), hint)
        super().scrollTo(index, hint)
