"""What lies over large pixels: lines between them, and their numbers once there is room."""

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from smarthdr_studio.core.display import Painted
from smarthdr_studio.studio.canvas.marks import GRID_FROM, VALUES_FROM
from smarthdr_studio.studio.canvas.sight import Sight
from smarthdr_studio.studio.canvas.values import print_numbers

_GRID = QColor(128, 128, 128, 90)


class Overprint:
    """Kept as one image until the lens or the pictures change: a moved crosshair prints nothing."""

    def __init__(self) -> None:
        self._causes: tuple[object, ...] = ()
        self._image: QImage | None = None

    def draw(
        self, painter: QPainter, sight: Sight, *, left: Painted, right: Painted, edge: int
    ) -> None:
        """Lines, and numbers of `left` in columns of pixels before `edge`, of `right` after it."""
        if sight.lens.scale < GRID_FROM:
            self._image = None
            return
        causes = (sight, left.rgb8, left.values, right.rgb8, right.values, edge)
        if self._image is None or not _same(causes, self._causes):
            self._causes = causes
            family = painter.font().family()
            self._image = _printed(family, sight, (left, right), edge)
        painter.drawImage(0, 0, self._image)


def _same(first: tuple[object, ...], second: tuple[object, ...]) -> bool:
    """Pictures by identity: to compare their pixels would cost more than to print."""
    return len(first) == len(second) and all(
        one is other or (not isinstance(one, np.ndarray) and one == other)
        for one, other in zip(first, second, strict=True)
    )


def _printed(family: str, sight: Sight, sides: tuple[Painted, Painted], edge: int) -> QImage:
    """Everything in sight on a clear ground, in the screen's own pixels."""
    image = QImage(*sight.view, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    _print_grid(painter, sight)
    if sight.lens.scale >= VALUES_FROM:
        left, top, right, bottom = sight.visible()
        middle = min(max(edge, left), right)
        boxes = (left, top, middle, bottom), (middle, top, right, bottom)
        for painted, box in zip(sides, boxes, strict=True):
            print_numbers(painter, family, sight, painted, box)
    painter.end()
    image.setDevicePixelRatio(sight.ratio)
    return image


def _print_grid(painter: QPainter, sight: Sight) -> None:
    """Strips on whole screen pixels: lines between them would be blended, and take longer."""
    left, top, right, bottom = sight.visible()
    across = [
        round(sight.lens.to_screen((x, 0), view=sight.view)[0]) for x in range(left, right + 1)
    ]
    down = [round(sight.lens.to_screen((0, y), view=sight.view)[1]) for y in range(top, bottom + 1)]
    thin = max(round(sight.ratio), 1)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    for x in across:
        painter.fillRect(QRect(x, down[0], thin, down[-1] - down[0]), _GRID)
    for y in down:
        painter.fillRect(QRect(across[0], y, across[-1] - across[0], thin), _GRID)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
