"""What can be done with one chart, or with all of a board."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

SMOOTHINGS: Final = (0, 10, 30, 100, 300, 1000, 3000, 10_000)


class SmoothingMenu(QMenu):
    """Over how many steps to smooth."""

    picked = Signal(float)

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._group = QActionGroup(self)
        for steps in SMOOTHINGS:
            line = QAction(smoothing_in_words(steps), self._group)
            line.setData(steps)
            line.setCheckable(True)
            self.addAction(line)
        self._group.triggered.connect(self._pick)

    def show_steps(self, steps: float) -> None:
        """Mark what is in use."""
        for line in self._group.actions():
            line.setChecked(line.data() == steps)

    @Slot(QAction)
    def _pick(self, line: QAction) -> None:
        self.picked.emit(float(line.data()))


class ChartMenu(QMenu):
    """The menu of one chart; goes when it has been used."""

    log_picked = Signal(bool)
    smoothing_picked = Signal(float)
    line_switched = Signal(str)
    zoom_out_asked = Signal()
    export_asked = Signal(str)
    hide_asked = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(f"Menu of {title}")
        self.setToolTipsVisible(True)

    def offer(
        self, *, log: bool, smooth: float, lines: Mapping[str, bool], where: QPoint, about: str
    ) -> None:
        """Open for a chart: its axis, its smoothing (steps), its lines and whether each is on."""
        head = self.addAction(about)
        head.setEnabled(False)
        self.addSeparator()
        axis = self.addAction("Logarithmic axis")
        axis.setCheckable(True)
        axis.setChecked(log)
        axis.setToolTip("Equal factors are equally high; needs values above 0")
        axis.toggled.connect(self.log_picked)
        smoothing = SmoothingMenu("Smoothing", self)
        smoothing.show_steps(smooth)
        smoothing.picked.connect(self.smoothing_picked)
        self.addMenu(smoothing)
        self._offer_lines(lines)
        self.addSeparator()
        self.addAction("All steps\tdouble click", self.zoom_out_asked.emit)
        self.addSeparator()
        self.addAction("Export as PNG…", lambda: self.export_asked.emit("png"))
        self.addAction("Export as CSV…", lambda: self.export_asked.emit("csv"))
        self.addSeparator()
        self.addAction("Hide this chart", self.hide_asked.emit)
        self.popup(where)

    def _offer_lines(self, lines: Mapping[str, bool]) -> None:
        if len(lines) < 2:
            return
        self.addSeparator()
        for name, on in lines.items():
            line = self.addAction(name)
            line.setCheckable(True)
            line.setChecked(on)
            line.toggled.connect(lambda _on, name=name: self.line_switched.emit(name))


def smoothing_in_words(steps: float) -> str:
    """How much is smoothed."""
    return f"over {steps:,.0f} steps" if steps else "none"
