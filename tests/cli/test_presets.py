"""The verbs about presets: all are listed, one is shown whole or by what it changes."""

import pytest

from smarthdr_studio.core.training import presets, user_presets
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.plan_schema import flat


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """A person's folder of presets, with one preset and one broken file."""
    folder = tmp_path / "presets"
    monkeypatch.setattr(presets, "own_presets_folder", lambda: folder)
    plan = load_preset("quick", changes={"seed": 9})
    user_presets.save_preset("mine", plan, base="quick", description="Mine.", own=folder)
    (folder / "odd.toml").write_text("a = = 3", encoding="utf-8")
    return folder


def test_presets_are_listed_with_what_they_are_for(run):
    found = {each["name"]: each for each in run("presets", "list", "--json").json["presets"]}
    assert found["mine"] == {"name": "mine", "description": "Mine.", "base": "quick", "own": True}
    assert not found["fixmatch"]["own"]
    assert "not readable as TOML" in found["odd"]["description"]
    answer = run("presets", "list")
    assert answer.status == 0
    assert "mean-teacher" in answer.out


def test_a_preset_is_shown_whole_or_by_what_it_changes(run):
    assert run("presets", "show", "quick", "--json").json["settings"] == flat(load_preset("quick"))
    changed = run("presets", "show", "mine", "--changed", "--json").json
    assert (changed["base"], changed["settings"]) == ("quick", {"seed": 9})
    assert "schedule.epochs" in run("presets", "show", "quick").out
    answer = run("presets", "show", "nobody")
    assert answer.status == 2
    assert "no such preset" in answer.err


def test_a_run_is_trained_by_a_preset_of_ones_own(run, project):
    answer = run("train", project, "--preset", "mine", "--set", "device=tpu")
    assert answer.status == 2
    assert "device is 'tpu'" in answer.err
