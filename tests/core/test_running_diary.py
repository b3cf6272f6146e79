"""The diary of a run tells what a person would want to know, in words, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from made_runs import NOON, check, round_, started, step

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.training.diary import Diary, diary_of
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RunFinished,
    Steered,
    StepSkipped,
)
from smarthdr_studio.core.training.run_log import TimedEvent


def told(*events):
    timed = (
        TimedEvent(time=NOON + timedelta(seconds=second), event=event)
        for second, event in enumerate(events)
    )
    return [(line.text, line.tone) for line in diary_of(timed)]


def saved(at, epoch):
    return CheckpointSaved(step=at, epoch=epoch, folder="x")


def test_a_round_is_held_against_the_one_before():
    lines = told(
        check(9, 30.0),
        round_(11, 10, 0.68, b=0.6, c=0.4, d=0.3),
        check(19, 30.1),
        round_(12, 20, 0.71, b=0.7, c=0.6, d=0.51),
    )
    texts = [text for text, _ in lines]
    assert texts[0] == "round 11: retained 68 %, 1 scene newly trusted, PSNR-μ 30.0 dB before it"
    assert (
        texts[-1]
        == "round 12: retained 71 % (+3), 2 scenes newly trusted, PSNR-μ +0.1 dB since round 11"
    )


@pytest.mark.parametrize(
    ("before", "now", "words"), [(34.34, 34.27, "±0"), (34.34, 34.36, "+0.1"), (34.4, 34.0, "−0.4")]
)
def test_a_change_is_that_of_the_numbers_as_they_are_told(before, now, words):
    lines = told(check(9, before), round_(1, 10, 0.5), check(19, now), round_(2, 20, 0.5))
    assert lines[-1][0].endswith(f"PSNR-μ {words} dB since round 1")


def test_a_path_inside_the_project_is_told_from_there_on(tmp_path):
    weights = tmp_path / "runs" / "r1" / "teacher.safetensors"
    begins = Steered(step=0, epoch=0, text=f"begins with the weights of {weights}")
    (line,) = diary_of([TimedEvent(time=NOON, event=begins)], project=tmp_path)
    assert line.text == f"begins with the weights of {weights.relative_to(tmp_path)}"
    (line,) = diary_of([TimedEvent(time=NOON, event=begins)])
    assert line.text.endswith(str(weights))


def test_scenes_that_lost_trust_are_told_but_not_those_that_left_the_pool():
    lines = told(round_(1, 1, 0.5, b=0.9, c=0.9, d=0.9), round_(2, 2, 0.3, b=0.4, c=0.8))
    assert lines[1][0] == "round 2: retained 30 % (−20), 1 no longer"


def test_what_a_person_changed_is_said_with_the_round_that_uses_it():
    changes = ("τ_pa 0.40 → 0.35", "b promoted")
    ((text, _),) = told(round_(3, 9, 0.5, changes=changes))
    assert text == "round 3: retained 50 % · τ_pa 0.40 → 0.35; b promoted"


def test_a_round_that_trusts_nothing_is_a_warning():
    assert told(round_(1, 1, 0.0)) == [("round 1: retained 0 %", "warn")]


def test_only_a_check_better_than_any_before_is_told():
    lines = told(check(1, 30.0), check(2, 31.25), check(3, 31.0), check(4, float("nan")))
    assert lines == [("best so far: PSNR-μ 31.2 dB (+1.2)", "good")]
    lines = told(check(1, float("nan")), check(2, 30.0), check(3, 31.0))
    assert lines == [("best so far: PSNR-μ 31.0 dB (+1.0)", "good")]


def test_checks_that_a_resumed_run_left_behind_are_beaten_again():
    lines = told(started(), check(1, 30.0), check(5, 33.0), started(2), check(5, 32.0))
    assert lines[-1] == ("best so far: PSNR-μ 32.0 dB (+2.0)", "good")
    assert lines[-2][0] == "resumed from step 2 on cpu: 1 label and 3 unlabelled"


def test_what_a_run_computes_in_is_told_where_there_is_a_reason_to_give():
    first = replace(started(), precision="bfloat16", precision_why="it is faster")
    on = replace(started(2), precision_why="as before")
    texts = [text for text, _ in told(first, on, started(3))]
    assert texts == [
        "started on cpu: light, 1 label and 3 unlabelled; computes in bfloat16: it is faster",
        "resumed from step 2 on cpu: 1 label and 3 unlabelled; computes in float32: as before",
        "resumed from step 3 on cpu: 1 label and 3 unlabelled",
    ]


def test_checkpoints_are_told_where_somebody_asked_for_them():
    ended = RunFinished(run="r", outcome="done", step=9, message="trained")
    lines = told(started(epochs=2), saved(3, 1), saved(4, 1), saved(9, 2), saved(9, 2), ended)
    texts = [text for text, _ in lines]
    assert texts[1:] == ["checkpoint saved at step 4", "done: trained"]


def test_an_end_says_how_and_what_helps():
    failed = RunFinished(
        run="r",
        outcome="failed",
        step=7,
        message="cpu: memory is full",
        remedies=(Remedy(text="half the batch", changes={}), Remedy(text="bf16", changes={})),
    )
    text = "failed at step 7: cpu: memory is full; what helps: half the batch or bf16"
    assert told(failed) == [(text, "bad")]
    stopped = replace(failed, outcome="stopped", message="asked", remedies=())
    assert told(stopped) == [("stopped at step 7: asked", "plain")]


def test_skipped_steps_and_steering_are_told_and_steps_and_phases_are_not():
    lines = told(
        step(1),
        PhaseChanged(phase="labelling", text="labelling scene 3 of 13", step=1),
        StepSkipped(step=2, epoch=0, why="the loss is no number", count=1),
        Steered(step=2, epoch=0, text="learning rate 0.0001 from epoch 2 on"),
    )
    assert lines == [
        ("step skipped: the loss is no number; 1 step skipped so far", "warn"),
        ("learning rate 0.0001 from epoch 2 on", "plain"),
    ]


def test_a_line_knows_where_the_run_stood():
    line = Diary().take(TimedEvent(time=NOON, event=round_(4, 40, 0.5)))
    assert (line.step, line.epoch, line.time) == (40, 5, NOON)  # it is learned from in epoch 5


def test_epochs_are_counted_from_one_and_nothing_is_told_beyond_the_last():
    found = diary_of(
        TimedEvent(time=NOON, event=each)
        for each in (started(epochs=2), check(1, 30.0), check(2, 31.0, epoch=1), round_(2, 9, 0.5))
    )
    assert [line.epoch for line in found] == [1, 2, 2]


def test_a_gain_too_small_for_one_digit_is_not_told_as_none():
    assert told(check(1, 30.0), check(2, 30.02))[-1][0] == "best so far: PSNR-μ 30.0 dB (+0.02)"


@pytest.mark.parametrize(
    ("material", "learns"),
    [
        ("labels and others", "1 label and 3 unlabelled"),
        ("labels", "1 label"),
        ("no label", "4 brackets, no label"),
    ],
)
def test_it_begins_with_what_the_run_learns_from(material, learns):
    ((text, _),) = told(replace(started(), material=material, held_out=()))
    assert text == f"started on cpu: light, {learns}"


def test_what_is_held_out_is_told_beside_what_is_learned_from():
    ((text, _),) = told(replace(started(), held_out=("h",)))
    assert text == "started on cpu: light, 1 label, 1 held out, 3 unlabelled"


def test_a_round_that_is_made_again_after_a_kill_is_held_against_the_one_before_it():
    again = [each for n in (1, 2) for each in (check(n, 30.0 + n), round_(n, n, 0.3 + n / 10))]
    rounds = [
        text for text, _ in told(started(), *again, started(1), *again) if text.startswith("round")
    ]
    assert rounds[:2] == rounds[2:]
    assert "since" not in rounds[2]
