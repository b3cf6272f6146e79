"""The state is a value: it cannot be changed, only replaced, and it counts itself."""

from dataclasses import FrozenInstanceError, replace

import pytest

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    Validated,
)
from smarthdr_studio.core.training.run_folder import Check
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.studio.state import Activity, StudioState, TrainingState
from smarthdr_studio.studio.state.chart_names import points
from smarthdr_studio.studio.state.training import after
from smarthdr_studio.studio.training.training_panel import (
    notes_in_words,
    phase_in_words,
    progress_in_words,
)
from smarthdr_studio.studio.widgets.controls import duration, percent
from smarthdr_studio.studio.window.bars import counts_in_brief, counts_in_words

STARTED = RunStarted(
    run="r1", folder="/r1", device="cpu", network="light", total_steps=100, total_epochs=5
)
STEP = StepReported(
    step=20,
    epoch=1,
    losses={"total": 0.5, "labelled_reconstruction": 0.3},
    learning_rate=1e-3,
    images_per_second=12.0,
    seconds_left=61.0,
)
ROUND = RoundFinished(
    round=2,
    step=40,
    epoch=2,
    masks=MaskSettings(),
    retained=0.7,
    patches_retained=0.8,
    sigma_mean=0.02,
)


def test_a_state_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        StudioState().project = "other"


def test_the_four_views_begin_with_label_uncertainty_and_both_masks():
    assert tuple(view.layer for view in StudioState().views) == (
        Layer.PSEUDO_LABEL,
        Layer.UNCERTAINTY,
        Layer.PATCH_MASK,
        Layer.PIXEL_MASK,
    )


def test_a_state_counts_its_scenes_by_status():
    rows = (
        SceneFacts(id="a", status=Status.TEST),
        SceneFacts(id="b", status=Status.TEST),
        SceneFacts(id="c", status=Status.PROMOTED),
    )
    counts = StudioState(scenes=rows).counts()
    assert counts[Status.TEST] == 2
    assert counts[Status.PROMOTED] == 1
    assert counts[Status.EXCLUDED] == 0


def test_counts_are_told_whole_and_in_brief():
    told = Status.GROUND_TRUTH, Status.PROMOTED, Status.UNLABELLED, Status.TEST
    rows = tuple(
        SceneFacts(id=f"{status}{place}", status=status)
        for many, status in zip((5, 1, 12, 6), told, strict=True)
        for place in range(many)
    )
    state = StudioState(scenes=rows)
    assert counts_in_words(state) == "5 labelled · 1 promoted · 12 in the pool · 6 test"
    brief = "5 + 1 labelled · 12 pool"
    assert counts_in_brief(state) == (f"{brief} · 6 test", brief)
    assert counts_in_brief(StudioState(scenes=rows[5:6])) == ("1 labelled",) * 2


def test_a_run_is_told_in_words_from_its_first_second_to_its_last():
    state = TrainingState(activity=Activity.STARTING)
    assert "starting" in phase_in_words(state)
    for event in (
        STARTED,
        PhaseChanged(phase="labelling", text="labelling scene 3 of 13", step=10),
        STEP,
        Validated(step=20, epoch=1, psnr_mu=31.25, psnr_l=30.0),
    ):
        state = after(state, event)
    assert phase_in_words(state) == "labelling scene 3 of 13"
    assert progress_in_words(state) == "epoch 2 of 5 · PSNR-μ 31.2 dB · 61 s left"
    state = after(state, RunFinished(run="r1", outcome="done", step=100, message="all done"))
    assert state.activity is Activity.DONE
    assert phase_in_words(state) == "all done"


def test_a_finished_round_takes_the_waiting_changes_in():
    waiting = TrainingState(activity=Activity.RUNNING, changes_wait=True)
    assert not after(waiting, ROUND).changes_wait
    assert after(waiting, STEP).changes_wait


