"""The figure of quality against labels: what lies where, as SVG and as PDF."""

import re
from xml.etree import ElementTree as ET

import pytest
from test_benchmark_claims import measured

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.reporting.benchmark_figure import (
    Point,
    as_pdf,
    as_svg,
    curves,
    drawing,
    write_figure,
)
from smarthdr_studio.core.training.benchmark import load_benchmark
from smarthdr_studio.core.training.benchmark_claims import figures_of

SVG = {"svg": "http://www.w3.org/2000/svg"}
POINTS = {"one": [Point(1, (30.0, 31.0)), Point(5, (33.0,))], "β < γ": [Point(5, (32.0,))]}


@pytest.fixture
def rows(tmp_path):
    """Two points of one line, a row by itself, and a row that was not run."""
    names = {"with, 5": 5, "with, 1": 1, "alone": 5, "with, all": '"all"'}
    text = "".join(f'[[row]]\nname = "{name}"\nlabels = {n}\n' for name, n in names.items())
    path = tmp_path / "curve.toml"
    path.write_text(f"seeds = [0, 1]\n{text}", encoding="utf-8")
    found = measured({"with, 5": (33.0, 34.0), "with, 1": (30.0, 31.0), "alone": (32.0,)})
    counts = {"with, 1": ("a",), "with, 5": tuple("abcde"), "alone": tuple("abcde")}
    for (row, _), result in found.items():
        object.__setattr__(result, "labels", counts[row])
    return figures_of(load_benchmark(str(path)), found)


def test_rows_named_after_their_labels_are_points_of_one_line(rows):
    assert curves(rows) == {
        "with": [Point(1, (30.0, 31.0)), Point(5, (33.0, 34.0))],
        "alone": [Point(5, (32.0,))],
    }


def test_the_figure_marks_every_seed_and_joins_the_means():
    root = ET.fromstring(as_svg(drawing(POINTS)))
    (line,) = (
        each.get("points").split()
        for each in root.findall("svg:polyline", SVG)
        if each.get("stroke-width") == "2" and abs(_width(each)) > 30
    )
    heights = [float(each.split(",")[1]) for each in line]
    marks = [float(each.get("cy")) for each in root.findall("svg:circle", SVG)][:3]
    assert heights[0] == pytest.approx((marks[0] + marks[1]) / 2, abs=0.1)
    assert heights[1] == pytest.approx(marks[2], abs=0.1)
    assert heights[0] > heights[1]  # better is higher
    words = [each.text for each in root.findall("svg:text", SVG)]
    assert {"1", "5", "labels", "PSNR-μ, dB", "one", "β < γ"} <= set(words)


def _width(line):
    xs = [float(point.split(",")[0]) for point in line.get("points").split()]
    return xs[-1] - xs[0]


def test_a_pdf_has_the_same_shapes_and_a_table_of_where_its_parts_lie():
    shapes = drawing(POINTS)
    pdf = as_pdf(shapes)
    start = int(re.search(rb"startxref\n(\d+)", pdf)[1])
    assert pdf[start:].startswith(b"xref\n0 7\n")
    places = [int(at) for at in re.findall(rb"(\d{10}) 00000 n", pdf)]
    assert [pdf[at:].split(b" ", 1)[0] for at in places] == [b"%d" % n for n in range(1, 7)]
    length, content = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", pdf, re.S).groups()
    assert len(content) == int(length)
    dots = as_svg(shapes).count("<circle")
    assert len(re.findall(rb"^f$", content, re.M)) == dots
    assert rb"/S 14 Tf (b) Tj /H 14 Tf ( < ) Tj /S 14 Tf (g) Tj" in content  # β < γ


def test_a_figure_is_written_as_its_suffix_says_and_of_nothing_too(rows, tmp_path):
    write_figure(tmp_path / "a.svg", rows)
    assert "with" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    write_figure(tmp_path / "a.PDF", rows, "ause")
    assert (tmp_path / "a.PDF").read_bytes().startswith(b"%PDF-")
    with pytest.raises(ExportError, match=r"a\.png: name a figure that ends in \.svg or \.pdf"):
        write_figure(tmp_path / "a.png", rows)
