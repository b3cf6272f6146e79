"""The list of runs: how each stands, whatever happened to its process, its log or its folder."""

import json
import os
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from made_labels import a_project
from made_runs import a_checkpoint, a_run, check, log, round_, started, step

from smarthdr_studio.core.errors import PlanError, Remedy
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.training import run_index as digest_module
from smarthdr_studio.core.training.events import CheckpointSaved, PhaseChanged, RunFinished
from smarthdr_studio.core.training.run_folder import write_note
from smarthdr_studio.core.training.run_index import (
    Check,
    keep_digest,
    list_rows,
    newest_resumable,
    read_digest,
    row_of,
)
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.training.run_log import read_curves
from smarthdr_studio.core.training.run_start import run_findings


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def run(project):
    return a_run(project.folder)


def finished(outcome, *, remedies=(), at=9):
    return RunFinished(run="r", outcome=outcome, step=at, message="why", remedies=remedies)


def test_a_run_is_told_by_its_files(project, run):
    run.plan_path.write_text(
        'preset = "paper"\nsystem = "fixmatch"\n[network]\nname = "light"\n', encoding="utf-8"
    )
    run.start_path.write_text(json.dumps({"promoted": {"b": "labels/b/1.exr"}}), encoding="utf-8")
    log(run, started(labelled=("a", "b"), epochs=20), step(1), check(1, 30.0), step(2))
    log(run, check(2, 32.0), check(3, 31.0), round_(1, 3, 0.7), finished("done"))
    write_note(run, "the good one")
    (row,) = list_rows(project)
    assert (row.id, row.folder, row.status) == (run.id, run.path, "done")
    assert (row.preset, row.system, row.network, row.device) == (
        *("paper", "fixmatch"),
        *("light", "cpu"),
    )
    assert row.started == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert (row.step, row.epoch, row.epochs, row.rounds) == (9, 1, 20, 1)
    assert row.best == Check(step=2, psnr_mu=32.0, psnr_l=30.0, ssim_mu=0.9)
    assert (row.last_psnr_mu, row.retained) == (31.0, 0.7)
    assert (row.labels.labelled, row.labels.promoted, row.labels.unlabelled) == (1, 1, 3)
    assert (row.note, row.message, row.resumable) == ("the good one", "why", False)
    assert row.disk_bytes > run.events_path.stat().st_size


def test_a_run_without_a_last_word_is_running_while_its_process_lives(run):
    log(run, started(), step(1))
    with run_lock(run.path):
        assert row_of(run).status == "running"
        log(run, PhaseChanged(phase="paused", text="paused", step=1))
        assert row_of(run).status == "paused"
        log(run, step(2))
        assert row_of(run).status == "running"
    row = row_of(run)
    assert (row.status, row.resumable, row.step) == ("interrupted", True, 2)


def test_a_run_that_is_trained_is_done_also_while_its_process_puts_its_memory_away(run):
    log(run, started(), step(1), finished("done"))
    with run_lock(run.path):
        assert row_of(run).status == "done"
        log(run, started(1))
        assert row_of(run).status == "running"


@pytest.mark.parametrize("outcome", ["stopped", "failed"])
def test_a_run_that_ended_early_can_be_resumed_and_is_open_again_then(run, outcome):
    remedy = Remedy(text="half", changes={"batch.labelled": 4})
    log(run, started(), finished(outcome, remedies=(remedy,)))
    for _ in range(2):  # as read from the log, and from the digest that is kept
        row = row_of(run)
        assert (row.status, row.resumable, row.message) == (outcome, True, "why")
        assert row.remedies == (remedy,)
    log(run, started(3))
    row = row_of(run)
    assert (row.status, row.message, row.remedies) == ("interrupted", "", ())


def test_work_is_that_of_all_sessions_without_the_time_between(run):
    log(run, started(), *(step(n) for n in range(1, 11)))  # 10 s, then killed
    log(run, started(5), step(6), finished("stopped"), begin=datetime(2026, 11, 2, tzinfo=UTC))
    assert row_of(run).seconds == 12
    log(run, started(6), step(7), begin=datetime(2026, 11, 3, tzinfo=UTC))
    assert row_of(run).seconds == 13


def test_what_a_resumed_run_left_behind_is_not_its_best(run):
    log(run, started(), check(1, 30.0), round_(1, 1, 0.1), check(5, 40.0), round_(2, 5, 0.9))
    assert row_of(run).best.psnr_mu == 40.0
    log(run, started(2))
    row = row_of(run)
    assert (row.best.psnr_mu, row.rounds, row.retained, row.step) == (30.0, 1, 0.1, 2)


