"""The sheet of a benchmark: what it shows, what it starts and stops, what a cell opens."""

import os
import sys

import pytest
from benchmark_trials import result_of
from brackets import write_dataset
from fitting import faults_of
from made_once import made_once
from PySide6.QtCore import Qt

from smarthdr_studio.core.environment import own_command
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.benchmark import cells_of, load_benchmark, read_data
from smarthdr_studio.core.training.benchmark_results import (
    make_projects,
    open_folder,
    write_result,
)
from smarthdr_studio.core.training.benchmark_watch import (
    counted_process,
    is_asked_to_stop,
    tell_failure,
)
from smarthdr_studio.studio.runs import benchmark as benchmark_module
from smarthdr_studio.studio.runs.benchmark import last_line
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import DARK, LIGHT, style_sheet, tint

PLAN = """
description = "A trial."
metrics = ["psnr_mu", "ause"]
seeds = [0, 1]
[base]
preset = "quick"
[base.set]
held_out = 0
[[row]]
name = "some, 1"
labels = 1
[[row]]
name = "some, 2"
labels = 2
[[claim]]
text = "Two labels are better"
better = "some, 2"
than = "some, 1"
"""
PSNR = {("some, 1", 0): 30.0, ("some, 1", 1): 31.0, ("some, 2", 0): 33.0}


def _make_dataset(folder):
    write_dataset(folder / "data", train=3, size=(64, 96))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return made_once(tmp_path_factory, "benchmark-sheet", _make_dataset) / "data"


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def cells(plan, dataset):
    found = cells_of(load_benchmark(str(plan)), read_data(dataset))
    return {(cell.row, cell.seed): cell for cell in found}


@pytest.fixture
def folder(tmp_path, dataset, cells):
    """Three cells of four are measured; the run of the first is kept, the last cell failed."""
    data = read_data(dataset)
    made = open_folder(tmp_path / "bench", data=data)
    for (row, seed), psnr in PSNR.items():
        cell = cells[row, seed]
        result = result_of(
            cell,
            data,
            started="2026-11-29T10:00:00+00:00",
            teacher={"psnr_mu": psnr, "ause": 0.25},
            merge={"psnr_mu": 25.0},
        )
        write_result(made.result(cell.identity), result)
    failed = cells["some, 2", 1]
    made.cell(failed.identity).mkdir(parents=True)
    tell_failure(made, failed, "x.tif: damaged; take another")
    first = cells["some, 1", 0]
    make_projects([first], made, data)
    run = made.project(first, data) / "runs" / "20261129-100000-quick"
    run.mkdir(parents=True)
    (run / "plan.toml").write_text('preset = "quick"\n', encoding="utf-8")
    (run / "events.jsonl").touch()
    made.cell(first.identity).mkdir(parents=True)
    (made.cell(first.identity) / "run.json").write_text(f'{{"run": "{run.name}"}}')
    return made


@pytest.fixture
def sheet(window, until, folder, plan, dataset):
    """The sheet as it looks at that folder."""
    window._benchmark.show()
    sheet = window._benchmark.sheet
    window.session.running.benchmark.choose(str(plan), dataset, folder.path)
    until(window.session, lambda s: s.benchmark.stand is not None)
    yield sheet
    sheet.close()


def told(sheet):
    """What the cells of the table say, by row and head."""
    model = sheet.table.model()
    heads = [model.headerData(c, Qt.Orientation.Horizontal) for c in range(model.columnCount())]
    return {
        model.index(r, 0).data(): {
            head: model.index(r, c).data() for c, head in enumerate(heads) if c
        }
        for r in range(model.rowCount())
    }


def open_cell(sheet, row, head):
    model = sheet.table.model()
    for r in range(model.rowCount()):
        for c in range(model.columnCount()):
            title = model.headerData(c, Qt.Orientation.Horizontal)
            if (model.index(r, 0).data(), title) == (row, head):
                sheet.table.activated.emit(model.index(r, c))


def claims(sheet):
    layout = sheet._claims
    return [layout.itemAt(at).widget().text() for at in range(layout.count() - 1)]


