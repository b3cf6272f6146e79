"""Everything that was counted inside the region a person marked out."""

import math
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.core.region_report import LayerFigures, RegionReport
from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import button, caption, card, clear, percent
from smarthdr_studio.studio.panels.reason_bars import ReasonBars
from smarthdr_studio.studio.state import StudioState

_ASK: Final = "Mark a rectangle or a lasso in a picture to count inside it."
_COLUMNS: Final = ("mean", "5 %", "median", "95 %")


class RegionTable(QWidget):
    """Area, kept share and quality; reasons as bars; mean and percentiles of every layer."""

    region_cleared = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._clear = button(
            "Clear region", tip="Take the region away; single pixels are told again", role="link"
        )
        self._clear.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._clear.clicked.connect(self.region_cleared)
        self._words = caption(_ASK, role="muted")
        self._words.setWordWrap(True)
        self._facts = FactTable(name="Region")
        self._reasons = ReasonBars()
        self._layers = QGridLayout()
        self._names: tuple[str, ...] = ()
        self._numbers: list[tuple[QLabel, ...]] = []
        self._lay_out()
        self._show(None)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the report, or what is to be done to get one."""
        self._clear.setEnabled(new.region is not None)
        self._words.setText(_ASK if new.region is None else "Counting…")
        # While a new report is on its way the last one of the same region stays.
        stays = new.report is None and new.region is not None and new.region == old.region
        if old.report is not new.report and not stays:
            self._show(new.report)

    def _show(self, report: RegionReport | None) -> None:
        self._words.setVisible(report is None)
        for part in (self._facts, self._reasons, self._table):
            part.setVisible(report is not None)
        if report is None:
            return
        self._facts.show_facts(facts(report))
        self._reasons.show_shares(report.reasons)
        names = tuple(figures.name for figures in report.layers)
        if names != self._names:
            self._names = names
            self._make_rows()
        for labels, figures in zip(self._numbers, report.layers, strict=True):
            for label, value in zip(labels, _four(figures), strict=True):
                label.setText(number(value))

    def _make_rows(self) -> None:
        """The name of a layer above its four numbers, which need the whole width."""
        clear(self._layers)
        self._numbers = []
        right = Qt.AlignmentFlag.AlignRight
        for column, words in enumerate(_COLUMNS if self._names else ()):
            self._layers.addWidget(caption(words, role="muted"), 0, column, right)
        for place, name in enumerate(self._names):
            self._layers.addWidget(caption(name), 2 * place + 1, 0, 1, len(_COLUMNS))
            labels = tuple(caption("") for _ in _COLUMNS)
            for column, (label, words) in enumerate(zip(labels, _COLUMNS, strict=True)):
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                label.setAccessibleDescription(f"{name}, {words}")
                self._layers.addWidget(label, 2 * place + 2, column, right)
            self._numbers.append(labels)

    def _lay_out(self) -> None:
        frame, column = card(name="Region")
        head = QHBoxLayout()
        head.addWidget(caption("Region", role="title"))
        head.addStretch(1)
        head.addWidget(self._clear)
        self._table = QWidget()
        self._table.setAccessibleName("Layers inside the region")
        self._table.setLayout(self._layers)
        self._layers.setContentsMargins(0, 2, 0, 0)
        self._layers.setHorizontalSpacing(6)
        self._layers.setVerticalSpacing(0)
        for at in range(len(_COLUMNS)):
            self._layers.setColumnStretch(at, 1)
        column.addLayout(head)
        for part in (self._words, self._facts, self._reasons, self._table):
            column.addWidget(part)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)


def facts(report: RegionReport) -> tuple[Fact, ...]:
    """Area, kept share and quality of a region."""
    area = Fact(name="area", value=f"{report.pixels:,} px", beside=report.region.kind)
    kept = Fact(name="kept", value=percent(report.retained), beside="of its pixels")
    if report.psnr_mu is None:
        return area, kept
    return area, kept, Fact(name="PSNR-μ", value=f"{report.psnr_mu:.2f} dB")


def number(value: float) -> str:
    """A figure in at most six signs, with three telling digits where there is room."""
    if math.isnan(value):
        return "–"
    if value and not 1e-4 <= abs(value) < 1e4:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.2g}"


def _four(figures: LayerFigures) -> tuple[float, float, float, float]:
    return figures.mean, figures.p5, figures.median, figures.p95