def test_reading_piece_by_piece_comes_to_the_same_as_reading_at_once(run, project):
    events = [
        *(started(), step(1), check(1, 30.0), round_(1, 1, 0.4), finished("stopped", at=1)),
        *(started(1), step(2), CheckpointSaved(step=2, epoch=1, folder=""), check(2, 31.0)),
        PhaseChanged(phase="labelling", text="labelling", step=2),
    ]
    other = a_run(project.folder, "20261102-120000-quick")
    for event in events:
        log(run, event)
        log(other, event)
        row_of(run)
    assert read_digest(run).checks == read_digest(other).checks
    one, two = row_of(run), row_of(other)
    for name in ("status", "step", "epoch", "rounds", "best", "retained", "seconds", "message"):
        assert getattr(one, name) == getattr(two, name), name


def test_a_list_that_was_made_before_reads_no_log_again(run, monkeypatch):
    log(run, started(), *(step(n) for n in range(1, 200)), check(9, 30.0), finished("stopped"))
    before = row_of(run)

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr(digest_module, "chunks", refuse)
    assert row_of(run) == before


def test_a_run_that_was_moved_away_while_it_was_read_is_not_made_anew(run):
    log(run, started())
    found = read_digest(run)
    run.path.rename(run.path.with_name("elsewhere"))
    keep_digest(run, found)
    assert not run.path.exists()


def test_a_digest_of_another_log_is_not_believed(run):
    log(run, started(), check(1, 40.0), finished("stopped"))
    row_of(run)
    other = run.path / "other"
    kept = run.events_path.read_text(encoding="utf-8").replace("40.0", "20.0")
    other.write_text(kept + kept, encoding="utf-8")
    other.replace(run.events_path)
    assert row_of(run).best.psnr_mu == 20.0


@pytest.mark.parametrize("kept", [b"", b"{}", b'{"format": 1}', b"\xff", b'{"format": 99}'])
def test_a_damaged_digest_costs_nothing_but_time(run, kept):
    log(run, started(), check(1, 30.0), finished("done"))
    before = row_of(run)
    (run.path / "digest.json").write_bytes(kept)
    assert replace(row_of(run), disk_bytes=before.disk_bytes) == before


def test_a_damaged_run_still_has_its_row(project, run):
    run.plan_path.write_bytes(b"\xff\xfe not toml")
    run.events_path.write_bytes(b"\x00\x01\n[1]\n{}\n")
    renamed = run.path.rename(run.path.with_name("my best run"))
    a_run(project.folder, "20261102-120000-quick")
    first, second = list_rows(project)
    assert (first.folder, first.status, first.resumable) == (renamed, "interrupted", False)
    assert (second.step, second.best, second.seconds) == (0, None, 0.0)


def test_the_newest_run_that_can_be_resumed_is_found(project, run):
    assert newest_resumable(project.folder).id == run.id
    done = a_run(project.folder, "20261102-120000-quick")
    log(done, started(), finished("done"))
    assert newest_resumable(project.folder).id == run.id
    log(run, started(), finished("done"))
    assert newest_resumable(project.folder) is None


@pytest.fixture
def saved(run):
    """A run that is done, with two checkpoints."""
    log(run, started(), step(1), step(2), step(3), step(4), finished("done", at=4))
    for number in (2, 4):
        a_checkpoint(run, number)
    run.start_path.write_text("{}", encoding="utf-8")
    return run


def told_of(project):
    found = check_up(project.folder, also=run_findings).findings
    return {each.what: each.sentence for each in found if each.trouble is FindingKind.RUN}


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def in_the_middle(path):
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([first, b"\x00\xff no event\n", *others]))


def emptied(path):
    path.write_bytes(b"")


def at_random(path):
    path.write_bytes(random.Random(0).randbytes(path.stat().st_size))


def longer(path):
    path.write_bytes(path.read_bytes() + b"more")


def one_byte(path):
    path.write_bytes(path.read_bytes().replace(b"plain", b"plein"))


NO_PLANS = [
    emptied,
    at_random,
    lambda path: path.write_text("a = " + 9000 * "["),
    lambda path: path.write_text("a = 1" + 6000 * "0"),
]


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("checkpoints/step-00000002/checkpoint.json", half, "goes on from this checkpoint"),
        (
            "checkpoints/step-00000004/checkpoint.json",
            lambda path: path.write_text("[]"),
            "cannot be read",
        ),
        ("start.json", lambda path: path.write_text('{"journal"'), "cannot be read"),
        ("events.jsonl", in_the_middle, "has 1 line that cannot be read"),
        ("events.jsonl", half, "ends before step 4, at which a checkpoint was saved"),
        *(("plan.toml", spoil, "the run cannot be resumed without it") for spoil in NO_PLANS),
        ("plan.toml", os.unlink, "is missing; the run cannot be resumed without it"),
        ("checkpoints/step-00000002/state.pt", emptied, "is empty; nothing goes on from"),
        ("checkpoints/step-00000002/state.pt", at_random, "is damaged; nothing goes on from"),
        ("checkpoints/step-00000004/state.pt", half, "is damaged"),
        ("checkpoints/step-00000004/state.pt", one_byte, "its checksum differs"),
        ("checkpoints/step-00000002/teacher.safetensors", at_random, "is damaged"),
        ("checkpoints/step-00000002/student.safetensors", longer, "is damaged"),
    ],
)
def test_damaged_files_of_a_run_are_told_by_the_doctor(project, saved, name, spoil, words):
    assert told_of(project) == {}
    spoil(saved.path / name)
    ((what, sentence),) = told_of(project).items()
    assert what == f"runs/{saved.id}/{name}"
    assert words in sentence
    assert saved.id in sentence


