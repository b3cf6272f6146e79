"""When things happen: rates, rounds, the time left, and a plan that reads back."""

import pytest

from smarthdr_studio.core.training.events import RoundFinished, StepReported
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.plan_sections import SchedulePlan
from smarthdr_studio.learning.estimate import time_steps
from smarthdr_studio.learning.run_setup import write_plan
from smarthdr_studio.learning.schedule import (
    EpochLengths,
    Progress,
    Remaining,
    StepTimer,
    learning_rate,
    ramp_up,
    remaining,
    round_is_planned,
)
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")


def test_a_written_plan_reads_back_whatever_it_says(tmp_path, make_plan):
    plan = make_plan(
        preset='odd "name" – µ', loss={"nll_gradient": "beta"}, masks={"tau_patch": 0.25}, seed=7
    )
    write_plan(tmp_path / "plan.toml", plan)
    assert load_preset(str(tmp_path / "plan.toml")) == plan
    never = make_plan(schedule={"halve_at_epoch": None})
    write_plan(tmp_path / "plan.toml", never)
    assert load_preset(str(tmp_path / "plan.toml")) == never


def test_timing_a_step_writes_nothing_and_tells_the_share_of_the_data(project, make_plan):
    times = time_steps(make_plan(), project, steps=2)
    assert times.images == 4
    assert 0 < times.data_share < 1
    assert not (project / "runs").exists()


def test_the_rate_is_halved_and_falls_along_a_cosine_after_the_warm_up():
    halved = SchedulePlan(epochs=200, halve_at_epoch=100)
    assert [learning_rate(halved, epoch=e) for e in (0, 99.9, 100)] == [2e-4, 2e-4, 1e-4]
    falling = SchedulePlan(
        epochs=20, warmup_epochs=10, halve_at_epoch=None, final_decay="cosine", learning_rate=1
    )
    rates = [learning_rate(falling, epoch=e) for e in (0, 10, 15, 19.99)]
    assert rates == pytest.approx([1, 1, 0.5, 0], abs=1e-4)
    labels_only = SchedulePlan(epochs=10, warmup_epochs=10, final_decay="cosine", learning_rate=1)
    assert learning_rate(labels_only, epoch=5) == pytest.approx(0.5)


def test_the_rate_decays_again_and_again_since_the_stage_began():
    plan = SchedulePlan(epochs=40, halve_at_epoch=None, decay=0.75, decay_every=10, learning_rate=1)
    rates = [learning_rate(plan, epoch=e, stage_begun=15) for e in (15, 24.9, 25, 35)]
    assert rates == [1, 1, 0.75, 0.75**2]
    assert learning_rate(plan, epoch=9.9) == 1
    unchanged = SchedulePlan(halve_at_epoch=None)
    assert learning_rate(unchanged, epoch=150) == unchanged.learning_rate


@pytest.mark.parametrize(
    ("refresh", "expected"), [(1, [2, 3, 4, 5, 6]), (2, [2, 4, 6]), (3, [2, 5, 6]), (9, [2, 6])]
)
def test_rounds_come_after_the_warm_up_each_so_many_epochs_and_at_the_end(refresh, expected):
    schedule = SchedulePlan(epochs=6, warmup_epochs=2, refresh_every=refresh)
    made = []
    for epoch in range(7):
        if round_is_planned(schedule, epoch=epoch, last_round_at=made[-1] if made else None):
            made.append(epoch)
    assert made == expected
    lengths = EpochLengths(labels_only=3, with_pseudo_labels=10)
    left = remaining(Progress(), schedule=schedule, lengths=lengths, makes_rounds=True)
    assert (left.steps, left.rounds, left.validations) == (2 * 3 + 4 * 10, len(expected), 6)
    midway = Progress(step=26, epoch=4, step_in_epoch=4, round=1, last_round_at=2)
    left = remaining(midway, schedule=schedule, lengths=lengths, makes_rounds=True)
    assert left.steps == 10 - 4 + 10


def test_the_time_left_settles_on_the_median_of_late():
    pace = StepTimer()
    for seconds in (30.0, *[2.0] * 20, 90.0):
        pace.step_took(seconds)
    pace.round_took(7.0)
    left = Remaining(steps=10, rounds=2, learned_from=1, validations=3)
    assert pace.seconds_left(left) == 10 * 2 + 2 * 7
    pace.validation_took(1.0)
    assert pace.seconds_left(left) == 10 * 2 + 2 * 7 + 3


def test_supervised_makes_no_round(project, make_plan, events_of):
    plan = make_plan(system="supervised", schedule={"epochs": 2, "warmup_epochs": 0})
    events = list(train(plan, project))
    assert not events_of(events, RoundFinished)
    assert len(events_of(events, StepReported)) == 4
    assert not (project / "pseudo").exists()


def test_the_unlabelled_weight_rises_along_its_curve_and_stays():
    assert [ramp_up(0, since=s) for s in (0, 3)] == [1, 1]
    risen = [ramp_up(4, since=s) for s in (0, 2, 4, 9)]
    assert risen == pytest.approx([0.006738, 0.286505, 1, 1], abs=1e-6)  # e^−5, e^−5/4


def test_rounds_can_come_by_steps_also_in_the_middle_of_an_epoch(project, make_plan, events_of):
    plan = make_plan(
        schedule={"epochs": 3, "warmup_epochs": 1, "steps_per_epoch": 7, "refresh_steps": 3},
        batch={"crop": 32, "stride": 8},
    )
    events = list(train(plan, project))
    rounds = events_of(events, RoundFinished)
    assert [r.step for r in rounds] == [7, 10, 13, 16, 19, 21]  # the last shows what came out
    assert rounds[0].gap is None
    steps = [e for e in events_of(events, StepReported) if 7 < e.step <= 10]
    seen = [e.losses["unlabelled_reconstruction"] for e in steps]
    assert rounds[1].gap == pytest.approx(sum(seen) / 3)
    schedule, lengths = plan.schedule, EpochLengths(labels_only=7, with_pseudo_labels=7)
    left = remaining(Progress(), schedule=schedule, lengths=lengths, makes_rounds=True)
    assert left.steps == 21
    assert abs(left.rounds - len(rounds)) <= 1  # of a last one that falls on the last step


def test_a_run_without_rounds_takes_the_steps_of_the_run_it_stands_beside(
    project, make_plan, events_of
):
    schedule = {"epochs": 3, "warmup_epochs": 1, "steps_per_epoch": None}
    masks = {"tau_patch": 1.0, "tau_pixel": 1.0, "patch_size": 16}
    plan = {"schedule": schedule, "masks": masks, "batch": {"stride": 32}}
    beside, alone = make_plan(**plan), make_plan(**plan, system="supervised")
    taken = [len(events_of(list(train(plan, project)), StepReported)) for plan in (beside, alone)]
    assert taken[0] == taken[1] > schedule["epochs"]
    paper, supervised = load_preset("paper"), load_preset("supervised")
    assert supervised.batch == paper.batch
    assert supervised.schedule == paper.schedule


def test_steps_before_the_first_round_are_forgotten_once_one_has_learned_from_it():
    pace = StepTimer()
    for _ in range(50):
        pace.step_took(1.0)
    pace.round_took(5.0)
    assert pace.step_seconds == 1.0
    pace.step_took(4.0)
    assert pace.step_seconds == 4.0
    pace.round_took(5.0)
    pace.step_took(6.0)
    assert pace.step_seconds == 5.0
