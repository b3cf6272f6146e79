"""A benchmark file: what it says, what is refused, and when two of its runs are the same."""

import json
from pathlib import Path
from typing import get_args

import pytest
from brackets import write_bracket

import smarthdr_studio
from smarthdr_studio.core.errors import BadDataset, PlanError, ProjectError
from smarthdr_studio.core.training.benchmark import (
    cells_of,
    labels_of,
    load_benchmark,
    read_data,
    shipped_benchmarks,
    training_plan,
)
from smarthdr_studio.core.training.benchmark_results import (
    _LEARNS,
    _ONLY_CARRIES,
    CellResult,
    evidence_path,
    keep_evidence,
    learning_files,
    learning_mark,
    mark_of,
    open_folder,
    read_evidence,
    read_result,
    results_of,
    rounded,
    write_result,
)
from smarthdr_studio.core.training.benchmark_watch import counted_process, processes_at_work
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.plan_schema import flat

TWO_ROWS = """
seeds = [0, 1]
[base]
preset = "quick"
[base.set]
"schedule.epochs" = 6
[[row]]
name = "few"
[[row]]
name = "all of them"
labels = "all"
[row.set]
schedule.learning_rate = 0.01
[[claim]]
text = "More is better"
better = "all of them"
than = "few"
"""


@pytest.fixture
def written(tmp_path):
    """Writes a benchmark file; its path as a word."""

    def write(text, name="trial"):
        path = tmp_path / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def dataset(tmp_path):
    """Training scenes 2, 9, 10 and one without ground truth; a test scene; two labels listed."""
    root = tmp_path / "data"
    for name in ("2", "9", "10"):
        write_bracket(root / "Training" / name, seed=int(name), size=(64, 64))
    write_bracket(root / "Training" / "30", seed=30, size=(64, 64), truth=False)
    write_bracket(root / "Test" / "40", seed=40, size=(64, 64))
    (root / "labelled.txt").write_text("10\n2\n", encoding="utf-8")
    return root


def cell(path, dataset, row="few", seed=0):
    """One cell of a benchmark file."""
    found = cells_of(load_benchmark(path), read_data(dataset))
    return next(each for each in found if (each.row, each.seed) == (row, seed))


def result(cell, *, fingerprint="f", **changes):
    values = {
        "identity": cell.identity,
        "row": cell.row,
        "seed": cell.seed,
        "labels": cell.labels,
        "plan": {"preset": "quick", "set": dict(cell.settings)},
        "dataset": {"name": "data", "fingerprint": fingerprint, "scenes": 5},
        "machine": {"processor": "one", "threads": 1},
        "started": "2026-11-29T10:00:00+00:00",
        "seconds": 12.5,
        "steps": 60,
        "teacher": {"psnr_mu": 38.1234, "psnr_l": 36.5, "ause": None},
        "merge": {"psnr_mu": 30.0, "psnr_l": 29.0},
        "scenes": ({"id": "Test-40", "psnr_mu": 38.1234, "psnr_l": 36.5},),
        "rounds": ({"round": 1, "step": 30, "retained": 0.4},),
        "program": {"version": "0.1.0", "learning": "ab12"},
    }
    return CellResult(**{**values, **changes})


def test_a_row_is_the_base_with_its_own_settings_and_the_seed(written):
    benchmark = load_benchmark(written(TWO_ROWS))
    few, everything = benchmark.plan.row
    assert (few.labels, everything.labels) == ("few", "all")
    plan = training_plan(benchmark, everything, seed=7)
    assert (plan.preset, plan.seed) == ("quick", 7)
    assert (plan.schedule.epochs, plan.schedule.learning_rate) == (6, 0.01)
    assert training_plan(benchmark, few, seed=7).schedule.learning_rate == 1e-3


