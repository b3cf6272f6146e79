"""What list, table and gallery of scenes share: filter, order, and how a scene is painted."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Final

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QLineEdit

from smarthdr_studio.core.curation.query import FIELDS, Query, parse
from smarthdr_studio.core.curation.scene_facts import SceneFacts, SortKey
from smarthdr_studio.core.errors import QueryError
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Centre, QueueKind, StudioState, TableState
from smarthdr_studio.studio.theme import SELECTED, Palette
from smarthdr_studio.studio.widgets.controls import describe, give_role, give_tip

_LARGEST_FIRST: Final = frozenset({SortKey.PAINTED, SortKey.REVIEWED, SortKey.WHOLE})


class TableController(QObject):
    """Takes the query line, the order, and the choice between pictures, table, gallery, pair."""

    centred = Signal(str)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._store = store
        self._query = Query()
        self._asked_of: tuple[SceneFacts, ...] = ()

    @property
    def _table(self) -> TableState:
        return self._store.state.table

    def forget(self) -> None:
        """Another project: nothing is asked, and the pictures are in the middle."""
        self._query, self._asked_of = Query(), ()

    @Slot(str)
    def ask(self, text: str) -> None:
        """List the scenes that match; with a fault in the line the last good one holds."""
        try:
            self._query = parse(text)
        except QueryError as error:
            self._become(query=text, fault=str(error))
            return
        found = self._found()
        before = _without_half_a_field(text)
        if found == frozenset() and before is not None:
            self._query = parse(before)
            found = self._found()
        self._become(query=text, fault="", found=found)

    @Slot()
    def refresh(self) -> None:
        """Figures may have changed: other scenes may match now."""
        if self._query.alternatives and self._store.state.scenes is not self._asked_of:
            found = self._found()
            if found != self._table.found:
                self._become(found=found)

    @Slot(str)
    def sort_by(self, key: str) -> None:
        """Sort by this figure; once more reverses."""
        wanted = SortKey(key)
        if wanted == self._table.sort:
            self.reverse()
        else:
            self._become(sort=str(wanted), descending=wanted in _LARGEST_FIRST)

    @Slot()
    def reverse(self) -> None:
        """The last first."""
        self._become(descending=not self._table.descending)

    @Slot(str)
    def show(self, centre: str) -> None:
        """Fill the middle of the window so."""
        wanted = Centre(centre)
        if wanted is not self._store.state.centre:
            self._store.become(centre=wanted)
            self.centred.emit(str(wanted))

    def toggle(self, centre: Centre) -> None:
        """Fill the middle so, or with pictures again."""
        shown = self._store.state.centre
        self.show(Centre.PICTURES if shown is centre else centre)

    def _found(self) -> frozenset[str] | None:
        self._asked_of = self._store.state.scenes
        if not self._query.alternatives:
            return None
        return frozenset(row.id for row in self._query.chosen(self._asked_of))

    def _become(self, **changes: object) -> None:
        self._store.become(table=replace(self._table, **changes))  # type: ignore[arg-type]


def _without_half_a_field(text: str) -> str | None:
    """The line before its last word, where that may become a field; else None.

    Who types "unlabelled retained<0.6" does not ask for the word "retained" on the way.
    """
    before, _, word = text.rpartition(" ")
    word = word.removeprefix("-").casefold()
    typing = bool(word) and any(name.startswith(word) for name in FIELDS)
    return before if typing and before.count('"') % 2 == 0 and not before.endswith(" or") else None


_EXAMPLE = "status:unlabelled retained<0.6"


class QueryLine(QLineEdit):
    """A line edit that shows the query of the state, and tells its fault in its tooltip."""

    def __init__(self) -> None:
        super().__init__(placeholderText=_EXAMPLE, clearButtonEnabled=True)
        self._tip = fields_as_html()
        describe(self, name="Filter scenes", tip=self._tip)

    def show_query(self, table: TableState) -> None:
        """Show what is asked for, whoever asked."""
        if self.text() != table.query:
            self.setText(table.query)
        if bool(table.fault) != (self.property("role") == "fault"):
            give_role(self, role="fault" if table.fault else "")
        give_tip(self, table.fault or self._tip)
        self.setAccessibleDescription(table.fault)


def count_in_words(state: StudioState) -> str:
    """How many scenes are listed of how many."""
    every = len(state.scenes)
    words = f"{every:,} scenes" if every != 1 else "1 scene"
    found, queue = state.table.found, state.queue
    if queue.kind is not QueueKind.ALL:
        many = sum(found is None or name in found for name in queue.scenes)
        return f"{many:,} of {every:,}"
    return words if found is None else f"{len(found):,} of {every:,}"


def fields_as_html() -> str:
    """What can be asked for, one field a line."""
    lines = []
    for name, meaning in FIELDS.items():
        said, _, examples = meaning.partition(": ")
        lines.append(
            f"<tr><td><b>{name}</b></td><td>{escape(said)}</td><td><tt>{escape(examples)}</tt></td></tr>"
        )
    return (
        "<p>Words of an id, a status, a tag or a note, and figures (Ctrl+F):<br>"
        f"<tt>{escape(_EXAMPLE)}</tt>, <tt>-tag:indoor</tt>, <tt>trend&lt;0 or psnr&lt;35</tt></p>"
        f"<table cellpadding='2'>{''.join(lines)}</table>"
    )


BAR: Final = 4.0
_MOST_ROUNDS: Final = 60  # more do not fit a cell


def status_colour(status: Status, palette: Palette) -> str:
    """The colour beside the word of a status."""
    return {
        Status.GROUND_TRUTH: palette.good,
        Status.PROMOTED: palette.accent,
        Status.UNLABELLED: palette.muted,
        Status.EXCLUDED: palette.bad,
        Status.TEST: palette.warn,
    }[status]


def paint_frame(painter: QPainter, box: QRectF, palette: Palette, *, selected: bool) -> None:
    """The rounded box of one scene."""
    fill = QColor(palette.accent if selected else palette.raised)
    fill.setAlphaF(SELECTED if selected else 0.45)
    painter.setPen(QColor(palette.accent if selected else palette.border))
    painter.setBrush(fill)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)


def paint_thumbnail(
    painter: QPainter, box: QRectF, pixmap: QPixmap | None, palette: Palette
) -> None:
    """The picture fills its box; what does not fit is cut off evenly."""
    clip = QPainterPath()
    clip.addRoundedRect(box, 3, 3)
    painter.save()
    painter.setClipPath(clip)
    painter.fillRect(box, QColor(palette.canvas))
    if pixmap is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        scale = max(box.width() / pixmap.width(), box.height() / pixmap.height())
        size = QPointF(box.width() / scale, box.height() / scale)
        corner = QPointF((pixmap.width() - size.x()) / 2, (pixmap.height() - size.y()) / 2)
        painter.drawPixmap(box, pixmap, QRectF(corner.x(), corner.y(), size.x(), size.y()))
    painter.restore()


def paint_bar(painter: QPainter, bar: QRectF, share: float | None, palette: Palette) -> None:
    """A share in [0, 1] as the filled part of a bar."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.pressed))
    painter.drawRoundedRect(bar, BAR / 2, BAR / 2)
    if share is not None:
        filled = QRectF(bar)
        filled.setWidth(max(BAR, bar.width() * share))
        painter.setBrush(QColor(palette.accent))
        painter.drawRoundedRect(filled, BAR / 2, BAR / 2)


