"""A note over the pictures stays low and readable, however much can be done about it."""

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from smarthdr_studio.studio.state import FilmState, HeatStrip, Notice, Offer, StudioState, Workspace
from smarthdr_studio.studio.state.training import FilmFrame
from smarthdr_studio.studio.theme import DARK, style_sheet
from smarthdr_studio.studio.window.notices import NoticeBar, OverEdge, quietest, words_over

REMEDIES = (
    "Cut each batch into 2 parts",
    "Compute activations twice instead of keeping them",
    "Learn from batches of 2 + 2 crops",
)


def shown(qtbot, *, offers):
    bar = NoticeBar()
    qtbot.addWidget(bar)
    made = tuple(Offer(text=each, tip=each, asks="resume", about="r1") for each in offers)
    notice = Notice(text="Out of memory: close other programs", tone="bad", offers=made)
    bar.show_state(StudioState(), StudioState(notice=notice))
    bar.resize(1264, bar.sizeHint().height())
    QApplication.processEvents()
    found = [b for b in bar.findChildren(QPushButton) if b.text() in REMEDIES]
    return {button.text(): button for button in found}


def test_every_remedy_is_read_whole_in_a_small_window(qtbot):
    buttons = shown(qtbot, offers=REMEDIES)
    assert tuple(buttons) == REMEDIES
    assert all(each.width() >= each.sizeHint().width() for each in buttons.values())


def test_a_taken_offer_is_told(qtbot):
    (button,) = shown(qtbot, offers=REMEDIES[:1]).values()
    taken = []
    button.parent().offer_taken.connect(taken.append)
    button.click()
    assert [each.about for each in taken] == ["r1"]


def test_a_notice_covers_no_more_than_its_words_need_and_details_have_all_the_width(qtbot):
    place, bar = QWidget(), NoticeBar()
    qtbot.addWidget(place)
    place.resize(1264, 600)
    over = OverEdge(bar, place, place)
    place.show()

    def told(notice):
        bar.show_state(StudioState(), StudioState(notice=notice))
        QApplication.processEvents()
        return bar.width()

    short = told(Notice(text="Saved /data/figures/sheet-of-all-views.png"))
    assert short < 600
    label = next(each for each in bar.findChildren(QLabel) if each.text().startswith("Saved"))
    assert label.width() >= label.fontMetrics().horizontalAdvance(label.text())
    assert told(Notice(text="much to say " * 40)) == 960
    with_details = Notice(text="Two scenes were left out", details=("003: no frame",))
    assert told(with_details) < 960
    next(b for b in bar.findChildren(QPushButton) if b.text() == "Details").click()
    QApplication.processEvents()
    assert bar.width() == 960
    assert over.parent() is place


SAVED = Notice(text="Saved /data/sheet.png", opens=Path("/data/sheet.png"))
OFFER = Offer(text="Resume", tip="Go on", asks="resume", about="r1")


LONG = (
    "Only a scene with a pseudo-label and no ground truth is promoted: nothing was changed for 001"
)
OF_EVERY_SHAPE = (
    Notice(text="Saved"),
    Notice(text=LONG, tone="warn"),
    Notice(text=LONG, tone="bad", details=("one", "two")),
    Notice(text=LONG, opens=Path("written.png")),
    Notice(text=LONG, tone="warn", offers=(Offer(text="Undo", tip="", asks="undo", about=""),)),
    Notice(text="Trained", offers=tuple(Offer(text=t, tip="", asks="", about="") for t in "abc")),
)


@pytest.mark.parametrize("width", [1264, 1008, 700, 480])
def test_a_notice_is_read_whole_whichever_was_told_before_it(qtbot, width):
    place, bar = QWidget(), NoticeBar()
    qtbot.addWidget(place)
    place.setStyleSheet(style_sheet(DARK))
    place.resize(width, 600)
    over = OverEdge(bar, place, place)
    place.show()
    told = StudioState()
    for first, then in product(OF_EVERY_SHAPE, repeat=2):
        for notice in (None, first, then):
            old, told = told, StudioState(notice=notice)
            bar.show_state(old, told)
            QApplication.processEvents()
        text = bar._text
        assert text.heightForWidth(text.width()) <= text.height(), (first, then)
        for part in bar.findChildren(QPushButton):
            assert part.isHidden() or part.width() >= part.sizeHint().width(), (first, then)
    assert over is not None


@pytest.mark.parametrize("notice", OF_EVERY_SHAPE)
def test_the_first_notice_of_a_window_is_read_whole(opened, qtbot, notice):
    opened.resize(1280, 720)
    qtbot.wait(60)
    opened.session.tell(notice)
    qtbot.wait(60)
    text = opened.notice._text
    assert text.isVisible()
    assert text.heightForWidth(text.width()) <= text.height()


