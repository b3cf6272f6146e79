"""A model leaves a project as one file, and merges, labels and evaluates wherever it goes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_models import make_checkpoint

import smarthdr_studio
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.training.plan import load_preset


@pytest.fixture
def trained(project):
    """A run with three checkpoints of which the second is the best."""
    plan = load_preset("quick", changes={"tile": 96, "device": "cpu"})
    for step, psnr_mu in ((10, 30.0), (20, 34.0), (30, 33.0)):
        run = project / "runs" / "20261125-101010-quick"
        make_checkpoint(run, plan, step=step, psnr_mu=psnr_mu)
    return project


@pytest.mark.parametrize(("which", "step"), [("best", 20), ("last", 30), ("10", 10)])
def test_the_checkpoint_that_is_meant_becomes_a_bundle(trained, run, tmp_path, which, step):
    out = tmp_path / "mine.shdrmodel"
    answer = run("runs", "export", trained, "last", "--which", which, "-o", out, "--json")
    assert answer.status == 0
    assert answer.json["model"]["step"] == step
    assert answer.json["model"]["part"] == "teacher"
    assert answer.json["largest_difference"] == 0
    assert out.stat().st_size == answer.json["bytes"]


def test_in_words_it_says_what_was_written(trained, run, tmp_path):
    out = tmp_path / "a.safetensors"
    words = ("--what", "student", "--as", "safetensors", "-o", out)
    answer = run("runs", "export", trained, "20261125-101010-quick", *words)
    assert answer.status == 0
    assert "student of 20261125-101010-quick, step 20" in answer.out
    assert "the same bit by bit" in answer.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-o", "a.bin"), "name it a.shdrmodel"),
        (("-o", "a.onnx"), "or add --as onnx"),
        (("-o", "a.safetensors"), "or add --as safetensors"),
        (("-o", "a.shdrmodel", "--which", "worst"), "write best, last or the number of a step"),
        (("-o", "a.shdrmodel", "--which", "11"), "no checkpoint of step 11; there are 10, 20, 30"),
        (("-o", "a.shdrmodel", "--as", "word"), "--as"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(trained, run, words, sentence):
    answer = run("runs", "export", trained, "last", *words)
    assert answer.status == 2
    assert sentence in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.fixture
def away(trained, run, dataset, tmp_path):
    """Another place with a bundle and a bracket, and beside it what the checkpoint merges."""
    away = tmp_path / "another machine"
    shutil.copytree(dataset / "Test" / "006", away / "bracket")
    run("runs", "export", trained, "last", "-o", away / "model.shdrmodel")
    frames = [dataset / "Test" / "006" / f"{number}.tif" for number in (1, 2, 3)]
    best = trained / "runs" / "20261125-101010-quick" / "checkpoints" / "step-00000020"
    words = ("-o", tmp_path / "here.exr", "--checkpoint", best, "--device", "cpu")
    assert run("merge", *frames, *words).status == 0
    shutil.rmtree(trained)
    return away


NAMES = [f"bracket/{number}.tif" for number in (1, 2, 3)]
MERGE = ("merge", *NAMES, "--model", "model.shdrmodel", "--device", "cpu", "-o", "merged.exr")


def is_merged_as_here(away, told):
    assert told["method"].startswith("network of model.shdrmodel (teacher of 20261125-101010-quick")
    (ours, _), (theirs, header) = (
        read_layers(path) for path in (away.parent / "here.exr", away / "merged.exr")
    )
    assert set(theirs) == {"R", "G", "B", "uncertainty.Y"}
    assert all((layer == ours[name]).all() for name, layer in theirs.items())
    assert header["smarthdr.merge"] == told["method"]


def test_a_bundle_alone_merges_a_bracket_where_the_project_is_not(away, run, monkeypatch):
    monkeypatch.chdir(away)
    answer = run(*MERGE, "--json")
    assert answer.status == 0, answer.err
    is_merged_as_here(away, answer.json)


@pytest.mark.slow
def test_a_bundle_alone_merges_in_a_process_of_its_own(away):
    answer = subprocess.run(
        [sys.executable, "-m", "smarthdr_studio", *MERGE, "--json"],
        cwd=away,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(smarthdr_studio.__file__).parents[1])},
    )
    assert answer.returncode == 0, answer.stderr
    is_merged_as_here(away, json.loads(answer.stdout))


def test_a_bundle_labels_and_evaluates(trained, run, tmp_path):
    model = tmp_path / "model.shdrmodel"
    run("runs", "export", trained, "last", "-o", model)
    words = ("--model", model, "--scenes", "003", "--device", "cpu")
    assert run("label", trained, *words, "--json").status == 0
    ours = run("evaluate", trained, "--run", "last", "--device", "cpu", "--json")
    theirs = run("evaluate", trained, "--model", model, "--device", "cpu", "--json")
    assert ours.json["step"] == theirs.json["step"] == 20
    assert ours.json["mean"] == theirs.json["mean"]


def test_figures_of_a_run_are_kept_until_they_are_asked_for_again(trained, run, monkeypatch):
    from smarthdr_studio.learning import evaluation

    words = ("evaluate", trained, "--run", "last", "--which", "last", "--device", "cpu", "--json")
    first = run(*words).json
    kept = trained / "runs" / "20261125-101010-quick" / "evaluations" / "step-00000030-test.json"
    assert kept.is_file()
    measured = []
    real = evaluation.evaluate_scene
    monkeypatch.setattr(
        evaluation, "evaluate_scene", lambda *w, **k: measured.append(1) or real(*w, **k)
    )
    assert run(*words).json == first
    assert not measured
    assert run(*words, "--again").json == first
    assert measured


def test_a_run_and_a_model_are_not_evaluated_at_once(trained, run):
    answer = run("evaluate", trained, "--run", "last", "--model", "x.shdrmodel")
    assert answer.status == 2
    assert "give one of them" in answer.err


def test_a_run_without_a_checkpoint_is_one_sentence(trained, run, tmp_path):
    shutil.rmtree(trained / "runs" / "20261125-101010-quick" / "checkpoints")
    answer = run("runs", "export", trained, "last", "-o", tmp_path / "a.shdrmodel")
    assert answer.status == 2
    assert "has no checkpoint yet" in answer.err


def test_an_evaluation_tells_parts_and_names_a_metric_whose_package_is_missing(
    trained, run, monkeypatch
):
    from smarthdr_studio.learning import extra_metrics

    monkeypatch.setattr(extra_metrics, "find_spec", lambda _: None)
    told = run("evaluate", trained, "--run", "last", "--device", "cpu").out
    assert "PU21-PSNR (peak 256, radiance 1 at 1000 cd/m²)" in told
    assert "static" in told
    refused = run("evaluate", trained, "--run", "last", "--device", "cpu", "--metric", "flip")
    assert refused.status != 0
    assert "flip-evaluator" in refused.err
