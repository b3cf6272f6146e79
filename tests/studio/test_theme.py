"""Both looks can be read, and neither tints the pictures."""

import re

import pytest
from PySide6.QtCore import QEvent, QRect, QRectF
from PySide6.QtGui import QColor, QFontInfo, QImage, QPainter
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.curation.scene_listing import paint_bar, paint_chip, status_colour
from smarthdr_studio.studio.theme import (
    CONTRAST,
    DARK,
    LIGHT,
    SELECTED,
    SMALLEST_TEXT_PT,
    contrast,
    dress,
    on_selection,
    palette_for,
    style_sheet,
)

ALL = pytest.mark.parametrize("palette", [DARK, LIGHT, CONTRAST], ids=lambda each: each.name)
BOTH = pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)


@ALL
@pytest.mark.parametrize("ground", ["window", "panel", "raised"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "warn", "bad"])
def test_every_ink_can_be_read_on_every_ground(palette, ground, ink):
    assert contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("palette", [DARK, LIGHT, CONTRAST], ids=lambda palette: palette.name)
def test_what_is_switched_on_can_be_read_and_is_told_apart(palette):
    assert contrast(palette.text, palette.pressed) >= 4.5
    assert palette.pressed not in (palette.raised, palette.panel, palette.window)
    assert f"QPushButton:checked {{ background: {palette.pressed}; }}" in style_sheet(palette)


@ALL
@pytest.mark.parametrize("ground", ["window", "panel", "raised"])
@pytest.mark.parametrize("ink", ["text", "muted", "good", "warn", "bad"])
def test_words_of_a_selected_line_can_be_read(palette, ground, ink):
    selected = _over(palette.accent, getattr(palette, ground), opacity=SELECTED)
    assert contrast(getattr(on_selection(palette), ink), selected) >= 4.5
    assert on_selection(palette, selected=False) == palette


@ALL
@pytest.mark.parametrize("status", list(Status))
def test_words_of_a_status_can_be_read_in_their_chip(palette, status, qapp):
    """What is painted is as good as the ink of the words on the ground inside of the outline."""
    image = QImage(200, 40, QImage.Format.Format_RGB32)
    image.fill(QColor(palette.raised))
    painter = QPainter(image)
    colour = status_colour(status, palette)
    paint_chip(painter, QRectF(4, 4, 180, 30), status, colour, ink=palette.text)
    painter.end()
    ground = image.pixelColor(14, 10).name()
    assert ground != palette.raised
    inks = {image.pixelColor(x, y).name() for x in range(16, 100) for y in range(8, 30)}
    assert max(contrast(ink, ground) for ink in inks) >= 4.5


def _over(colour, ground, *, opacity):
    """What a colour of this opacity makes of a ground."""
    top, below = QColor(colour), QColor(ground)
    parts = zip(top.getRgb()[:3], below.getRgb()[:3], strict=True)
    return QColor(*(round(opacity * a + (1 - opacity) * b) for a, b in parts)).name()


@ALL
def test_words_on_the_accent_can_be_read(palette):
    assert contrast(palette.on_accent, palette.accent) >= 4.5


@BOTH
@pytest.mark.parametrize("grey", ["window", "panel", "raised", "border", "canvas"])
def test_what_surrounds_pictures_is_neutral_grey(palette, grey):
    colour = getattr(palette, grey)
    assert colour[1:3] == colour[3:5] == colour[5:7]


@BOTH
def test_no_text_is_smaller_than_eleven_points(palette, qapp):
    dress(qapp, palette)
    assert QFontInfo(qapp.font()).pointSizeF() >= SMALLEST_TEXT_PT - 0.5
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)pt", style_sheet(palette))]
    assert all(size >= SMALLEST_TEXT_PT for size in sizes)


def test_contrast_runs_from_1_to_21():
    assert contrast("#777777", "#777777") == 1
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_a_wish_for_a_look_comes_before_the_system(qapp):
    assert palette_for("light") is LIGHT
    assert palette_for("dark") is DARK
    assert palette_for("system") in (DARK, LIGHT)


@ALL
def test_the_filled_part_of_a_bar_is_told_from_the_rest(palette, qapp):
    image = QImage(110, 12, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    for share, where in ((None, 50), (0.5, 20)):
        image.fill(QColor(palette.raised))
        paint_bar(painter, QRectF(4, 4, 100, 4), share, palette)
        if share is None:
            rest = image.pixelColor(where, 6).name()
    painter.end()
    assert contrast(image.pixelColor(20, 6).name(), rest) >= 3


@pytest.fixture
def dressed(qapp):
    """Dresses the application, and puts it right at the end."""
    yield lambda palette: dress(qapp, palette)
    dress(qapp, DARK)


def _best_contrast(image):
    """Of any pixel with what most of the picture is."""
    colours = [
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    ]
    ground = max(set(colours), key=colours.count)
    return max(contrast(each, ground) for each in set(colours))


@ALL
def test_a_choice_that_is_not_taken_can_be_seen_as_one(palette, dressed, qtbot):
    dressed(palette)
    whole = QWidget()
    qtbot.addWidget(whole)
    column = QVBoxLayout(whole)
    taken, other = QRadioButton(""), QRadioButton("")
    for each in (taken, other):
        column.addWidget(each)
    taken.setChecked(True)
    whole.show()
    marks = [each.grab(QRect(0, 0, 18, each.height())).toImage() for each in (taken, other)]
    assert all(_best_contrast(mark) >= 3 for mark in marks)
    assert marks[0] != marks[1]


@ALL
def test_what_a_field_asks_for_can_be_read_before_anything_is_typed(palette, dressed, qtbot):
    dressed(palette)
    line, text = QLineEdit(), QPlainTextEdit()
    for each in (line, text):
        qtbot.addWidget(each)
        each.setPlaceholderText("HHHHHHHH")
        each.resize(160, 40)
        each.show()
        words = each.grab(each.rect().adjusted(6, 6, -6, -6)).toImage()
        assert _best_contrast(words) >= 4.5


def test_what_says_yes_stands_at_the_right_in_every_box(dressed, qtbot):
    dressed(LIGHT)
    kinds = QDialogButtonBox.StandardButton
    box = QDialogButtonBox(kinds.Ok | kinds.Cancel)
    qtbot.addWidget(box)
    box.resize(400, 40)
    box.show()
    assert box.button(kinds.Cancel).x() < box.button(kinds.Ok).x()


@ALL
def test_which_line_of_a_list_is_chosen_can_be_seen(palette, dressed, qtbot):
    dressed(palette)
    lines = QListWidget()
    qtbot.addWidget(lines)
    lines.addItems(["", ""])
    lines.setCurrentRow(0)
    lines.resize(160, 90)
    lines.show()
    boxes = [lines.visualItemRect(lines.item(row)) for row in (0, 1)]
    chosen, other = (lines.viewport().grab(box).toImage() for box in boxes)
    assert _best_contrast(chosen) >= 3
    assert _best_contrast(other) < 1.1


class _Polished(QWidget):
    """Counts how often its style is worked out."""

    times = 0

    def changeEvent(self, event):
        self.times += event.type() is QEvent.Type.StyleChange
        super().changeEvent(event)


def test_who_is_dressed_as_is_wished_is_not_dressed_again(qapp, qtbot):
    part = _Polished()
    qtbot.addWidget(part)
    dress(qapp, LIGHT)
    dress(qapp, DARK)
    before = part.times
    assert before > 0
    dress(qapp, DARK)
    assert part.times == before
