"""The camera's curve in a picture and in words, and the choice between it and gamma 2.2."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from smarthdr_studio.core.imaging.response import ResponseCurve, ResponseFit
from smarthdr_studio.studio.plots.response import ResponseChart
from smarthdr_studio.studio.theme import current_palette
from smarthdr_studio.studio.widgets.controls import caption, card, describe


class CurveChoice(QWidget):
    """The camera's curve as brackets show it beside gamma 2.2, and which of both is used."""

    wished = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.chart = ResponseChart()
        self.words = caption("", role="muted")
        self.words.setWordWrap(True)
        self.gamma = QRadioButton("Gamma 2.2 (dashed)")
        self.measured = QRadioButton("Measured curve (solid)")
        describe(self.gamma, name="Gamma 2.2", tip="As published sets are; sRGB is near it")
        describe(self.measured, name="Measured curve", tip="As these brackets show it")
        frame, inside = card(name="Camera curve", margin=6)
        inside.addWidget(caption("Camera curve", role="title"))
        inside.addWidget(caption(self.chart.title, role="muted"))
        inside.addWidget(self.chart, 1)
        inside.addWidget(self.words)
        row = QHBoxLayout()
        row.addWidget(self.measured)
        row.addWidget(self.gamma)
        row.addStretch(1)
        inside.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(frame)
        self.gamma.clicked.connect(lambda: self.wished.emit("gamma"))
        self.measured.clicked.connect(lambda: self.wished.emit("measured"))

    def show_fit(self, fit: ResponseFit | None, *, used: ResponseCurve | None, known: bool) -> None:
        """Show what was measured, if that is known by now, and the curve that is used."""
        self.chart.set_palette_colours(current_palette())
        self.chart.set_curve(None if fit is None else fit.curve)
        self.measured.setEnabled(fit is not None)
        if known:  # until then it stands as a person set it
            (self.gamma if used is None else self.measured).setChecked(True)
        self.words.setText(_fit_in_words(fit) if known else "")


def _fit_in_words(fit: ResponseFit | None) -> str:
    if fit is None:
        return (
            "Gamma 2.2 is taken: a curve shows only where EXIF or a file tells exposures, and "
            "frames share well-exposed places."
        )
    verdict = "It fits clearly better." if fit.is_better else "It fits no better than gamma 2.2."
    sentence = f"{fit.words[:1].upper()}{fit.words[1:]}."
    return f"{sentence} {verdict}"