def test_a_row_may_have_a_preset_of_its_own_and_one_beside_the_file(written, tmp_path):
    (tmp_path / "mine.toml").write_text('base = "quick"\n[schedule]\nepochs = 33\n')
    text = 'seeds = [0]\n[[row]]\nname = "a"\npreset = "mine.toml"\n[[row]]\nname = "b"\n'
    benchmark = load_benchmark(written(text))
    first, second = (training_plan(benchmark, row, seed=0) for row in benchmark.plan.row)
    assert (first.schedule.epochs, second.schedule.epochs) == (33, 10)


ONE_ROW = 'seeds = [0]\n[[row]]\nname = "a"\n'
REFUSED = {
    "seed = [0]": "seeds is missing",
    "seeds = [0]\nseeds2 = 1\n[[row]]\nname = 'a'": "seeds2: no such key; allowed here: descr",
    "seeds = [0]": "row is missing",
    "seeds = []\n[[row]]\nname = 'a'": "seeds: ",
    "seeds = [0, 0]\n[[row]]\nname = 'a'": "seeds: 0 is there twice",
    "seeds = [true]\n[[row]]\nname = 'a'": "seeds 1: ",
    ONE_ROW + "lables = 1": "row 1: lables: no such key; allowed here: ",
    ONE_ROW + "labels = -1": 'row 1: labels is -1: "few", "all", or a number from 0 on',
    ONE_ROW + "labels = 0": "row 'a': labels is 0, but its method learns from labels; give it one",
    ONE_ROW + "labels = 'some'": "row 1: labels is 'some'",
    ONE_ROW + "[row.set]\nschedule.epoch = 1": "row 'a': schedule.epoch: no such setting",
    ONE_ROW + "[row.set]\nseed = 1": "row 1: set: seed does not stand here",
    ONE_ROW + "preset = 'nosuch'": "row 'a': nosuch: no such preset",
    ONE_ROW + "[[row]]\nname = 'A!'": "row: a is there twice",
    ONE_ROW + "[base]\npresets = 'quick'": "base: presets: no such key; allowed here: preset, set",
    ONE_ROW + "[[claim]]\ntext = 't'\nbetter = 'a'\nthan = 'b'": "claim: 'b' is no row",
    ONE_ROW + "[[claim]]\ntext = 't'\nbetter = 'a'\nthan = 'a'\nmetric = 'x'": "claim 1: metric",
    "seeds = [0": "not readable as TOML",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_file_that_cannot_be_is_refused_in_one_sentence_with_file_and_key(written, text):
    path = written(text)
    with pytest.raises(PlanError) as refused:
        load_benchmark(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert REFUSED[text] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_benchmarks_that_ship_are_known_by_name_and_can_be_read():
    assert "admission" in shipped_benchmarks()
    for name in shipped_benchmarks():
        assert load_benchmark(name).plan.description.endswith(".")
    with pytest.raises(PlanError, match="nosuch: no such benchmark; there are ablation"):
        load_benchmark("nosuch")


def test_the_rows_of_admission_differ_in_their_labels_alone():
    rows = load_benchmark("admission").plan.row
    for few, everything in zip(rows[::2], rows[1::2], strict=True):
        assert (few.labels, everything.labels) == ("few", "all")
        assert (few.settings, few.preset) == (everything.settings, everything.preset)


def test_every_method_stands_in_the_table_of_methods_at_equal_steps_and_crops():
    methods = load_benchmark("methods")
    plans = [training_plan(methods, row, seed=0) for row in methods.plan.row]
    assert {plan.system for plan in plans} == {
        *get_args(TrainingPlan.model_fields["system"].annotation)
    }
    shared = {
        (plan.network.name, plan.schedule.epochs, plan.schedule.steps_per_epoch, plan.batch.crop)
        for plan in plans
    }
    assert len(shared) == 1


def test_labels_are_those_listed_then_the_others_in_their_order(written, dataset):
    data = read_data(dataset)
    assert data.pool == ("2", "9", "10")  # neither the test scene nor one without ground truth

    def labels(wanted):
        text = f'seeds = [0]\n[[row]]\nname = "a"\nlabels = {wanted}\n'
        return labels_of(load_benchmark(written(text)).plan.row[0], data)

    assert labels('"few"') == ("10", "2")
    assert labels('"all"') == ("10", "2", "9")
    assert [labels(count) for count in (1, 2, 3)] == [("10",), ("10", "2"), ("10", "2", "9")]
    with pytest.raises(BadDataset, match="has 3 ground truths to learn from, not 4"):
        labels(4)


def test_a_method_that_needs_no_label_may_have_none(written, dataset):
    (dataset / "labelled.txt").unlink()
    text = 'seeds = [0]\n[[row]]\nname = "a"\nlabels = 0\npreset = "quick-selfhdr"\n'
    (cell,) = cells_of(load_benchmark(written(text)), read_data(dataset))
    assert cell.labels == ()


def test_few_labels_of_a_dataset_that_lists_none_are_refused(written, dataset):
    (dataset / "labelled.txt").unlink()
    with pytest.raises(BadDataset, match=r"names no label for row 'few'; list some in labelled\.t"):
        cells_of(load_benchmark(written(TWO_ROWS)), read_data(dataset))


def test_a_listed_label_that_is_no_training_scene_is_refused(dataset):
    (dataset / "labelled.txt").write_text("2\nTest-40\n", encoding="utf-8")
    with pytest.raises(BadDataset, match=r"labelled\.txt: Test-40 is no training scene"):
        read_data(dataset)


def test_kinds_of_scenes_come_from_the_table_beside_them(dataset):
    (dataset / "scenes.csv").write_text(
        "scene,kind,motion_px,clipped\nTraining/9,street,3.5,0.1\nTest/40,room,0,0.2\nTest/9,x,,\n"
    )
    assert read_data(dataset).kinds == {"9": "street", "Test-40": "room"}
    (dataset / "scenes.csv").write_text("name,kind\n9,street\n")
    with pytest.raises(BadDataset, match=r"scenes\.csv: cannot be read; give it a column scene"):
        read_data(dataset)


def test_the_fingerprint_changes_with_labels_and_file_sizes_and_not_with_the_place(dataset):
    before = read_data(dataset).fingerprint
    moved = dataset.rename(dataset.with_name("elsewhere"))
    assert read_data(moved).fingerprint == before
    (moved / "labelled.txt").write_text("2\n", encoding="utf-8")
    fewer = read_data(moved).fingerprint
    (moved / "Test" / "40" / "exposure.txt").write_text("0\n2\n4.0000\n", encoding="utf-8")
    assert len({before, fewer, read_data(moved).fingerprint}) == 3


SAME = ("tile = 512", 'device = "cpu"', 'precision = "float32"', "keep_rounds_mib = 7")
OTHER = ("schedule.learning_rate = 0.002", 'network.name = "gfhdr"', "compute.clip_gradient = 1.0")


def with_base(line):
    return TWO_ROWS.replace("[base.set]\n", f"[base.set]\n{line}\n")


@pytest.mark.parametrize("line", SAME)
def test_where_and_how_a_run_is_computed_does_not_change_what_it_is(written, dataset, line):
    before = cell(written(TWO_ROWS), dataset)
    assert cell(written(with_base(line)), dataset).identity == before.identity


@pytest.mark.parametrize("line", OTHER)
def test_what_is_learned_changes_what_a_run_is(written, dataset, line):
    before = cell(written(TWO_ROWS), dataset)
    assert cell(written(with_base(line)), dataset).identity != before.identity


def test_what_a_row_itself_sets_counts_whatever_it_is(written, dataset):
    text = TWO_ROWS + '[[row]]\nname = "exact"\n[row.set]\nprecision = "float32"\n'
    path = written(text)
    assert cell(path, dataset, "exact").identity != cell(path, dataset, "few").identity


def test_rows_that_ask_for_the_same_have_one_identity_and_seeds_have_their_own(written, dataset):
    path = written(TWO_ROWS + '[[row]]\nname = "two"\nlabels = 2\n')
    assert cell(path, dataset, "few").identity == cell(path, dataset, "two").identity
    found = cells_of(load_benchmark(path), read_data(dataset))
    assert [(each.row, each.seed) for each in found[:4]] == [
        *[("few", 0), ("all of them", 0), ("two", 0), ("few", 1)]
    ]
    assert len({each.identity for each in found}) == 4


def test_weights_to_start_from_count_by_their_content(written, dataset, tmp_path):
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "w.safetensors").write_bytes(b"weights")
    names = [str(tmp_path / place / "w.safetensors") for place in ("here", "there")]

    def told(name):
        return cell(written(with_base(f'network.start_from = "{name}"')), dataset)

    first, second = map(told, names)
    assert first.identity == second.identity
    assert first.settings["network.start_from"] == "w.safetensors"  # no path of a machine
    (tmp_path / "there" / "w.safetensors").write_bytes(b"others!")
    assert told(names[1]).identity != first.identity


# What stood here when identities were first counted; a setting added later does not matter.
DEFAULTS = {
    "system": "smarthdr",
    "network.name": "gfhdr",
    "network.start_from": None,
    "schedule.epochs": 200,
    "schedule.warmup_epochs": 30,
    "schedule.steps_per_epoch": None,
    "schedule.refresh_every": 1,
    "schedule.validate_every": 1,
    "schedule.learning_rate": 2e-4,
    "schedule.halve_at_epoch": 100,
    "schedule.final_decay": "none",
    "schedule.early_stop": None,
    "batch.crop": 128,
    "batch.stride": 64,
    "batch.labelled": 8,
    "batch.unlabelled": 8,
    "teacher.ema": 0.999,
    "teacher.early_warmup": True,
    "loss.unlabelled_weight": 1.0,
    "loss.perceptual_weight": 0.01,
    "loss.nll_weight": 1.0,
    "loss.nll_gradient": "full",
    "loss.beta": 0.5,
    "loss.unlabelled_nll": "masked",
    "masks.patches": True,
    "masks.pixels": True,
    "masks.tau_patch": None,
    "masks.tau_pixel": None,
    "masks.patch_size": 64,
    "compute.clip_gradient": None,
    "strong_augmentation": True,
    "held_out": 0,
    "promoted_pixels": "trusted",
}


def test_no_default_has_changed_without_new_identities():
    """Identities count what differs from the defaults: raise `_IDENTITY` with a changed one."""
    now = flat(TrainingPlan())
    assert {key: now[key] for key in DEFAULTS} == DEFAULTS


def test_a_result_is_read_as_it_was_written_and_a_foreign_file_is_none(written, dataset, tmp_path):
    one = result(cell(written(TWO_ROWS), dataset))
    write_result(tmp_path / "r" / "one.json", one)
    assert read_result(tmp_path / "r" / "one.json") == one
    values = json.loads((tmp_path / "r" / "one.json").read_text(encoding="utf-8"))
    assert values["format"] == 1
    assert values["program"] == {"version": "0.1.0", "learning": "ab12"}
    assert values["plan"]["set"] == {"schedule.epochs": 6}
    (tmp_path / "r" / "one.json").write_text('{"format": 99}')
    assert read_result(tmp_path / "r" / "one.json") is None
    assert read_result(tmp_path / "r" / "none.json") is None


def test_a_result_of_before_programs_were_written_down_is_still_read(written, dataset, tmp_path):
    one = result(cell(written(TWO_ROWS), dataset), program={})
    write_result(tmp_path / "one.json", one)
    values = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
    del values["program"]
    (tmp_path / "one.json").write_text(json.dumps(values), encoding="utf-8")
    assert read_result(tmp_path / "one.json") == one
    assert one.measured_by == "a version that was not written down"


def test_the_mark_of_learning_is_of_what_code_does_and_not_of_its_words():
    code = "def rate(step):\n    return step * 2\n"
    words = '"""A file."""\n\n# why\ndef rate(step):\n    """Twice."""\n    return (step*2)\n'
    assert mark_of([code]) == mark_of([words])
    assert mark_of([code]) != mark_of([code.replace("2", "3")])


def test_what_learns_is_read_and_what_only_carries_is_not():
    read = {path.name for path in learning_files()}
    assert read >= {"losses.py", "mean_teacher.py", "light.py", "selfhdr.py", "masking.py"}
    # What is trusted in a round, and what the labels of methods with stages are made of.
    assert read >= {"adaptive_thresholds.py", "rounds.py", "flow.py", "transfer.py"}
    assert not read & {"benchmark_runs.py", "event_log.py"}
    assert len(learning_mark()) == 8
    root = Path(smarthdr_studio.__file__).parent
    named = {name for name in (*_LEARNS, *_ONLY_CARRIES) if "*" not in name}
    assert not {name for name in named if not (root / name).is_file()}


def test_figures_are_kept_short_and_no_number_is_none():
    assert rounded(38.123456, decibels=True) == 38.1235
    assert rounded(0.0123456) == 0.01235
    assert [rounded(value) for value in (float("nan"), float("inf"))] == [None, None]


def test_a_folder_that_is_something_else_is_refused(dataset, tmp_path):
    data = read_data(dataset)
    made = open_folder(tmp_path / "new" / "bench", data=data)
    assert open_folder(tmp_path / "new" / "bench", data=data) == made
    with pytest.raises(ProjectError, match="is not the folder of a benchmark and not empty"):
        open_folder(tmp_path, data=data)
    with pytest.raises(ProjectError, match="lies in the dataset folder"):
        open_folder(dataset / "bench", data=data)


def test_evidence_has_names_that_stay_and_is_told_without_the_dataset(written, dataset, tmp_path):
    path = written(TWO_ROWS)
    benchmark, data = load_benchmark(path), read_data(dataset)
    cells = cells_of(benchmark, data)
    folder = open_folder(tmp_path / "bench", data=data)
    for each in cells[:3]:
        one = result(each, fingerprint=data.fingerprint)
        write_result(folder.result(each.identity), one)
    found = results_of(cells, into=folder)
    assert set(found) == {("few", 0), ("all of them", 0), ("few", 1)}
    keep_evidence(tmp_path / "evidence", benchmark, found)
    kept = sorted(p.name for p in (tmp_path / "evidence" / "trial").iterdir())
    assert kept == ["all-of-them-s0.json", "few-s0.json", "few-s1.json"]
    assert read_evidence(tmp_path / "evidence", benchmark) == found


def test_evidence_of_another_plan_counts_as_not_run(written, dataset, tmp_path):
    benchmark, data = load_benchmark(written(TWO_ROWS)), read_data(dataset)
    first = cells_of(benchmark, data)[0]
    one = result(first, fingerprint=data.fingerprint)
    keep_evidence(tmp_path / "e", benchmark, {("few", 0): one})
    changed = load_benchmark(written(TWO_ROWS.replace("= 6", "= 7")))
    assert read_evidence(tmp_path / "e", changed) == {}


def test_evidence_of_two_datasets_is_refused(written, dataset, tmp_path):
    benchmark, data = load_benchmark(written(TWO_ROWS)), read_data(dataset)
    first = cells_of(benchmark, data)[0]
    one = result(first, fingerprint=data.fingerprint)
    (dataset / "labelled.txt").write_text("2\n10\n", encoding="utf-8")
    data = read_data(dataset)
    second = cells_of(benchmark, data)[2]
    found = {("few", 0): one, ("few", 1): result(second, fingerprint=data.fingerprint)}
    keep_evidence(tmp_path / "e", benchmark, found)
    assert evidence_path(tmp_path / "e", benchmark, row="few", seed=1).is_file()
    with pytest.raises(ProjectError, match="its evidence is of several datasets"):
        read_evidence(tmp_path / "e", benchmark)


def test_who_cannot_be_counted_takes_nobody_elses_lock_away(dataset, tmp_path):
    # Of two machines of one name, as containers may have it, with processes of one number.
    folder = open_folder(tmp_path / "bench", data=read_data(dataset))
    with counted_process(folder):
        with pytest.raises(ProjectError, match="another process"), counted_process(folder):
            pytest.fail("both hold one lock")
        assert processes_at_work(folder)
    assert not processes_at_work(folder)
