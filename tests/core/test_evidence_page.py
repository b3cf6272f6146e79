"""The guide's page on evidence and the README's figure say what the kept runs say, and no more."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

import evidence  # noqa: E402


def test_tables_and_figure_are_those_of_the_kept_runs():
    words = evidence.PAGE.read_text(encoding="utf-8")
    assert evidence.page(words) == words
    assert evidence.figure() == evidence.FIGURE.read_text(encoding="utf-8")
