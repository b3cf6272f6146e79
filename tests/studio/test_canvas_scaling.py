"""The views on a screen that Qt scales to 200 %, in a process of its own; and how fast they pan."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.display import Painted, Viewport
from smarthdr_studio.studio.viewer.view_grid import ViewGrid


def test_everything_is_exact_on_a_screen_of_200_percent():
    scaled = os.environ | {"QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, __file__], env=scaled, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_picture_of_48_megapixels_pans_in_four_views(qtbot, capsys):
    width, height = 8000, 6000
    row = np.arange(width, dtype=np.uint8)[None, :, None]
    rgb8 = np.broadcast_to(row, (height, width, 3)).copy()
    grid = ViewGrid()
    qtbot.addWidget(grid)
    grid.resize(1000, 700)
    grid.set_scene_size(width, height)
    for index in range(4):
        grid.show_painted(index, Painted(rgb8=rgb8, title=f"Layer {index}"))
    grid.show()
    qtbot.waitExposed(grid)
    for scale in (0.35, 1.0, 3.0):
        grid.view(0).picture.lens_asked.emit(Viewport(x=4000, y=3000, scale=scale))
        QApplication.processEvents()
        start, frames = time.perf_counter(), 20
        for _ in range(frames):
            before = grid.lens
            grid.nudge(0.02, 0.01)
            QApplication.processEvents()
            assert grid.lens.x > before.x
        spent = (time.perf_counter() - start) / frames
        with capsys.disabled():
            print(f"\npan 8000×6000 in four views at {scale:g}: {1 / spent:.0f} frames a second")


def _screen(picture):
    """Rows×columns×3 of the screen's own pixels."""
    QApplication.processEvents()
    image = picture.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def _check_pixels_are_one_to_one(grid, own, partner):
    picture = grid.view(0).picture
    assert picture.devicePixelRatioF() == 2
    assert picture.device_size == (2 * picture.width(), 2 * picture.height())
    grid.one_to_one()
    left, top, right, bottom = grid.visible(0)
    grid.set_pixel(None)
    for view in range(4):
        grid.view(view).set_active(active=False)  # no minimap
    shown = _screen(picture)
    assert np.array_equal(shown, own[top:bottom, left:right][: shown.shape[0], : shown.shape[1]])
    # The line may stand on an odd pixel of the screen, which is half a pixel of Qt's.
    grid.show_partner(0, Painted(rgb8=partner, title="Partner"))
    for line in (left + 101.0, left + 102.0):
        picture.set_line(line)
        both, column = _screen(picture), round(line) - left
        assert np.array_equal(both[-40:, : column - 4], shown[-40:, : column - 4])
        beside = partner[top:bottom, left:right][: both.shape[0], : both.shape[1]]
        assert np.array_equal(both[-40:, column + 4 :], beside[-40:, column + 4 :])
    grid.show_partner(0, None)


def _check_the_mouse_points_at_the_right_pixel(grid):
    heard = []
    grid.hovered.connect(heard.append)
    picture = grid.view(0).picture
    # Half a pixel of Qt's is a whole one of the screen's.
    for place in (QPointF(37, 53), QPointF(37.5, 53.5)):
        none = Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(QEvent.Type.MouseMove, place, picture.mapToGlobal(place), *none)
        QApplication.sendEvent(picture, event)
        x, y = grid.lens.to_image((2 * place.x(), 2 * place.y()), view=picture.device_size)
        assert heard[-1] == (int(x), int(y))
    assert heard[1] == (heard[0][0] + 1, heard[0][1] + 1)


def _check_the_minimap_steers(grid):
    grid.set_active(0)
    picture = grid.view(0).picture
    box = picture.minimap
    place = box.center().toPoint()
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=place)
    wanted = (place.x() - box.left()) / box.width() * 900
    assert abs(grid.lens.x - wanted) < 1


def _main():
    application = QApplication([])
    rng = np.random.default_rng(5)
    own, partner = rng.integers(0, 256, (2, 700, 900, 3)).astype(np.uint8)
    grid = ViewGrid()
    grid.resize(560, 460)
    grid.set_scene_size(900, 700)
    for index in range(4):
        grid.show_painted(index, Painted(rgb8=own, title="Own"))
    grid.show()
    QApplication.processEvents()
    _check_pixels_are_one_to_one(grid, own, partner)
    _check_the_mouse_points_at_the_right_pixel(grid)
    _check_the_minimap_steers(grid)
    grid.close()
    application.quit()


if __name__ == "__main__":
    _main()
