"""How a run stands after each event, what is said of it, and a time left that does not jump."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.training.diary import diary_of
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    StepSkipped,
    Validated,
)
from smarthdr_studio.core.training.run_log import TimedEvent
from smarthdr_studio.studio.plots.run_charts import RunBoard
from smarthdr_studio.studio.state import Activity, StudioState, TrainingState
from smarthdr_studio.studio.state.chart_names import points
from smarthdr_studio.studio.state.training import GO_ON, PAUSE, SNAPSHOT, after
from smarthdr_studio.studio.training.controller import Eta, coarse
from smarthdr_studio.studio.training.training_panel import (
    name_of,
    notes_in_words,
    phase_in_words,
    progress_in_words,
    run_in_short,
    thousandths_done,
    validation_in_words,
)
from smarthdr_studio.studio.window.bars import ReadoutBar

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
STARTED = RunStarted(
    run="r1", folder="/r1", device="cpu", network="light", total_steps=100, total_epochs=5
)
PAUSED = PhaseChanged(phase="paused", text="paused; it goes on when asked", step=20)


def step(number=20, *, epoch=1, left=61.0):
    return StepReported(
        step=number,
        epoch=epoch,
        losses={"total": 0.5},
        learning_rate=1e-3,
        images_per_second=12.0,
        seconds_left=left,
    )


def standing(*events, **first):
    state = TrainingState(**first)
    for event in events:
        state = after(state, event)
    return state


def waits(text, *, what, step):
    return Steered(step=step, epoch=1, text=text, what=what, counts_from=2)


LEARNING = PhaseChanged(phase="learning", text="epoch 2 of 5: learning from labels", step=10)
RUNNING = standing(STARTED, LEARNING, step())


def test_the_bar_of_a_finished_run_is_full_though_it_took_fewer_steps_than_thought():
    assert thousandths_done(TrainingState()) == 0
    assert thousandths_done(RUNNING) == 200
    done = after(RUNNING, RunFinished(run="r1", outcome="done", step=80, message="trained"))
    assert thousandths_done(done) == 1000
    stopped = after(RUNNING, RunFinished(run="r1", outcome="stopped", step=20, message="stopped"))
    assert thousandths_done(stopped) == 200


def test_a_pause_is_told_with_what_was_going_on():
    state = after(RUNNING, PAUSED)
    assert state.activity is Activity.PAUSED
    assert phase_in_words(state) == "paused: epoch 2 of 5: learning from labels"


def test_a_run_is_told_in_short_to_whoever_looks_at_something_else(qtbot):
    timed = replace(RUNNING, seconds_left=240.0)
    assert run_in_short(timed) == "training · epoch 2 of 5 · 4 min left"
    before = replace(timed, round=0, rounds_left=3)  # what rounds take is not known yet
    assert run_in_short(before) == "training · epoch 2 of 5 · over 4 min left"
    for known in (replace(before, round=1), replace(before, rounds_left=0)):
        assert run_in_short(known) == "training · epoch 2 of 5 · 4 min left"
    assert run_in_short(replace(timed, in_other_process=True)).startswith("another process · ")
    assert run_in_short(replace(timed, silent=True)).startswith("no event for 60 s · ")
    assert run_in_short(after(timed, PAUSED)) == "paused · epoch 2 of 5"
    cut_off = replace(timed, activity=Activity.INTERRUPTED, past=True)
    bar = ReadoutBar()
    qtbot.addWidget(bar)
    bar.show_state(StudioState(), StudioState(training=cut_off))
    assert bar._run.text() == run_in_short(cut_off) == "last run interrupted"
    assert run_in_short(TrainingState(activity=Activity.STARTING)) == phase_in_words(
        TrainingState(activity=Activity.STARTING)
    )


def test_the_step_at_hand_does_not_end_a_pause_that_was_asked_for_but_a_later_one_does():
    asked = replace(RUNNING, activity=Activity.PAUSED, asked=PAUSE)
    assert after(asked, step(21)).activity is Activity.PAUSED
    heard = after(asked, Steered(step=21, epoch=1, text="paused", what="pause"))
    assert (heard.asked, heard.told) == ("", "")
    assert after(heard, step(22)).activity is Activity.RUNNING


def test_another_answer_does_not_pass_for_that_to_a_pause():
    asked = replace(RUNNING, activity=Activity.PAUSED, asked=PAUSE)
    rate = Steered(
        step=20,
        epoch=1,
        text="learning rate 0.1 from epoch 3 on",
        what="learning rate",
        counts_from=2,
    )
    assert after(after(asked, rate), step(21)).activity is Activity.PAUSED
    assert (
        after(asked, Steered(step=20, epoch=1, text="goes on", what="go on")).activity
        is Activity.RUNNING
    )


def test_a_pause_said_before_going_on_was_heard_is_not_believed():
    asked = replace(RUNNING, asked=GO_ON)
    assert after(asked, PAUSED).activity is Activity.RUNNING


def test_a_change_waits_until_its_epoch_and_a_newer_one_takes_its_place():
    state = standing(
        STARTED,
        step(epoch=1),
        Steered(
            step=20,
            epoch=1,
            text="learning rate 0.1 from epoch 3 on",
            what="learning rate",
            counts_from=2,
        ),
        Steered(
            step=20,
            epoch=1,
            text="a round every 2 epochs from epoch 3 on",
            what="refresh every",
            counts_from=2,
        ),
        Steered(
            step=21,
            epoch=1,
            text="learning rate 0.2 from epoch 3 on",
            what="learning rate",
            counts_from=2,
        ),
    )
    told = {each.text for each in state.waiting}
    assert told == {"a round every 2 epochs from epoch 3 on", "learning rate 0.2 from epoch 3 on"}
    assert "learning rate 0.2 from epoch 3 on" in notes_in_words(state)
    assert after(state, step(22, epoch=1)).waiting == state.waiting
    assert after(state, step(23, epoch=2)).waiting == ()


def test_an_answer_that_waits_for_nothing_is_told_at_once():
    state = after(RUNNING, Steered(step=20, epoch=1, text="epoch 2 ends here, round 3 is next"))
    assert "round 3 is next" in notes_in_words(state)
    assert state.waiting == ()


def test_a_snapshot_that_was_asked_for_is_answered_and_others_are_not_news():
    saved = CheckpointSaved(step=20, epoch=1, folder="/r1/c")
    asked = replace(RUNNING, asked=SNAPSHOT)
    assert "asked to save a snapshot" in notes_in_words(asked)
    assert "saved at step 20" in notes_in_words(after(asked, saved))
    assert notes_in_words(after(RUNNING, saved)) == ""


def test_skipped_steps_are_counted_in_words():
    skipped = StepSkipped(step=21, epoch=1, why="a gradient is no number", count=1)
    assert notes_in_words(after(RUNNING, skipped)) == "1 step was skipped: a gradient is no number"
    state = standing(STARTED, step(), skipped, replace(skipped, step=22, count=2))
    assert state.step == 22
    assert notes_in_words(state).startswith("2 steps were skipped")


def test_what_a_person_changes_is_told_with_its_round():
    state = replace(RUNNING, changes_wait=True, round=2)
    assert notes_in_words(state) == "what you changed takes effect in round 3"


def test_a_run_that_is_over_waits_for_nothing():
    state = replace(RUNNING, asked=SNAPSHOT, changes_wait=True)
    state = after(
        state,
        Steered(
            step=20,
            epoch=1,
            text="learning rate 0.1 from epoch 3 on",
            what="learning rate",
            counts_from=2,
        ),
    )
    state = after(state, RunFinished(run="r1", outcome="stopped", step=21, message="stopped"))
    assert notes_in_words(state) == ""


def test_a_run_is_called_by_its_preset_and_the_minute_it_began():
    assert name_of("20261125-214500-no_patch_mask").startswith("no-patch-mask of 2")
    assert name_of("my best") == "my best"


def test_the_last_run_and_one_elsewhere_are_told_apart_from_ours():
    last = replace(RUNNING, activity=Activity.INTERRUPTED, run="20261125-214500-quick", past=True)
    assert phase_in_words(last).startswith("last run, quick of ")
    assert "Resume" in phase_in_words(last)
    assert phase_in_words(replace(RUNNING, in_other_process=True)).startswith("another process: ")


def test_the_time_left_is_not_told_before_it_is_known():
    eta = Eta().after(100.0, now=0.0)
    assert eta.left(now=1.0) is None
    for second in range(1, 10):
        eta = eta.after(100.0 - second, now=float(second))
    assert eta.left(now=9.0) is not None
    assert "estimating" in progress_in_words(replace(RUNNING, seconds_left=None))


_GUESSES = st.lists(st.floats(min_value=50, max_value=150), min_size=30, max_size=60)


@given(_GUESSES)
def test_the_time_left_stays_within_what_was_guessed_and_follows_slowly(guesses):
    eta, told = Eta(), []
    for second, guess in enumerate(guesses):
        eta = eta.after(guess, now=float(second))
        if (left := eta.left(now=float(second))) is not None:
            told.append(left)
    assert told
    assert min(told) >= 0
    assert max(told) <= max(guesses) + 1e-6


def test_a_steady_run_is_told_to_the_second_and_a_change_of_plans_at_once():
    eta = Eta()
    for second in range(60):
        eta = eta.after(600.0 - second, now=float(second))
    assert abs(eta.left(now=60.0) - 540) < 1
    eta = eta.after(3000.0, now=61.0)
    assert eta.left(now=61.0) == 3000.0


@given(st.floats(min_value=0, max_value=1e6))
def test_coarse_times_are_close_and_never_nothing(seconds):
    told = coarse(seconds)
    assert told > 0
    assert abs(told - seconds) <= max(10, 0.06 * seconds)


def check(at, epoch, psnr, scenes=1):
    named = {f"s{k}": psnr for k in range(scenes)}
    return Validated(step=at, epoch=epoch, psnr_mu=psnr, psnr_l=30.0, scenes=named)


def checked(*checks):
    state = RUNNING
    for each in checks:
        state = after(state, each)
    return state


def test_one_line_says_the_best_check_and_how_the_newest_stands_below_it():
    assert validation_in_words(RUNNING) == ""
    first = checked(check(10, 0, 31.0), check(40, 3, 34.66))
    assert validation_in_words(first) == (
        "best 34.7 dB at epoch 4 · the newest check · 1 scene validates"
    )
    # 34.66 − 34.34 is 0.32, but a person subtracts what is read: 34.7 − 34.3.
    later = after(first, check(50, 4, 34.34, scenes=3))
    assert validation_in_words(later) == (
        "best 34.7 dB at epoch 4 · now 0.4 below · 3 scenes validate"
    )
    assert "PSNR-μ 34.3 dB" in progress_in_words(later)
    assert "· now as good ·" in validation_in_words(after(first, check(50, 4, 34.655)))
    assert "· now no number ·" in validation_in_words(after(first, check(50, 4, float("nan"))))


def test_checks_after_the_checkpoint_a_run_goes_on_from_are_forgotten():
    state = checked(check(10, 0, 31.0), check(20, 1, 36.0))
    again = after(
        state,
        RunStarted(
            run="r1", folder="", device="", network="", total_steps=90, total_epochs=9, step=10
        ),
    )
    assert validation_in_words(again).startswith("best 31.0 dB at epoch 1")
    told_again = after(after(again, check(20, 1, 30.0)), check(20, 1, 30.5))
    assert [each.psnr_mu for each in told_again.checks] == [31.0, 30.5]


def test_status_diary_and_chart_tell_one_number_and_the_same_epoch(qtbot):
    checks = [check(10, 0, 31.0), check(20, 1, 34.36), check(30, 2, 34.66)]
    diary = diary_of(TimedEvent(time=NOON, event=each) for each in checks)
    board = RunBoard()
    qtbot.addWidget(board)
    board.take_points(point for each in checks for point in points(each))
    (entry, _) = board.curves["psnr"].lines.entries(None, smooth=board.curves["psnr"].smooth)
    state = checked(*checks)
    assert f"{entry.value:.1f}" == "34.7"
    assert "PSNR-μ 34.7 dB" in progress_in_words(state)
    assert (diary[-1].text, diary[-1].epoch) == ("best so far: PSNR-μ 34.7 dB (+0.3)", 3)
    assert "at epoch 3" in validation_in_words(state)


def test_the_bar_never_steps_back_when_words_come_beside_it(opened, qtbot):
    panel, before = opened.page.training, opened.session.state
    opened.session.work_in("Train")
    qtbot.waitUntil(panel.isVisible)
    states = (
        RUNNING,
        checked(check(10, 0, 31.0)),
        checked(check(10, 0, 31.0), check(20, 1, 30.5, scenes=12)),
        checked(*(check(10 * k, k, 30 + k / 100) for k in range(120))),
    )
    widths = []
    for state in states:
        panel.show_state(before, replace(before, training=state))
        qtbot.wait(20)
        widths.append(panel._bar.width())
        assert panel._validation.text() == validation_in_words(state)
    assert len(set(widths)) == 1
