"""A log is heard as it grows, each event once, whatever becomes of the file."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import NOON, a_run, check, line, log, round_, started, step

from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RunFinished,
    Steered,
    StepReported,
    StepSkipped,
    as_json,
    as_logged,
    event_of,
)
from smarthdr_studio.core.training.run_log import RunTail, chunks, rare_events, rare_lines

EVENTS = st.sampled_from(
    [
        started(),
        step(3, total=0.5),
        PhaseChanged(phase="saving", text="S…R: saving", step=3),
        round_(1, 3, 0.7, b=0.6),
        check(3, 31.0),
        StepSkipped(step=3, epoch=0, why="the loss is no number", count=1),
        Steered(step=3, epoch=0, text="paused", what="pause"),
        Steered(step=3, epoch=0, text="resumed with more epochs"),
        CheckpointSaved(step=3, epoch=0, folder="x"),
        RunFinished(run="a-run", outcome="done", step=3, message="trained"),
    ]
)


@pytest.fixture
def run(tmp_path):
    return a_run(tmp_path)


def heard(tail):
    return [each.event for each in tail.read()]


def test_every_event_is_heard_once_and_with_its_time(run):
    tail = RunTail(run)
    assert tail.read() == ()
    log(run, started(), step(1))
    assert heard(tail) == [started(), step(1)]
    assert tail.read() == ()
    log(run, step(2), begin=NOON + timedelta(hours=1))
    (later,) = tail.read()
    assert (later.event, later.time) == (step(2), NOON + timedelta(hours=1))


def test_where_nothing_is_new_the_file_is_not_opened(run, monkeypatch):
    tail = RunTail(run)
    log(run, started())
    run.events_path.write_bytes(run.events_path.read_bytes() + b'{"time": "20')
    assert len(tail.read()) == 1

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr(Path, "open", refuse)
    assert tail.read() == ()


@given(cut=st.integers(1, 200))
def test_a_last_line_is_heard_when_it_is_whole(tmp_path_factory, cut):
    run = a_run(tmp_path_factory.mktemp("run"))
    tail, whole = RunTail(run), line(started()).encode() + line(step(1)).encode()
    run.events_path.write_bytes(whole[:-cut])
    first = heard(tail)
    run.events_path.write_bytes(whole)
    assert [*first, *heard(tail)] == [started(), step(1)]


def test_a_log_that_was_cut_or_replaced_is_heard_from_its_beginning(run):
    tail = RunTail(run)
    log(run, started(), step(1), step(2))
    tail.read()
    run.events_path.write_text(line(started(5)), encoding="utf-8")
    assert heard(tail) == [started(5)]
    other = run.path / "other"
    other.write_text(line(started(6)) + line(step(7)) * 9, encoding="utf-8")
    other.replace(run.events_path)
    assert heard(tail)[0] == started(6)


def test_a_log_that_is_gone_has_nothing_to_say(run):
    tail = RunTail(run)
    log(run, started())
    tail.read()
    run.events_path.unlink()
    assert tail.read() == ()
    assert rare_events(run) == ()


def test_what_a_resumed_run_wrote_behind_a_line_cut_by_a_full_disk_is_heard(run):
    cut = line(step(1))[:70]
    run.events_path.write_text(line(started()) + cut + line(started(1)), encoding="utf-8")
    assert heard(RunTail(run)) == [started(), started(1)]


def test_a_line_of_a_newer_program_is_passed_over(run):
    run.events_path.write_text('{"event": "Sang", "song": 1}\n[1]\nnot json\n' + line(step(1)))
    assert heard(RunTail(run)) == [step(1)]


@given(st.lists(EVENTS, max_size=30), st.integers(10, 5000))
def test_rare_events_are_all_but_steps_and_phases(tmp_path_factory, events, size):
    run = a_run(tmp_path_factory.mktemp("run"))
    log(run, *events)
    wanted = [each for each in events if not isinstance(each, StepReported | PhaseChanged)]
    assert [each.event for each in rare_events(run)] == wanted
    whole = run.events_path.read_bytes()
    assert b"".join(chunks(run.events_path, size=size)) == whole
    found = b"\n".join(rare_lines(whole))
    assert all(line(each).encode().split(b'"event"')[1].strip() in found for each in wanted)


def test_before_a_start_the_last_word_of_the_session_before_is_kept(run):
    log(run, started(), step(1), step(2), step(3), started(3), step(4))
    kept = rare_lines(run.events_path.read_bytes())
    assert [b'"step": 3,' in each for each in kept] == [False, True, True]


RATE = "learning rate 0.1 from epoch 3 on"
SINCE = Steered(step=3, epoch=1, text=RATE, what="learning rate", counts_from=2)


def test_the_log_keeps_what_was_asked_and_what_is_printed_stays_as_it_was():
    plain = {"event": "Steered", "step": 3, "epoch": 1, "text": RATE}
    assert as_json(SINCE) == plain
    assert as_logged(SINCE) == {**plain, "what": "learning rate", "counts_from": 2}
    assert event_of(as_logged(SINCE)) == SINCE
    assert as_logged(started()) == as_json(started())


@pytest.mark.parametrize(
    ("text", "what", "counts_from"),
    [
        (RATE, "learning rate", 2),
        ("a round every 2 epochs from epoch 3 on", "refresh every", 2),
        ("refused: a learning rate is a number above 0, not 0", None, None),
        ("learning rate 0.1 only if the run is resumed with more epochs", "learning rate", None),
        ("paused", "pause", None),
        ("goes on", "go on", None),
        ("epoch 2 ends here, round 3 is next", None, None),
    ],
)
def test_a_log_that_has_only_sentences_is_understood(text, what, counts_from):
    told = event_of({"event": "Steered", "step": 3, "epoch": 1, "text": text})
    assert told == Steered(step=3, epoch=1, text=text, what=what, counts_from=counts_from)
