"""How good a checkpoint is, scene by scene, beside the plain merge, and in the mean."""

from typing import Final

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontMetrics, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.panels.evaluation_columns import COLUMNS, MEAN, SCENE, mean_of
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption
from smarthdr_studio.studio.state import EvaluationState, SceneFigures, StudioState
from smarthdr_studio.studio.widgets.value_table import SortedTable

_PAD: Final = 14
_WHICH: Final = {
    "best": "The checkpoint with the highest PSNR-μ on held-out labels",
    "last": "The newest checkpoint",
}
_SPLITS: Final = {
    "test": "Test scenes",
    "held-out": "Labels that this run never learned from",
    "unlabelled": "Unlabelled scenes whose ground truth is known",
}


class EvaluationTable(QWidget):
    """Says which figures are wanted, and which scene was clicked."""

    looked_at = Signal(str)  # a run, or "" where none or several are chosen
    checkpoint_picked = Signal(str)
    split_picked = Signal(str)
    measure_asked = Signal()
    cancel_asked = Signal()
    table_asked = Signal()
    scene_picked = Signal(str)

    _looked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._run = ""
        self._which, self._split = Choice(_WHICH, name="Checkpoint"), Choice(_SPLITS, name="Scenes")
        self._measure = button("Evaluate", tip="Measure every scene", role="primary")
        self._cancel = button("Cancel", tip="Measure no further; nothing is kept")
        self._write = button("CSV…", tip="Write the table as CSV")
        self._title, self._words = ElidedLabel(role="muted"), caption("", role="muted")
        self._view: SortedTable[SceneFigures] = SortedTable(
            COLUMNS, ident=lambda row: row.id, name="Figures of every scene"
        )
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._view.sort_by(SCENE)
        self._stack = QStackedLayout()
        self._lay_out()
        # Asked while the window is shown a state: the answer is to come after it.
        self._looked.connect(self._look, Qt.ConnectionType.QueuedConnection)
        self._which.picked.connect(self.checkpoint_picked)
        self._split.picked.connect(self.split_picked)
        self._measure.clicked.connect(self.measure_asked)
        self._cancel.clicked.connect(self.cancel_asked)
        self._write.clicked.connect(self.table_asked)
        self._view.clicked.connect(self._pick)
        self._view.activated.connect(self._pick)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the figures of the chosen run, if somebody looks."""
        chosen = new.runs.chosen
        run = chosen[0] if len(chosen) == 1 else ""
        if run != self._run:
            self._run = run
            self._looked.emit()
        if old.evaluation is not new.evaluation:
            self._show(new.evaluation, old.evaluation)

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks: find what is known."""
        super().showEvent(event)
        self._looked.emit()

    @Slot()
    def _look(self) -> None:
        if self.isVisible():
            self.looked_at.emit(self._run)

    def _show(self, now: EvaluationState, before: EvaluationState) -> None:
        self._which.show_word(now.which)
        self._split.show_word(now.split)
        figures = now.figures
        if before.figures is not figures:
            scenes = sorted(figures.scenes, key=lambda row: row.id) if figures else []
            self._view.rows.show_values(scenes, last=mean_of(scenes) if scenes else None)
            self._fit()
        title = ""
        if figures is not None:
            count = len(figures.scenes)
            how_many = "1 scene" if count == 1 else f"{count} scenes"
            title = f"teacher of {figures.run}, step {figures.step} · {how_many}"
        self._title.tell(title)
        self._words.setText(now.words)
        self._stack.setCurrentIndex(0 if figures is not None and not now.at_work else 1)
        self._measure.setText("Evaluate again" if figures is not None else "Evaluate")
        self._measure.setVisible(not now.at_work)
        self._measure.setEnabled(bool(now.run))
        self._cancel.setVisible(now.at_work)
        self._write.setEnabled(figures is not None)

    @Slot(QModelIndex)
    def _pick(self, index: QModelIndex) -> None:
        figures = self._view.rows.value(index)
        if figures.id != MEAN:
            self.scene_picked.emit(figures.id)

    def _fit(self) -> None:
        """Each column as wide as its widest word, with the sign of the order beside its title."""
        bold = QFont(self._view.font())
        bold.setBold(True)
        metrics, rows = QFontMetrics(bold), self._view.rows
        shown = rows.values()
        for place, column in enumerate(rows.columns):
            words = [column.title + " ▾", *map(column.text, shown)]
            self._view.setColumnWidth(place, max(map(metrics.horizontalAdvance, words)) + _PAD)

    def _lay_out(self) -> None:
        row, below = QHBoxLayout(), QWidget()
        row.setSpacing(6)
        row.addWidget(self._which)
        row.addSpacing(6)
        row.addWidget(self._split)
        row.addWidget(self._title, 1)
        for each in (self._write, self._cancel, self._measure):
            row.addWidget(each)
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        below.setLayout(self._stack)
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._words)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(row)
        column.addWidget(below, 1)
        self._show(EvaluationState(), EvaluationState())
