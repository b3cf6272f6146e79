"""Figures: one view's pixels, and all views on a white page."""

import base64
import re
import zlib
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.display import KeyEntry, Legend, Painted
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.studio.viewer.figure_export import Panel, Sheet, save_sheet
from smarthdr_studio.studio.viewer.view_grid import ViewGrid

SIZE = (320, 200)
RNG = np.random.default_rng(8)


def noise(*, width=SIZE[0], height=SIZE[1]):
    # No pixel is white, so that a picture can be found on the page.
    return RNG.integers(0, 240, (height, width, 3)).astype(np.uint8)


BAR = Legend(bar=np.full((128, 10, 3), 77, np.uint8), low="0.004", high="≥ 0.31")
KEY = tuple(
    KeyEntry(colour=(200, 40, 10 * number), words=f"kind {number} of area") for number in range(5)
)
PICTURES = (
    Painted(rgb8=noise(), title="Pseudo-label", detail="round 42 · μ-law"),
    Painted(rgb8=noise(), title="Uncertainty σ", detail="0.004 … 0.4", legend=BAR),
    Painted(rgb8=noise(), title="Reasons", detail="many", key=KEY, warning="3 NaN"),
    Painted(rgb8=None, title="Ground truth", why_empty="This scene has no ground truth"),
)


@pytest.fixture
def grid(qtbot):
    grid = ViewGrid()
    qtbot.addWidget(grid)
    grid.resize(900, 700)
    grid.set_scene_size(*SIZE)
    for index, painted in enumerate(PICTURES):
        grid.show_painted(index, painted)
    grid.show()
    qtbot.waitExposed(grid)
    QApplication.processEvents()
    return grid


def pixels_of(image):
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    # A copy, because the memory goes with the image.
    return rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()


def places_of(picture, page):
    """Every (x, y) at which the page holds exactly this picture."""
    rows = (page.astype(np.int64) * [1, 256, 65536]).sum(2)
    wanted = (picture.astype(np.int64) * [1, 256, 65536]).sum(2)
    found = []
    for y, x in np.argwhere(rows == wanted[0, 0]):
        part = rows[y : y + wanted.shape[0], x : x + wanted.shape[1]]
        if part.shape == wanted.shape and np.array_equal(part, wanted):
            found.append((int(x), int(y)))
    return found


def test_a_figure_is_exactly_the_painted_pixels(grid):
    for index, painted in enumerate(PICTURES[:3]):
        assert np.array_equal(pixels_of(grid.figure(index)), painted.rgb8)
    assert grid.figure(3).isNull()


def test_a_figure_of_what_is_visible_is_the_pixels_in_sight(grid):
    for _ in range(6):
        grid.zoom_in()
    left, top, right, bottom = grid.visible(1)
    assert 0 < left < right < SIZE[0]
    shown = pixels_of(grid.figure(1, visible_only=True))
    assert np.array_equal(shown, PICTURES[1].rgb8[top:bottom, left:right])


def test_a_figure_of_a_wipe_is_divided_where_the_screen_is(grid):
    grid.show_partner(0, PICTURES[1])
    grid.view(0).picture.set_line(100.2)
    shown = pixels_of(grid.figure(0))
    # The middle of pixel 99 is left of the line, that of pixel 100 is right of it.
    assert np.array_equal(shown[:, :100], PICTURES[0].rgb8[:, :100])
    assert np.array_equal(shown[:, 100:], PICTURES[1].rgb8[:, 100:])


def test_a_flicker_is_no_part_of_a_figure(grid):
    grid.show_partner(0, PICTURES[1], mode="flicker")
    assert np.array_equal(pixels_of(grid.figure(0)), PICTURES[0].rgb8)


def test_the_sheet_holds_every_picture_pixel_for_pixel_side_by_side(grid):
    page = pixels_of(grid.sheet().image())
    places = [places_of(painted.rgb8, page) for painted in PICTURES[:3]]
    assert [len(found) for found in places] == [1, 1, 1]
    (first,), (second,), (third,) = places
    assert first[1] == second[1] < third[1]
    assert first[0] == third[0] < second[0]


