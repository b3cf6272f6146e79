"""Which scenes a rule would promote, and what there would be to learn from before and after."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import ClassVar, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHideEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPixmap,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QDialog,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.curation.proposals import Candidate, Outlook, Proposal, Rule
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.studio.curation.scene_listing import (
    paint_frame,
    paint_rounds,
    paint_thumbnail,
)
from smarthdr_studio.studio.state import ProposalState, StudioState
from smarthdr_studio.studio.theme import Palette, on_selection
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    describe,
    percent,
    rename,
    row_of,
    small,
)
from smarthdr_studio.studio.widgets.slider import NumberField
from smarthdr_studio.studio.widgets.tables import FactTable

Index = QModelIndex | QPersistentModelIndex

_PROMOTE_TIP: Final = "They become labels; one undo takes them back"

_HEIGHT: Final = 58.0
_THUMBNAIL: Final = QSize(64, 44)
_TICK: Final = 28.0  # the room of the check box
_CHECKED, _OPEN = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class _Role(IntEnum):
    PAIR = Qt.ItemDataRole.UserRole + 1


class ProposalModel(QAbstractListModel):
    """Candidates with a tick; `left_out` says which scenes have none."""

    left_out = Signal(object)
    thumbnails_wanted = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: tuple[Candidate, ...] = ()
        self._facts: Mapping[str, SceneFacts] = {}
        self._out: set[str] = set()
        self._pictures: dict[str, QPixmap | None] = {}

    def show(self, rows: Sequence[Candidate]) -> None:
        """List these; ticks stay as they were."""
        if tuple(rows) == self._rows:
            return
        same = [row.scene for row in rows] == [row.scene for row in self._rows]
        if same:
            self._rows = tuple(rows)
            self._all_changed()
            return
        self.beginResetModel()
        self._rows = tuple(rows)
        self._pictures = {r.scene: self._pictures.get(r.scene) for r in rows if self._has(r)}
        self.endResetModel()

    def take_facts(self, facts: Mapping[str, SceneFacts]) -> None:
        """What else is known of the scenes."""
        self._facts = facts
        self._all_changed()

    @Slot(str, QImage)
    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Keep the picture of a scene that was asked for."""
        if scene in self._pictures and not picture.isNull():
            self._pictures[scene] = QPixmap.fromImage(picture)
            self._all_changed()

    def scene(self, line: int) -> str:
        """The id in that line."""
        return self._rows[line].scene

    @Slot()
    def tick_all(self) -> None:
        """Every scene is in."""
        self._set_out(set())

    @Slot()
    def tick_none(self) -> None:
        """No scene is in."""
        self._set_out({row.scene for row in self._rows})

    def rowCount(self, parent: Index | None = None) -> int:
        """How many scenes are proposed."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Every scene can be ticked."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What is known of a proposed scene."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.scene
            case Qt.ItemDataRole.CheckStateRole:
                return _OPEN if row.scene in self._out else _CHECKED
            case Qt.ItemDataRole.DecorationRole:
                return self._picture(row.scene)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.scene}: {row.reason}"
            case _Role.PAIR:
                return row, self._facts.get(row.scene)
            case _:
                return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick a scene, or take the tick away."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        scene = self._rows[index.row()].scene
        ticked = Qt.CheckState(value) is _CHECKED
        self._set_out(self._out - {scene} if ticked else self._out | {scene})
        return True

    def _has(self, row: Candidate) -> bool:
        return row.scene in self._pictures

    def _picture(self, scene: str) -> QPixmap | None:
        if scene not in self._pictures:
            self._pictures[scene] = None
            self.thumbnails_wanted.emit((scene,))
        return self._pictures[scene]

    def _set_out(self, out: set[str]) -> None:
        if out != self._out:
            self._out = out
            self._all_changed()
            self.left_out.emit(frozenset(out))

    def _all_changed(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))


class ProposalDelegate(QStyledItemDelegate):
    """A tick, a thumbnail, the name, the shares as a line and as numbers, σ and pixels."""

    def __init__(self, palette: Palette, parent: QObject) -> None:
        super().__init__(parent)
        self.palette = palette

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines of text, or the thumbnail."""
        del index
        return QSize(300, int(max(_HEIGHT, 2 * option.fontMetrics.height() + 12)))

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractListModel,  # type: ignore[override]
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """A click on the tick turns it; Qt's own would look for it elsewhere."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            if event.position().x() - option.rect.x() <= _TICK:
                return _turn(model, index)
            return False
        return super().editorEvent(event, model, option, index)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(1, 2, -1, -2)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        paint_frame(painter, box, self.palette, selected=selected)
        ticked = index.data(Qt.ItemDataRole.CheckStateRole) == _CHECKED
        _paint_tick(painter, box, ticked=ticked, view=option.widget)
        middle = box.center().y() - _THUMBNAIL.height() / 2
        picture = QRectF(box.x() + _TICK, middle, _THUMBNAIL.width(), _THUMBNAIL.height())
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        paint_thumbnail(painter, picture, pixmap, self.palette)
        left = picture.right() + 10
        words = QRectF(left, box.y() + 4, box.right() - left - 8, box.height() - 8)
        self._paint_words(painter, words, index, on_selection(self.palette, selected=selected))
        painter.restore()

    def _paint_words(self, painter: QPainter, box: QRectF, index: Index, inks: Palette) -> None:
        candidate: Candidate
        facts: SceneFacts | None
        candidate, facts = index.data(_Role.PAIR)
        plain, bold = painter.font(), painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(inks.text))
        above, below = QRectF(box), QRectF(box)
        above.setHeight(box.height() / 2)
        below.setTop(box.center().y())
        painter.drawText(above, Qt.AlignmentFlag.AlignVCenter, candidate.scene)
        painter.setFont(plain)
        painter.setPen(QColor(inks.muted))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        sigma = "" if facts is None else f"σ {small(facts.sigma_mean)}   "
        painter.drawText(above, right, f"{sigma}{candidate.pixels / 1e6:.2f} million pixels")
        metrics, run = (
            QFontMetricsF(plain),
            QRectF(below.x(), below.y() + 3, 90, below.height() - 6),
        )
        rounds = facts.rounds if facts is not None and facts.rounds else candidate.shares
        numbers = f"{shares_in_words(candidate)}   now {percent(candidate.retained)}"
        room = below.width() - run.width() - 12
        shown = metrics.elidedText(numbers, Qt.TextElideMode.ElideLeft, room)
        painter.drawText(
            below.adjusted(run.width() + 12, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown
        )
        paint_rounds(painter, run, rounds, self.palette)


def shares_in_words(candidate: Candidate) -> str:
    """The shares of the last rounds, oldest first."""
    return ", ".join(map(percent, candidate.shares))


def _turn(model: QAbstractListModel, index: Index) -> bool:
    ticked = index.data(Qt.ItemDataRole.CheckStateRole) == _CHECKED
    return model.setData(index, _OPEN if ticked else _CHECKED, Qt.ItemDataRole.CheckStateRole)


def _paint_tick(painter: QPainter, box: QRectF, *, ticked: bool, view: QWidget | None) -> None:
    """As the style draws check boxes in lists."""
    style, option = QApplication.style(), QStyleOptionViewItem()
    side = style.pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth, option, view)
    middle = round(box.center().y() - side / 2)
    option.rect.setRect(round(box.x() + (_TICK - side) / 2), middle, side, side)
    option.state = QStyle.StateFlag.State_Enabled
    option.state |= QStyle.StateFlag.State_On if ticked else QStyle.StateFlag.State_Off
    style.drawPrimitive(
        QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, option, painter, view
    )


def summary(found: Proposal, chosen: Proposal) -> str:
    """How many scenes are proposed, and how many of them are ticked."""
    many = len(found.candidates)
    if not many:
        return "No scene is proposed"
    words = "1 scene is proposed" if many == 1 else f"{many} scenes are proposed"
    ticked = len(chosen.candidates)
    return words if ticked == many else f"{words}, {ticked} ticked"


def promote_in_words(chosen: Proposal | None) -> str:
    """What the button does."""
    many = len(chosen.candidates) if chosen is not None else 0
    if not many:
        return "Promote none"
    return "Promote this one" if many == 1 else f"Promote these {many}"


def before_and_after(chosen: Proposal) -> tuple[Fact, ...]:
    """What there is to learn from now, and what there would be."""
    before, after = chosen.before, chosen.after
    counted = [f"{outlook.labelled_pixels / 1e6:.2f}" for outlook in (before, after)]
    rows = (
        ("new labels", scenes(len(chosen.candidates)), millions(chosen.pixels)),
        ("labelled", f"{before.labelled} → {scenes(after.labelled)}", "now → then"),
        ("counted of them", f"{counted[0]} → {counted[1]} million pixels", ""),
        ("pool", f"{before.pool} → {scenes(after.pool)}", _warning(after)),
        ("trusted of it", f"{_trusted(before)} → {_trusted(after)}", ""),
    )
    return tuple(Fact(name=name, value=value, beside=beside) for name, value, beside in rows)


def millions(pixels: int) -> str:
    """So many pixels, short."""
    return f"{pixels / 1e6:.2f} million pixels"


def scenes(many: int) -> str:
    """So many scenes."""
    return "1 scene" if many == 1 else f"{many} scenes"


def _warning(after: Outlook) -> str:
    return "" if after.pool else "no pseudo-label is left to learn from"


def _trusted(outlook: Outlook) -> str:
    return percent(outlook.retained) if outlook.pool else "–"


_SIZE: Final = (660, 540)
_MARGIN: Final = 8
_MOST_ROUNDS: Final = 99


class ProposalSheet(QDialog):
    """Not modal; ticks and the rule are a person's, and so is the last word."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"proposal", "read_only", "scenes"})

    seen = Signal(bool)
    rule_picked = Signal(object)
    telling_picked = Signal(bool)
    left_out = Signal(object)
    promote_asked = Signal()
    scene_picked = Signal(str)
    thumbnails_wanted = Signal(object)

    def __init__(self, palette: Palette, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Propose promotions")
        self.resize(*_SIZE)
        self._owner, self._placed = parent, False
        self._share, self._rounds = NumberField(), NumberField()
        self._model = ProposalModel(self)
        self._delegate = ProposalDelegate(palette, self)
        self._list, self._facts = QListView(), FactTable(name="Before and after")
        self._words, self._empty = ElidedLabel(role="title"), caption("", role="muted")
        self._telling = QCheckBox("Tell me after each round")
        self._all = button("All", tip="Tick every scene", role="link")
        self._none = button("None", tip="Tick no scene", role="link")
        self._promote = button("Promote", tip=_PROMOTE_TIP)
        self._close = button("Close", tip="Nothing is promoted (Esc)")
        self._fill()
        self._lay_out()
        self._connect()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the proposal of now."""
        if not self.isVisible() and old is not new:
            return
        first = old is new
        if first or old.proposal != new.proposal or old.read_only != new.read_only:
            self._show(new.proposal, read_only=new.read_only)
        if first or old.scenes is not new.scenes:
            self._model.take_facts({row.id: row for row in new.scenes})

    @Slot(str, QImage)
    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Show a thumbnail that was made."""
        self._model.take_thumbnail(scene, picture)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._delegate.palette = palette
        self._list.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """From now on somebody looks."""
        super().showEvent(event)
        if not self._placed:
            self._placed = True
            self._move_to_the_corner()
        self._model.tick_all()
        self.seen.emit(True)  # noqa: FBT003 - a signal

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any more."""
        super().hideEvent(event)
        self.seen.emit(False)  # noqa: FBT003 - a signal

    def _move_to_the_corner(self) -> None:
        """Where it hides as little of the pictures as can be."""
        window = self._owner.window()
        corner = window.mapToGlobal(window.rect().bottomRight())
        self.move(corner.x() - self.width() - _MARGIN, corner.y() - self.height() - _MARGIN)

    def _show(self, proposal: ProposalState, *, read_only: str) -> None:
        for box, value in (
            (self._share, 100 * proposal.rule.share),
            (self._rounds, proposal.rule.rounds),
        ):
            if not box.hasFocus() or box.value() != value:
                with QSignalBlocker(box):
                    box.setValue(value)
        self._telling.setChecked(proposal.telling)
        found, chosen = proposal.found, proposal.chosen
        if found is not None:
            self._model.show(found.candidates)
        proposed = bool(found and found.candidates)
        for part in (self._list, self._facts, self._all, self._none):
            part.setVisible(proposed)
        self._empty.setVisible(not proposed)
        self._empty.setText(proposal.shortfall or "Holding the scenes against the rule …")
        self._words.tell(summary(found, chosen) if found and chosen else "")
        self._facts.show_facts(before_and_after(chosen) if chosen else ())
        rename(self._promote, promote_in_words(chosen), tip=read_only or _PROMOTE_TIP)
        self._promote.setEnabled(bool(chosen and chosen.candidates and not read_only))

    def _fill(self) -> None:
        self._share.setRange(1, 100)
        self._share.setDecimals(1)
        self._share.setSuffix(" %")
        self._rounds.setRange(1, _MOST_ROUNDS)
        self._rounds.setDecimals(0)
        describe(self._share, name="Least retained share", tip="Trusted in each of the rounds")
        describe(self._rounds, name="Rounds", tip="How many of the last rounds are looked at")
        describe(self._telling, name="Tell me after each round", tip="It never promotes by itself")
        describe(self._list, name="Proposed scenes", tip="")
        self._list.setModel(self._model)
        self._list.setItemDelegate(self._delegate)
        self._list.setUniformItemSizes(True)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._promote.setProperty("role", "primary")
        for each in (self._all, self._none, self._close, self._promote):
            each.setAutoDefault(False)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        rule = (caption("Retained at least"), self._share, caption("in each of the last"))
        column.addLayout(row_of(*rule, self._rounds, caption("rounds, and now"), None, spacing=6))
        column.addLayout(row_of(self._words, None, self._all, self._none, spacing=6))
        column.addWidget(self._list, 1)
        column.addWidget(self._empty, 1)
        column.addWidget(self._facts)
        column.addLayout(row_of(self._telling, None, self._close, self._promote, spacing=6))

    def _connect(self) -> None:
        self._share.valueChanged.connect(self._rule_changed)
        self._rounds.valueChanged.connect(self._rule_changed)
        self._telling.clicked.connect(self.telling_picked)
        self._model.left_out.connect(self.left_out)
        self._model.thumbnails_wanted.connect(self.thumbnails_wanted)
        self._list.selectionModel().currentChanged.connect(self._picked)
        self._list.clicked.connect(self._picked)
        self._all.clicked.connect(self._model.tick_all)
        self._none.clicked.connect(self._model.tick_none)
        self._promote.clicked.connect(self.promote_asked)
        self._close.clicked.connect(self.close)

    @Slot()
    def _rule_changed(self) -> None:
        share, rounds = round(self._share.value() / 100, 6), int(self._rounds.value())
        self.rule_picked.emit(Rule(share=share, rounds=rounds))

    @Slot(QModelIndex)
    def _picked(self, index: QModelIndex) -> None:
        if index.isValid():
            self.scene_picked.emit(self._model.scene(index.row()))
