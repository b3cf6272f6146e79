"""Metrics of other packages are asked as their authors mean it, and named when they are missing."""

import json
import math
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.bracket import Bracket, FrameStore
from smarthdr_studio.core.imaging.metrics import psnr_pu
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.learning import extra_metrics
from smarthdr_studio.learning.evaluation import evaluate, part_qualities
from smarthdr_studio.learning.extra_metrics import measure, require_metrics
from smarthdr_studio.learning.model_files import load_predictor
from smarthdr_studio.learning.trainer import train


@pytest.fixture
def asked(monkeypatch):
    """Stand-ins for both packages; what each was asked."""
    calls = []
    flip, cvvdp = ModuleType("flip_evaluator"), ModuleType("pycvvdp")

    def flips(reference, test, kind, *, applyMagma):  # noqa: N803 - as the package has it
        calls.append((reference, test, kind, applyMagma))
        return np.zeros((1, 1, 1)), 0.125, {}

    def predict(test, reference, *, dim_order):
        calls.append((reference, test, dim_order))
        return np.float32(9.5), None

    def display(*, display_name, quiet):
        assert (display_name, quiet) == ("standard_hdr_linear", True)
        return SimpleNamespace(predict=predict)

    flip.evaluate, cvvdp.cvvdp = flips, display
    monkeypatch.setitem(sys.modules, "flip_evaluator", flip)
    monkeypatch.setitem(sys.modules, "pycvvdp", cvvdp)
    monkeypatch.setattr(extra_metrics, "find_spec", lambda name: name)
    return calls


def test_packages_that_are_missing_are_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(extra_metrics, "find_spec", lambda _: None)
    require_metrics(())
    with pytest.raises(StudioError, match=r"^HDR-FLIP needs flip-evaluator, not installed here; "):
        require_metrics(["flip"])
    with pytest.raises(StudioError, match=r"needs flip-evaluator and cvvdp.*studio\[metrics\]"):
        require_metrics(["flip", "cvvdp"])


def test_each_is_asked_with_the_truth_as_reference_in_its_own_units(asked):
    rng = np.random.default_rng(0)
    truth, picture = rng.random((2, 8, 8, 3)).astype(np.float16)
    assert measure("flip", picture, truth) == 0.125
    assert measure("cvvdp", picture, truth) == 9.5
    (reference, test, kind, magma), (other_reference, other_test, order) = asked
    assert (kind, magma, order) == ("HDR", False, "HWC")
    np.testing.assert_array_equal(reference, truth.astype(np.float32))
    np.testing.assert_array_equal(test, picture.astype(np.float32))
    np.testing.assert_allclose(other_reference, 1000 * truth.astype(np.float32))
    np.testing.assert_allclose(other_test, 1000 * picture.astype(np.float32))


@pytest.mark.parametrize("truth", [np.zeros((8, 8, 3)), np.full((8, 8, 3), 0.5)])
def test_a_truth_without_a_range_of_exposures_has_no_flip(asked, truth):
    assert math.isnan(measure("flip", truth, truth))
    assert asked == []


def test_flip_itself_calls_a_picture_without_error_0_and_a_wrong_one_worse():
    pytest.importorskip("flip_evaluator", reason="flip-evaluator is not installed")
    truth = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    assert measure("flip", truth, truth) == 0
    assert 0 < measure("flip", 1.02 * truth, truth) < measure("flip", 1.3 * truth, truth) <= 1


def test_cvvdp_itself_gives_a_picture_without_error_10_jod_and_a_wrong_one_fewer():
    pytest.importorskip("pycvvdp", reason="cvvdp is not installed")
    rng = np.random.default_rng(0)
    truth, noise = rng.random((64, 96, 3)) / 2, rng.normal(size=(64, 96, 3))
    little, much = (
        measure("cvvdp", np.clip(truth + share * noise, 0, 1), truth) for share in (0.05, 0.2)
    )
    assert measure("cvvdp", truth, truth) == pytest.approx(10)
    assert much < little < 10


def test_quality_is_told_by_part_and_a_part_without_pixels_is_left_out():
    radiance = np.full((40, 60, 3), 0.02)
    radiance[:, :20] = 0.5  # clips the reference, two stops above the shortest
    stops = (0.0, 2.0, 4.0)
    under, reference, over = (
        np.round(65535 * np.clip(radiance * 2.0**stop, 0, 1) ** (1 / 2.2)).astype(np.uint16)
        for stop in stops
    )
    bracket = Bracket(under=under, reference=reference, over=over, stops=stops)
    answer = radiance.copy()
    answer[:, :20] += 0.1
    answer[:, 20:] += 0.001
    found = part_qualities(answer.astype(np.float32), radiance.astype(np.float32), bracket)
    assert set(found) == {"saturated", "static"}
    assert found["saturated"].share == pytest.approx(1 / 3)
    assert found["saturated"].psnr_l == pytest.approx(20, abs=1e-3)
    assert found["static"].psnr_l == pytest.approx(60, abs=1e-3)

    def mu(value):
        return math.log1p(5000 * value) / math.log1p(5000)

    assert found["static"].psnr_mu == pytest.approx(
        -20 * math.log10(mu(0.021) - mu(0.02)), abs=0.01
    )


def test_an_evaluation_has_them_and_keeps_what_was_asked(project, make_plan, asked):
    list(train(make_plan(system="supervised", schedule={"epochs": 1}), project))
    *_, plain = evaluate(project, device="cpu")
    assert plain.others.keys() == {"psnr_pu"}
    (scene,) = plain.scenes
    shares = [part.share for name, part in scene.parts.items() if name != "moving"]
    assert 0 < sum(shares) <= 1.0001
    assert len(asked) == 0
    *_, more = evaluate(project, device="cpu", extra=("flip",))
    assert more.others["flip"] == 0.125
    *_, kept = evaluate(project, device="cpu")
    assert kept.others.keys() == {"psnr_pu", "flip"}
    assert len(asked) == 1
    told = json.loads(json.dumps(kept.as_json()))
    assert told["scenes"][0]["extra"] == {"flip": 0.125}
    with Project.open(project) as opened:
        truth_scene = opened.scene("t")
    (run,) = (project / "runs").iterdir()
    store = FrameStore()
    predictor = load_predictor(
        sorted((run / "checkpoints").iterdir())[-1], device="cpu", frames=store
    )
    hdr, _ = predictor.predict(truth_scene)
    assert scene.psnr_pu == pytest.approx(psnr_pu(hdr, store.ground_truth(truth_scene)))
