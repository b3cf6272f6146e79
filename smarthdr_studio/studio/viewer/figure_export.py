"""What is on the screen as files: one layer, one view, or all views on one page.

A page is a picture (PNG), or a drawing (SVG, PDF): there each view's pixels lie untouched, as a
picture of their own, and everything about them is words and lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QIODevice,
    QMarginsF,
    QObject,
    QPointF,
    QRect,
    QRectF,
    QSize,
    QSizeF,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QLinearGradient,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPen,
)

from smarthdr_studio.core.display import (
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
    Rgb8,
)
from smarthdr_studio.core.display.export import write_layer_exr, write_png16
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.reporting.tables import write_columns, write_curves
from smarthdr_studio.studio.project.screen import Screen, settings_of
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.tasks import Job, Report, TaskRunner, plain
from smarthdr_studio.studio.viewer.image_view import Exhibit
from smarthdr_studio.studio.viewer.legends import draw_entry, image_of, swatch_width
from smarthdr_studio.studio.viewer.viewport import Box

Column = npt.NDArray[np.float64] | tuple[str, ...]


def save_image(*, image: QImage, path: Path) -> Path:
    """A finished picture as PNG, whole or not at all; where it lies. Raises ExportError."""
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return save_bytes(held=bytes(held.data()), path=path)


def save_sheet(*, sheet: "Sheet", path: Path) -> Path:
    """All views on one page, as the ending of the name says; where it lies.

    Raises:
        ExportError: another ending than of `SHEET_KINDS`, or it cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in SHEET_KINDS:
        raise ExportError(
            f"{path}: a sheet can be {', '.join(SHEET_KINDS)}; name it {path.stem}.png"
        )
    if kind == ".png":
        return save_image(image=sheet.image(), path=path)
    return save_bytes(held=sheet.svg() if kind == ".svg" else sheet.pdf(), path=path)


def save_bytes(*, held: bytes, path: Path) -> Path:
    """A finished file, whole or not at all; where it lies. Raises ExportError."""
    try:
        with replacing(path) as draft:
            draft.write_bytes(held)
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written ({error.strerror}); choose another place"
        ) from None
    return path


def save_curves(
    report: Report,
    *,
    curves: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    path: Path,
) -> Path:
    """Curves (steps and values by name) as CSV; where they lie. Raises ExportError."""
    write_curves(path, curves, tell=report)
    return path


def save_columns(*, columns: Mapping[str, Column], path: Path) -> Path:
    """A table as CSV; where it lies. Raises ExportError."""
    write_columns(path, columns)
    return path


def save_layer(
    *,
    layer: Layer,
    material: Material,
    settings: DisplaySettings,
    path: Path,
    kind: Literal["png16", "exr"],
) -> Path:
    """The numbers of a layer as 16-bit PNG or as EXR; where they lie. Raises StudioError."""
    if kind == "png16":
        write_png16(path, layer, material, settings)
    else:
        write_layer_exr(path, layer, material, against=settings.error_against)
    return path


Format = Literal["png16", "exr"]


