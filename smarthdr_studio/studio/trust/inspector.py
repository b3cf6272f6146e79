"""Why a pixel or a region is not trusted: a sentence first, the numbers under it."""

import math
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from smarthdr_studio.core.display import Layer, Material
from smarthdr_studio.core.display.cache import Recent
from smarthdr_studio.core.display.layer_data import layer_values
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.trust.causes import Clues, Reason, clues
from smarthdr_studio.core.trust.explanation import ExplainedScene, Explanation, Fact, explain_pixel
from smarthdr_studio.core.trust.region_statistics import LayerFigures, RegionReport, region_report
from smarthdr_studio.core.words import telling
from smarthdr_studio.studio.project.current_scene import Stage
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Readout, StudioState
from smarthdr_studio.studio.tasks import Job, LatestTask, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import (
    ClampedLabel,
    button,
    caption,
    card,
    clear,
    percent,
)
from smarthdr_studio.studio.widgets.pace import Pace, least_gap_ms
from smarthdr_studio.studio.widgets.tables import FactTable

_Stops = tuple[float, float, float]


def find_clues(*, bracket: Bracket) -> Clues:
    """Saturation, motion and noise of a bracket."""
    return clues(bracket)


_COUNTED = (
    Layer.PSEUDO_LABEL,
    Layer.UNCERTAINTY,
    Layer.GROUND_TRUTH,
    Layer.STUDENT,
    Layer.UNDER,
    Layer.REFERENCE,
    Layer.OVER,
)


def report_on(
    *,
    region: Region,
    subject: ExplainedScene,
    material: Material,
    reasons: npt.NDArray[np.uint8] | None,
) -> RegionReport:
    """Figures of every layer that exists, and the explanation."""
    found = {layer.value: layer_values(layer, material) for layer in _COUNTED}
    return region_report(
        region,
        subject=subject,
        layers={name: values for name, values in found.items() if values is not None},
        hdr=material.hdr,
        truth=material.ground_truth,
        reasons=reasons,
    )


class InspectorController(QObject):
    """Reads pixels at once; clues and regions are worked out on a thread, the latest wish only."""

    clues_found = Signal()

    def __init__(self, store: Store, tasks: TaskRunner, stage: Stage) -> None:
        super().__init__(store)
        self._store, self._stage = store, stage
        self._looking = LatestTask(tasks)
        self._clues_of: str | None = None  # the scene whose clues were looked for last
        self._known: Recent[tuple[_Stops, Clues]] = Recent()
        self._at: tuple[int, int] | None = None
        self._hand = Pace(self._look_at, self)
        self._reports = RepeatedTask(tasks, self._question, self._reported)

    @property
    def held_bytes(self) -> int:
        """Memory of clues that are kept for who goes back to their scene."""
        return self._known.nbytes

    def forget(self) -> None:
        """Another scene is on the screen."""
        self._at = None
        self._hand.forget()
        self._store.become(readout=None, region=None, report=None, explanation=None)

    @Slot(object)
    def hover(self, at: tuple[int, int] | None) -> None:
        """Read the pixel under the cursor, as often as a run beside it bears.

        The last one stays when the mouse leaves.
        """
        self._hand.take(at, gap_ms=least_gap_ms(self._store.state.training))

    def _look_at(self, at: tuple[int, int] | None) -> None:
        size = self._stage.size
        if at is None or size is None or not (at[0] < size[0] and at[1] < size[1]):
            return
        self._at = at
        self._tell()

    @Slot(object)
    def mark(self, region: Region | None) -> None:
        """Look at a region, or at single pixels again."""
        self._store.become(region=region, report=None)
        self.refresh()

    @Slot()
    def unmark(self) -> None:
        """Look at single pixels again."""
        self.mark(None)

    def refresh(self) -> None:
        """Thresholds or arrays have changed."""
        self._tell()
        if self._store.state.region is not None:
            self._reports.ask()

    def look_for_clues(self) -> None:
        """Work out what the frames of this scene say, once."""
        bracket, scene = self._stage.material.bracket, self._stage.scene
        if bracket is None or self._stage.clues is not None:
            return
        known = self._known.find(bracket.frames)
        if known is not None and known[0] == bracket.stops:
            self._take_clues(known[1])
        elif not self._looking.at_work or self._clues_of != scene:
            self._clues_of = scene
            found = partial(self._found_clues, bracket)
            self._looking.start(plain(find_clues, bracket=bracket), found)

    def _found_clues(self, bracket: Bracket, clues: Clues) -> None:
        self._known.keep(bracket.frames, (bracket.stops, clues), nbytes=clues.nbytes)
        if self._clues_of != self._stage.scene:
            self.look_for_clues()
            return
        self._take_clues(clues)

    def _take_clues(self, clues: Clues) -> None:
        self._stage.take_clues(clues)
        with self._store.one_change():
            self.refresh()
            self._store.become(clues_known=True)
            self.clues_found.emit()

    def _tell(self) -> None:
        subject = self._stage.subject()
        readout = self._stage.read(self._at) if self._at is not None else None
        report = self._store.state.report
        explanation = report.explanation if report is not None else None
        if explanation is None and subject is not None and self._at is not None:
            explanation = explain_pixel(subject, self._at)
        self._store.become(readout=readout, explanation=explanation)

    def _question(self) -> Job[RegionReport] | None:
        region, subject = self._store.state.region, self._stage.subject()
        if region is None or subject is None:
            return None
        of = self._stage.material
        return plain(
            report_on,
            region=region,
            subject=subject,
            material=of,
            reasons=self._stage.reasons(),
        )

    def _reported(self, report: RegionReport) -> None:
        if report.region == self._store.state.region:
            self._store.become(report=report, explanation=report.explanation)


