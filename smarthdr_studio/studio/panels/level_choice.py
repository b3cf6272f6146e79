"""How scores are made: over which range σ is normalised, and over what."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton

from smarthdr_studio.core.masking import Level, Scope

# What a menu offers: words, and the settings they stand for.
RANGES: Final = {
    "min–max": Level(normalisation="minmax"),
    "percentiles 1–99": Level(normalisation="percentile", low_percentile=1, high_percentile=99),
    "percentiles 0.1–99.9": Level(
        normalisation="percentile", low_percentile=0.1, high_percentile=99.9
    ),
}
SCOPES: Final[tuple[Scope, ...]] = ("pool", "scene")
_QUIET: Final = """
QToolButton { border: 1px solid transparent; border-radius: 4px; background: transparent;
  color: palette(placeholder-text); padding: 0 3px; }
QToolButton:hover, QToolButton:focus { border-color: palette(link); color: palette(text); }
QToolButton::menu-indicator { image: none; width: 0; }
"""


class LevelChoice(QToolButton):
    """A quiet button that says how scores are made; its menu says how else they could be."""

    picked = Signal(object)

    def __init__(self, *, score: str) -> None:
        super().__init__()
        self._level = Level()
        self._menu = QMenu(self)
        self._ranges, self._scopes = QActionGroup(self), QActionGroup(self)
        self._menu.addSection(f"{score} is 0 and 1 at")
        self._fill(self._ranges, tuple(RANGES))
        self._menu.addSection("over each")
        self._fill(self._scopes, SCOPES)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setStyleSheet(_QUIET)
        self.setAccessibleName(f"How {score} is normalised")
        self.setToolTip(
            f"How {score} is made of σ: the least and greatest σ score 0 and 1, or two percentiles"
            " do, which one outlier cannot move; of the whole pool or of each scene by itself"
        )
        self._ranges.triggered.connect(self._range_picked)
        self._scopes.triggered.connect(self._scope_picked)
        self.show_level(self._level)

    def show_level(self, level: Level) -> None:
        """Show how scores are made."""
        self._level = level
        words = range_words(level)
        for action in self._ranges.actions():
            action.setChecked(action.text() == words)
        for action in self._scopes.actions():
            action.setChecked(action.text() == level.scope)
        short = words.replace("percentiles ", "") + " %" if "percentiles" in words else words
        self.setText(f"{short} · {level.scope} ▾")
        self.setAccessibleDescription(f"{words} over the {level.scope}")

    def _fill(self, group: QActionGroup, words: tuple[str, ...]) -> None:
        for each in words:
            action = QAction(each, group)
            action.setCheckable(True)
            self._menu.addAction(action)

    @Slot(QAction)
    def _range_picked(self, action: QAction) -> None:
        self.picked.emit(replace(RANGES[action.text()], scope=self._level.scope))

    @Slot(QAction)
    def _scope_picked(self, action: QAction) -> None:
        self.picked.emit(replace(self._level, scope=SCOPES[self._scopes.actions().index(action)]))


def range_words(level: Level) -> str:
    """How σ is normalised, in the words of the menu."""
    if level.normalisation == "minmax":
        return "min–max"
    return f"percentiles {level.low_percentile:g}–{level.high_percentile:g}"


def same_scores(first: Level, second: Level) -> bool:
    """Whether both make the same scores; percentiles say nothing where min–max is used."""
    return (range_words(first), first.scope) == (range_words(second), second.scope)