@pytest.mark.parametrize("spoil", [*NO_PLANS, os.unlink])
def test_a_stopped_run_that_lacks_only_its_plan_is_named_and_not_passed_over(project, run, spoil):
    for each in (run, a_run(project.folder, "20261102-120000-paper")):
        log(each, started(), step(1), finished("stopped", at=1))
    spoil(each.plan_path)
    with pytest.raises(PlanError, match=each.id) as caught:
        newest_resumable(project.folder)
    assert str(caught.value).startswith(f"{each.plan_path}: is ")
    assert "bring it back from a copy of the project folder" in str(caught.value)


def test_a_digest_that_is_damaged_is_made_anew_and_nothing_to_tell_of(project, saved):
    keep_digest(saved, read_digest(saved))
    (saved.path / "digest.json").write_text('{"format', encoding="utf-8")
    assert told_of(project) == {}
    assert list_rows(project)[0].status == "done"


def test_of_a_run_at_work_the_end_of_the_log_is_not_waited_for(project, saved):
    half(saved.events_path)
    with run_lock(saved.path):
        assert told_of(project) == {}


def without_a_time(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    values = json.loads(lines[1])
    lines[1] = json.dumps({**values, "time": "banana"})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("spoil", [half, in_the_middle, without_a_time])
def test_a_damaged_log_is_told_in_the_list_in_the_doctors_words(project, saved, spoil):
    (before,) = list_rows(project)
    assert before.log_damage == ""
    spoil(saved.events_path)
    (row,) = list_rows(project)
    assert row.log_damage
    assert row.seconds == before.seconds or spoil is half
    ((_, sentence),) = told_of(project).items()
    assert sentence == f"events.jsonl of run {saved.id} {row.log_damage}"
    assert list_rows(project) == (row,), "from the digest that was kept as well"


def test_what_a_list_knows_of_a_log_is_kept_though_its_date_has_changed(project, saved):
    (before,) = list_rows(project)
    os.utime(saved.events_path, (1, 1))
    assert list_rows(project) == (before,)
    assert digest_module._kept(saved.path / "digest.json").changed_ns == 10**9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("begun", "banana"),
        ("begun", "2026-11-01T12:00:00"),
        ("heard", 7),
        ("seconds", "long"),
        ("step", None),
        ("checks", [{"step": 1, "psnr_mu": "high", "psnr_l": 1.0}]),
        ("rounds", [{"round": 1, "step": 1, "retained": []}]),
        ("remedies", [{"text": "more"}]),
        ("message", ["a", "b"]),
    ],
)
def test_a_digest_that_says_what_cannot_be_is_made_anew(project, saved, name, value):
    (before,) = list_rows(project)
    path = saved.path / "digest.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**kept, name: value}), encoding="utf-8")
    (row,) = list_rows(project)
    assert (row.best, row.rounds, row.step, row.message) == (
        before.best,
        before.rounds,
        before.step,
        before.message,
    )
    assert row.seconds == (0.0 if value == "banana" else before.seconds)


@pytest.mark.parametrize(
    "odd",
    [
        {"event": "StepReported", "step": "seven", "losses": {"total": "much"}},
        {"event": "StepReported", "step": 7, "losses": [1, 2]},
        {"event": "Validated", "step": {}, "psnr_mu": "high", "psnr_l": None},
        {"event": "RunStarted", "step": "first", "labelled": 3},
    ],
)
def test_odd_values_in_a_log_cost_their_line_alone(project, saved, odd):
    (before,) = list_rows(project)
    curves = read_curves(saved)
    entry = json.dumps({"time": "2026-11-01T12:00:03.000+00:00", **odd})
    saved.events_path.write_text(
        saved.events_path.read_text(encoding="utf-8") + entry + "\n", encoding="utf-8"
    )
    (row,) = list_rows(project)
    assert (row.step, row.best, row.status) == (before.step, before.best, before.status)
    again = read_curves(saved)
    for name, (x, y) in curves.series.items():
        assert again.series[name][0].tolist()[: len(x)] == x.tolist()
        assert again.series[name][1].tolist()[: len(y)] == y.tolist()