class ExportController(QObject):
    """One file at a time is enough for anyone; a failure is told, nothing half-written stays."""

    def __init__(self, store: Store, tasks: TaskRunner, screen: Screen) -> None:
        super().__init__(store)
        self._store, self._tasks, self._screen = store, tasks, screen

    def save_image(self, image: QImage, path: Path) -> None:
        """A finished picture as PNG."""
        self._start(plain(save_image, image=image, path=path), path)

    def save_sheet(self, sheet: "Sheet", path: Path) -> None:
        """All views on one page: PNG, SVG or PDF."""
        self._start(plain(save_sheet, sheet=sheet, path=path), path)

    def save_svg(self, svg: bytes, path: Path) -> None:
        """A finished drawing of lines and letters."""
        self._start(plain(save_bytes, held=svg, path=path), path)

    def save_curves(
        self,
        curves: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
        path: Path,
    ) -> None:
        """Curves, steps and values by name, as CSV."""
        self._start(partial(save_curves, curves=curves, path=path), path)

    def save_columns(self, columns: Mapping[str, Column], path: Path) -> None:
        """A table as CSV."""
        self._start(plain(save_columns, columns=columns, path=path), path)

    def save_layer(self, view: int, kind: Format, path: Path) -> None:
        """The numbers behind a view: 16-bit PNG as shown, or EXR as they are."""
        state = self._store.state
        job = plain(
            save_layer,
            layer=state.views[view].layer,
            material=self._screen.stage.material,
            settings=settings_of(state, view),
            path=path,
            kind=kind,
        )
        self._start(job, path)

    def _start(self, job: Job[Path], path: Path) -> None:
        if self._store.may_write(path):
            self._tasks.start(job, self._saved)

    def _saved(self, path: Path) -> None:
        self._store.notice(Notice(text=f"Saved {path}", opens=path))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A picture of a sheet; `rgb8` is None where there are only words to say why.

    `line` is the first column that is the partner's in a wipe. `legends` come with the words
    that say which side they are of, "" where there is one picture.
    """

    heading: str
    detail: str
    rgb8: Rgb8 | None
    why_empty: str = ""
    line: int | None = None
    legends: tuple[tuple[str, Legend], ...] = ()
    key: tuple[KeyEntry, ...] = ()

    @classmethod
    def of(cls, exhibit: Exhibit, *, letter: str, box: Box | None = None) -> "Panel":
        """What a view shows, or the part of it inside a box of image pixels.

        A partner that is only shown while a key is held takes no part.
        """
        own = exhibit.own.painted
        partner = exhibit.partner.painted if exhibit.wiping and exhibit.partner else None
        rgb8 = _pixels(exhibit, box)
        line = None if partner is None else exhibit.first_right - (box[0] if box else 0)
        inside = line is not None and rgb8 is not None and 0 < line < rgb8.shape[1]
        title = own.title if partner is None else f"{own.title} | {partner.title}"
        return cls(
            heading=f"({letter}) {title}",
            detail=_detail(own, partner),
            rgb8=rgb8,
            why_empty=own.why_empty,
            line=line if inside else None,
            legends=_legends(own, partner),
            key=own.key if partner is None else _joined_key(own, partner),
        )


def figure_of(exhibit: Exhibit, *, box: Box | None) -> QImage:
    """The pixels of a view as painted, or those inside a box; an empty image where none are."""
    rgb8 = _pixels(exhibit, box)
    return QImage() if rgb8 is None else image_of(rgb8)


def _pixels(exhibit: Exhibit, box: Box | None) -> Rgb8 | None:
    """The view's own pixels, in a wipe the partner's right of the line."""
    rgb8 = exhibit.own.painted.rgb8
    partner = exhibit.partner.painted.rgb8 if exhibit.wiping and exhibit.partner else None
    if rgb8 is not None and partner is not None and partner.shape == rgb8.shape:
        column = exhibit.first_right
        rgb8 = np.concatenate((rgb8[:, :column], partner[:, column:]), axis=1)
    if rgb8 is None or box is None:
        return rgb8
    left, top, right, bottom = box
    part = rgb8[top:bottom, left:right]
    return part if part.size else None


def _detail(own: Painted, partner: Painted | None) -> str:
    """What is special about it, and what is wrong with its numbers."""
    words = [own.detail] if partner is None else [f"{own.detail} | {partner.detail}".strip(" |")]
    words += [
        f"warning: {painted.warning}" for painted in (own, partner) if painted and painted.warning
    ]
    return " · ".join(part for part in words if part)


def _legends(own: Painted, partner: Painted | None) -> tuple[tuple[str, Legend], ...]:
    if partner is None:
        return () if own.legend is None else (("", own.legend),)
    sides = (("left", own.legend), ("right", partner.legend))
    return tuple((side, legend) for side, legend in sides if legend is not None)


def _joined_key(own: Painted, partner: Painted) -> tuple[KeyEntry, ...]:
    """Both keys; what both say alike is said once."""
    return own.key + tuple(entry for entry in partner.key if entry not in own.key)


SHEET_KINDS: Final = (".png", ".svg", ".pdf")
_CSS_DPI, _POINTS_PER_INCH = 96, 72
_AS_PIXELS: Final = b'<image style="image-rendering:pixelated" '
_WIDEST: Final = 3200  # pixels of all pictures side by side; more is scaled down
_NARROWEST: Final = 280  # pixels of one picture; less is enlarged by a whole number
_EMPTY: Final = (320, 214)
_LETTERS: Final = (13, 40)  # smallest and largest, in pixels
_INK, _QUIET, _FRAME = QColor("#000000"), QColor("#404040"), QColor("#9a9a9a")
_WRAP: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """A white page with rows of so many panels, for a paper.

    Pictures alike in size keep their very pixels. They are scaled down together where the page
    would grow too wide, and enlarged together by a whole number where words would find no room
    beside them; in a drawing they are only shown smaller or larger.
    """

    panels: tuple[Panel, ...]
    columns: int

    def image(self) -> QImage:
        """The page as pixels."""
        look = _Look.of(self.panels, columns=self.columns)
        page = QImage(self._size(look), QImage.Format.Format_RGB888)
        painter = QPainter(page)
        self._draw(painter, look)
        painter.end()
        return page

    def svg(self) -> bytes:
        """The page as a drawing for editors and browsers."""
        from PySide6.QtSvg import QSvgGenerator

        look = _Look.of(self.panels, columns=self.columns, drawn=True)
        held = QByteArray()
        buffer = QBuffer(held)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        paper = QSvgGenerator()
        paper.setOutputDevice(buffer)
        paper.setResolution(_CSS_DPI)  # or letters and what they stand for part
        paper.setSize(self._size(look))
        paper.setViewBox(QRect(0, 0, *self._size(look).toTuple()))
        paper.setTitle(self._title)
        painter = QPainter(paper)
        self._draw(painter, look)
        painter.end()
        buffer.close()
        svg = bytes(held.data())
        # Pixels are to be seen as pixels, however large; smaller, they are to melt together.
        return svg.replace(b"<image ", _AS_PIXELS) if look.scale >= 1 else svg

    def pdf(self) -> bytes:
        """The page as a document, a point for each pixel of the screen."""
        look = _Look.of(self.panels, columns=self.columns, drawn=True)
        held = QByteArray()
        buffer = QBuffer(held)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        paper = QPdfWriter(buffer)
        paper.setResolution(_POINTS_PER_INCH)
        unit, exactly = QPageSize.Unit.Point, QPageSize.SizeMatchPolicy.ExactMatch
        paper.setPageSize(QPageSize(QSizeF(self._size(look)), unit, "", exactly))
        paper.setPageMargins(QMarginsF())
        paper.setTitle(self._title)
        painter = QPainter(paper)
        painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
        self._draw(painter, look)
        painter.end()
        buffer.close()
        return bytes(held.data())

    @property
    def _title(self) -> str:
        return ", ".join(panel.heading for panel in self.panels)

    @property
    def _rows(self) -> "list[tuple[Panel, ...]]":
        starts = range(0, len(self.panels), self.columns)
        return [self.panels[first : first + self.columns] for first in starts]

    def _size(self, look: "_Look") -> QSize:
        width = self.columns * look.column + (self.columns + 1) * look.gap
        heights = [look.row_height(row) for row in self._rows]
        return QSize(width, sum(heights) + look.gap * (len(heights) + 1))

    def _draw(self, painter: QPainter, look: "_Look") -> None:
        painter.fillRect(QRect(0, 0, *self._size(look).toTuple()), Qt.GlobalColor.white)
        top = look.gap
        for row in self._rows:
            for place, panel in enumerate(row):
                corner = look.gap + place * (look.column + look.gap), top
                _draw_panel(painter, panel, look, corner, words=look.words_height(row))
            top += look.row_height(row) + look.gap


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The measures of a sheet in pixels: a picture, what stands right of it, and the letters.

    On a `drawn` sheet nothing but the views is made of pixels, and theirs are left as they are.
    """

    picture: tuple[int, int]
    scale: float
    beside: int
    letters: int
    drawn: bool

    @classmethod
    def of(cls, panels: Sequence[Panel], *, columns: int, drawn: bool = False) -> "_Look":
        sizes = [panel.rgb8.shape[1::-1] for panel in panels if panel.rgb8 is not None]
        size = (max(w for w, _ in sizes), max(h for _, h in sizes)) if sizes else _EMPTY
        scale = _scale(size[0], columns=columns)
        picture = (max(round(size[0] * scale), 1), max(round(size[1] * scale), 1))
        wanted = min(picture[0] * columns / 60, picture[0] / 20)
        letters = min(max(round(wanted), _LETTERS[0]), _LETTERS[1])
        plain = QFontMetrics(_font(letters))
        beside = max((_bars_width(panel, plain, letters) for panel in panels), default=0)
        return cls(picture=picture, scale=scale, beside=beside, letters=letters, drawn=drawn)

    @property
    def gap(self) -> int:
        return round(self.letters * 1.4)

    @property
    def column(self) -> int:
        return self.picture[0] + self.beside

    @property
    def plain(self) -> QFont:
        return _font(self.letters)

    @property
    def bold(self) -> QFont:
        font = _font(self.letters)
        font.setBold(True)
        return font

    def words_height(self, row: Sequence[Panel]) -> int:
        """Above the pictures of a row: the tallest heading with its detail."""
        return max(sum(self.words(panel)) for panel in row) + self.letters // 3

    def words(self, panel: Panel) -> tuple[int, int]:
        """The height of a heading and of its detail, wrapped to the column."""
        heading = _wrapped(QFontMetrics(self.bold), panel.heading, self.column)
        return heading, _wrapped(QFontMetrics(self.plain), panel.detail, self.column)

    def row_height(self, row: Sequence[Panel]) -> int:
        """Words, pictures and the tallest key of a row."""
        keys = max(self.key_height(panel) for panel in row)
        return self.words_height(row) + self.picture[1] + keys

    def key_height(self, panel: Panel) -> int:
        """Below the picture: the key, wrapped to the column."""
        lines = _key_lines(panel.key, QFontMetrics(self.plain), self.column)
        line = QFontMetrics(self.plain).height() + 2
        return len(lines) * line + (self.letters // 2 if lines else 0)


def _draw_panel(
    painter: QPainter, panel: Panel, look: _Look, corner: tuple[int, int], *, words: int
) -> None:
    left, top = corner
    heading, detail = look.words(panel)
    painter.setPen(_INK)
    painter.setFont(look.bold)
    painter.drawText(QRect(left, top, look.column, heading), _WRAP, panel.heading)
    painter.setPen(_QUIET)
    painter.setFont(look.plain)
    painter.drawText(QRect(left, top + heading, look.column, detail), _WRAP, panel.detail)
    place = QRect(left, top + words, *look.picture)
    if panel.rgb8 is None:
        painter.setPen(_FRAME)
        painter.drawRect(place.adjusted(0, 0, -1, -1))
        painter.setPen(_QUIET)
        inner = place.adjusted(8, 8, -8, -8)
        centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(inner, centred, panel.why_empty)
        return
    _draw_picture(painter, panel, place, look)
    _draw_bars(painter, panel, place, look)
    painter.setPen(_INK)
    line = painter.fontMetrics().height() + 2
    below = place.top() + place.height() + look.letters // 2
    for number, entries in enumerate(_key_lines(panel.key, painter.fontMetrics(), look.column)):
        for offset, entry in entries:
            corner_of = QPointF(left + offset, below + number * line)
            draw_entry(painter, corner_of, entry, drawn=look.drawn)


def _draw_picture(painter: QPainter, panel: Panel, place: QRect, look: _Look) -> None:
    assert panel.rgb8 is not None
    size = _scaled_size(panel.rgb8, look.scale)
    pixels = panel.rgb8 if look.drawn else _scaled(panel.rgb8, look.scale)
    painter.drawImage(QRectF(place.topLeft(), QSizeF(size)), image_of(pixels))
    if panel.line is not None:
        x = place.left() + round(panel.line * look.scale)
        bottom = place.top() + size.height() - 1
        for colour, shift in ((QColor("#000000"), -1), (QColor("#ffffff"), 0)):
            painter.setPen(QPen(colour, 1))
            painter.drawLine(x + shift, place.top(), x + shift, bottom)


def _draw_bars(painter: QPainter, panel: Panel, place: QRect, look: _Look) -> None:
    """Colour bars right of the picture, each with its values at its ends and its side above."""
    x = place.left() + place.width()
    line = painter.fontMetrics().height()
    for side, legend in panel.legends:
        x += look.letters // 2
        top = place.top()
        if side:
            painter.setPen(_QUIET)
            painter.drawText(QPointF(x, top + painter.fontMetrics().ascent()), side)
            top += line
        bar = QRectF(x, top, look.letters, place.top() + place.height() - top)
        if look.drawn:
            painter.fillRect(bar, _gradient(bar, legend.bar))
        else:
            painter.drawImage(bar, image_of(legend.bar))
        painter.setPen(_INK)
        beside = x + look.letters + look.letters // 3
        painter.drawText(QPointF(beside, bar.top() + painter.fontMetrics().ascent()), legend.high)
        below = bar.bottom() - painter.fontMetrics().descent()
        painter.drawText(QPointF(beside, below), legend.low)
        x += _bar_width(side, legend, painter.fontMetrics(), look.letters)


def _gradient(box: QRectF, bar: Rgb8) -> QLinearGradient:
    """The colours of a bar from its top to its bottom, each at the middle of its row."""
    gradient = QLinearGradient(box.topLeft(), box.bottomLeft())
    rows = len(bar)
    for number, (red, green, blue) in enumerate(bar[:, bar.shape[1] // 2].tolist()):
        gradient.setColorAt((number + 0.5) / rows, QColor(red, green, blue))
    return gradient


def _bars_width(panel: Panel, metrics: QFontMetrics, letters: int) -> int:
    """All bars of a panel, each with the room before it."""
    widths = (_bar_width(side, legend, metrics, letters) for side, legend in panel.legends)
    return sum(width + letters // 2 for width in widths)


def _bar_width(side: str, legend: Legend, metrics: QFontMetrics, letters: int) -> int:
    words = max(metrics.horizontalAdvance(words) for words in (legend.low, legend.high))
    return max(letters + letters // 3 + words, metrics.horizontalAdvance(side)) + 2


def _key_lines(
    key: tuple[KeyEntry, ...], metrics: QFontMetrics, width: int
) -> list[list[tuple[int, KeyEntry]]]:
    """The entries line by line, each with its distance from the left."""
    lines: list[list[tuple[int, KeyEntry]]] = []
    x = 0
    for entry in key:
        wide = swatch_width(metrics.height()) + metrics.horizontalAdvance(entry.words) + 24
        if not lines or x + wide > width:
            lines.append([])
            x = 0
        lines[-1].append((x, entry))
        x += wide
    return lines


def _scale(width: int, *, columns: int) -> float:
    if width * columns > _WIDEST:
        return _WIDEST / (width * columns)
    return float(max(ceil(_NARROWEST / width), 1))


def _scaled(rgb8: Rgb8, scale: float) -> Rgb8:
    if scale == 1:
        return rgb8
    size = _scaled_size(rgb8, scale)
    how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(rgb8, size.toTuple(), interpolation=how), np.uint8)


def _scaled_size(rgb8: Rgb8, scale: float) -> QSize:
    return QSize(max(round(rgb8.shape[1] * scale), 1), max(round(rgb8.shape[0] * scale), 1))


def _wrapped(metrics: QFontMetrics, words: str, width: int) -> int:
    return metrics.boundingRect(QRect(0, 0, width, 100_000), _WRAP, words).height() if words else 0


def _font(letters: int) -> QFont:
    font = QFont(QGuiApplication.font())
    font.setPixelSize(letters)
    return font
