"""Why the pixel under the cursor is not trusted, in words."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import caption, card
from smarthdr_studio.studio.state import Readout, StudioState

_ASK = "Point at a picture to see which gate dropped a pixel, and what its frames say."


class Inspector(QWidget):
    """One pixel explained."""

    def __init__(self) -> None:
        super().__init__()
        self._place = caption("", role="muted")
        self._text = caption(_ASK)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._text.setMinimumHeight(self.fontMetrics().height() * 5)
        frame, column = card(name="Why untrusted?")
        head = QHBoxLayout()
        head.addWidget(caption("Why untrusted?", role="title"))
        head.addStretch(1)
        head.addWidget(self._place)
        column.addLayout(head)
        column.addWidget(self._text, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.setToolTip("Which gate dropped the pixel under the cursor, and why (I)")

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Explain the pixel under the cursor; the last one stays when the cursor leaves."""
        if new.readout is not None and new.readout != old.readout:
            self._explain(new.readout)
        elif new.shown != old.shown:
            self._place.setText("")
            self._text.setText(_ASK)

    def _explain(self, pixel: Readout) -> None:
        self._place.setText(f"{pixel.x}, {pixel.y}")
        self._text.setText(pixel.explanation or "There is no pseudo-label for this scene yet.")