def test_table_and_curve_have_what_is_measured_and_the_plan_is_named_whole(sheet, window, plan):
    found = told(sheet)
    assert found["some, 1"]["PSNR-μ, dB"] == "30.50 ± 0.71"
    assert found["some, 1"]["AUSE"] == "0.2500 ± 0.0000"
    assert (found["some, 1"]["Seed 0"], found["some, 1"]["Seed 1"]) == ("30.00", "31.00")
    assert (found["some, 2"]["Seed 0"], found["some, 2"]["Seed 1"]) == ("33.00", "✕ failed")
    assert "x.tif: damaged" in sheet.table.model().index(1, 5).data(Qt.ItemDataRole.ToolTipRole)
    assert claims(sheet)[0].startswith("? Two labels are better: not known yet: 1 of 2 seeds")
    assert "3 of 4 runs are measured · 1 failed" in sheet._progress.whole
    assert sheet.start.text() == "Go on"
    plans = sheet._plans
    assert plans.currentText() == plan.name
    assert plans.toolTip() == str(plan)
    assert sheet._metrics.isVisible()
    assert sheet._metrics.currentText() == "PSNR-μ, dB"
    columns = sheet.curve.table()
    assert list(columns["labels"]) == [1, 1, 2]
    assert list(columns["PSNR-μ"]) == [30, 31, 33]
    assert set(columns["line"]) == {"some"}
    sheet._metrics.setCurrentIndex(sheet._metrics.findData("ause"))
    sheet._metrics.activated.emit(0)
    assert list(sheet.curve.table()["AUSE"]) == [0.25] * 3
    assert told(sheet)["some, 1"]["Seed 0"] == "0.2500"
    # Nothing is looked for while it is closed.
    clock = window.session.running.benchmark._clock
    assert clock.isActive()
    sheet.close()
    assert not clock.isActive()
    assert set(StudioState.__dataclass_fields__) >= sheet.SHOWS


def test_a_result_that_comes_is_shown_and_the_claim_is_judged(
    sheet, window, until, folder, cells, dataset
):
    cell = cells["some, 2", 1]
    kept = folder.result(cells["some, 2", 0].identity).read_text(encoding="utf-8")
    kept = kept.replace(cells["some, 2", 0].identity, cell.identity)
    folder.result(cell.identity).write_text(kept.replace("33.0", "35.0"), encoding="utf-8")
    until(window.session, lambda s: s.benchmark.stand.measured == 4)
    assert told(sheet)["some, 2"]["PSNR-μ, dB"] == "34.00 ± 1.41"
    assert claims(sheet)[0].startswith("✓ Two labels are better: holds: 34.00 against 30.50 dB")
    assert not sheet.start.isEnabled()


def test_a_width_set_by_hand_stays_while_nothing_new_is_said(sheet, window, until, folder, cells):
    sheet.table.setColumnWidth(0, 277)
    before = window.session.state.benchmark.stand
    until(window.session, lambda s: s.benchmark.stand is not before)
    assert sheet.table.columnWidth(0) == 277
    failed = cells["some, 2", 1]
    tell_failure(folder, failed, "")
    until(window.session, lambda s: s.benchmark.stand.cells["some, 2", 1].status != "failed")
    assert sheet.table.columnWidth(0) != 277


def test_a_cell_opens_its_run_and_one_that_was_dropped_says_so(sheet, window, until, folder):
    open_cell(sheet, "some, 1", "Seed 1")
    words = window.session.state.notice.text
    assert "some, 1, seed 1: there is no run to open (its result is kept, its run is not)" in words
    open_cell(sheet, "some, 1", "Seed 0")
    until(
        window.session,
        lambda s: s.folder is not None and s.runs.chosen == ("20261129-100000-quick",),
    )
    assert window.session.state.folder.parent == folder.projects
    assert window.session.state.benchmark.stand is not None  # another project changes nothing
    with Project.open(window.session.state.folder) as project:
        assert len(project.scenes) == 4


def test_it_is_started_as_a_process_of_its_own_and_stopped_by_a_wish_in_its_folder(
    sheet, window, until, folder, plan, dataset, monkeypatch
):
    begun = []

    def start(words, *, log):
        begun.append(words)
        assert log == folder.path / "log.txt"
        return True

    monkeypatch.setattr(benchmark_module, "start_detached", start)
    sheet.start.click()
    until(window.session, lambda _: bool(begun))
    words = ["benchmark", str(plan), str(dataset), "--into", str(folder.path)]
    assert begun == [[*own_command(), *words]]
    assert not sheet.start.isEnabled()
    with counted_process(folder):
        until(window.session, lambda s: s.benchmark.at_work)
        assert not window.session.state.benchmark.starting
        assert not is_asked_to_stop(folder)
        sheet.stop.click()
        until(window.session, lambda _: is_asked_to_stop(folder))
        assert "stopping: every run is saved" in sheet._progress.whole
    until(window.session, lambda s: not s.benchmark.at_work and not s.benchmark.stopping)
    assert sheet.start.isEnabled()
    assert "Stopped; Go on continues where each run was saved." in sheet._progress.whole


def test_a_look_that_was_under_way_does_not_call_a_start_over(
    sheet, window, until, folder, monkeypatch
):
    begun = []
    monkeypatch.setattr(
        benchmark_module, "start_detached", lambda words, *, log: begun.append(words) or bool(log)
    )
    controller = window.session.running.benchmark
    sheet.start.click()
    controller._looked(window.session.state.benchmark.stand)  # before a process could begin
    assert window.session.state.benchmark.starting
    assert not sheet.start.isEnabled()
    until(window.session, lambda _: bool(begun))


