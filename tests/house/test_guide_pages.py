"""The guide as pages: built without a network, whole, and of nothing from elsewhere."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        None in (find_spec("material"), find_spec("mkdocstrings")),
        reason="needs the dependency group guide",
    ),
]

ALONE = """
import runpy, sys
def refuse(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise RuntimeError("something of a network was asked for: " + event)
sys.addaudithook(refuse)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Page(HTMLParser):
    """What a page refers to, and the places in it that can be referred to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.places = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.places.add(told.get("id"))
        if tag == "a" and "href" in told:
            self.links.add(told["href"])
        elif tag == "link" and told.get("rel") != "canonical":
            self.loads.add(told["href"])
        if told.get("src"):
            self.loads.add(told["src"])


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Every page that was built, by its path."""
    out = tmp_path_factory.mktemp("guide")
    script = ROOT / "packaging" / "guide.py"
    built = subprocess.run(
        [sys.executable, "-c", ALONE, str(script), str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return {path: Page(path.read_text("utf-8")) for path in out.rglob("*.html")}


def test_every_link_and_picture_leads_to_what_is_there(pages):
    lost = []
    for path, page in pages.items():
        for link in page.links | page.loads:
            told = urlsplit(link)
            target = (path.parent / unquote(told.path)).resolve() if told.path else path
            place = unquote(told.fragment)
            if not target.is_file() or (
                place and target in pages and not is_in(pages, target, place)
            ):
                lost.append(f"{path.name}: {link}")
    assert lost == []


def is_in(pages, target, place):
    return place in pages[target].places


def test_nothing_refers_to_a_foreign_host(pages):
    foreign = {
        (path.name, each)
        for path, page in pages.items()
        for each in page.links | page.loads
        if urlsplit(each).scheme or urlsplit(each).netloc
    }
    assert foreign == set()
    for path in pages:
        text = path.read_text("utf-8")
        assert "default-src 'self' file: data: blob: 'unsafe-inline'" in text
        assert not re.search(r"unpkg|googleapis|cdnjs|jsdelivr", text)
    root = min(pages, key=lambda path: len(path.parts)).parent
    styles = [path.read_text("utf-8") for path in root.rglob("*.css")]
    assert styles
    assert not [each for each in styles if re.search(r"url\(['\"]?(https?:)?//", each)]


def test_the_guide_the_walks_the_decisions_and_every_module_have_a_page(pages):
    root = min(pages, key=lambda path: len(path.parts)).parent
    there = {path.relative_to(root).with_suffix("").as_posix() for path in pages}
    guide = {f"guide/{path.stem}" for path in (ROOT / "resources" / "guide").glob("*.md")}
    package = ROOT / "smarthdr_studio"
    decisions = {f"decisions/{path.stem}" for path in (package / "decisions").glob("*.md")}
    modules = {
        f"api/{path.relative_to(package).with_suffix('').as_posix()}".replace("__init__", "index")
        for room in ("core", "learning")
        for path in (package / room).rglob("*.py")
    }
    assert guide | decisions | modules <= there
    house = (package / "ARCHITECTURE.md").read_text("utf-8")
    walks = re.findall(r"^\*\*(.+?)\.\*\*", house, flags=re.MULTILINE)
    assert len(walks) == 4
    text = (root / "house" / "walks.html").read_text("utf-8")
    assert all(re.search(rf"<h2[^>]*>{walk}", text) for walk in walks)


def test_a_page_by_name_says_what_the_docstring_says(pages):
    root = min(pages, key=lambda path: len(path.parts)).parent
    text = (root / "api" / "core" / "trust" / "masking.html").read_text("utf-8")
    assert "The one definition of trust" in text
    assert "tau_patch" in text  # what a dataclass holds


def test_the_search_knows_the_words_of_all_pages(pages):
    root = min(pages, key=lambda path: len(path.parts)).parent
    index = (root / "search" / "search_index.js").read_text("utf-8")  # read from a file, too
    for page in ("guide/4-training.html", "house/walks.html", "api/learning/losses.html"):
        assert page in index
    entries = json.loads(index[index.index("{") : index.rindex("}") + 1])["docs"]
    modules = [each for each in entries if each["location"].startswith("api/")]
    assert modules
    assert all(each["boost"] < 1 for each in modules)
    assert not [each for each in entries if "boost" in each and each not in modules]
