"""What the tabs of words show: of one run what it is, of several how they differ."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from smarthdr_studio.core.running.diary import DiaryLine
from smarthdr_studio.studio.panels.parts import caption
from smarthdr_studio.studio.panels.runs_contrast import ContrastTable
from smarthdr_studio.studio.panels.runs_overview import RunsOverview
from smarthdr_studio.studio.panels.runs_words import moment
from smarthdr_studio.studio.state import Contrast, RunsState, RunsTold, StudioState

_SIGNS: Final = {"good": "✓ ", "warn": "⚠ ", "bad": "✕ ", "plain": ""}
_NONE: Final = "No run yet: pick a preset and press Train, or start one with smarthdr-studio train."


class RunsDetails:
    """The panels of the tabs Overview, Plan, Labels and Diary, filled from one state."""

    def __init__(self) -> None:
        self.overview = RunsOverview()
        self._figures = ContrastTable(name="Figures side by side", first="figure")
        self._empty = _quiet(_NONE)
        self.glance = QStackedWidget()
        self.plans = ContrastTable(name="Plan", first="setting")
        self.labels = ContrastTable(name="Label set", first="")
        self._diary = ContrastTable(name="Diary", first="when")
        self._several = _quiet("Choose one run to read its diary.")
        self.diary = QStackedWidget()
        for part in (self.overview, self._figures, self._empty):
            self.glance.addWidget(part)
        for part in (self._diary, self._several):
            self.diary.addWidget(part)

    @property
    def figures(self) -> ContrastTable:
        """The figures of several runs side by side."""
        return self._figures

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show what is told of the chosen runs; what was told of others is gone at once."""
        if old.runs is new.runs:
            return
        self.overview.show_state(old, new)
        self._turn(new.runs)
        runs = new.runs
        told = runs.told
        if told is None or told.runs != runs.chosen:
            if old.runs.chosen != runs.chosen:
                self._show(RunsTold(runs=runs.chosen), runs.titles)
        elif told is not old.runs.told or old.runs.titles != runs.titles:
            self._show(told, runs.titles)

    def _turn(self, runs: RunsState) -> None:
        several = len(runs.chosen) > 1
        empty = runs.looked and not runs.rows
        self.glance.setCurrentWidget(
            self._empty if empty else self._figures if several else self.overview
        )
        self.diary.setCurrentWidget(self._several if several else self._diary)

    def _show(self, told: RunsTold, names: Mapping[str, str]) -> None:
        titles = [names.get(run, run) for run in told.runs]
        several = len(titles) > 1
        self._figures.show_rows(titles, told.figures, words=told.figure_words)
        heads = titles if several else ["preset", "this run"]
        self.plans.show_rows(heads, told.plans, words=told.plan_words)
        heads = titles if several else ["", ""]
        self.labels.show_rows(heads, told.labels, words=told.label_words)
        self._diary.show_rows(["step", "what happened"], _diary(told.diary), words="")


def _diary(lines: Sequence[DiaryLine]) -> tuple[Contrast, ...]:
    """The latest line first."""
    return tuple(
        Contrast(
            name=moment(line.time), values=(f"{line.step:,}", f"{_SIGNS[line.tone]}{line.text}")
        )
        for line in reversed(lines)
    )


def _quiet(words: str) -> QWidget:
    label: QLabel = caption(words, role="muted")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    return label
