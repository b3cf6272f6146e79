"""The alarms of a run: its teacher gets worse on held-out labels, or its σ dies."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.training.events import RunStarted, Validated, as_json
from smarthdr_studio.core.training.round_history import (
    check_noise,
    collapse_alarm,
    fall_alarm,
    read_history,
)
from smarthdr_studio.core.training.rounds import RoundRecord, history_path, write_record
from smarthdr_studio.core.training.run_folder import Check, RunFolder
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics

MASKS = MaskSettings()


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "20260101-000000-tiny")


WARM_UP = (Check(10, 34.0), Check(20, 36.0), Check(30, 36.3, epoch=2), Check(40, 36.0, epoch=3))
# They differ by 2.0, 0.3 and 0.3 dB: one differs from the next by 0.3.


def test_the_alarm_says_how_far_validation_fell_how_far_it_wavers_and_what_helps():
    said = fall_alarm((*WARM_UP, Check(50, 35.6, epoch=4)), began=40)
    assert said == (
        "At epoch 5 PSNR-μ on held-out labels was 35.6 dB, after 36.0 dB at epoch 4; by chance a "
        "check differs from the next by about 0.3 dB: since pseudo-labels began the run may be "
        "learning its own mistakes. Pause and lower τ_pa or τ_pi; in the next plan widen what the "
        "Student sees (Noise, Foreign patch, Brighten), or set Lᵏ on unlabelled to off."
    )


@pytest.mark.parametrize(
    ("checks", "began"),
    [
        ((), 40),
        (WARM_UP, 40),  # it fell before there was any pseudo-label
        ((*WARM_UP, Check(50, 30.0)), None),
        ((*WARM_UP, Check(50, 35.75)), 40),  # less than it wavers
        ((*WARM_UP, Check(50, 35.9)), 40),  # most of its fall was before any pseudo-label
        ((*WARM_UP, Check(50, 30.0), Check(60, 36.2)), 40),  # it has come back
        ((*WARM_UP, Check(50, float("nan"))), 40),
        ((Check(10, 36.0), Check(20, 36.0), Check(30, 36.0), Check(40, 35.95)), 30),
    ],
)
def test_there_is_no_alarm_without_a_reason(checks, began):
    assert fall_alarm(checks, began=began) == ""


def test_a_warm_up_of_one_check_is_judged_by_all_checks_and_a_tenth_is_always_chance():
    assert check_noise((Check(10, 36.0), Check(20, 35.4), Check(30, 34.4)), began=10) == (
        pytest.approx(0.8)
    )
    assert check_noise((Check(10, 36.0),), began=10) == 0.1
    assert check_noise(WARM_UP, began=40) == pytest.approx(0.3)
    assert check_noise((*WARM_UP, Check(50, 20.0), Check(60, 36.0)), began=40) == (
        pytest.approx(0.3)
    )


@given(st.lists(st.floats(10, 60), min_size=1, max_size=8), st.integers(0, 7))
def test_the_alarm_sounds_only_below_the_best_since_pseudo_labels_and_only_after_them(psnr, began):
    checks = [Check(step, value) for step, value in enumerate(psnr)]
    if fall_alarm(checks, began=began):
        assert psnr[-1] < max(psnr[began:]) - 0.1
        assert checks[-1].step > began
    elif len(psnr) - 1 > began:
        assert (
            psnr[-1] >= max(psnr[began:]) - check_noise(checks, began=began) - 1e-9
        )  # of rounding


def _record(number, retained, *, masks=MASKS):
    sigma = SceneStatistics.of(np.full((8, 8), 0.1, np.float32))
    return RoundRecord(
        round=number,
        step=10 * number,
        epoch=number,
        masks=masks,
        patch_range=Range(0.1, 0.1),
        pixel_range=None,
        statistics=dict.fromkeys(retained, sigma),
        retained=retained,
        columns=dict.fromkeys(retained, 1),
    )


def _keep(run, *records):
    for of in records:
        write_record(history_path(run.path, of.round), of)


def _log(run, *events):
    with run.events_path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(as_json(event)) + "\n" for event in events)


def _checks(*points):
    return [Validated(step=step, epoch=0, psnr_mu=psnr, psnr_l=30.0) for step, psnr in points]


def _both(share):
    return {"a": share - 0.05, "b": share + 0.05}


@pytest.mark.parametrize("shares", [(0.61, 0.68), (0.74, 0.61), (0.68, 0.68)])
def test_a_history_sounds_the_alarm_whatever_the_retained_share_does(run, shares):
    _keep(run, *[_record(n, _both(share)) for n, share in enumerate(shares, start=2)])
    _log(run, *_checks((10, 37.9), (15, 38.0), (20, 38.2)))
    assert read_history(run).alarm == ""
    _log(run, *_checks((30, 37.1)))
    history = read_history(run)
    assert history.alarm.startswith(
        "At epoch 1 PSNR-μ on held-out labels was 37.1 dB, after 38.2 dB"
    )
    assert history.psnr_mu == ((10, 37.9), (15, 38.0), (20, 38.2), (30, 37.1))


def test_checks_that_a_resumed_run_left_behind_sound_no_alarm(run):
    _keep(run, *[_record(n, _both(share)) for n, share in enumerate((0.61, 0.68, 0.74), start=1)])
    _log(run, *_checks((10, 38.2), (20, 38.1), (30, 37.1)))
    assert read_history(run).alarm
    _log(
        run,
        RunStarted(
            run=run.id, folder="", device="", network="", total_steps=9, total_epochs=9, step=25
        ),
    )
    assert read_history(run).alarm == ""


def test_a_sigma_that_dies_after_pseudo_labels_began_is_told_with_both_figures():
    checks = (Check(10, 30.0, 1.2), Check(20, 31.0, 1.44), Check(30, 31.5, 9.0))
    assert collapse_alarm(checks, began=20) == (
        "On held-out labels the error is now 3.0 times what σ says, and was 1.2 times before "
        "pseudo-labels began: the student learns from its own labels that it is sure. Set Lᵏ on "
        "unlabelled to off in the next plan."
    )


@pytest.mark.parametrize(
    ("checks", "began"),
    [
        ((), 20),
        ((Check(10, 30.0, 1.2), Check(30, 31.5, 9.0)), None),  # no round yet
        ((Check(30, 31.5, 9.0),), 20),  # nothing was measured before
        ((Check(10, 30.0, 1.2), Check(20, 31.0, 9.0)), 20),  # nothing was since
        ((Check(20, 30.0, 1.2), Check(30, 31.5, 3.9)), 20),  # not yet twice
        ((Check(20, 30.0, 8.0), Check(30, 31.5, 9.0)), 20),  # it was so before
        ((Check(20, 30.0), Check(30, 31.5)), 20),  # a log of before
    ],
)
def test_without_reason_or_figures_no_collapse_is_told(checks, began):
    assert collapse_alarm(checks, began=began) == ""
