"""Where the cells of a heat strip lie, their colours, and the lines that run beside them."""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage

from smarthdr_studio.core.display import ColourMap, sigma_rgb8
from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.core.masking import Range

Doubles = npt.NDArray[np.float64]

_WHOLE: Final = Range(0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Rows of scenes and columns of rounds over a frame that may show only some of the rows."""

    frame: QRectF
    rows: int
    columns: int
    row_height: float
    scrolled: float = 0.0

    @property
    def column_width(self) -> float:
        """The width of one round."""
        return self.frame.width() / self.columns

    @property
    def hidden(self) -> int:
        """How many pixels of rows have no room."""
        return max(math.ceil(self.rows * self.row_height - self.frame.height()), 0)

    @property
    def shown(self) -> QRectF:
        """What of the frame is covered by rows."""
        high = min(self.frame.height(), self.rows * self.row_height - self.scrolled)
        return QRectF(self.frame.left(), self.frame.top(), self.frame.width(), max(high, 0.0))

    def top(self, row: float) -> float:
        """The upper edge of a row."""
        return self.frame.top() + row * self.row_height - self.scrolled

    def left(self, column: float) -> float:
        """The left edge of a column."""
        return self.frame.left() + column * self.column_width

    def rows_in_sight(self) -> range:
        """The rows of which anything is seen."""
        first = int(self.scrolled / self.row_height)
        last = math.ceil((self.scrolled + self.frame.height()) / self.row_height)
        return range(first, min(last, self.rows))

    def at(self, point: QPointF) -> tuple[int, int] | None:
        """Row and column of a point, None beside the cells."""
        return self.held_at(point) if self.shown.contains(point) else None

    def held_at(self, point: QPointF) -> tuple[int, int]:
        """Row and column nearest to a point."""
        row = int((point.y() - self.frame.top() + self.scrolled) // self.row_height)
        column = int((point.x() - self.frame.left()) // self.column_width)
        return min(max(row, 0), self.rows - 1), min(max(column, 0), self.columns - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundLines:
    """What runs under the strip: PSNR-μ in dB, and where among the rounds it was measured."""

    places: Doubles = field(default_factory=lambda: np.zeros(0))
    decibels: Doubles = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, history: RunHistory | None) -> "RoundLines":
        """Of a run; what was measured before its first round is left out."""
        if history is None or not history.records:
            return cls()
        steps, decibels = np.array(history.psnr_mu or np.zeros((0, 2)), float).T
        places = among_rounds(steps, begins=[record.step for record in history.records])
        known = np.isfinite(places)
        return cls(places=places[known], decibels=decibels[known])


def mean_shares(shares: npt.NDArray[Any]) -> Doubles:
    """The mean share of the scenes that took part, per round; NaN where none did.

    `shares` is scenes×rounds. Scenes of a dataset are nearly of one size, so this is nearly the
    share of the pixels.
    """
    part = np.isfinite(shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Doubles = np.where(part, shares, 0).sum(0) / part.sum(0)
    return means


def among_rounds(steps: npt.ArrayLike, *, begins: list[int]) -> Doubles:
    """Where training steps lie among rounds: k + ½ halfway through the k-th, NaN before the first.

    A round lasts until the next begins; the last is held to be as long as the one before it.
    """
    asked = np.asarray(steps, float)
    long = begins[-1] - begins[-2] if len(begins) > 1 else 1
    edges = [*begins, begins[-1] + max(long, 1)]
    places: Doubles = np.interp(asked, edges, np.arange(len(edges)))
    return np.where(asked < begins[0], np.nan, places)


def heat_image(shares: npt.NDArray[Any]) -> QImage:
    """Shares in [0, 1], scenes×rounds, as one image of as many pixels; see-through where NaN."""
    values = np.ascontiguousarray(shares, np.float32)
    rgb8 = sigma_rgb8(values, span=_WHOLE, colour_map=ColourMap.TIDE)
    alpha = np.where(np.isfinite(values), 255, 0).astype(np.uint8)
    rgba = np.ascontiguousarray(np.dstack([rgb8, alpha]))
    height, width = values.shape
    image = QImage(rgba.data, width, height, width * 4, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
