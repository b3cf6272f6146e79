"""Why a pixel or a region is not trusted: a sentence first, the numbers under it."""

from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.explanation import Explanation, Fact
from smarthdr_studio.studio.panels.clamped_label import ClampedLabel
from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import button, caption, card, small
from smarthdr_studio.studio.state import Readout, StudioState

ASK: Final = "Point at a picture to see which gate dropped a pixel, and what its frames say."
_NO_LABEL: Final = "There is no pseudo-label for this scene yet."
_LARGER: Final = 1.12  # the sentence is what is read first


class Inspector(QWidget):
    """One pixel or region explained; what was read last stays when the mouse leaves."""

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
        ("σ", "" if pixel.sigma is None else small(pixel.sigma)),
        ("S_pa", _decimals(pixel.patch_score, 2)),
        ("S_pi", _decimals(pixel.pixel_score, 2)),
        ("judged", _judged(pixel)),
    )
    return tuple(Fact(name=name, value=words) for name, words in known if words)


def _judged(pixel: Readout) -> str:
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
    return "" if radiance is None else " ".join(f"{each:.3f}" for each in radiance)


def _decimals(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _selectable(label: QLabel) -> QLabel:
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