def test_words_bars_and_keys_lie_beside_the_pictures_on_white(grid):
    page = pixels_of(grid.sheet().image())
    assert np.array_equal(page[0, 0], (255, 255, 255))
    (x, y) = places_of(PICTURES[1].rgb8, page)[0]
    beside = page[y : y + SIZE[1], x + SIZE[0] :]
    assert (beside == 77).all(2).sum() >= SIZE[1] * 10  # the whole bar
    (x, y) = places_of(PICTURES[2].rgb8, page)[0]
    below = page[y + SIZE[1] :]
    assert all((below == entry.colour).all(2).any() for entry in KEY)
    above = page[y - 40 : y, x : x + SIZE[0]]
    assert above.min() < 60  # its title
    # A frame of white lies around each picture but for its line of the page.
    assert (page[y - 1, x : x + SIZE[0]] == 255).all()
    assert (page[y : y + SIZE[1], x - 1] == 255).all()


def test_only_the_views_on_the_screen_are_on_the_sheet(grid):
    grid.set_grid(columns=1, count=1)
    page = pixels_of(grid.sheet().image())
    assert len(places_of(PICTURES[0].rgb8, page)) == 1
    assert places_of(PICTURES[1].rgb8, page) == []
    grid.set_grid(columns=2, count=4)
    grid.toggle_maximised(1)
    page = pixels_of(grid.sheet().image())
    assert len(places_of(PICTURES[1].rgb8, page)) == 1
    assert places_of(PICTURES[0].rgb8, page) == []


