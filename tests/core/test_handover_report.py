"""The review report: one page that shows what the screen shows, whatever is damaged."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from made_handover import a_project, painting

from smarthdr_studio.core.display import DisplaySettings, Layer, Material, Painter
from smarthdr_studio.core.errors import ExportError, ProjectError
from smarthdr_studio.core.reporting.report import write_report
from smarthdr_studio.core.reporting.report_scenes import pictures_of
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label

VOID = {"meta", "img", "polyline"}


class Page(HTMLParser):
    """Reads a page, and fails where an element is not closed or something lies outside it."""

    def __init__(self, path):
        super().__init__()
        self.open, self.ids, self.links, self.sources, self.words = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        assert tag not in ("script", "link", "iframe")
        assert not [name for name in known if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known["href"]] if "href" in known else []
        self.sources += [known["src"]] if "src" in known else []

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def reviewed(tmp_path):
    with a_project(tmp_path) as (project, decisions):
        decisions.paint("003", painting)
        decisions.promote(["002", "003"], note="hardly any <ghosts> & clean")
        decisions.exclude(["005"])
        decisions.undo()
        decisions.annotate(["004"], note="<script>alert(1)</script>", add=["night&day"])
        yield project


def test_the_page_shows_every_scene_once_and_needs_nothing_else(reviewed, tmp_path):
    told = []
    shown = write_report(reviewed, tmp_path / "r.html", tell=lambda *each: told.append(each))
    page = Page(tmp_path / "r.html")
    assert (shown.scenes, shown.problems) == (6, ())
    assert sorted(page.ids) == [f"scene-{scene.id}" for scene in reviewed.scenes]
    assert sorted(page.links) == [f"#{name}" for name in sorted(page.ids)]
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    # 001 and the test scene show their truth and frames, 005 its merge and frames.
    assert len(page.sources) == 6 * 4
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert set(re.findall(r"url\((.{10})", text)) == {"data:image"}
    assert "http:" not in text
    assert "https:" not in text
    (allowed,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert allowed.split("; ")[:2] == ["default-src 'none'", "img-src data:"]
    assert "script" not in allowed
    isolated = re.search(r"([^{}]*)\{\s*unicode-bidi: isolate", text)[1]
    assert {"h3", "td", "blockquote", ".tag"} <= {each.strip() for each in isolated.split(",")}
    assert told[-1][1:] == (6, 6)


def test_what_people_wrote_is_text_and_never_markup(reviewed, tmp_path):
    write_report(reviewed, tmp_path / "r.html")
    text = Page(tmp_path / "r.html").text
    assert "<script>alert(1)</script>" in text
    assert "hardly any <ghosts> & clean" in text
    assert "night&day" in text


def test_decisions_are_told_with_who_and_how(reviewed, tmp_path):
    write_report(reviewed, tmp_path / "r.html", scenes=["002", "005"])
    page = Page(tmp_path / "r.html")
    assert page.ids == ["scene-002", "scene-005"]
    assert "promoted as version 1 (promote 2 scenes) τ_pa 1, τ_pi 0.3 · run 20261122" in page.text
    assert "undo: exclude 005, so unlabelled" in page.text
    assert "exclude, so excluded undone" in page.text
    assert reviewed.entries()[0].who in page.text
    assert "2 of 6 scenes" in page.text


def test_figures_are_those_of_the_files(reviewed, tmp_path):
    write_report(reviewed, tmp_path / "r.html", scenes=["004"])
    sigma = read_pseudo_label(reviewed.pseudo_path("004")).sigma
    text = Page(tmp_path / "r.html").text
    assert f"mean σ {sigma.mean():.4f}" in text
    write_report(reviewed, tmp_path / "r.html", scenes=["003"])
    text = Page(tmp_path / "r.html").text
    assert "PSNR-μ, trusted" in text
    assert f"painted {100 * 128 / (48 * 64):.1f} %" in text


def test_pictures_are_what_the_painter_paints():
    hdr = np.linspace(0, 1, 40 * 60 * 3).reshape(40, 60, 3).astype(np.float16)
    material = Material(hdr=hdr, sigma=hdr[..., 0].astype(np.float32))
    settings = DisplaySettings(exposure_ev=1.0)
    first, second = pictures_of(Painter(), material, settings)  # no trust, so no masks
    painted = Painter().paint(Layer.PSEUDO_LABEL, material, settings)
    assert (first.title, first.detail) == (painted.title, painted.detail)
    raw = base64.b64decode(first.uri.partition(",")[2])
    picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(picture.astype(int) - painted.rgb8).mean() < 4
    assert second.bar[0] < second.bar[-1]  # from dark to light
    assert second.low < second.high


def test_large_pictures_are_made_small():
    hdr = np.full((500, 1000, 3), 0.5, np.float16)
    (picture, *_) = pictures_of(Painter(), Material(hdr=hdr), DisplaySettings())
    assert (picture.width, picture.height) == (480, 240)


def test_damaged_files_leave_a_sentence_and_the_rest_of_the_page(reviewed, tmp_path):
    reviewed.label_path("002").write_bytes(b"spoilt")
    reviewed.pseudo_path("004").write_bytes(b"spoilt")
    reviewed.scene("005").frames[0].unlink()
    reviewed.scene("001").ground_truth.write_bytes(b"spoilt")
    assert write_report(reviewed, tmp_path / "r.html").scenes == 6
    page = Page(tmp_path / "r.html")
    for path in (
        reviewed.label_path("002"),
        reviewed.pseudo_path("004"),
        reviewed.scene("005").frames[0],
        reviewed.scene("001").ground_truth,
    ):
        assert str(path) in page.text
    assert len(page.ids) == 6


def test_stopping_leaves_nothing(reviewed, tmp_path):
    def stop(text, _done, _total):
        if text.startswith("drawing 003"):
            raise KeyboardInterrupt

    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(KeyboardInterrupt):
        write_report(reviewed, tmp_path / "r.html", tell=stop)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("place", ["r.pdf", "folder.html", "brackets/r.html"])
def test_the_file_must_be_a_page_outside_the_dataset(reviewed, tmp_path, place):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ExportError, match=place.rpartition("/")[2]):
        write_report(reviewed, tmp_path / place)
    assert not (tmp_path / "brackets" / "r.html").exists()


def test_an_unknown_scene_is_told(reviewed, tmp_path):
    with pytest.raises(ProjectError, match="099"):
        write_report(reviewed, tmp_path / "r.html", scenes=["001", "099"])


def test_a_project_without_pseudo_labels_has_its_page(tmp_path):
    with a_project(tmp_path) as (project, _):
        for name in ("002", "003", "004"):
            project.pseudo_path(name).unlink()
            project.statistics_path(name).unlink()
        write_report(project, tmp_path / "r.html")
    assert "pool retained –" in Page(tmp_path / "r.html").text


def test_pictures_that_are_others_or_lost_are_told_at_their_scenes(reviewed, tmp_path):
    swapped, other = (reviewed.scene(name).frames[0] for name in ("002", "004"))
    swapped.write_bytes(other.read_bytes())
    reviewed.scene("003").frames[1].unlink()
    written = write_report(reviewed, tmp_path / "r.html")
    changed, lost = written.problems
    assert "the pictures of 002 are not those the project knows (Training/002/photo_1" in changed
    assert "003 lacks Training/003/photo_2" in lost
    page = Page(tmp_path / "r.html").text
    for sentence in (changed, lost):
        assert page.count(sentence) == 1