def test_what_is_decided_while_a_round_is_made_waits_for_the_one_after_it():
    making = PhaseChanged(phase="labelling", text="labelling scene 1 of 2", step=10)
    running = TrainingState(activity=Activity.RUNNING, round=ROUND.round - 1)
    assert running.next_round == f"round {ROUND.round}"
    made = after(running, making)
    assert made.next_round == f"round {ROUND.round + 1}"
    late = after(replace(made, changes_wait=True, late=True), ROUND)
    assert late.changes_wait
    assert late.changes_in == late.next_round == f"round {ROUND.round + 1}"
    in_time = after(after(replace(running, changes_wait=True), making), ROUND)
    assert not in_time.changes_wait


@pytest.mark.parametrize(
    ("left", "now", "while_made"),
    [
        (2, f"round {ROUND.round}", f"round {ROUND.round + 1}"),
        (1, f"round {ROUND.round}", "the next run"),
        (0, "the next run", "the next run"),
        (None, f"round {ROUND.round}", f"round {ROUND.round + 1}"),  # of an older log
    ],
)
def test_what_comes_after_the_last_round_that_teaches_waits_for_the_next_run(left, now, while_made):
    running = TrainingState(
        activity=Activity.RUNNING, round=ROUND.round - 1, rounds_left=left, changes_wait=True
    )
    assert running.next_round == running.changes_in == now
    assert f"takes effect in {now}" in notes_in_words(running)
    making = after(running, PhaseChanged(phase="labelling", text="labelling", step=10))
    assert making.next_round == while_made


def test_a_run_gone_on_with_says_what_waits_and_what_was_checked():
    resumed = after(
        replace(TrainingState(), checks=(Check(20, 31.25, None, 1), Check(60, 33.0, None, 3))),
        replace(STARTED, step=40, rounds_left=2, changes_wait=True, at_epoch=3),
    )
    assert resumed.epoch == 3
    assert (resumed.changes_wait, resumed.rounds_left) == (True, 2)
    assert [check.step for check in resumed.checks] == [20]


def test_a_checkpoint_makes_a_run_resumable():
    running = after(TrainingState(), STARTED)
    saved = after(running, CheckpointSaved(step=20, epoch=1, folder="/r1/c"))
    assert saved.resumable == "r1"


def test_a_stop_asked_for_early_is_not_forgotten_when_the_run_begins():
    stopping = TrainingState(activity=Activity.STOPPING)
    assert after(stopping, STARTED).activity is Activity.STOPPING


def test_any_event_ends_a_silence():
    silent = TrainingState(activity=Activity.RUNNING, silent=True, phase="learning")
    assert "no event for 60 s" in phase_in_words(silent)
    assert not after(silent, STEP).silent


def test_every_loss_term_becomes_a_line_of_the_chart():
    losses = {point.line for point in points(STEP) if point.chart in ("fit", "likelihood")}
    assert losses == {"total", "Lₛʳ"}
    assert {point.chart for point in points(STEP)} == {"fit", "likelihood", "rate", "speed"}
    assert {point.chart for point in points(ROUND)} == {"kept", "sigma"}


def test_shares_never_round_to_all_or_nothing():
    assert percent(0.9999) == "> 99 %"
    assert percent(0.0001) == "< 1 %"
    assert percent(1.0) == "100 %"
    assert percent(None) == "–"


def test_durations_are_as_precise_as_anyone_needs():
    assert duration(42) == "42 s"
    assert duration(600) == "10 min"
    assert duration(6720) == "1 h 52 min"


def test_the_same_state_is_equal_and_another_is_not():
    assert replace(StudioState()) == StudioState()
    assert replace(StudioState(), current="001") != StudioState()


def test_the_first_round_of_a_run_is_the_first_and_that_of_one_gone_on_with_is_told_once_known():
    begun = after(TrainingState(activity=Activity.STARTING), STARTED)
    assert begun.next_round == "round 1"
    resumed = after(TrainingState(activity=Activity.STARTING), replace(STARTED, step=40))
    assert resumed.next_round == "the next round"
    finished = RoundFinished(
        round=3,
        step=60,
        epoch=2,
        masks=MaskSettings(),
        retained=0.5,
        patches_retained=0.5,
        sigma_mean=0.1,
    )
    assert after(resumed, finished).next_round == "round 4"
