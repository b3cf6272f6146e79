"""Charts of one board, which point and zoom together and are drawn no oftener than an eye needs."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.trace import Sight
from smarthdr_studio.studio.theme import Palette

PERIOD_MS: Final = 500


class LinkedCurves(QObject):
    """Tells all charts where one is pointed at and which steps it shows.

    However fast values come, charts are drawn twice a second, and only those on the screen; while
    none is, nothing is done at all.
    """

    def __init__(self, curves: Mapping[str, Curve], parent: QObject) -> None:
        super().__init__(parent)
        self._curves = dict(curves)
        self._sight: Sight | None = None
        self._due = QTimer(self, singleShot=True, interval=PERIOD_MS)
        self._due.timeout.connect(self.redraw)
        for curve in self._curves.values():
            curve.pointed.connect(self._point)
            curve.zoomed.connect(self.look_at)

    def soon(self) -> None:
        """Something is new: draw before long."""
        if not self._due.isActive() and any(c.isVisible() for c in self._curves.values()):
            self._due.start()

    @Slot()
    def redraw(self) -> None:
        """Lay the same steps under one another in all charts, and draw."""
        spans = [span for curve in self._curves.values() if (span := curve.lines.span) is not None]
        extent = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
        for curve in self._curves.values():
            curve.look_at(self._sight, extent=extent)

    @Slot(object)
    def look_at(self, sight: Sight | None) -> None:
        """Show these steps in all charts, or with None all there are."""
        self._sight = sight
        self.redraw()

    def clear(self) -> None:
        """Forget everything."""
        self._due.stop()
        self._sight = None
        for curve in self._curves.values():
            curve.clear()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for curve in self._curves.values():
            curve.set_palette_colours(palette)

    @Slot(object)
    def _point(self, step: float | None) -> None:
        for curve in self._curves.values():
            curve.point_at(step)
