"""The verb `masks` counts exactly what the one trust function keeps."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from made_models import leave_untrained

from smarthdr_studio.cli import BAD_INPUT, PARTLY
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training import rounds
from smarthdr_studio.core.training.rounds import pool_trust, trust_as_made
from smarthdr_studio.core.trust.masking import (
    Level,
    MaskSettings,
    Range,
    patch_means,
    span,
    trust,
)

POOL = ("003", "004", "005")


def sigmas(folder):
    with Project.open(folder) as opened:
        paths = {name: opened.pseudo_path(name) for name in POOL}
    return {
        n: read_layers(p, only=("uncertainty.Y",))[0]["uncertainty.Y"] for n, p in paths.items()
    }


def test_the_figures_are_those_of_the_trust_function(run, project):
    answer = run("masks", project, "--json").json
    maps = sigmas(project)
    whole = span(np.concatenate([patch_means(s).ravel() for s in maps.values()]), Level())
    found = {n: trust(s, MaskSettings(), patch_range=whole) for n, s in maps.items()}
    assert (answer["tau_patch"], answer["tau_pixel"]) == (0.4, 0.4)
    for scene in answer["scenes"]:
        expected = found[scene["id"]]
        assert scene["retained"] == expected.trusted.mean()
        assert scene["patches_retained"] == expected.patch_mask.mean()
        assert scene["sigma_mean"] == pytest.approx(maps[scene["id"]].mean(dtype=np.float64))
    trusted = sum(each.trusted.sum() for each in found.values())
    assert answer["pool"]["retained"] == trusted / sum(s.size for s in maps.values())


def test_what_a_person_painted_counts_in_the_shares(run, project):
    before = run("masks", project, "--json").json
    brush = np.zeros((128, 192), np.int8)
    brush[:32], brush[-16:] = 1, -1
    with Project.open(project) as opened:
        Decisions(opened).paint("004", lambda _: brush)
    after = run("masks", project, "--json").json
    shares = {scene["id"]: scene["retained"] for scene in after["scenes"]}
    maps = sigmas(project)
    whole = span(np.concatenate([patch_means(s).ravel() for s in maps.values()]), Level())
    found = trust(maps["004"], MaskSettings(), patch_range=whole, person=brush)
    assert shares["004"] == found.trusted.mean()
    for earlier in before["scenes"]:
        assert (shares[earlier["id"]] == earlier["retained"]) == (earlier["id"] != "004")
    # Patches are kept by their σ; a brush says nothing of them.
    assert after["pool"]["patches_retained"] == before["pool"]["patches_retained"]


def test_a_stricter_threshold_never_trusts_more(run, project):
    shares = [
        run("masks", project, "--tau-patch", tau, "--json").json["pool"]["patches_retained"]
        for tau in (0.0, 0.2, 0.5, 0.8, 1.0)
    ]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_only_unlabelled_scenes_are_the_pool(run, project):
    run("promote", project, "003")
    answer = run("masks", project, "--json").json
    assert [scene["id"] for scene in answer["scenes"]] == ["004", "005"]


def test_a_look_changes_nothing_and_save_does(run, project):
    run("masks", project, "--tau-patch", 0.9)
    assert run("masks", project, "--json").json["tau_patch"] == 0.4
    run("masks", project, "--tau-patch", 0.9, "--save")
    assert run("masks", project, "--json").json["tau_patch"] == 0.9


@pytest.mark.parametrize(
    ("tau", "words"),
    [
        ("nan", "should be a number, not nan"),
        ("-NaN", "should be a number, not nan"),
        ("7", "should be at most 1"),
        ("inf", "should be at most 1"),
        ("abc", "should be a number"),
    ],
)
def test_a_threshold_that_is_no_number_is_told_so(run, project, tau, words):
    answer = run("masks", project, f"--tau-patch={tau}", "--save")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == f"Invalid value for '--tau-patch': {words}\n"
    assert run("masks", project, "--json").json["tau_patch"] == 0.4


@pytest.mark.parametrize("normalisation", ["minmax", "percentile", "absolute"])
@pytest.mark.parametrize("scope", ["pool", "scene"])
def test_a_pool_of_one_scene_is_that_scene(project, normalisation, scope):
    level = Level(normalisation=normalisation, scope=scope)
    settings = MaskSettings(patches=level, pixels=level)
    with Project.open(project) as opened:
        path = opened.pseudo_path("004")
    (scene,) = pool_trust({"004": path}, settings).scenes
    assert scene.retained == trust(sigmas(project)["004"], settings).trusted.mean()


def test_the_window_and_the_verb_agree_on_patches(run, project):
    from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
    from smarthdr_studio.core.trust.pool import PoolStatistics

    with Project.open(project) as opened:
        read = {name: SceneStatistics.load(opened.statistics_path(name)) for name in POOL}
    shown = PoolStatistics(read).retention(MaskSettings())
    said = run("masks", project, "--json").json["pool"]
    assert said["patches_retained"] == pytest.approx(shown.patches_retained)
    assert said["retained"] == pytest.approx(shown.retained, abs=0.01)


def test_an_absolute_threshold_is_read_saved_and_told_in_words(run, project):
    maps = sigmas(project)
    said = run(
        "masks", project, "--normalisation", "absolute", "--tau-pixel", 0.2, "--save", "--json"
    )
    whole = MaskSettings(
        tau_pixel=0.2,
        patches=Level(normalisation="absolute"),
        pixels=Level(normalisation="absolute", scope="scene"),
    )
    for scene in said.json["scenes"]:
        assert scene["retained"] == trust(maps[scene["id"]], whole).trusted.mean()
    with Project.open(project) as opened:
        assert Decisions(opened).masks() == whole


def test_pseudo_labels_are_counted_as_they_were_made_whatever_the_thresholds_are(run, project):
    maps = sigmas(project)
    run("masks", project, "--tau-pixel", 0.1, "--save")
    said = run("masks", project, "--as-made", "--json").json
    assert said["tau_patch"] is None
    made = {"patch_range": Range(0.0, 0.022), "pixel_range": Range(0.0, 0.024)}
    for scene in said["scenes"]:
        found = trust(maps[scene["id"]], MaskSettings(), **made)
        assert scene["retained"] == found.trusted.mean()
    assert "as its run masked" in run("masks", project, "--as-made").out


@pytest.fixture
def trained(project):
    """The project with a checkpoint of networks that learned nothing."""
    leave_untrained(project)
    return project


@pytest.mark.parametrize(
    ("method", "how"),
    [("quantile", ("--share", 0.6)), ("exposure", ()), ("risk", ("--target", 0.9))],
)
def test_proposed_thresholds_are_told_counted_and_saved(run, trained, method, how):
    asked = ("--propose", method, *how)
    said = run("masks", trained, *asked, "--save", "--json").json
    assert said["proposal"]["method"] == method
    assert f"τ_pa {said['tau_patch']:.3f}" in said["proposal"]["how"]
    share = said["proposal"]["error"]["share"]
    assert 0 <= share <= 1
    assert (said["proposal"]["error"]["kept"] is None) is (share == 0)
    again = run("masks", trained, "--json").json
    assert {k: again[k] for k in ("tau_patch", "tau_pixel", "pool")} == {
        k: said[k] for k in ("tau_patch", "tau_pixel", "pool")
    }
    assert "of the patches of the pool" in run("masks", trained, *asked).out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--as-made", "--save"), "--save does nothing"),
        (("--as-made", "--tau-pixel", 0.2, "--propose", "risk"), "--tau-pixel and --propose do"),
        (("--share", 0.5), "--propose quantile"),
        (("--propose", "quantile", "--target", 0.5), "--propose risk"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(run, project, words, named):
    answer = run("masks", project, *words)
    assert answer.status == 2
    assert named in answer.err


def test_without_a_checkpoint_nothing_can_be_proposed(run, project):
    answer = run("masks", project, "--propose", "quantile")
    assert answer.status == 2
    assert "no run has a checkpoint yet" in answer.err


def test_without_pseudo_labels_the_remedy_is_said(run, dataset, tmp_path):
    run("new", tmp_path / "p.shdr", dataset, "--labelled", 1)
    answer = run("masks", tmp_path / "p.shdr")
    assert answer.status == 2
    assert "smarthdr-studio train" in answer.err


def test_people_get_a_table_with_the_whole_pool(run, project):
    answer = run("masks", project)
    assert "whole pool" in answer.out
    assert answer.err == ""


def damaged_inside(path):
    """The file as a bad disk leaves it: of its size, with other bytes amid its pixels."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 400] = b"\x55" * 400
    path.write_bytes(raw)


