"""Presets: what each stands for, how they build on one another, and a person's own."""

import pytest

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.plan_schema import differences
from smarthdr_studio.core.training.presets import about_preset, presets, shipped_presets
from smarthdr_studio.core.training.user_presets import (
    complaint_about_name,
    delete_preset,
    save_preset,
)

ABLATIONS = {
    "no-patch-mask": ("masks.patches",),
    "no-pixel-mask": ("masks.pixels",),
    "no-uncertainty": ("loss.nll_weight", "masks.patches", "masks.pixels"),
    "weak-augmentation": ("strong_augmentation",),
}


@pytest.fixture
def own(tmp_path):
    """A person's folder of presets."""
    return tmp_path / "presets"


def write(own, name, text):
    own.mkdir(exist_ok=True)
    (own / f"{name}.toml").write_text(text, encoding="utf-8")


def test_every_preset_that_ships_says_in_one_sentence_what_it_is_for():
    for name in shipped_presets():
        about = about_preset(name)
        assert about.description.endswith(".")
        assert len(about.description) <= 90
        assert not about.own
    assert shipped_presets()[:2] == ("paper", "quick")


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_leaves_out_one_thing_of_the_paper(name):
    changed = differences(load_preset(name), load_preset("paper"))
    assert changed == ("preset", *ABLATIONS[name])


def test_the_other_systems_are_what_the_method_says():
    mean_teacher, fixmatch = load_preset("mean-teacher"), load_preset("fixmatch")
    assert mean_teacher.teacher == load_preset("paper").teacher
    assert (mean_teacher.masks.patches, mean_teacher.masks.pixels) == (False, False)
    assert (fixmatch.teacher.ema, fixmatch.teacher.early_warmup) == (0, False)
    assert fixmatch.masks == load_preset("paper").masks
    assert fixmatch.strong_augmentation
    assert not load_preset("supervised").makes_rounds


def test_a_preset_changes_another_which_changes_another(own):
    write(own, "mine", 'base = "quick"\nseed = 7\n[schedule]\nepochs = 5\n')
    write(own, "longer", 'base = "mine"\ndescription = "More."\n[schedule]\nepochs = 50\n')
    plan = load_preset("longer", own=own)
    assert (plan.preset, plan.seed, plan.schedule.epochs) == ("longer", 7, 50)
    assert plan.schedule.steps_per_epoch == 30
    assert about_preset("longer", own).base == "mine"
    assert presets(own)[-2:] == ("longer", "mine")


def test_a_file_is_based_on_a_file_beside_it(tmp_path):
    (tmp_path / "a.toml").write_text("seed = 3")
    (tmp_path / "b.toml").write_text('base = "a.toml"\ntile = 128')
    plan = load_preset(str(tmp_path / "b.toml"))
    assert (plan.preset, plan.seed, plan.tile) == ("b", 3, 128)


def test_a_circle_and_a_base_that_is_not_there_are_told_in_words(own):
    write(own, "one", 'base = "two"')
    write(own, "two", 'base = "one"')
    with pytest.raises(PlanError, match="one → two → one"):
        load_preset("one", own=own)
    write(own, "lost", 'base = "nobody"')
    with pytest.raises(PlanError, match="nobody: no such preset; there are paper"):
        load_preset("lost", own=own)
    write(own, "odd", "base = 3")
    with pytest.raises(PlanError, match="base is 3"):
        load_preset("odd", own=own)


def test_what_was_saved_is_the_plan_and_says_only_what_differs(own):
    plan = load_preset(
        "quick", changes={"schedule.steps_per_epoch": None, "seed": 9, "loss.nll_gradient": "beta"}
    )
    path = save_preset("mine", plan, base="quick", description="All  of\nthem.", own=own)
    assert path.read_text(encoding="utf-8").splitlines() == [
        'description = "All of them."',
        'base = "quick"',
        "seed = 9",
        "",
        "[schedule]",
        'steps_per_epoch = "none"',
        "",
        "[loss]",
        'nll_gradient = "beta"',
    ]
    assert load_preset("mine", own=own) == plan.model_copy(update={"preset": "mine"})
    assert about_preset("mine", own).own


def test_a_preset_saved_over_itself_keeps_its_base(own):
    save_preset("mine", load_preset("quick", changes={"seed": 9}), base="quick", own=own)
    changed = load_preset("mine", changes={"tile": 128}, own=own)
    save_preset("mine", changed, base="mine", own=own)
    again = load_preset("mine", own=own)
    assert (again.seed, again.tile, about_preset("mine", own).base) == (9, 128, "quick")


@pytest.mark.parametrize(
    "name", ["", "paper", "../mine", "Mine", "a b", ".hidden", "con", "x.toml", "x" * 49, "é"]
)
def test_a_name_that_is_no_file_name_everywhere_is_refused(name, own):
    assert complaint_about_name(name)
    with pytest.raises(PlanError):
        save_preset(name, load_preset("quick"), base="quick", own=own)
    assert not own.exists()


def test_what_is_deleted_is_set_aside_and_nothing_else_moves(own):
    for seed in (1, 2):
        save_preset("mine", load_preset("quick", changes={"seed": seed}), base="quick", own=own)
        aside = delete_preset("mine", own=own)
        assert load_preset(str(aside)).seed == seed
        assert presets(own) == shipped_presets()
    with pytest.raises(PlanError, match="no preset of yours"):
        delete_preset("mine", own=own)
    with pytest.raises(PlanError, match="stays"):
        delete_preset("paper", own=own)


def test_one_that_others_are_based_on_stays_and_cannot_be_based_on_them(own):
    save_preset("mine", load_preset("quick"), base="quick", own=own)
    save_preset("theirs", load_preset("mine", own=own), base="mine", own=own)
    with pytest.raises(PlanError, match="theirs is based on it"):
        delete_preset("mine", own=own)
    with pytest.raises(PlanError, match="based on itself"):
        save_preset("mine", load_preset("theirs", own=own), base="theirs", own=own)


def test_one_that_cannot_be_written_or_read_is_told(tmp_path):
    blocked = tmp_path / "presets"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(PlanError, match="cannot be written"):
        save_preset("mine", load_preset("quick"), base="quick", own=blocked)


def test_an_empty_plan_is_refused_by_name_and_not_taken_for_that_of_the_paper(tmp_path):
    path = tmp_path / "plan.toml"
    for text in ("", "# nothing\n", "\n"):
        path.write_text(text)
        with pytest.raises(PlanError) as refused:
            load_preset(str(path))
        assert str(refused.value).startswith(f"{path}: is empty; ")


def test_a_folder_in_the_place_of_a_plan_is_not_called_absent(tmp_path):
    (tmp_path / "a.toml").mkdir()
    with pytest.raises(PlanError, match="is no plain file"):
        load_preset(str(tmp_path / "a.toml"))
    with pytest.raises(PlanError, match="no such file"):
        load_preset(str(tmp_path / "b.toml"))
