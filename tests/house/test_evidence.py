"""What the papers say of runs that were made is what their script makes of the kept results."""

import re
import runpy
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import get_args

import pytest

from smarthdr_studio.core.training.benchmark import Metric, load_benchmark, shipped_benchmarks
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.plan_schema import flat

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "resources" / "guide"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "packaging" / "evidence.py"))


def test_the_page_and_the_figure_are_those_of_the_kept_results(script):
    page = (GUIDE / "8-evidence.md").read_text("utf-8")
    assert script["page"](page) == page
    assert script["figure"]() == (GUIDE / "labels.svg").read_text("utf-8")


def test_the_readme_says_under_the_figure_what_the_figure_shows(script):
    readme = (ROOT / "README.md").read_text("utf-8")
    assert script["captioned"](readme) == readme
    assert script["caption"]() in readme


@pytest.mark.parametrize(("decibels", "told"), [(0.24, "0.2 dB above"), (-0.4, "0.4 dB short of")])
def test_what_ends_above_all_labels_is_not_told_as_short_of_them(script, decibels, told):
    assert script["_away"](decibels) == told


def test_the_page_on_benchmarks_names_every_one_that_ships():
    page = (GUIDE / "7-benchmark.md").read_text("utf-8")
    told = page.partition("## What ships")[2].partition("## ")[0]
    assert [name for name in shipped_benchmarks() if f"`{name}`" not in told] == []


@pytest.mark.parametrize("page", sorted(GUIDE.glob("*.md")), ids=lambda page: page.name)
def test_a_page_has_a_title_without_a_number_and_no_list_swallows_what_follows(page):
    text = page.read_text("utf-8")
    title = text.partition("\n")[0]
    assert title.startswith("# ")
    assert not title.removeprefix("# ")[0].isdigit()
    item, begins = re.compile(r"[-*] |\d+\. |  "), re.compile(r"\s|$|[-*] |\d+\. |[|#`]")
    swallowed = [
        after
        for before, after in pairwise(text.splitlines())
        if item.match(before) and not begins.match(after)
    ]
    assert swallowed == []


def test_the_plan_that_the_page_on_benchmarks_shows_is_one_with_a_search_and_every_metric(tmp_path):
    text = (GUIDE / "7-benchmark.md").read_text("utf-8")
    blocks = [dedent(each) for each in re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE)]
    plan, search = (
        next(each for each in blocks if begins in each) for begins in ("description =", "[search]")
    )
    (tmp_path / "shown.toml").write_text(f"{plan}\n{search}", encoding="utf-8")
    shown = load_benchmark(str(tmp_path / "shown.toml")).plan
    assert shown.search is not None
    assert shown.claim
    (told,) = re.findall(r"are the columns of its table: (.+?)\.\n", text, re.DOTALL)
    assert set(re.findall(r"[a-z_]+", told)) >= set(get_args(Metric))


def test_settings_that_the_papers_name_are_settings_of_a_plan():
    known = set(flat(load_preset("quick")))
    sections = {key.partition(".")[0] for key in known if "." in key}
    papers = [ROOT / "README.md", *(ROOT / "smarthdr_studio").rglob("*.md"), *GUIDE.glob("*.md")]
    told = {
        (paper.name, key)
        for paper in papers
        for key in re.findall(r"`([a-z_]+\.[a-z_]+)(?: ?=[^`]*)?`", paper.read_text("utf-8"))
        if key.partition(".")[0] in sections
    }
    assert len(told) > 10
    assert sorted(each for each in told if each[1] not in known) == []