def test_good_news_leaves_once_it_can_have_been_read_and_stays_while_the_keyboard_is_on_it(
    qtbot, monkeypatch
):
    bar, closed = NoticeBar(), []
    qtbot.addWidget(bar)
    bar.closed.connect(lambda: closed.append(True))
    monkeypatch.setattr(bar, "underMouse", lambda: False)  # wherever a test before left the mouse
    bar.show_state(StudioState(), StudioState(notice=SAVED))
    bar.activateWindow()
    brief = bar.leaving.interval()
    assert bar.leaving.isActive()
    close = next(b for b in bar.findChildren(QPushButton) if b.text() == "Close")
    close.setFocus()
    qtbot.waitUntil(close.hasFocus)
    bar.leaving.timeout.emit()
    assert not closed
    assert bar.leaving.isActive()
    close.clearFocus()
    bar.leaving.timeout.emit()
    assert closed
    longer = replace(SAVED, text=SAVED.text * 4)
    bar.show_state(StudioState(notice=SAVED), StudioState(notice=longer))
    assert bar.leaving.interval() > brief
    bar.show_state(StudioState(notice=longer), StudioState())
    assert not bar.leaving.isActive()


@pytest.mark.parametrize(
    "changes", [{"tone": "warn"}, {"tone": "bad"}, {"offers": (OFFER,)}, {"details": ("003",)}]
)
def test_what_is_bad_or_can_be_acted_upon_stays_until_it_is_closed(qtbot, changes):
    bar = NoticeBar()
    qtbot.addWidget(bar)
    bar.show_state(StudioState(), StudioState(notice=SAVED))
    bar.show_state(StudioState(notice=SAVED), StudioState(notice=replace(SAVED, **changes)))
    assert not bar.leaving.isActive()


def test_why_a_command_did_nothing_leaves_by_itself_as_good_news_does(opened, qtbot):
    opened.session.running.steering.skip_to_round()  # no run is at work
    notice = opened.session.state.notice
    assert notice.tone == "warn"
    assert "No run is at work" in notice.text
    assert opened.notice.leaving.isActive()
    opened.session.tell(replace(notice, offers=(OFFER,)))
    assert not opened.notice.leaving.isActive()


def test_a_notice_covers_no_words_of_the_workspace_one_goes_to(opened, qtbot):
    opened.resize(1280, 720)
    qtbot.wait(60)
    opened.session.tell(Notice(text="Trained: best 29.0 dB at epoch 3.", offers=(OFFER,) * 3))
    for workspace in (*Workspace, *reversed(Workspace)):
        opened.session.work_in(str(workspace))
        qtbot.waitUntil(partial(_covers_nothing, opened))


def _covers_nothing(window):
    lies = window.notice.geometry()
    return not any(box.intersects(lies) for box in words_over(window._pages, but=window.notice))


def test_a_notice_covers_no_words_and_moves_nothing(opened, qtbot):
    for workspace in Workspace:
        for size in ((1440, 900), (1280, 720), (2560, 1440)):
            opened.session.dismiss()
            _notice_lies_well(opened, qtbot, workspace, size)


def _notice_lies_well(opened, qtbot, workspace, size):
    opened.resize(*size)
    opened.session.work_in(str(workspace))
    opened.page.desk.reset()
    strip = _long_run_told(opened)
    qtbot.wait(60)
    words = list(words_over(opened._pages, but=opened.notice))
    page, desk = opened.page, opened.page.desk
    parts = (*map(desk.dock, desk.names), page.views, page.run_pages.board, page.browsing)
    shown = {part: part.geometry() for part in parts}
    offers = tuple(
        Offer(text=text, tip=text, asks="evaluate", about="r")
        for text in ("Evaluate", "Review", "Export…")
    )
    opened.session.tell(Notice(text="Trained: best 29.0 dB at epoch 3.", offers=offers))
    qtbot.wait(60)
    notice = opened.notice
    assert notice.isVisible()
    assert opened._pages.rect().contains(notice.geometry())
    covered = [box for box in words if box.intersects(notice.geometry())]
    assert covered == [], (workspace, size)
    buttons = [each for each in notice.findChildren(QPushButton) if each.isVisible()]
    assert [each.text() for each in buttons if each.width() < each.sizeHint().width()] == []
    assert {part: part.geometry() for part in parts} == shown
    if workspace is Workspace.TRAIN:
        captions = [box.toAlignedRect() & strip.rect() for box in strip.places_of_words()]
        corner = strip.mapTo(opened._pages, QPoint())
        assert captions
        assert all(caption.translated(corner) in words for caption in captions)


