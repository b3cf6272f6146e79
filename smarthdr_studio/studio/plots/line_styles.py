"""How lines of one chart are told apart: by colour, and by dashes for whoever sees no colours."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from smarthdr_studio.studio.theme import Palette

_DASHES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)
# Beyond the palette's own; told apart by every kind of eye, and from the panel by brightness.
_MORE: Final = {"dark": ("#d2a6f0", "#e8e07a"), "light": ("#6f3c9e", "#6a6200")}


@dataclass(frozen=True, slots=True)
class LineStyle:
    """The colour and the dashes of a line, by its number among its neighbours."""

    number: int

    @property
    def dash(self) -> Qt.PenStyle:
        """Solid for the first line."""
        return _DASHES[self.number % len(_DASHES)]

    def colour(self, palette: Palette) -> QColor:
        """On the panel of a palette."""
        first = (palette.accent, palette.warn, palette.good, palette.bad)
        colours = (*first, *_MORE[palette.name], palette.muted)
        return QColor(colours[self.number % len(colours)])


class LineStyles:
    """Gives every name a style of its own, and the same one for ever."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}

    def of(self, name: str) -> LineStyle:
        """The style of a name; a new name gets the next one."""
        return LineStyle(self._numbers.setdefault(name, len(self._numbers)))