def test_what_another_process_said_before_is_not_told_of_one_that_nobody_here_started(
    sheet, window, until, folder
):
    (folder.path / "log.txt").write_text("The disk is full.\n", encoding="utf-8")
    with counted_process(folder):
        until(window.session, lambda s: s.benchmark.at_work)
    until(window.session, lambda s: not s.benchmark.at_work)
    assert "The disk is full." not in sheet._progress.whole


def test_return_starts_nothing(sheet, window, qtbot, monkeypatch):
    monkeypatch.setattr(benchmark_module, "start_detached", lambda _words, *, log: bool(log))
    asked = []
    sheet.start_asked.connect(lambda: asked.append(True))
    sheet.activateWindow()
    sheet.table.setCurrentIndex(sheet.table.model().index(0, 0))
    for widget in (sheet.table, sheet._plans, sheet._metrics):
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_Return)
        assert asked == []


def test_a_process_is_nobodys_child_and_its_complaints_are_kept(qtbot, tmp_path):
    words = [
        sys.executable,
        "-c",
        "import os, sys; sys.stderr.write(f'{os.getppid()} no'); print('lost')",
    ]
    assert benchmark_module.start_detached(words, log=tmp_path / "log.txt")
    qtbot.waitUntil(lambda: last_line(tmp_path / "log.txt").endswith(" no"), timeout=20000)
    parent, _ = last_line(tmp_path / "log.txt").split()
    assert int(parent) != os.getpid()


def test_why_a_process_ended_at_once_is_told(sheet, window, until, folder, monkeypatch):
    monkeypatch.setattr(benchmark_module, "start_detached", lambda _words, *, log: bool(log))
    monkeypatch.setattr(benchmark_module, "_LONGEST_START_S", 0.0)
    monkeypatch.setattr(
        benchmark_module, "prepare_folder", lambda *, stand: folder.path / "log.txt"
    )
    (folder.path / "log.txt").write_text("one\nThe disk is full.\n", encoding="utf-8")
    sheet.start.click()
    until(window.session, lambda s: s.benchmark.words == "The disk is full.")
    assert sheet.start.isEnabled()


def test_what_cannot_be_is_told_in_a_sentence_and_nothing_is_lost(
    sheet, window, until, folder, tmp_path, plan, dataset
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    sheet.take_place("Runs in", str(tmp_path / "full"))
    until(window.session, lambda s: "is not the folder of a benchmark" in s.benchmark.words)
    assert told(sheet) == {}
    assert sorted(path.name for path in (tmp_path / "full").iterdir()) == ["file"]
    sheet.take_place("Runs in", str(folder.path))
    until(window.session, lambda s: s.benchmark.stand is not None)
    assert told(sheet)["some, 1"]["Seed 0"] == "30.00"


def test_table_and_figure_are_written_as_their_suffixes_say(sheet, window, until, tmp_path):
    for name in ("t.md", "t.csv", "t.tex", "f.svg", "f.pdf"):
        if name.startswith("t"):
            sheet.table_wished.emit(tmp_path / name)
        else:
            sheet.figure_wished.emit(tmp_path / name, "psnr_mu")
        until(window.session, lambda s, name=name: s.notice is not None and name in s.notice.text)
        assert (tmp_path / name).is_file()
    assert "| some, 1 | 1 | 30.50 ± 0.71 |" in (tmp_path / "t.md").read_text(encoding="utf-8")
    assert r"\toprule" in (tmp_path / "t.tex").read_text(encoding="utf-8")
    sheet.table_wished.emit(tmp_path / "t.xls")
    until(window.session, lambda s: s.notice is not None and "name a table" in s.notice.text)


def test_nothing_is_written_into_its_dataset(sheet, window, until, dataset):
    sheet.table_wished.emit(dataset / "t.md")
    until(window.session, lambda s: s.notice is not None and "dataset" in s.notice.text)
    assert not (dataset / "t.md").exists()
    window.session.dismiss()
    sheet.figure_wished.emit(dataset / "f.svg", "psnr_mu")
    until(window.session, lambda s: s.notice is not None and "dataset" in s.notice.text)
    assert not (dataset / "f.svg").exists()


def test_it_fits_into_the_smallest_window(sheet, qapp, qtbot):
    for palette in (DARK, LIGHT):
        tint(qapp, palette)
        qapp.setStyleSheet(style_sheet(palette))
        sheet.dress(palette)
        sheet.resize(1000, 600)
        qtbot.wait(50)
        assert faults_of(sheet) == []


def test_without_a_plan_there_is_a_word_that_asks_for_one_and_no_metric(window):
    window._benchmark.show()
    sheet = window._benchmark.sheet
    assert sheet._plans.currentIndex() == -1
    assert sheet._plans.placeholderText() == "choose a plan"
    assert not sheet._metrics.isVisible()
    sheet.close()
