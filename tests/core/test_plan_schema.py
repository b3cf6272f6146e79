"""The settings as a list: all of them, explained, and checked all at once."""

import pytest
from pydantic import BaseModel

from smarthdr_studio.core.training.plan import TrainingPlan, load_preset, parse_changes, parse_plan
from smarthdr_studio.core.training.plan_fields import as_text
from smarthdr_studio.core.training.plan_schema import (
    check,
    differences,
    flat,
    idle,
    nested,
    plan_fields,
)
from smarthdr_studio.core.training.presets import shipped_presets

FIELDS = {field.key: field for field in plan_fields()}


def leaves(model, prefix=""):
    for name, info in model.model_fields.items():
        below = info.annotation
        if isinstance(below, type) and issubclass(below, BaseModel):
            yield from leaves(below, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_setting_of_the_plan_is_there_once_with_a_sentence():
    assert sorted(FIELDS) == sorted(leaves(TrainingPlan))
    assert len(FIELDS) == len(plan_fields())
    for field in plan_fields():
        assert field.title
        assert field.section
        assert field.description.endswith(".")
        assert "\n" not in field.description


def test_kinds_units_bounds_and_defaults_come_from_the_plan():
    crop, rate = FIELDS["batch.crop"], FIELDS["schedule.learning_rate"]
    assert (crop.kind, crop.unit, crop.low, crop.step, crop.default) == ("whole", "px", 16, 8, 128)
    assert (rate.kind, rate.low, rate.above) == ("number", 0, True)
    assert FIELDS["network.name"].choices[:2] == ("gfhdr", "light")
    assert FIELDS["held_out"].words == ("auto",)
    assert FIELDS["network.start_from"].kind == "path"
    assert FIELDS["schedule.early_stop"].nullable
    assert {field.key: field.default for field in plan_fields()} == flat(TrainingPlan())


@pytest.mark.parametrize("name", shipped_presets())
def test_a_plan_survives_being_laid_flat_typed_and_read_again(name):
    plan = load_preset(name)
    typed = {key: FIELDS[key].read(as_text(value)) for key, value in flat(plan).items()}
    assert parse_plan(nested(typed)) == plan
    assert check(typed) == {}


@pytest.mark.parametrize(
    ("key", "text", "allowed"),
    [
        ("schedule.epochs", "12x", "a whole number, at least 1"),
        ("schedule.epochs", "", "a whole number, at least 1"),
        ("batch.crop", "100", "a multiple of 8, at least 16"),
        ("teacher.ema", "1", "a number, at least 0 and below 1"),
        ("loss.beta", "nan", "a number, at least 0 and at most 1"),
        ("held_out", "some", "a whole number, at least 0, or auto"),
        ("masks.tau_patch", "2", "a number, at least 0 and at most 1, or none"),
        ("device", "tpu", "auto, cpu, mps, cuda or cuda:N"),
        ("system", "x", "smarthdr, supervised, mean-teacher, fixmatch, fshdr, smae or selfhdr"),
    ],
)
def test_what_is_typed_wrongly_is_answered_with_what_is_allowed(key, text, allowed):
    assert check({key: FIELDS[key].read(text)}) == {key: allowed}


def test_all_complaints_come_at_once_and_contradictions_with_them():
    found = check(
        {
            "batch.crop": 100,
            "loss.beta": 3,
            "system": "mean-teacher",
            "masks.pixels": False,
            "schedule.warmup_epochs": 300,
            "colour": "red",
        }
    )
    assert sorted(found) == [
        "batch.crop",
        "colour",
        "loss.beta",
        "masks.patches",
        "schedule.warmup_epochs",
    ]
    assert "mean-teacher has no masks" in found["masks.patches"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"system": "mean-teacher", "masks.patches": False}, "masks.pixels"),
        (
            {
                "system": "mean-teacher",
                "masks.patches": False,
                "masks.pixels": False,
                "teacher.ema": 0,
            },
            "teacher.ema",
        ),
        ({"system": "fixmatch"}, "teacher.ema"),
        (
            {
                "system": "fixmatch",
                "teacher.ema": 0,
                "masks.patches": False,
                "masks.pixels": False,
            },
            "masks.pixels",
        ),
        ({"system": "fixmatch", "teacher.ema": 0, "batch.unlabelled": 0}, "batch.unlabelled"),
    ],
)
def test_a_system_is_refused_what_would_make_it_another(changes, key):
    assert list(check(changes)) == [key]


def test_what_does_nothing_is_told_but_not_refused():
    told = idle({"schedule.early_stop": 3, "schedule.epochs": 40, "loss.beta": 0.2})
    assert sorted(told) == ["loss.beta", "schedule.early_stop", "schedule.halve_at_epoch"]
    assert idle({"held_out": 2, "schedule.early_stop": 3}) == {}
    assert idle({"system": "supervised"}) == {}
    told = idle({"system": "supervised", "student.noise": 0.1, "loss.ramp_up": 2})
    assert sorted(told) == ["loss.ramp_up", "student.noise"]
    told = idle({"system": "supervised", "teacher.views": 4, "schedule.refresh_steps": 9})
    assert sorted(told) == ["schedule.refresh_steps", "teacher.views"]
    told = idle({"schedule.refresh_steps": 9, "schedule.refresh_every": 2})
    assert sorted(told) == ["schedule.refresh_every"]
    assert idle({"system": "supervised", "student.noise": 0.1, "student.labelled_too": True}) == {}
    assert "masks.tau_pixel" in idle({"masks.pixels": False, "masks.tau_pixel": 0.2})
    assert idle({"seed": -1}) == {}
    for name in ("paper", "mean-teacher", "fixmatch", "no-patch-mask", "weak-augmentation"):
        assert idle(flat(load_preset(name))) == {}


def test_differences_are_the_keys_that_were_changed():
    plan = load_preset("paper", changes={"batch.crop": 64, "seed": 3})
    assert differences(plan, load_preset("paper")) == ("batch.crop", "seed")
    assert differences(plan, plan) == ()


def test_none_means_nothing_where_there_may_be_nothing_and_a_word_where_it_is_one():
    changes = parse_changes(["schedule.halve_at_epoch=none", "schedule.final_decay=none"])
    plan = load_preset("quick", changes=changes)
    assert plan.schedule.halve_at_epoch is None
    assert plan.schedule.final_decay == "none"


def test_settings_are_found_by_words_of_their_name_and_sentence():
    def found(query):
        return [field.key for field in plan_fields() if field.found_by(query)]

    assert "batch.crop" in found("CROP memory")
    assert found("vgg-16 weights file") == []
    assert found("ema") == ["teacher.ema"]
    assert len(found("")) == len(FIELDS)
