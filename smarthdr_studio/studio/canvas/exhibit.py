"""What one view shows: its own picture, or that and a partner side by side or in turn."""

from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from smarthdr_studio.core.display import Painted
from smarthdr_studio.studio.canvas import marks
from smarthdr_studio.studio.canvas.boxes import Boxes, boxes_of_one, boxes_of_two
from smarthdr_studio.studio.canvas.overprint import Overprint
from smarthdr_studio.studio.canvas.shown import Shown
from smarthdr_studio.studio.canvas.sight import Sight
from smarthdr_studio.studio.theme import Palette


class Mode(StrEnum):
    """How a partner is shown: right of the wipe's line, or instead of the view's own picture."""

    WIPE = "wipe"
    FLICKER = "flicker"


@dataclass(slots=True)
class Exhibit:
    """Pictures made ready, and the line of the wipe in image pixels from the left."""

    own: Shown = field(default_factory=lambda: Shown(Painted(rgb8=None, title="")))
    partner: Shown | None = None
    mode: Mode = Mode.WIPE
    line: float | None = None
    _overprint: Overprint = field(default_factory=Overprint)

    @property
    def wiping(self) -> bool:
        """Whether the two are side by side."""
        return self.partner is not None and self.mode is Mode.WIPE

    @property
    def alone(self) -> Shown:
        """What is shown where nothing is wiped: the picture itself, or its partner for now."""
        flickering = self.partner is not None and self.mode is Mode.FLICKER
        return self.partner if flickering and self.partner is not None else self.own

    @property
    def first_right(self) -> int:
        """The first column of the image whose middle shows the partner of a wipe."""
        return max(ceil((self.line or 0.0) - 0.5), 0)

    def show(self, painted: Painted) -> bool:
        """Take the view's own picture; False when it is the very one that is shown."""
        if painted is self.own.painted:
            return False
        self.own = Shown(painted, before=self.own)
        return True

    def show_partner(self, painted: Painted | None, *, mode: Mode) -> bool:
        """Take a partner, or let it go; False when nothing changes."""
        shown = self.partner.painted if self.partner else None
        if painted is shown and (painted is None or mode is self.mode):
            return False
        self.partner = None if painted is None else Shown(painted, before=self.partner)
        self.mode = mode
        return True

    def draw(self, painter: QPainter, sight: Sight, *, palette: Palette) -> bool:
        """The pixels in sight, with their numbers; False when there are only words instead."""
        if self.wiping:
            self._draw_wipe(painter, sight, palette=palette)
            return True
        painted = self.alone.painted
        if painted.rgb8 is None:
            place = QRect(0, 0, round(sight.width), round(sight.height))
            marks.draw_words(painter, place, painted.why_empty, palette=palette)
            return False
        self.alone.draw(painter, sight)
        self._overprint.draw(painter, sight, left=painted, right=painted, edge=0)
        return True

    def draw_line(self, painter: QPainter, sight: Sight) -> None:
        """The line of the wipe, if there is one."""
        if self.wiping and self.line is not None:
            marks.draw_wipe_line(painter, sight, self.line)

    def boxes(self, sight: Sight, metrics: QFontMetrics, *, minimap: QRectF | None) -> Boxes:
        """Everything that explains what is shown."""
        if self.partner is not None and self.mode is Mode.WIPE:
            pair = self.own.painted, self.partner.painted
            return boxes_of_two(pair, sight, metrics, line=self.line or 0.0, minimap=minimap)
        shown = self.alone
        caption = shown.painted.title if shown is self.partner else ""
        return boxes_of_one(shown.painted, sight, metrics, minimap=minimap, caption=caption)

    def _draw_wipe(self, painter: QPainter, sight: Sight, *, palette: Palette) -> None:
        assert self.partner is not None
        column = marks.wipe_column(sight, self.line or 0.0)
        self.own.draw(painter, sight)
        right = QRectF(column / sight.ratio, 0, sight.width, sight.height)
        painter.fillRect(right, QColor(palette.canvas))
        self.partner.draw(painter, sight, from_column=column)
        self._overprint.draw(
            painter,
            sight,
            left=self.own.painted,
            right=self.partner.painted,
            edge=self.first_right,
        )
