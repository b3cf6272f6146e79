"""The figures of two scenes under one another, the better of each told in a word."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import caption, card, give_role, percent, small
from smarthdr_studio.studio.panels.scene_columns import decibels, trend_in_words
from smarthdr_studio.studio.state import SceneFacts

Figure = Callable[[SceneFacts], float | None]

# title: the figure, how it is told, and whether more of it is better (None where neither is)
_FIGURES: Final[tuple[tuple[str, Figure, Callable[[float | None], str], bool | None], ...]] = (
    ("kept", lambda row: row.retained, percent, True),
    ("trend", lambda row: row.trend, trend_in_words, True),
    ("σ", lambda row: row.sigma_mean, small, False),
    ("motion", lambda row: row.motion, percent, False),
    ("saturated", lambda row: row.saturation, percent, False),
    ("PSNR-μ", lambda row: row.psnr_mu, decibels, True),
)


class PairTable(QWidget):
    """One line for each scene; "better" stands beside the figure that is."""

    def __init__(self) -> None:
        super().__init__()
        frame, column = card(name="Both scenes in figures", margin=8)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(1)
        column.addLayout(grid)
        titles = ("", *(title for title, *_ in _FIGURES))
        for place, title in enumerate(titles):
            grid.addWidget(caption(title, role="muted"), 0, place)
        self._cells: list[list[QLabel]] = []
        for line in (1, 2):
            cells = [caption("") for _ in titles]
            for place, cell in enumerate(cells):
                cell.setTextFormat(Qt.TextFormat.PlainText)
                grid.addWidget(cell, line, place)
            self._cells.append(cells)
        for place in range(len(titles)):
            grid.setColumnStretch(place, 1)

    def show_pair(self, first: SceneFacts | None, second: SceneFacts | None) -> None:
        """Show both; a scene that is not there leaves its line empty."""
        for cells, row, other in zip(self._cells, (first, second), (second, first), strict=True):
            words = ["", *("" for _ in _FIGURES)]
            better = [False] * len(words)
            if row is not None:
                words[0] = row.id
                for place, (_, read, tell, more) in enumerate(_FIGURES, 1):
                    mine, others = read(row), read(other) if other is not None else None
                    differ = tell(mine) != tell(others)  # to the eye as well
                    better[place] = differ and is_better(mine, others, more=more)
                    words[place] = tell(mine) + ("  better" if better[place] else "")
            for cell, told, good in zip(cells, words, better, strict=True):
                cell.setText(told)
                give_role(cell, role="good" if good else "")

    def as_text(self) -> str:
        """Both lines as they are read."""
        return "\n".join(" | ".join(cell.text() for cell in cells) for cells in self._cells)


def is_better(mine: float | None, other: float | None, *, more: bool | None) -> bool:
    """Whether one figure is clearly the better of two; what is not known is neither."""
    if mine is None or other is None or more is None or mine == other:
        return False
    return (mine > other) == more