def patch_as_region(patch: int, *, size: tuple[int, int], side: int) -> Region:
    """The patch of that number, row by row, in a scene of this width and height."""
    width, height = size
    row, column = divmod(patch, int(np.ceil(width / side)))
    left, top = column * side, row * side
    return Region.rectangle(
        (float(left), float(top)), (float(min(left + side, width)), float(min(top + side, height)))
    )


ASK: Final = "Point at a picture to see which gate dropped a pixel, and what its frames say."
_NO_LABEL: Final = "There is no pseudo-label of this scene."
_LARGER: Final = 1.12  # the sentence is what is read first


class Inspector(QWidget):
    """One pixel or region explained; what was read last stays when the mouse leaves."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"explanation", "readout", "region"})

    def __init__(self) -> None:
        super().__init__()
        self._subject = _selectable(caption("", role="muted"))
        self._sentence = _selectable(caption(ASK))
        self._sentence.setWordWrap(True)
        self._sentence.setMinimumHeight(self.fontMetrics().height() * 3)
        self._facts = FactTable(name="Facts behind the sentence")
        self._pixel = caption("", role="muted")
        self._values = FactTable(name="Values of the pixel")
        self._copy = button("Copy", tip="Copy sentence and numbers as text", role="link")
        self._copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._copy.clicked.connect(self._copy_text)
        self._lay_out()
        self._show(None, None)
        self.setToolTip("Which gate dropped the pixel or region, and why (I)")

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Explain the region or the pixel; or what to do for one."""
        if (old.explanation, old.readout, old.region) != (
            new.explanation,
            new.readout,
            new.region,
        ):
            self._show(new.explanation, new.readout, of_region=new.region is not None)

    def as_text(self) -> str:
        """Everything shown, to be copied."""
        parts = (self._subject.text(), self._sentence.text(), self._facts.as_text())
        values = (self._pixel.text(), self._values.as_text())
        return "\n".join(part for part in (*parts, *values) if part)

    def _show(
        self, why: Explanation | None, pixel: Readout | None, *, of_region: bool = False
    ) -> None:
        place = "" if pixel is None else f"pixel {pixel.x}, {pixel.y}"
        self._subject.setText(why.subject if why else place)
        self._sentence.setText(why.sentence if why else _NO_LABEL if pixel else ASK)
        facts = why.facts if why else ()
        self._facts.show_facts(facts)
        told = frozenset() if of_region else frozenset(fact.name for fact in facts)
        self._values.show_facts([fact for fact in values(pixel) if fact.name not in told])
        self._pixel.setText(f"{place[:1].upper()}{place[1:]}" if of_region else "")
        self._pixel.setVisible(bool(self._pixel.text()))
        self._subject.setVisible(bool(self._subject.text()))
        self._copy.setEnabled(why is not None or pixel is not None)

    def _lay_out(self) -> None:
        font = self._sentence.font()
        font.setPointSizeF(font.pointSizeF() * _LARGER)
        self._sentence.setFont(font)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        frame, column = card(name="Why untrusted?")
        head = QHBoxLayout()
        head.addWidget(caption("Why untrusted?", role="title"))
        head.addStretch(1)
        head.addWidget(self._copy)
        column.addLayout(head)
        for part in (self._subject, self._sentence, self._facts, self._pixel, self._values):
            column.addWidget(part)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    @Slot()
    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self.as_text())


