"""The best checkpoint is kept, and a run that gets no better can end early."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.training.events import RoundFinished, StepReported, Validated
from smarthdr_studio.core.training.run_folder import best_checkpoint, checkpoints_of
from smarthdr_studio.core.trust.reliability import ause
from smarthdr_studio.learning import train_state as runs
from smarthdr_studio.learning.checkpoints import read_info
from smarthdr_studio.learning.evaluation import quick_ause
from smarthdr_studio.learning.schedule import BestValidation
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

SCHEDULE = {"epochs": 6, "warmup_epochs": 1, "steps_per_epoch": 1}


@pytest.fixture
def validating(monkeypatch):
    """Makes the checks of a run say these decibels, one for each epoch."""

    def say(decibels):
        def validate(_, scenes, *, step, epoch):
            yield from ()
            psnr = decibels[epoch]
            return Validated(step=step, epoch=epoch, psnr_mu=psnr, psnr_l=psnr)

        monkeypatch.setattr(runs, "validate", validate)

    return say


def _of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def _run(project):
    (run,) = (project / "runs").iterdir()
    return run


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_best_is_the_first_of_the_highest_and_the_rest_are_behind(values):
    best = BestValidation()
    for step, value in enumerate(values):
        best = best.after(value, step=step, epoch=step, counts=True)
        assert best == best.after(value, step=step, epoch=step, counts=True)  # the same check again
    first = values.index(max(values))
    assert (best.psnr_mu, best.step, best.behind) == (max(values), first, len(values) - first - 1)


def test_what_is_no_number_is_never_the_best():
    best = BestValidation().after(math.nan, step=1, epoch=0, counts=True)
    assert (best.psnr_mu, best.behind) == (None, 1)
    best = best.after(20.0, step=2, epoch=1, counts=True)
    assert best.after(math.nan, step=3, epoch=2, counts=True).psnr_mu == 20.0


def test_the_best_and_the_two_newest_are_kept_whatever_the_plan_saves(
    project, make_plan, validating
):
    validating([20.0, 30.0, 25.0, 26.0, 27.0, 28.0])
    plan = make_plan(schedule=SCHEDULE | {"checkpoint_every": 4})
    events = list(train(plan, project))
    assert [e.epoch for e in _of(events, Validated) if e.best] == [0, 1]
    run = _run(project)
    assert [read_info(path).step for path in checkpoints_of(run)] == [2, 4, 6]
    assert read_info(best_checkpoint(run)).step == 2
    # The figures of a checkpoint are those of its own weights.
    assert [read_info(p).metrics["psnr_mu"] for p in checkpoints_of(run)] == [30.0, 26.0, 28.0]


def test_where_nothing_was_held_out_the_newest_is_the_best(project, make_plan, tmp_path):
    assert best_checkpoint(tmp_path) is None
    list(train(make_plan(schedule=SCHEDULE | {"epochs": 3}, held_out=0), project))
    run = _run(project)
    assert best_checkpoint(run) == checkpoints_of(run)[-1]


def test_a_run_that_gets_no_better_ends_early_and_says_so(project, make_plan, validating):
    validating([20.0, 30.0, 25.0, 26.0, 27.0, 28.0, 31.0, 29.0])
    plan = make_plan(schedule=SCHEDULE | {"early_stop": 2})
    events = list(train(plan, project))
    assert len(_of(events, StepReported)) == 4
    assert events[-1].outcome == "done"
    assert "stopped early after epoch 4" in events[-1].message
    assert "the best was epoch 2 (30.00 dB)" in events[-1].message
    # The finished teacher still says what it thinks of every scene.
    assert [e.epoch for e in _of(events, RoundFinished)] == [1, 2, 3, 4]
    run = _run(project)
    assert not _of(train(plan, project, resume=run.name), StepReported)
    longer = make_plan(schedule=SCHEDULE | {"early_stop": 2, "epochs": 8})
    more = list(train(longer, project, resume=run.name))
    assert [e.step for e in _of(more, StepReported)] == [5, 6]
    assert "the best was epoch 2" in more[-1].message


def test_checks_of_the_warm_up_do_not_count_for_the_early_stop(project, make_plan, validating):
    validating([30.0, 25.0, 25.0, 25.0, 31.0, 20.0])
    plan = make_plan(schedule=SCHEDULE | {"warmup_epochs": 3, "early_stop": 2})
    assert len(_of(train(plan, project), StepReported)) == 6


def test_how_long_it_has_not_been_better_survives_a_stop(project, make_plan, validating):
    validating([20.0, 30.0, 25.0, 26.0, 27.0, 28.0])
    plan = make_plan(schedule=SCHEDULE | {"early_stop": 2})
    stopped = train(plan, project)
    for event in stopped:
        if isinstance(event, Validated) and event.epoch == 2:
            break
    stopped.close()
    more = list(train(plan, project, resume=_run(project).name))
    assert [e.step for e in _of(more, StepReported)] == [4]
    assert "stopped early after epoch 4" in more[-1].message


def test_a_check_tells_similarity_and_whether_sigma_sorts_the_errors(project, make_plan):
    checks = _of(train(make_plan(), project), Validated)
    for check in checks:
        assert 0 < check.ssim_mu <= 1
        assert 0 < check.ssim_l <= 1
        assert math.isfinite(check.ause)


def test_the_quick_ause_is_the_ause():
    import numpy as np

    generator = np.random.default_rng(0)
    error = generator.gamma(1.0, 0.02, (64, 64)).astype(np.float32)
    sigma = (error * generator.random((64, 64))).astype(np.float32)
    assert quick_ause(sigma, error) == pytest.approx(ause(sigma, error), abs=1e-3)
