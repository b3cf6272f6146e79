"""A note over the pictures stays low and readable, however much can be done about it."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from smarthdr_studio.studio.state import Notice, Offer, StudioState
from smarthdr_studio.studio.window.bars import NoticeBar, OverEdge

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
