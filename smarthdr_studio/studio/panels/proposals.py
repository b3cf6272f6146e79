"""Which scenes a rule would promote, and what there would be to learn from before and after."""

from typing import Final

from PySide6.QtCore import QModelIndex, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QListView,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.curation.proposals import Rule
from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, describe
from smarthdr_studio.studio.panels.proposal_rows import ProposalDelegate, ProposalModel
from smarthdr_studio.studio.panels.proposal_words import (
    before_and_after,
    promote_in_words,
    summary,
)
from smarthdr_studio.studio.state import ProposalState, StudioState
from smarthdr_studio.studio.theme import Palette

_SIZE: Final = (660, 540)
_MARGIN: Final = 8
_MOST_ROUNDS: Final = 99


class ProposalSheet(QDialog):
    """Not modal; ticks and the rule are a person's, and so is the last word."""

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
        self._share, self._rounds = QDoubleSpinBox(), QDoubleSpinBox()
        self._model = ProposalModel(self)
        self._delegate = ProposalDelegate(palette, self)
        self._list, self._facts = QListView(), FactTable(name="Before and after")
        self._words, self._empty = ElidedLabel(role="title"), caption("", role="muted")
        self._telling = QCheckBox("Tell me after each round")
        self._all = button("All", tip="Tick every scene", role="link")
        self._none = button("None", tip="Tick no scene", role="link")
        self._promote = button("Promote", tip="They become labels; one undo takes them back")
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
        if new.folder is None:
            self.close()

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
        self._promote.setText(promote_in_words(chosen))
        self._promote.setAccessibleName(self._promote.text())
        self._promote.setEnabled(bool(chosen and chosen.candidates and not read_only))
        if read_only:
            self._promote.setToolTip(read_only)

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
        column.addLayout(_row(*rule, self._rounds, caption("rounds, and now"), None))
        column.addLayout(_row(self._words, None, self._all, self._none))
        column.addWidget(self._list, 1)
        column.addWidget(self._empty, 1)
        column.addWidget(self._facts)
        column.addLayout(_row(self._telling, None, self._close, self._promote))

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


def _row(*parts: QWidget | None) -> QHBoxLayout:
    """Controls beside each other; None is a gap that grows."""
    row = QHBoxLayout()
    row.setSpacing(6)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part, 1 if isinstance(part, ElidedLabel) else 0)
    return row