def test_a_sheet_of_what_is_visible_enlarges_few_pixels_by_a_whole_number(grid):
    grid.set_pixel((160, 100))
    for _ in range(9):
        grid.zoom_in()
    left, top, right, bottom = grid.visible(0)
    part = PICTURES[0].rgb8[top:bottom, left:right]
    times = -(-280 // part.shape[1])
    assert times > 1
    page = pixels_of(grid.sheet(visible_only=True).image())
    assert len(places_of(part.repeat(times, 0).repeat(times, 1), page)) == 1


def test_pictures_too_wide_for_a_page_are_all_scaled_down_alike(qapp):
    wide = noise(width=4000, height=600)
    panels = [Panel(heading=f"({letter})", detail="", rgb8=wide) for letter in "ab"]
    image = Sheet(panels=tuple(panels), columns=2).image()
    assert image.width() < 3400
    expected = cv2.resize(wide, (1600, 240), interpolation=cv2.INTER_AREA)
    assert len(places_of(expected, pixels_of(image))) == 2


def test_a_wipe_on_the_sheet_has_both_halves_a_line_and_both_names(grid):
    grid.set_grid(columns=1, count=1)
    grid.show_partner(0, PICTURES[1])
    grid.view(0).picture.set_line(100.0)
    page = pixels_of(grid.sheet().image())
    assert len(places_of(PICTURES[0].rgb8[:, :99], page)) == 1
    (x, y) = places_of(PICTURES[1].rgb8[:, 101:], page)[0]
    line = page[y : y + SIZE[1], x - 2 : x]
    assert (line[:, 0] == 0).all()
    assert (line[:, 1] == 255).all()
    panel = Panel.of(grid.view(0).picture.exhibit, letter="a")
    assert panel.heading == "(a) Pseudo-label | Uncertainty σ"
    assert panel.legends == (("right", BAR),)


def test_panels_are_lettered_and_say_what_is_wrong_or_missing(grid):
    panels = [
        Panel.of(grid.view(index).picture.exhibit, letter=letter)
        for index, letter in enumerate("abcd")
    ]
    assert [panel.heading[:4] for panel in panels] == ["(a) ", "(b) ", "(c) ", "(d) "]
    assert panels[2].detail == "many · warning: 3 NaN"
    assert panels[3].why_empty == "This scene has no ground truth"


def test_a_sheet_without_any_picture_is_still_a_page(qapp):
    empty = Panel(heading="(a) Ground truth", detail="", rgb8=None, why_empty="There is none")
    image = Sheet(panels=(empty,), columns=1).image()
    assert image.width() > 300
    assert image.pixelColor(0, 0) == QColor("white")


def test_long_words_wrap_and_move_everything_below_down(qapp):
    rgb8 = noise()
    short = Panel(heading="(a) Short", detail="few", rgb8=rgb8)
    long = Panel(heading="(b) Long " * 9, detail="many words " * 40, rgb8=rgb8, key=KEY)
    lone, both = (
        Sheet(panels=tuple(panels), columns=2).image() for panels in ([short, short], [short, long])
    )
    assert both.height() > lone.height() + 60
    places = places_of(rgb8, pixels_of(both))
    assert len(places) == 2
    assert places[0][1] == places[1][1]


SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def pictures_in_svg(svg):
    for image in ET.fromstring(svg).iter(f"{SVG}image"):
        kind, held = image.get(LINK).split(",")
        assert kind == "data:image/png;base64"
        yield pixels_of(QImage.fromData(base64.b64decode(held)))


def pictures_in_pdf(pdf):
    """Every picture of a document whose pixels were only packed, H×W×3."""
    found = rb"<<(?:[^<>]|<<[^<>]*>>)*/Subtype /Image(?:[^<>]|<<[^<>]*>>)*>>\s*stream\r?\n"
    for head in re.finditer(found, pdf):
        width, height = (
            int(re.search(rb"/%s (\d+)" % name, head[0])[1]) for name in (b"Width", b"Height")
        )
        assert b"/FlateDecode" in head[0]
        pixels = zlib.decompressobj().decompress(pdf[head.end() :])
        yield np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def test_in_a_drawing_each_view_is_its_very_png_and_everything_else_is_words_and_areas(
    grid, tmp_path
):
    svg = save_sheet(sheet=grid.sheet(), path=tmp_path / "views.svg").read_bytes()
    pictures = list(pictures_in_svg(svg))
    assert len(pictures) == 3  # no bar, no key
    for index, picture in enumerate(pictures):
        assert np.array_equal(picture, pixels_of(grid.figure(index)))
    # Letters that another font has stand apart.
    words = "".join("".join(each.itertext()) for each in ET.fromstring(svg).iter(f"{SVG}text"))
    told = [painted.title for painted in PICTURES] + [entry.words for entry in KEY]
    for each in (*told, BAR.low, BAR.high, "This scene has no ground truth"):
        assert "".join(each.split()) in "".join(words.split())
    gradient = next(ET.fromstring(svg).iter(f"{SVG}linearGradient"))
    assert {stop.get("stop-color") for stop in gradient} == {"#4d4d4d"}


def test_in_a_document_each_view_is_its_very_png_and_words_are_letters(grid, tmp_path):
    pdf = save_sheet(sheet=grid.sheet(), path=tmp_path / "views.PDF").read_bytes()
    assert pdf.startswith(b"%PDF-")
    pictures = list(pictures_in_pdf(pdf))
    assert len(pictures) == 3
    for index, picture in enumerate(pictures):
        assert np.array_equal(picture, pixels_of(grid.figure(index)))
    assert b"/FontFile2" in pdf or b"/FontFile3" in pdf
    assert b"/ToUnicode" in pdf  # so that they can be searched and copied


def test_a_drawing_is_as_large_as_the_page_and_shows_pixels_as_pixels(grid):
    sheet = grid.sheet()
    root = ET.fromstring(sheet.svg())
    page = sheet.image()
    assert root.get("viewBox") == f"0 0 {page.width()} {page.height()}"
    assert all("pixelated" in image.get("style") for image in root.iter(f"{SVG}image"))
    box = re.search(rb"/MediaBox \[([^]]*)\]", sheet.pdf())[1].split()
    assert [round(float(side)) for side in box[2:]] == [page.width(), page.height()]


def test_large_pictures_are_only_shown_smaller_in_a_drawing():
    wide = noise(width=2400, height=40)
    panels = [Panel(heading=f"({n})", detail="", rgb8=wide) for n in "ab"]
    sheet = Sheet(panels=tuple(panels), columns=2)
    assert sheet.image().width() < 3500
    for picture in pictures_in_svg(sheet.svg()):
        assert np.array_equal(picture, wide)
    assert b"pixelated" not in sheet.svg()


def test_a_drawing_looks_like_the_page(grid):
    page = pixels_of(grid.sheet().image())
    drawn = QImage(page.shape[1], page.shape[0], QImage.Format.Format_RGB888)
    drawn.fill(QColor("white"))
    painter = QPainter(drawn)
    QSvgRenderer(QByteArray(grid.sheet().svg())).render(painter)
    painter.end()
    away = np.abs(pixels_of(drawn).astype(int) - page).max(2)
    assert (away > 40).mean() < 0.01


def test_a_sheet_with_another_ending_is_refused_in_one_sentence(grid, tmp_path):
    with pytest.raises(ExportError, match=r"views\.tiff: .* name it views\.png"):
        save_sheet(sheet=grid.sheet(), path=tmp_path / "views.tiff")
    assert list(tmp_path.iterdir()) == []
