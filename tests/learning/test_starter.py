"""The model that ships is the one of its card, small, better than a merge, and honest about σ."""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from smarthdr_studio.core.imaging.metrics import quality
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge
from smarthdr_studio.core.training.events import Steered
from smarthdr_studio.core.training.starter import starter_card, starter_model
from smarthdr_studio.core.trust.reliability import squared_error_map
from smarthdr_studio.learning.bundle import read_bundle
from smarthdr_studio.learning.checkpoints import checkpoints_of
from smarthdr_studio.learning.inference import predict_tiled
from smarthdr_studio.learning.model_files import load_model
from smarthdr_studio.learning.networks import build_network, load_weights
from smarthdr_studio.learning.trainer import train
from smarthdr_studio.synthetic.benchmark_set import BenchmarkSettings, shoot

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "resources" / "starter"


@pytest.fixture(scope="module")
def card():
    return json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))


def test_it_is_small_and_its_card_names_its_weights_and_its_recipe(card):
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2**20
    about, weights = read_bundle(starter_model())
    assert about.run == "starter"
    assert card["weights"] == about.weights == hashlib.sha256(weights).hexdigest()
    recipe = (ROOT / "packaging" / "starter.toml").read_text(encoding="utf-8")
    assert card["recipe"] == tomllib.loads(recipe)


def test_it_says_that_generated_scenes_alone_were_learned_from(card):
    assert "generated scenes alone" in card["about"]
    assert "No bracket that a camera took" in starter_card().about


def test_it_learned_before_maps_of_several_places_and_is_measured_before_another(card):
    maps = card["recipe"]["maps"]
    assert len(maps["learned"]) >= 3
    assert not set(maps["learned"]) & set(maps["held_out"])
    assert all(name.removesuffix(".hdr") in card["about"] for name in maps["learned"])
    told = card["figures"]["unseen map"]
    assert told["psnr_mu"] > told["merge_mu"] + 2


def test_other_bytes_than_those_of_the_recipe_make_no_model(tmp_path):
    sys.path.insert(0, str(ROOT / "packaging"))
    import starter

    recipe = tomllib.loads(starter.RECIPE.read_text(encoding="utf-8"))
    for name in recipe["maps"]["sha256"]:
        (tmp_path / name).write_bytes(b"#?RADIANCE")
    with pytest.raises(SystemExit, match="holds other bytes than the map of the recipe"):
        starter.make(
            tmp_path / "into",
            maps=tmp_path,
            work=tmp_path / "work",
            recipe=starter.RECIPE,
            say=print,
        )
    assert not (tmp_path / "into").exists()


@pytest.fixture(scope="module")
def unseen():
    """Fifteen scenes of all kinds, of a seed that neither training nor card has used."""
    settings = BenchmarkSettings(width=192, height=128, training=3, test=0, labelled=0, seed=77)
    network, about = load_model("starter")
    found = []
    for index in range(settings.pool):
        shot = shoot(index, settings=settings, shelf=None)
        stops = tuple(ev - shot.evs[0] for ev in shot.evs)
        hdr, sigma = predict_tiled(
            network,
            shot.frames,
            stops=stops,
            device=torch.device("cpu"),
            tile=about.tile,
            overlap=about.overlap,
            precision=torch.float32,
        )
        merged = exposure_weighted_merge(shot.frames, stops=stops)
        ratio = float((squared_error_map(hdr, shot.truth) / np.square(sigma)).mean())
        found.append((quality(hdr, shot.truth), quality(merged, shot.truth), ratio))
    return found


def test_on_scenes_nobody_has_seen_it_beats_the_merge(unseen, card):
    own = np.mean([each.psnr_mu for each, _, _ in unseen])
    merged = np.mean([each.psnr_mu for _, each, _ in unseen])
    assert own > merged + 2
    told = card["figures"]["all"]
    assert told["psnr_mu"] > told["merge_mu"] + 2


def test_its_sigma_is_as_large_as_its_errors_within_a_factor(unseen):
    assert 0.4 < np.median([ratio for _, _, ratio in unseen]) < 2.5


def test_a_run_begins_from_it_and_says_so_and_goes_on_exactly(project, make_plan):
    plan = make_plan(network={"name": "light", "start_from": "starter"}, seed=3)
    events = list(train(plan, project))
    (told,) = [each.text for each in events if isinstance(each, Steered)]
    assert told.startswith("begins with the weights of starter (")
    (run,) = (project / "runs").iterdir()
    start = json.loads((run / "start.json").read_text(encoding="utf-8"))
    assert start["start_from"] == "starter"
    digest = hashlib.sha256(starter_model().read_bytes()).hexdigest()
    assert start["start_from_sha256"] == digest
    assert digest[:8] in told
    assert 'start_from = "starter"' in (run / "plan.toml").read_text(encoding="utf-8")


def test_stopped_and_resumed_it_learns_the_same(make_project, make_plan, tmp_path):
    plan = make_plan(network={"name": "light", "start_from": "starter"})
    weights = []
    for name, stop in (("whole", None), ("halves", 3)):
        (tmp_path / name).mkdir()
        project = make_project(tmp_path / name)
        events = train(plan, project)
        for event in events:
            if stop is not None and getattr(event, "step", 0) >= stop:
                events.close()
        (run,) = (project / "runs").iterdir()
        if stop is not None:
            list(train(plan, project, resume=run.name))
        weights.append((checkpoints_of(run)[-1] / "teacher.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_its_weights_are_those_of_the_light_network():
    network = build_network("light")
    loaded = load_weights(network, "starter")
    assert loaded.judge


def test_the_page_of_the_guide_tells_the_figures_of_the_card(card):
    sys.path.insert(0, str(ROOT / "packaging"))
    import starter

    words = starter.PAGE.read_text(encoding="utf-8")
    assert starter.page(words, card) == words
    told = card["figures"]["all"]
    assert f"| all | {told['scenes']} | {told['psnr_mu']:.2f} | {told['merge_mu']:.2f} |" in words
