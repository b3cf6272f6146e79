"""The diary of a run: written, followed, copied, read from the log, and never told twice."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.diary import DiaryLine
from smarthdr_studio.core.training.events import (
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    as_json,
)
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import StudioState, TrainingState
from smarthdr_studio.studio.tasks import TaskRunner
from smarthdr_studio.studio.theme import DARK, LIGHT
from smarthdr_studio.studio.training.diary import DiaryController, DiaryPanel

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def lines(count, *, tone="plain", start=0):
    return tuple(
        DiaryLine(step=k, epoch=k, time=NOON + timedelta(minutes=k), text=f"line {k}", tone=tone)
        for k in range(start, start + count)
    )


def steered(text, *, step=5):
    return Steered(step=step, epoch=0, text=text)


@pytest.fixture
def diary(qtbot):
    diary = DiaryPanel(DARK)
    qtbot.addWidget(diary)
    diary.resize(400, 90)
    with qtbot.waitExposed(diary):
        diary.show()
    return diary


def test_the_newest_line_is_followed_until_one_scrolls_back(diary):
    bar = diary.verticalScrollBar()
    diary.write(lines(30))
    assert bar.value() == bar.maximum() > 0
    bar.triggerAction(bar.SliderAction.SliderPageStepSub)
    held = bar.value()
    assert held < bar.maximum()
    diary.write(lines(3, start=30))
    assert bar.value() == held
    bar.triggerAction(bar.SliderAction.SliderToMaximum)
    diary.write(lines(3, start=33))
    assert bar.value() == bar.maximum()


def test_what_was_written_while_nobody_looked_is_followed_once_it_is_shown(diary):
    diary.hide()
    diary.begin()
    for start in range(0, 30, 3):
        diary.write(lines(3, start=start))
    diary.show()
    QApplication.processEvents()
    bar = diary.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0


def test_a_line_has_time_epoch_and_words_and_every_day_its_date_once(diary):
    diary.write(lines(2))
    diary.write(lines(1, start=3000))
    text = diary.toPlainText().splitlines()
    local = NOON.astimezone()
    assert text[0] == f"{local:%A %d %B %Y}"
    assert text[1] == f"{local:%H:%M}\tepoch 0\tline 0"
    assert sum("2026" in line for line in text) == 2


def test_a_word_wider_than_the_column_is_broken_and_nothing_is_scrolled_aside(diary):
    diary.resize(300, 200)
    diary.write([replace(line, text="runs/" + "x" * 90) for line in lines(12)])
    diary.show()
    QApplication.processEvents()
    assert diary.horizontalScrollBar().maximum() == 0


def test_in_a_narrow_panel_words_go_on_under_the_epoch_and_beside_it_in_a_wide_one(diary, qtbot):
    words = "round 3: retained 52 % of the pool, four scenes no longer, PSNR-μ 0.7 dB higher"
    for width, under in ((330, True), (700, False), (330, True)):
        diary.resize(width, 200)
        diary.begin()
        diary.write([replace(lines(1)[0], text=words)])
        block = diary.document().lastBlock()
        layout = block.layout()
        qtbot.waitUntil(lambda layout=layout: layout.lineCount() > 0)
        epoch = block.blockFormat().tabPositions()[0].position
        margin = block.blockFormat().leftMargin()
        assert (margin == epoch) is under
        assert block.text().count("\t") == 2
    tall = diary.document().size().height()
    diary.resize(700, 200)
    assert diary.document().size().height() < tall
    assert "no longer" in diary.toPlainText()


def test_tones_are_told_by_signs_and_not_by_colour_alone(diary):
    for tone in ("plain", "good", "warn", "bad"):
        diary.write(lines(1, tone=tone))
    told = [line.rpartition("\t")[2] for line in diary.toPlainText().splitlines()[1:]]
    assert len({each.removesuffix("line 0") for each in told}) == 4


def test_it_is_copied_whole_and_dressed_anew_without_losing_a_word(diary):
    diary.write(lines(4, tone="warn"))
    before = diary.toPlainText()
    diary.dress(LIGHT)
    assert diary.toPlainText() == before
    diary.copy_all()
    assert QGuiApplication.clipboard().text() == before
    diary.begin()
    assert diary.toPlainText() == ""
    assert diary.lines == ()


@pytest.fixture
def controller(qapp, qtbot, tiny_project):
    """A controller over a project with a run that has said two things."""
    tasks, store = TaskRunner(qapp), Store(StudioState(), qapp)
    controller = DiaryController(store, tasks)
    project = Project.open(tiny_project)
    run = project.runs_folder / "r1"
    run.mkdir(parents=True)
    said = (
        RunStarted(
            run="r1", folder="", device="cpu", network="light", total_steps=9, total_epochs=3
        ),
        steered("rate halved", step=4),
    )
    (run / "events.jsonl").write_text("".join(map(_logged, said)), encoding="utf-8")
    store.switch_to(project)
    yield controller
    store.switch_to(None)
    qtbot.waitUntil(lambda: tasks.at_rest, timeout=20000)
    project.close()
    store.deleteLater()
    tasks.close()
    tasks.deleteLater()


def _logged(event):
    return json.dumps({"time": NOON.isoformat(), **as_json(event)}) + "\n"


def test_a_run_is_told_from_its_log_and_then_as_it_goes_and_nothing_twice(controller, qtbot):
    wrote = []
    controller.wrote.connect(lambda new: wrote.extend(line.text for line in new))
    controller.follow(TrainingState(run="r1"))
    controller.hear((steered("rate halved", step=4), steered("paused")))  # the first is in the log
    qtbot.waitUntil(lambda: len(wrote) >= 3, timeout=20000)
    assert wrote[1:] == ["rate halved", "paused"]
    step = StepReported(
        step=6, epoch=0, losses={}, learning_rate=1, images_per_second=1, seconds_left=1
    )
    controller.hear((step,))
    controller.hear((steered("goes on", step=6),))
    assert wrote[1:] == ["rate halved", "paused", "goes on"]


def test_the_last_words_of_a_run_that_was_stopped_are_told_once_it_rests(controller, qtbot):
    wrote = []
    controller.wrote.connect(lambda new: wrote.extend(line.text for line in new))
    controller.follow(TrainingState(run="r1"))
    qtbot.waitUntil(lambda: len(wrote) == 2, timeout=20000)
    controller.hear((steered("paused"),))
    log = controller._store.project.runs_folder / "r1" / "events.jsonl"
    last = RunFinished(run="r1", outcome="stopped", step=7, message="resume to go on")
    with log.open("a", encoding="utf-8") as file:
        file.writelines(_logged(event) for event in (steered("paused"), last))
    for _ in range(2):
        controller.catch_up()
        qtbot.waitUntil(lambda: controller._held is None, timeout=20000)
        assert wrote[1:] == ["rate halved", "paused", "stopped at step 7: resume to go on"]


def test_another_run_begins_another_diary(controller, qtbot):
    begun, wrote = [], []
    controller.began.connect(lambda: begun.append(1))
    controller.wrote.connect(wrote.append)
    controller.follow(TrainingState(run="r1"))
    controller.follow(TrainingState(run="r1"))
    assert len(begun) == 1
    controller.follow(TrainingState(run="none"))
    controller.hear((steered("alone"),))
    qtbot.waitUntil(lambda: bool(wrote), timeout=20000)
    assert [line.text for new in wrote for line in new] == ["alone"]
