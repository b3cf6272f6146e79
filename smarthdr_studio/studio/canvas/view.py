"""One of the four views: a title bar over a picture."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from smarthdr_studio.core.display import Painted
from smarthdr_studio.studio.canvas.header import Header
from smarthdr_studio.studio.canvas.picture import Picture
from smarthdr_studio.studio.theme import Palette


class View(QFrame):
    """Shows what was painted; its picture and header say what the hand asks for."""

    layer_picked = Signal(str)
    maximise_asked = Signal()

    def __init__(self, *, number: int) -> None:
        super().__init__()
        self._number = number
        self._header, self.picture = Header(number=number), Picture()
        self.setObjectName("card")
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 0, 5, 5)
        column.setSpacing(0)
        column.addWidget(self._header)
        column.addWidget(self.picture, 1)
        self._header.layer_picked.connect(self.layer_picked)
        self._header.maximise_asked.connect(self.maximise_asked)
        self.setAccessibleName(f"View {number}")

    def show_painted(self, painted: Painted) -> None:
        """Show a finished picture, or why there is none."""
        self._header.show_words(painted.title, painted.detail)
        self.picture.show_picture(painted.rgb8, legend=painted.legend, why_empty=painted.why_empty)
        words = painted.why_empty or painted.detail
        self.setAccessibleName(f"View {self._number}: {painted.title}, {words}")
        self.picture.setAccessibleName(f"Picture {self._number}: {painted.title}, {words}")

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress header and picture."""
        self._header.set_palette_colours(palette)
        self.picture.set_palette_colours(palette)
