"""Quality against the number of labels, as points and as a drawing: SVG, or PDF of one page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import fmean
from typing import Final, Literal, NamedTuple

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.reporting.benchmark_table import with_unit
from smarthdr_studio.core.reporting.tables import write_bytes, write_text
from smarthdr_studio.core.training.benchmark import Metric
from smarthdr_studio.core.training.benchmark_claims import RowFigures


class Point(NamedTuple):
    """So many labels, and the figure of each seed."""

    labels: int
    values: tuple[float, ...]


Curves = Mapping[str, Sequence[Point]]


def curves(rows: Sequence[RowFigures], metric: str = "psnr_mu") -> dict[str, list[Point]]:
    """The points of each line, by rising labels.

    Rows that are called "LINE, N" after their labels N are points of one line; any other row is
    a line of its own. Rows without a figure are left out.
    """
    found: dict[str, list[Point]] = {}
    for figures in rows:
        values = tuple(figures.values(metric))
        if values and figures.labels is not None:
            found.setdefault(line_of(figures), []).append(Point(figures.labels, values))
    return {line: sorted(points) for line, points in found.items()}


def line_of(figures: RowFigures) -> str:
    """The line a row is a point of."""
    row = figures.row
    return row.name.removesuffix(f", {row.labels}")


def write_figure(path: AnyPath, rows: Sequence[RowFigures], metric: Metric = "psnr_mu") -> None:
    """The drawing as its suffix says, .svg or .pdf. Raises ExportError."""
    path = Path(path)
    shapes = drawing(curves(rows, metric), metric)
    if is_pdf(path):
        write_bytes(path, as_pdf(shapes))
    else:
        write_text(path, as_svg(shapes))


def is_pdf(path: AnyPath) -> bool:
    """Whether a figure is to be a PDF, by its suffix; else SVG. ExportError where it is neither."""
    path = Path(path)
    match path.suffix.casefold():
        case ".pdf":
            return True
        case ".svg":
            return False
        case _:
            raise ExportError(f"{path}: name a figure that ends in .svg or .pdf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line through points; `dash` are lengths of strokes and gaps, none is solid."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0
    dash: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A disc."""

    at: tuple[float, float]
    radius: float
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Text whose baseline starts, has its middle, or ends there."""

    at: tuple[float, float]
    text: str
    side: Literal["start", "middle", "end"] = "start"


Shape = Stroke | Dot | Words

_WIDTH: Final = 800
_FRAME: Final = (70.0, 30.0, 480.0)  # left, top, right
_LEAST_BOTTOM: Final = 340.0
_UNDER: Final = 18.0  # the last words
_LINE: Final = 24.0  # of the legend
_LETTERS: Final = 14
_ASIDE: Final = 7.0  # from one line to the next in a column
# Told apart by hue, lightness and dash: Okabe and Ito's palette.
_LOOKS: Final[tuple[tuple[str, tuple[int, ...]], ...]] = (
    ("#d55e00", ()),
    ("#0072b2", (7, 3)),
    ("#5a5a5a", (2, 3)),
    ("#009e73", (9, 3, 2, 3)),
    ("#cc79a7", (4, 2)),
    ("#b58900", (12, 3)),
    ("#56b4e9", (2, 2, 6, 2)),
)
_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_MOST_STEPS: Final = 9


def drawing(lines: Curves, metric: str = "psnr_mu") -> list[Shape]:
    """Dots for seeds, a dash and a line at the means, over labels as equally far columns."""
    scale = _Scale.of(lines)
    shapes = _axes(scale, metric)
    for number, (name, points) in enumerate(lines.items()):
        aside = _ASIDE * (number - (len(lines) - 1) / 2)
        shapes += _curve(scale, name, points, number, aside=aside)
    return shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Where a number of labels and a figure lie in the drawing."""

    counts: tuple[int, ...]
    low: float
    high: float
    step: float
    bottom: float

    @classmethod
    def of(cls, lines: Curves) -> "_Scale":
        """Round values around all figures; as high as the legend needs it."""
        values = [v for points in lines.values() for point in points for v in point.values]
        step = _step(values)
        low = step * (min(values) // step) if values else 0.0
        high = step * -(-max(values) // step) if values else step
        return cls(
            counts=tuple(sorted({p.labels for points in lines.values() for p in points})),
            low=low,
            high=max(high, low + step),
            step=step,
            bottom=max(_LEAST_BOTTOM, _FRAME[1] + _LINE * (len(lines) + 1)),
        )

    def across(self, labels: int) -> float:
        """The column of so many labels."""
        left, _, right = _FRAME
        place = self.counts.index(labels) / max(1, len(self.counts) - 1)
        return left + 20 + place * (right - left - 40)

    def down(self, value: float) -> float:
        """The height of a figure."""
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - _FRAME[1])


def _axes(scale: _Scale, metric: str) -> list[Shape]:
    left, top, right = _FRAME
    shapes: list[Shape] = []
    for number in range(round((scale.high - scale.low) / scale.step) + 1):
        value = scale.low + number * scale.step
        y = scale.down(value)
        shapes.append(Stroke(points=((left, y), (right, y)), colour="#dddddd"))
        shapes.append(Words(at=(left - 8, y + 5), text=f"{value:g}", side="end"))
    for count in scale.counts:
        below = (scale.across(count), scale.bottom + 20)
        shapes.append(Words(at=below, text=str(count), side="middle"))
    middle = ((left + right) / 2, scale.bottom + 42)
    shapes.append(Words(at=middle, text="labels", side="middle"))
    shapes.append(Words(at=(10, top - 10), text=with_unit(metric)))
    return shapes


def _curve(
    scale: _Scale, name: str, points: Sequence[Point], number: int, *, aside: float
) -> list[Shape]:
    """One line with its seeds, a little aside so that none hides another, and its legend."""
    colour, dash = _LOOKS[number % len(_LOOKS)]
    means = tuple(
        (scale.across(point.labels) + aside, scale.down(fmean(point.values))) for point in points
    )
    line = Stroke(points=means, colour=colour, width=2.0, dash=dash)
    shapes: list[Shape] = [line] if len(means) > 1 else []
    for point, (x, y) in zip(points, means, strict=True):
        shapes.append(Stroke(points=((x - 8, y), (x + 8, y)), colour=colour, width=2.0))
        shapes += [Dot(at=(x, scale.down(v)), radius=3.5, colour=colour) for v in point.values]
    x, y = _FRAME[2], _FRAME[1] + 16 + _LINE * number
    key = ((x + 12, y - 5), (x + 32, y - 5))
    shapes.append(Stroke(points=key, colour=colour, width=2.0, dash=dash))
    shapes.append(Dot(at=(x + 22, y - 5), radius=3.5, colour=colour))
    shapes.append(Words(at=(x + 40, y), text=name))
    return shapes


def _step(values: Sequence[float]) -> float:
    """From one round value of the axis to the next."""
    reach = max(values) - min(values) if values else 0.0
    return next((step for step in _STEPS if reach / step <= _MOST_STEPS), _STEPS[-1])


def _size(shapes: Iterable[Shape]) -> tuple[int, int]:
    low = max((shape.at[1] for shape in shapes if isinstance(shape, Words)), default=0.0)
    return _WIDTH, round(low + _UNDER)


def as_svg(shapes: Sequence[Shape]) -> str:
    """The drawing as SVG, on white."""
    width, height = _size(shapes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="{_LETTERS}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    return "\n".join([*parts, *map(_in_svg, shapes), "</svg>"]) + "\n"


def _in_svg(shape: Shape) -> str:
    match shape:
        case Stroke(points=points, colour=colour, width=width, dash=dash):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            gaps = f' stroke-dasharray="{" ".join(map(str, dash))}"' if dash else ""
            return (
                f'<polyline points="{path}" fill="none" stroke="{colour}" '
                f'stroke-width="{width:g}"{gaps}/>'
            )
        case Dot(at=(x, y), radius=radius, colour=colour):
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"/>'
        case Words(at=(x, y), text=text, side=side):
            anchor = "" if side == "start" else f' text-anchor="{side}"'
            return f'<text x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(text)}</text>'


# Greek stands in PDF's own font Symbol under Latin letters.
_GREEK: Final = dict(zip("αβγδεηλμνρσταω", "abgdehlmnrstaw", strict=True))
_CIRCLE: Final = 0.5523  # of the radius: four Bézier curves make a circle
_LETTER: Final = 0.5  # of its size a letter of Helvetica is wide on average; a digit 0.556
_DIGIT: Final = 0.556


def as_pdf(shapes: Sequence[Shape]) -> bytes:
    """The drawing as a PDF of one page, one unit a point, in Helvetica and Symbol."""
    width, height = _size(shapes)
    lines = [line for shape in shapes for line in _in_pdf(shape, height)]
    content = "\n".join(lines).encode("cp1252", "replace")
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{}{} >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R "
        "/Resources << /Font << /H 5 0 R /S 6 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        font.format("Helvetica", " /Encoding /WinAnsiEncoding").encode(),
        font.format("Symbol", "").encode(),
    ]
    whole, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n"
    end += f"<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(whole)}\n%%EOF\n"
    return whole + end.encode()


def _in_pdf(shape: Shape, height: int) -> list[str]:
    """Orders of a page, whose y rises upwards."""
    match shape:
        case Stroke(points=points, colour=colour, width=width, dash=dash):
            first, *others = [f"{x:.1f} {height - y:.1f}" for x, y in points]
            path = [f"{first} m", *(f"{point} l" for point in others)]
            gaps = " ".join(map(str, dash))
            return [f"{_rgb(colour)} RG {width:g} w [{gaps}] 0 d", *path, "S"]
        case Dot(at=(x, y), radius=r, colour=colour):
            return [f"{_rgb(colour)} rg", *_disc(x, height - y, r), "f"]
        case Words(at=(x, y), text=text, side=side):
            share = {"start": 0.0, "middle": 0.5, "end": 1.0}[side]
            x -= share * _LETTERS * sum(_DIGIT if c.isdigit() else _LETTER for c in text)
            told = "".join(f"/{font} {_LETTERS} Tf ({part}) Tj " for font, part in _fonts(text))
            return [f"BT 0 g {x:.1f} {height - y:.1f} Td {told}ET"]


def _rgb(colour: str) -> str:
    return " ".join(f"{int(colour[at : at + 2], 16) / 255:.3f}" for at in (1, 3, 5))


def _disc(x: float, y: float, r: float) -> list[str]:
    k = _CIRCLE * r
    quarters = (
        ((r, k), (k, r), (0, r)),
        ((-k, r), (-r, k), (-r, 0)),
        ((-r, -k), (-k, -r), (0, -r)),
        ((k, -r), (r, -k), (r, 0)),
    )
    curved = [
        " ".join(f"{x + right:.2f} {y + up:.2f}" for right, up in quarter) + " c"
        for quarter in quarters
    ]
    return [f"{x + r:.2f} {y:.2f} m", *curved]


def _fonts(text: str) -> list[tuple[str, str]]:
    """Stretches of a text by the font that has them, with what a PDF's text wants escaped."""
    found: list[tuple[str, str]] = []
    for sign in text.replace("−", "–"):
        font, shown = ("S", _GREEK[sign]) if sign in _GREEK else ("H", sign)
        shown = f"\\{shown}" if shown in "()\\" else shown
        if found and found[-1][0] == font:
            found[-1] = font, found[-1][1] + shown
        else:
            found.append((font, shown))
    return found
