"""Why pixels of a region are hard: each reason a word, a bar and a share."""

from collections.abc import Mapping

from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QWidget

from smarthdr_studio.core.reasons import Reason
from smarthdr_studio.studio.panels.parts import caption, percent


class ReasonBars(QWidget):
    """One row for each reason that occurs."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[Reason, tuple[QLabel, QProgressBar, QLabel]] = {}
        self.setAccessibleName("Reasons")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        for at, reason in enumerate(Reason):
            bar = QProgressBar(maximum=1000, textVisible=False)
            bar.setAccessibleName(reason.words)
            bar.setMinimumWidth(40)
            row = caption(reason.words, role="muted"), bar, caption("")
            row[0].setWordWrap(True)
            self._rows[reason] = row
            for column, part in enumerate(row):
                grid.addWidget(part, at, column)
        self.show_shares({})

    def show_shares(self, shares: Mapping[Reason, float]) -> None:
        """Show shares in [0, 1] of the region's pixels; a reason without any has no row."""
        for reason, (name, bar, words) in self._rows.items():
            share = shares.get(reason, 0.0)
            bar.setValue(round(1000 * share))
            words.setText(percent(share))
            for part in (name, bar, words):
                part.setVisible(share > 0)