def paint_chip(painter: QPainter, box: QRectF, words: str, colour: str, *, ink: str) -> float:
    """Words in a rounded outline, at the left of the box; how wide it has become."""
    metrics = QFontMetricsF(painter.font())
    width = min(metrics.horizontalAdvance(words) + 14, box.width())
    chip = QRectF(box.x(), box.y() + 1, width, box.height() - 1)
    line = QColor(colour)
    fill = QColor(colour)
    fill.setAlphaF(0.16)
    painter.setPen(line)
    painter.setBrush(fill)
    painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, width - 10)
    painter.setPen(QColor(ink))
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, shown)
    return width


def paint_rounds(painter: QPainter, box: QRectF, shares: Sequence[float], palette: Palette) -> None:
    """The kept share round by round as a line from 0 to 1, the last round as a dot."""
    shown = shares[-_MOST_ROUNDS:]
    if not shown:
        return
    step = box.width() / max(len(shown) - 1, 1)
    points = [
        QPointF(box.x() + place * step, box.bottom() - share * box.height())
        for place, share in enumerate(shown)
    ]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QColor(palette.pressed))
    painter.drawLine(box.bottomLeft(), box.bottomRight())
    painter.setPen(QPen(QColor(palette.accent), 1.5))
    painter.drawPolyline(QPolygonF(points))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.accent))
    painter.drawEllipse(points[-1], 2.5, 2.5)
