"""Icons are drawn in the colour of the text, on every screen, and each file is read once."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from smarthdr_studio.core.environment import resource
from smarthdr_studio.studio.theme import DARK, LIGHT
from smarthdr_studio.studio.widgets import icons
from smarthdr_studio.studio.widgets.icons import Icon, IconButton, grid_icon, icon

TINTED = sorted(
    path.stem
    for path in resource("icons").glob("*.svg")
    if "currentColor" in path.read_text(encoding="utf-8")
)


def drawn(picture, colour, *, dense=1):
    """The pixels of an icon, rows × columns × (blue, green, red, alpha)."""
    image = QImage(16 * dense, 16 * dense, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(dense)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    picture.paint(painter, QPointF(0, 0), colour=QColor(colour))
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).copy()
    return pixels.reshape(16 * dense, 16 * dense, 4)


@pytest.mark.parametrize("name", TINTED)
@pytest.mark.parametrize("dense", [1, 2])
def test_every_icon_is_drawn_in_the_colour_of_the_text_and_nothing_else(qapp, name, dense):
    coverage = {}
    for palette in (DARK, LIGHT):
        pixels = drawn(icon(name), palette.text, dense=dense)
        ink = pixels[pixels[..., 3] == 255][:, 2::-1]
        assert (abs(ink - np.array(QColor(palette.text).getRgb()[:3])) <= 2).all()
        coverage[palette.name] = pixels[..., 3]
    assert coverage["dark"].any()
    assert (coverage["dark"] == coverage["light"]).all()


def test_an_icon_on_a_finer_screen_is_the_same_shape_drawn_finer(qapp):
    for name in TINTED:
        coarse = drawn(icon(name), "#ffffff")[..., 3].astype(float)
        fine = drawn(icon(name), "#ffffff", dense=2)[..., 3].astype(float)
        halved = fine.reshape(16, 2, 16, 2).mean((1, 3))
        assert abs(coarse - halved).max() < 64, name
        assert abs(coarse - halved).mean() < 6, name


def test_the_grid_in_use_is_drawn_filled(qapp):
    plain, filled = (drawn(grid_icon(2, 4, filled=f), "#ffffff")[..., 3] for f in (False, True))
    assert filled.sum() > plain.sum()
    third, fourth = (drawn(grid_icon(2, n), "#ffffff")[..., 3] for n in (3, 4))
    assert (third[:7] == fourth[:7]).all()
    assert not third[9:, 9:].any()  # the last row is as full as it is


def test_a_drawing_is_read_once_for_each_colour(qapp):
    icons._renderer.cache_clear()
    for _ in range(5):
        drawn(icon("hand"), "#ffffff")
        drawn(icon("hand"), "#000000")
    assert icons._renderer.cache_info().misses == 2


def test_a_disabled_button_has_a_faint_icon_and_a_menu_a_sharp_one(qtbot):
    button = IconButton(icon("halt"), name="Stop", tip="Hold this round")
    qtbot.addWidget(button)
    assert (button.accessibleName(), button.toolTip()) == ("Stop", "Hold this round")
    middle = 30 // 2, button.sizeHint().height() // 2
    button.resize(button.sizeHint())
    bold = button.grab().toImage().pixelColor(*middle)
    button.setEnabled(False)
    assert button.grab().toImage().pixelColor(*middle) != bold
    menu = icon("halt").for_menu(button)
    assert menu.availableSizes()[0].width() == round(16 * QWidget.devicePixelRatioF(button))


def test_what_is_not_there_is_said_at_once(qapp):
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")
    assert icon("hand") is icon("hand")
    assert isinstance(icon("hand"), Icon)


@pytest.mark.parametrize("name", ["close-light", "close-dark", "apart-light", "apart-dark"])
def test_what_closes_and_floats_a_panel_fills_its_place(qapp, name):
    picture = QImage(16, 16, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(str(resource("icons", f"{name}.svg"))).render(painter)
    painter.end()
    drawn = [(x, y) for x in range(16) for y in range(16) if picture.pixelColor(x, y).alpha() > 60]
    for axis in (0, 1):
        along = [place[axis] for place in drawn]
        assert max(along) - min(along) >= 11