class WhyLine(QWidget):
    """The sentence alone, in a few lines; the whole of it is in the tooltip."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"explanation"})

    def __init__(self, *, lines: int = 3) -> None:
        super().__init__()
        self._line = ClampedLabel(lines=lines)
        frame, column = card(name="Why untrusted, in short", margin=8)
        column.addWidget(self._line)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._line.tell(ASK)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the sentence; or what to do for one."""
        if new.explanation is not None and new.explanation is not old.explanation:
            self._line.tell(new.explanation.sentence)
        elif new.explanation is None:
            self._line.tell(ASK)


def values(pixel: Readout | None) -> tuple[Fact, ...]:
    """What is known of a pixel, as facts."""
    if pixel is None:
        return ()
    known = (
        *_frames(pixel),
        ("ground truth", _three(pixel.truth)),
        ("student", _three(pixel.student)),
        ("linear RGB", _three(pixel.linear)),
        ("μ-law", _decimals(pixel.mu_law, 3)),
        ("σ", "" if pixel.sigma is None else telling(pixel.sigma)),
        ("S_pa", _decimals(pixel.patch_score, 2)),
        ("S_pi", _decimals(pixel.pixel_score, 2)),
        ("masks", _mask_words(pixel)),
    )
    return tuple(Fact(name=name, value=words) for name, words in known if words)


def _mask_words(pixel: Readout) -> str:
    if pixel.trusted is None:
        return ""
    return "trusted" if pixel.trusted else f"dropped: {pixel.why}"


def _frames(pixel: Readout) -> tuple[tuple[str, str], ...]:
    """Camera values of 16 bits, as the files hold them."""
    names = ("under", "reference", "over")
    return tuple(
        (name, " ".join(map(str, codes))) for name, codes in zip(names, pixel.frames, strict=False)
    )


def _three(radiance: tuple[float, float, float] | None) -> str:
    return "" if radiance is None else " ".join(map(telling, radiance))


def _decimals(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _selectable(label: QLabel) -> QLabel:
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


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


_ASK: Final = "Mark a rectangle or a lasso in a picture to count inside it."
_COLUMNS: Final = ("mean", "5 %", "median", "95 %")


class RegionTable(QWidget):
    """Area, retained share and quality; reasons as bars; mean and percentiles of every layer."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"region", "report"})

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
    """Area, retained share and quality of a region."""
    area = Fact(name="area", value=f"{report.pixels:,} px", beside=report.region.kind)
    retained = Fact(name="retained", value=percent(report.retained), beside="of its pixels")
    if report.psnr_mu is None:
        return area, retained
    return area, retained, Fact(name="PSNR-μ", value=f"{report.psnr_mu:.2f} dB")


def number(value: float) -> str:
    """A figure in at most six signs, with three telling digits where there is room."""
    if math.isnan(value):
        return "–"
    if value and not 1e-4 <= abs(value) < 1e4:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.2g}"


def _four(figures: LayerFigures) -> tuple[float, float, float, float]:
    return figures.mean, figures.p5, figures.median, figures.p95