def test_where_a_notice_of_two_lines_has_no_room_among_charts_it_has_one(opened, qtbot):
    opened.resize(1280, 720)
    opened.session.work_in("Train")
    opened.page.desk.reset()
    _long_run_told(opened)
    opened.page.go_to_tab("history")
    opened.page.charts.heat.set_shares(
        HeatStrip(run="r", rounds=(1, 2), scenes=("003", "004"), shares=np.full((2, 2), 0.5))
    )
    offers = tuple(
        Offer(text=text, tip=text, asks="evaluate", about="r")
        for text in ("Evaluate", "Review the queue", "Export the model…")
    )
    opened.session.tell(Notice(text="Trained, best 36.3 dB at epoch 9. What next?", offers=offers))
    qtbot.waitUntil(partial(_covers_nothing, opened))
    notice = opened.notice
    pressed = [each for each in notice.findChildren(QPushButton) if each.isVisible()]
    assert len({each.mapTo(notice, each.rect().center()).y() for each in pressed}) == 1
    assert [each.text() for each in pressed if each.width() < each.sizeHint().width()] == []
    words = next(each for each in notice.findChildren(QLabel) if each.text().startswith("Trained"))
    assert words.fontMetrics().horizontalAdvance(words.text()) <= words.width()
    # Where there is room again, what can be done stands below what is said.
    opened.session.work_in("Inspect")
    qtbot.waitUntil(lambda: notice.height() > 2 * words.fontMetrics().height() + 10)
    qtbot.waitUntil(partial(_covers_nothing, opened))


def _long_run_told(opened):
    """Pictures from edge to edge, and a diary down to the foot; the film strip."""
    strip, diary = opened.page.run_pages.film, opened.page.run_pages.diary
    frames = tuple(FilmFrame(round=n, retained=0.5, sigma=0.05) for n in range(24))
    film = FilmState(run="r", scene="003", frames=frames)
    strip.show_state(StudioState(), StudioState(film=film))
    picture = QImage(192, 128, QImage.Format.Format_RGB32)
    strip.frames.take_pictures("r", "003", dict.fromkeys(range(24), picture))
    diary.setPlainText("best so far: PSNR-µ 33.9 dB\n\n" * 40)
    return strip


def test_where_words_stand_everywhere_a_notice_covers_the_fewest():
    room, size = QRect(12, 12, 776, 576), QSize(400, 60)
    foot = QPoint(400, 588)
    free = quietest([], room=room, sizes=(size,), foot=foot)
    assert free == QRect(200, 528, 400, 60)
    low = QRect(0, 500, 800, 100)
    above = quietest([low], room=room, sizes=(size,), foot=foot)
    assert above.bottom() < 500
    assert above.bottom() > 480
    column = [low, QRect(0, 0, 500, 600)]
    narrow = quietest(column, room=room, sizes=(size, QSize(240, 90)), foot=foot)
    assert narrow.width() == 240
    assert not any(box.intersects(narrow) for box in column)
    full = quietest([room], room=room, sizes=(size,), foot=foot)
    assert room.contains(full)


def test_a_notice_lies_over_the_middle_where_that_has_room_and_leaves_the_panels_beside_it(qtbot):
    place, bar = QWidget(), NoticeBar()
    qtbot.addWidget(place)
    place.resize(1264, 600)
    middle = QWidget(place)
    middle.setGeometry(0, 0, 700, 600)
    over = OverEdge(bar, place, middle)
    place.show()
    bar.show_state(StudioState(), StudioState(notice=Notice(text="Saved /data/sheet.png")))
    QApplication.processEvents()
    assert middle.geometry().contains(bar.geometry())
    assert abs(bar.geometry().center().x() - middle.geometry().center().x()) <= 1
    middle.setGeometry(500, 0, 764, 600)  # the panels went to the other side
    QApplication.processEvents()
    assert middle.geometry().contains(bar.geometry())
    middle.setGeometry(500, 0, bar.width(), 600)  # no room
    QApplication.processEvents()
    assert abs(bar.geometry().center().x() - place.rect().center().x()) <= 1
    del over


def test_a_notice_leaves_words_that_come_beneath_it_and_stays_where_none_come(qtbot):
    place = QWidget()
    qtbot.addWidget(place)
    place.resize(900, 600)
    late, bar = QLabel("a page that was turned", place), NoticeBar()
    over = OverEdge(bar, place, place)
    late.setGeometry(350, 560, 200, 30)
    late.hide()
    place.show()
    bar.show_state(StudioState(), StudioState(notice=SAVED))
    bar.show()
    qtbot.waitUntil(lambda: bar.geometry().intersects(late.geometry()))
    late.show()
    qtbot.waitUntil(lambda: not bar.geometry().intersects(late.geometry()), timeout=20000)
    lies = bar.geometry()
    late.hide()
    over._leave_new_words()
    assert bar.geometry() == lies
    bar.hide()
    assert not over._words_come.isActive()