@pytest.mark.parametrize("as_made", [(), ("--as-made",)])
def test_one_damaged_label_costs_the_others_nothing_and_is_told(run, project, as_made):
    with Project.open(project) as opened:
        files = {name: opened.pseudo_path(name) for name in POOL}
    damaged_inside(files.pop("004"))
    answer = run("masks", project, *as_made, "--json")
    expected = trust_as_made(files) if as_made else pool_trust(files, MaskSettings())
    assert answer.status == PARTLY
    assert answer.json["pool"]["retained"] == expected.retained
    assert [scene["id"] for scene in answer.json["scenes"]] == ["003", "005"]
    (left_out,) = answer.json["left_out"]
    assert left_out["id"] == "004"
    assert "004.exr: damaged inside" in left_out["why"]
    assert answer.err == f"left out: {left_out['why']}\n"


def test_where_every_label_is_damaged_nothing_is_counted(run, project):
    with Project.open(project) as opened:
        for name in POOL:
            damaged_inside(opened.pseudo_path(name))
    answer = run("masks", project, "--json")
    assert (answer.status, answer.out) == (BAD_INPUT, "")
    assert answer.err.count("\n") == 1
    assert "003.exr: damaged inside" in answer.err


def test_a_painting_that_is_lost_costs_its_scene_alone(run, project):
    with Project.open(project) as opened:
        Decisions(opened).paint("005", lambda _: np.ones((128, 192), np.int8))
    with closing(sqlite3.connect(project / "project.sqlite")) as connection:
        connection.execute("UPDATE person_masks SET runs = x'00'")
        connection.commit()
    answer = run("masks", project, "--json")
    assert answer.status == PARTLY
    assert [scene["id"] for scene in answer.json["left_out"]] == ["005"]
    assert [scene["id"] for scene in answer.json["scenes"]] == ["003", "004"]


@pytest.mark.parametrize("held", [0, 2**28])
@pytest.mark.parametrize("scope", ["pool", "scene"])
def test_each_label_is_unpacked_once_where_there_is_room_for_all(project, monkeypatch, held, scope):
    with Project.open(project) as opened:
        files = {name: opened.pseudo_path(name) for name in POOL}
    unpacked = []

    def counted(path, **how):
        unpacked.append(path)
        return read_layers(path, **how)

    settings = MaskSettings(pixels=Level(scope=scope))
    exact = pool_trust(files, settings)
    monkeypatch.setattr(rounds, "read_layers", counted)
    monkeypatch.setattr(rounds, "_HELD_BYTES", held)
    assert pool_trust(files, settings) == exact
    again = 1 if scope == "scene" else 2
    assert len(unpacked) == len(files) * (1 if held else 1 + again)
