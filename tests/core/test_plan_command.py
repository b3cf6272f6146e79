"""The one command line of a plan gives exactly that plan, however it was changed."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.training.plan import load_preset, parse_changes, parse_plan
from smarthdr_studio.core.training.plan_fields import toml
from smarthdr_studio.core.training.plan_schema import command_line, flat, nested, plan_fields
from smarthdr_studio.core.training.presets import shipped_presets

PROJECT = Path("/home/me/my scenes/it's.shdr")


def values_of(field):
    """Any value that the setting may have by itself."""
    low, high = field.low or 0, field.high if field.high is not None else 1e6
    match field.kind:
        case "switch":
            some = st.booleans()
        case "choice":
            some = st.sampled_from(field.choices)
        case "whole":
            some = st.integers(int(low) // field.step + 1, int(high)).map(lambda n: n * field.step)
        case "number":
            some = st.floats(low, high, exclude_min=field.above, exclude_max=field.below)
        case "path":
            some = st.text("ab /.'\"\\$\n\x7f#=[]1tue", min_size=1).map(lambda t: str(Path(t)))
        case "words":
            some = st.sampled_from(("auto", "cpu", "cuda:1"))
    return st.one_of(some, *([st.none()] if field.nullable else ()))


CHANGES = st.fixed_dictionaries(
    {}, optional={field.key: values_of(field) for field in plan_fields() if field.key != "preset"}
)


def plan_of(preset, changes):
    """The preset with as many of the changes as agree with one another."""
    plan = load_preset(preset)
    for key, value in changes.items():
        try:
            plan = parse_plan(nested({**flat(plan), key: value}))
        except PlanError:
            continue
    return plan


def read_back(command):
    words = shlex.split(command)
    assert words[:3] == ["smarthdr-studio", "train", str(PROJECT)]
    assert words[3] == "--preset"
    assert words[5::2] == ["--set"] * len(words[6::2])
    return load_preset(words[4], changes=parse_changes(words[6::2]))


@given(preset=st.sampled_from(shipped_presets()), changes=CHANGES)
def test_a_shell_reads_the_same_plan_back(preset, changes):
    plan = plan_of(preset, changes)
    assert read_back(command_line(PROJECT, plan, preset)) == plan


@given(preset=st.sampled_from(shipped_presets()), changes=CHANGES)
def test_a_file_reads_the_same_plan_back(preset, changes, tmp_path_factory):
    plan = plan_of(preset, changes)
    path = tmp_path_factory.mktemp("plans") / "plan.toml"
    path.write_text(toml(nested(flat(plan))), encoding="utf-8")
    assert load_preset(str(path)) == plan


def test_the_command_is_minimal_and_quoted():
    plan = load_preset("quick", changes={"schedule.epochs": 20, "held_out": "auto"})
    command = command_line(PROJECT, plan, "quick")
    assert command.startswith("smarthdr-studio train '/home/me/my scenes/it'\"'\"'s.shdr' ")
    assert command.endswith("--preset quick --set schedule.epochs=20 --set held_out=auto")
    assert "--set" not in command_line(PROJECT, load_preset("quick"), "quick")


@pytest.mark.parametrize("word", ["none", "true", "3", "[1]", "'a'"])
def test_a_path_that_looks_like_something_else_stays_a_path(word):
    plan = load_preset("quick", changes={"network.start_from": f"./{word}"})
    assert read_back(command_line(PROJECT, plan, "quick")) == plan
