"""What is best in a run is one rule: for the trainer, the list, the diary, verbs and the window."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.training.diary import diary_of
from smarthdr_studio.core.training.events import RunStarted, Validated, as_json
from smarthdr_studio.core.training.run_folder import (
    CHECKPOINT_FILES,
    RunFolder,
    best_checkpoint,
    best_of,
    saved_checkpoints,
)
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.core.training.run_log import rare_events
from smarthdr_studio.learning.schedule import BestValidation
from smarthdr_studio.studio.runs.comparison import checkpoints_of as told_checkpoints
from smarthdr_studio.studio.runs.comparison import figures_of
from smarthdr_studio.studio.training.plan import plan_to_continue

NAN = math.nan
PLAN = 'preset = "quick"\n[network]\nname = "light"\n'


def silent(_text, _done, _total):
    return


def make_run(folder, scores):
    """A run with a check and a checkpoint every ten steps; None is a checkpoint without a check."""
    run = RunFolder(folder / "20261125-101010-quick")
    run.checkpoints.mkdir(parents=True)
    run.plan_path.write_text(PLAN)
    first = RunStarted(
        run=run.id, folder="", device="cpu", network="light", total_steps=90, total_epochs=9
    )
    events = [first]
    for number, score in enumerate(scores, 1):
        step = 10 * number
        save(run.checkpoints / f"step-{step:08d}", score)
        if score is not None:
            events.append(Validated(step=step, epoch=number, psnr_mu=score, psnr_l=score))
    time = "2026-11-25T10:10:10.000+00:00"
    lines = [json.dumps({"time": time, **as_json(event)}) + "\n" for event in events]
    run.events_path.write_text("".join(lines))
    return run


def save(path, score, **about):
    path.mkdir()
    for name in CHECKPOINT_FILES:
        (path / name).touch()
    told = {"step": 0, "format": 1, "metrics": {} if score is None else {"psnr_mu": score}}
    (path / "checkpoint.json").write_text(json.dumps(told | about))


def trainers(scores):
    """The step of what the trainer holds for the best, None before the first."""
    best = BestValidation()
    for number, score in enumerate(scores, 1):
        best = best.after(score, step=10 * number, epoch=number, counts=True)
    return None if best.psnr_mu is None else best.step


SCORES = st.lists(st.sampled_from([NAN, 20.0, 30.0, 30.5, math.inf]), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ((31.0, 30.0, NAN), 10),
        ((NAN, 31.0, 30.0), 20),
        ((31.0, 31.0, 30.0), 10),
        ((30.0, 31.0, 31.0), 20),
        ((30.0, NAN, 31.0), 30),
    ],
)
def test_everybody_takes_the_same_checkpoint_for_the_best(tmp_path, scores, best):
    run = make_run(tmp_path, scores)
    row = row_of(run)
    assert trainers(scores) == best
    assert row.best.step == best
    assert best_checkpoint(run.path).name == f"step-{best:08d}"
    told = told_checkpoints(row)
    assert [words.startswith(f"step {best} ") for words in told if "best" in words] == [True]
    begin = plan_to_continue(run=run.path).start_from
    assert begin == run.checkpoints / f"step-{best:08d}" / "teacher.safetensors"


@given(SCORES)
def test_the_rule_is_the_trainers_whatever_the_checks_said(scores):
    checks = [
        Validated(step=10 * number, epoch=number, psnr_mu=score, psnr_l=score)
        for number, score in enumerate(scores, 1)
    ]
    best = best_of(checks)
    assert (best and best.step) == trainers(scores)


def test_the_diary_tells_a_best_check_exactly_where_the_trainer_finds_one(tmp_path):
    run = make_run(tmp_path, (30.0, 30.0, NAN, 31.0, 31.0, NAN, 32.0))
    lines = diary_of(rare_events(run))
    assert [line.step for line in lines if line.text.startswith("best so far")] == [40, 70]


def test_without_any_check_the_newest_checkpoint_stands_for_the_best(tmp_path):
    run = make_run(tmp_path, (None, NAN, None))
    assert best_checkpoint(run.path).name == "step-00000030"
    assert not any("best" in words for words in told_checkpoints(row_of(run)))
    begin = plan_to_continue(run=run.path).start_from
    assert begin.parent.name == "step-00000030"


def test_what_is_no_whole_checkpoint_is_nowhere_the_best(tmp_path):
    run = make_run(tmp_path, (30.0, 29.0))
    save(run.checkpoints / ".step-00000030.ab.old", 40.0)
    save(run.checkpoints / "step-00000040", 40.0)
    (run.checkpoints / "step-00000040" / "state.pt").unlink()
    save(run.checkpoints / "step-00000050", 40.0, format=99)
    save(run.checkpoints / "step-00000060", "high")
    (run.checkpoints / "step-00000010 copy").mkdir()
    assert [each.step for each in saved_checkpoints(run.path)] == [10, 20, 50, 60]
    assert best_checkpoint(run.path).name == "step-00000010"
    begin = plan_to_continue(run=run.path).start_from
    assert begin.parent.name == "step-00000010"


def test_a_run_without_checkpoints_has_no_best(tmp_path):
    run = make_run(tmp_path, ())
    assert best_checkpoint(run.path) is None
    assert plan_to_continue(run=run.path).start_from is None


def test_held_against_each_other_a_run_whose_last_check_was_no_number_never_wins(tmp_path):
    rows = [
        row_of(make_run(tmp_path / name, scores))
        for name, scores in (("a", (33.0, NAN)), ("b", (30.0, 31.0)), ("c", (30.0, 29.0)))
    ]
    for places in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
        best = {each.name: each.best for each in figures_of([rows[place] for place in places])}
        assert best["best PSNR-μ"] == places.index(0)
        assert best["last PSNR-μ"] == places.index(1)
