"""The gallery: large pictures from the cache, as many to a line as there is room for."""

import os
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.curation import scene_model
from smarthdr_studio.studio.curation.scene_model import SceneModel
from smarthdr_studio.studio.project.scene_loader import make_thumbnails, trim_cache
from smarthdr_studio.studio.state import Centre


@pytest.fixture
def gallery(opened, qtbot):
    """The gallery in the middle of the window."""
    qtbot.keyClick(QApplication.focusWidget() or opened, Qt.Key.Key_F8)
    assert opened.session.state.centre is Centre.GALLERY
    view = opened.page.browsing.gallery
    qtbot.waitUntil(view.isVisible, timeout=20000)
    return view


def test_a_double_click_shows_the_pictures(opened, gallery, qtbot, until):
    place = gallery.visualRect(gallery.model().index(4, 0)).center()
    qtbot.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.session.state.centre is Centre.PICTURES
    until(opened.session, lambda s: s.shown == "005")


def test_what_only_a_gallery_needs_is_there_while_one_is_shown(opened, gallery, qtbot):
    bar = opened.page.browsing.bar
    opened.session.work_in("Curate")
    opened.resize(1440, 900)
    for _ in range(2):
        qtbot.waitUntil(lambda: bar._width.isVisible() is gallery.isVisible())
        qtbot.keyClick(QApplication.focusWidget() or opened, Qt.Key.Key_F8)
    opened.session.inspection.table.show(str(Centre.TABLE))
    qtbot.waitUntil(lambda: not gallery.isVisible() and not bar._width.isVisible())


def test_pictures_fill_the_lines_at_every_size(gallery, qtbot):
    for width in (120, 200, 320):
        gallery.set_width_of_pictures(width)
        qtbot.wait(20)
        first = gallery.visualRect(gallery.model().index(0, 0))
        many = gallery.viewport().width() // first.width()
        left = gallery.viewport().width() - many * first.width()
        assert 0 <= left <= many
        if many > 1:
            assert gallery.visualRect(gallery.model().index(1, 0)).y() == first.y()


def test_the_order_is_picked_over_the_gallery(opened, gallery, qtbot):
    bar = opened.page.browsing.bar
    bar._sort.setCurrentIndex(bar._sort.findData("sigma"))
    bar._sort.activated.emit(bar._sort.currentIndex())
    assert opened.session.state.table.sort == "sigma"
    assert not opened.session.state.table.descending
    qtbot.mouseClick(bar._reverse, Qt.MouseButton.LeftButton)
    assert opened.session.state.table.descending
    assert opened.page.shelf.model.row(0).id == "006"


def facts(count):
    return tuple(SceneFacts(id=f"{k:05}", status=Status.UNLABELLED) for k in range(count))


def test_only_what_is_painted_asks_for_a_thumbnail(qapp, gallery, opened):
    model = SceneModel(qapp)
    asked = []
    model.thumbnail_wanted.connect(asked.append)
    model.show_rows(facts(10_000))
    assert asked == []
    model.thumbnail("00007")
    model.thumbnail("00007")
    assert asked == ["00007"]


def test_only_lines_that_changed_are_painted_again(qapp):
    model, told = SceneModel(qapp), []
    rows = list(facts(50))
    model.show_rows(tuple(rows))
    model.dataChanged.connect(lambda first, last, _roles: told.append((first.row(), last.row())))
    for line in (2, 7, 8):
        rows[line] = replace(rows[line], retained=0.5)
    model.show_rows(tuple(rows))
    assert told == [(2, 2), (7, 8)]
    model.show_rows(tuple(replace(row, retained=0.6) for row in rows))
    assert told[2:] == [(0, 49)]
    model.show_rows(model.rows, {"00000": "first in the queue"})
    assert told[3:] == [(0, 49)]


def test_thumbnails_in_memory_are_bounded_by_bytes(qapp, monkeypatch):
    monkeypatch.setattr(scene_model, "_KEPT_BYTES", 400_000)
    model = SceneModel(qapp)
    model.show_rows(facts(50))
    picture = QImage(160, 100, QImage.Format.Format_RGB888)
    picture.fill(0)
    for row in model.rows:
        model.thumbnail(row.id)
        model.take_thumbnail(row.id, picture)
    held = [row.id for row in model.rows if row.id in model._thumbnails]
    assert held == [row.id for row in model.rows][-len(held) :]
    assert sum(each.nbytes for each in model._thumbnails.values()) == model._bytes <= 400_000


def test_the_cache_on_disk_lets_the_oldest_go(tmp_path):
    for age in range(10):
        path = tmp_path / f"{age}.jpg"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 - age, 1000 - age))
    assert trim_cache(cache=tmp_path, most=1000) == 1000
    assert trim_cache(cache=tmp_path, most=800) == 600
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["0", "1", "2", "3", "4", "5"]


def test_a_thumbnail_is_read_from_the_cache_the_second_time(tmp_path, dataset):
    frame = dataset / "Training" / "003" / "2.tif"
    cache = tmp_path / "thumbnails"
    first = make_thumbnails(lambda *_: None, frames={"003": frame}, cache=cache)["003"]
    (kept,) = cache.iterdir()
    written = kept.stat().st_mtime_ns
    again = make_thumbnails(lambda *_: None, frames={"003": frame}, cache=cache)["003"]
    assert again.size() == first.size()
    assert kept.stat().st_mtime_ns == written


def test_every_tile_is_seen_whole_in_a_low_room_too(opened, gallery, qtbot):
    for high in (420, 260, 120, 90):
        gallery.resize(900, high)
        gallery.fill_room()
        qtbot.wait(20)
        tile = gallery.visualRect(gallery.model().index(0, 0))
        assert tile.height() <= gallery.viewport().height()
        assert tile.width() <= gallery.viewport().width()
        beside = tile.width() > 1.6 * tile.height()
        assert beside is (high < 200)
