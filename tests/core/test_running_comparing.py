"""What two runs differ in: settings, thresholds, labels; and nothing that is the same."""

import json
from dataclasses import replace

from made_runs import a_run, check, log, round_, started, step

from smarthdr_studio.cli.runs import run_cells, run_facts
from smarthdr_studio.core.training.events import CheckpointSaved
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.run_comparison import (
    figures,
    label_differences,
    mask_differences,
    plan_differences,
    read_plan,
    settled_plan,
)
from smarthdr_studio.core.training.run_index import row_of
from smarthdr_studio.core.training.run_start import StartState, read_start_state
from smarthdr_studio.core.trust.masking import MaskSettings


def test_settings_that_differ_are_told_by_their_key_with_every_value():
    plans = [
        load_preset("quick", changes=changes)
        for changes in ({"seed": 3}, {"schedule.epochs": 77, "seed": 3}, {"seed": 4})
    ]
    usual = plans[0].schedule.epochs
    told = plan_differences(plans)
    assert told == {"schedule.epochs": (usual, 77, usual), "seed": (3, 3, 4)}
    assert plan_differences(plans[:1]) == {}


def test_a_plan_is_read_from_its_run(tmp_path):
    run = a_run(tmp_path, plan="seed = 5\n[schedule]\nepochs = 40\n")
    assert (read_plan(run).seed, read_plan(run).schedule.epochs) == (5, 40)


def test_runs_of_one_plan_that_chose_another_precision_differ_in_it(tmp_path):
    runs = [a_run(tmp_path, f"20261101-12000{k}-quick") for k in range(4)]
    for run, chosen in zip(runs, ("bfloat16", "float32"), strict=False):
        run.start_path.write_text(json.dumps({"precision": {"precision": chosen}}))
    runs[3].start_path.write_text('{"precision": {"precision": "coarse"}}', encoding="utf-8")
    plans = [settled_plan(run) for run in runs]
    assert plan_differences(plans) == {"precision": ("bfloat16", "float32", "auto", "auto")}
    asked = a_run(tmp_path, "20261101-130000-quick", plan='precision = "float32"\n')
    assert settled_plan(asked).precision == "float32"


def test_labels_differ_by_scene_by_version_and_by_kind():
    one = StartState(
        moment=1, labelled=("a", "b"), promoted={"c": "labels/c/1.exr", "d": "d"}, held_out=("h",)
    )
    two = StartState(
        moment=2, labelled=("a", "e"), promoted={"b": "b", "c": "labels/c/2.exr", "d": "d"}
    )
    told = label_differences(one, two)
    assert (told.only_first, told.only_second, told.changed) == ((), ("e",), ("b", "c"))
    assert (told.held_out_first, told.held_out_second) == (("h",), ())
    back = label_differences(two, one)
    assert (back.only_first, back.only_second) == (told.only_second, told.only_first)
    assert label_differences(one, one).same
    assert not told.same


def test_thresholds_that_differ_are_told_and_unknown_ones_are_none():
    told = mask_differences([MaskSettings(tau_patch=0.2), MaskSettings(tau_patch=0.3)])
    assert told == {"tau_patch": (0.2, 0.3)}
    told = mask_differences([MaskSettings(tau_patch=0.2), None])
    assert told["tau_patch"] == (0.2, None)


def test_figures_stand_side_by_side(tmp_path):
    one, two = (a_run(tmp_path, f"2026110{day}-120000-quick") for day in (1, 2))
    log(one, started(), check(5, 31.0), check(6, 30.0), round_(1, 6, 0.5))
    told = figures([row_of(one), row_of(two)])
    assert told["best_psnr_mu"] == (31.0, None)
    assert told["best_at_step"] == (5, None)
    assert told["retained"] == (0.5, None)
    assert {len(values) for values in told.values()} == {2}


def test_a_run_without_labels_has_learned_from_none_of_those_there_were(tmp_path):
    one = StartState(moment=1, labelled=("a", "b"), promoted={"c": "labels/c/1.exr"})
    two = replace(one, material="no label")
    assert label_differences(one, two).only_first == ("a", "b", "c")
    run = a_run(tmp_path)
    log(run, replace(started(), material="no label"))
    row = row_of(run)
    assert (row.labels.learned, row.labels.brackets) == (0, 4)
    assert figures([row, row])["labels"] == (0, 0)
    assert read_start_state(run).material == "no label"
    words = dict(run_facts(row))["labels"]
    assert words == "none; learns from 4 brackets; 0 held out"
    assert run_cells(row)[4] == "0"


def test_a_run_of_labels_alone_is_told_no_other_scene(tmp_path):
    run = a_run(tmp_path)
    log(run, replace(started(), material="labels"))
    labels = row_of(run).labels
    assert (labels.learned, labels.brackets) == (1, 0)
    assert dict(run_facts(row_of(run)))["labels"].endswith("0 held out")


def test_the_epoch_a_run_is_in_is_counted_from_one_as_everywhere(tmp_path):
    run = a_run(tmp_path)
    log(run, started(epochs=3))
    assert row_of(run).at_epoch == 1
    log(run, step(4, epoch=1))
    assert (row_of(run).epoch, row_of(run).at_epoch) == (1, 2)
    assert dict(run_facts(row_of(run)))["epoch"].startswith("2 of 3, step 4")
    end = CheckpointSaved(step=9, epoch=3, folder="")
    log(run, step(9, epoch=2), end)
    assert row_of(run).at_epoch == 3
