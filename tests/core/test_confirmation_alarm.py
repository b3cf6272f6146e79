"""The alarm of a run that trusts ever more of what its teacher gets ever more wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.training.events import RunStarted, Validated, as_json
from smarthdr_studio.core.training.round_history import (
    collapse_alarm,
    confirmation_alarm,
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


SHARES = ((0, 0.61), (10, 0.68), (20, 0.74))
FALLING = ((0, 38.2), (10, 37.9), (20, 37.1))


def test_the_alarm_names_both_numbers():
    assert confirmation_alarm(SHARES, FALLING) == (
        "Retained share rose from 61 % to 74 % while PSNR-μ on held-out labels fell from 38.2 to "
        "37.1 dB: the run may be confirming its own mistakes."
    )


@pytest.mark.parametrize(
    ("shares", "psnr"),
    [
        (SHARES[1:], FALLING),
        (SHARES, FALLING[1:]),
        (((0, 0.74), (10, 0.68), (20, 0.61)), FALLING),
        (((0, 0.61), (10, 0.80), (20, 0.74)), FALLING),
        (SHARES, ((0, 38.2), (10, 37.0), (20, 37.1))),
        (((0, 0.610), (10, 0.612), (20, 0.614)), FALLING),
        (SHARES, ((0, 38.20), (10, 38.19), (20, 38.18))),
        ((*SHARES, (30, 0.50)), (*FALLING, (30, 37.0))),
        ((), ()),
        (SHARES, ((0, float("nan")), (10, float("nan")), (20, float("nan")))),
    ],
)
def test_there_is_no_alarm_without_a_reason(shares, psnr):
    assert confirmation_alarm(shares, psnr) == ""


def test_a_round_is_held_against_the_first_check_from_then_on():
    often = [(0, 38.2), (5, 99.0), (10, 37.9), (15, 1.0), (20, 37.1), (25, 99.0)]
    assert "from 38.2 to 37.1 dB" in confirmation_alarm(SHARES, often)
    seldom = [(9, 38.2), (19, 37.9), (29, 37.1)]
    assert "from 38.2 to 37.1 dB" in confirmation_alarm(SHARES, seldom)
    unchecked = [(0, 0.61), (4, 0.99), (10, 0.68), (20, 0.74)]
    assert "from 61 % to 74 %" in confirmation_alarm(unchecked, [(0, 38.2), (12, 37.9), (20, 37.1)])


@given(
    shares=st.lists(st.floats(0, 1), max_size=8),
    psnr=st.lists(st.floats(10, 60), max_size=8),
)
def test_the_alarm_sounds_only_while_more_is_trusted_of_a_worse_teacher(shares, psnr):
    said = confirmation_alarm(list(enumerate(shares)), list(enumerate(psnr)))
    points = list(zip(shares, psnr, strict=False))[-3:]
    if said:
        assert points[0][0] < points[1][0] < points[2][0]
        assert points[0][1] > points[1][1] > points[2][1]


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


def test_a_history_sounds_the_alarm_for_the_newest_rounds(run):
    shares = (0.9, 0.61, 0.68, 0.74)
    _keep(run, *[_record(n, _both(share)) for n, share in enumerate(shares, start=1)])
    _log(run, *_checks((10, 30.0), (20, 38.2), (30, 37.9)))
    assert read_history(run).alarm == ""
    _log(run, *_checks((40, 37.1)))
    history = read_history(run)
    assert history.alarm.startswith("Retained share rose from 61 % to 74 %")
    assert history.psnr_mu == ((10, 30.0), (20, 38.2), (30, 37.9), (40, 37.1))


def test_checks_that_a_resumed_run_left_behind_sound_no_alarm(run):
    _keep(run, *[_record(n, _both(share)) for n, share in enumerate((0.61, 0.68, 0.74), start=1)])
    _log(run, *_checks((10, 38.2), (20, 37.9), (30, 37.1)))
    assert read_history(run).alarm
    _log(
        run,
        RunStarted(
            run=run.id, folder="", device="", network="", total_steps=9, total_epochs=9, step=25
        ),
    )
    assert read_history(run).alarm == ""


def test_a_share_that_rose_because_a_person_moved_a_threshold_is_no_alarm(run):
    looser = replace(MASKS, tau_patch=0.6)
    _keep(run, _record(1, _both(0.61)), _record(2, _both(0.68)))
    _keep(run, _record(3, _both(0.74), masks=looser))
    _log(run, *_checks((10, 38.2), (20, 37.9), (30, 37.1)))
    assert read_history(run).alarm == ""


def test_promoting_the_surest_scene_hides_no_alarm(run):
    _keep(run, _record(1, {"a": 0.61, "b": 1.0}), _record(2, {"a": 0.68, "b": 1.0}))
    _keep(run, _record(3, {"a": 0.74}))
    _log(run, *_checks((10, 38.2), (20, 37.9), (30, 37.1)))
    assert "from 61 % to 74 %" in read_history(run).alarm


def test_a_sigma_that_dies_after_pseudo_labels_began_is_told_with_both_figures():
    checks = (Check(10, 30.0, 1.2), Check(20, 31.0, 1.44), Check(30, 31.5, 9.0))
    assert collapse_alarm(checks, began=20) == (
        "On held-out labels the error is now 3.0 times what σ says, and was 1.2 times before "
        "pseudo-labels began: the student learns from its own labels that it is sure. Set L^k on "
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
