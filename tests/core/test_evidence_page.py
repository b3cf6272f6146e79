"""The guide's page on evidence and the README's figure say what the kept runs say, and no more."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

import evidence  # noqa: E402


def test_tables_and_figure_are_those_of_the_kept_runs():
    words = evidence.PAGE.read_text(encoding="utf-8")
    assert evidence.page(words) == words
    assert evidence.figure() == evidence.FIGURE.read_text(encoding="utf-8")


def test_the_figure_marks_every_seed_and_joins_the_means():
    points = {"one": [evidence.Point(1, (30.0, 31.0)), evidence.Point(5, (33.0,))]}
    root = ET.fromstring(evidence.drawn(points))
    of = {"svg": "http://www.w3.org/2000/svg"}
    line = root.find("svg:polyline", of).get("points").split()
    heights = [float(each.split(",")[1]) for each in line]
    marks = [float(each.get("cy")) for each in root.findall("svg:circle", of)][:3]
    assert heights[0] == pytest.approx((marks[0] + marks[1]) / 2, abs=0.1)
    assert heights[1] == pytest.approx(marks[2], abs=0.1)
    assert heights[0] > heights[1]  # better is higher
    labels = [each.text for each in root.findall("svg:text", of)]
    assert {"1", "5", "labels", "PSNR-μ, dB", "one"} <= set(labels)
