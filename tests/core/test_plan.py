"""Plans: every preset is valid, and a wrong setting is named with what is allowed."""

import pytest

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.training.events import RoundFinished, StepReported, as_json
from smarthdr_studio.core.training.plan import load_preset, parse_changes
from smarthdr_studio.core.training.presets import presets
from smarthdr_studio.core.trust.masking import MaskSettings


def test_all_presets_load():
    assert set(presets()) >= {"paper", "quick", "supervised"}
    assert all(load_preset(name).preset == name for name in presets())


def test_paper_has_the_published_settings():
    plan = load_preset("paper")
    assert (plan.network.name, plan.schedule.epochs, plan.schedule.warmup_epochs) == (
        "gfhdr",
        200,
        30,
    )
    assert (plan.schedule.learning_rate, plan.teacher.ema) == (2e-4, 0.999)
    assert (plan.loss.unlabelled_weight, plan.loss.perceptual_weight) == (1.0, 0.01)


def test_quick_needs_no_downloaded_weights():
    assert load_preset("quick").loss.perceptual_weight == 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("schedule.epoch=3", "schedule.epoch: no such setting; allowed here: epochs"),
        ("schedule.epochs=0", "schedule.epochs is 0: should be at least 1"),
        ("network.name=resnet", "network.name is 'resnet': should be 'gfhdr', 'light'"),
        ("device=tpu", "device is 'tpu': should be auto, cpu, mps, cuda or cuda:N"),
        ("schedule.epochs=2.5", "schedule.epochs is 2.5: should be a whole number"),
        ("teacher.ema=often", "teacher.ema is 'often': should be a number"),
        ("strong_augmentation=maybe", "is 'maybe': should be true or false"),
        ("colour=red", "colour: no such setting; allowed here: preset"),
        (f"seed={2**64}", f"seed is {2**64}: should be far smaller"),
        ("keep_rounds_mib=" + 29 * "9", "keep_rounds_mib is 9+: should be far smaller"),
        ("schedule.refresh_every=" + 20 * "9", "schedule.refresh_every is 9+: should be far"),
        ("batch.stride=" + 20 * "9", "batch.stride is 9+: should be far smaller"),
        ("seed.deep=1", "seed.deep: no such setting|seed"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(change, expected):
    with pytest.raises(PlanError, match=expected):
        load_preset("paper", changes=parse_changes([change]))


def test_more_warm_up_than_epochs_is_refused():
    with pytest.raises(PlanError, match="warmup_epochs is 500"):
        load_preset("paper", changes={"schedule.warmup_epochs": 500})


def test_changes_are_read_as_values():
    changes = parse_changes(["a.b=3", "c=0.5", "d=word", "e=none", "f=true"])
    assert changes == {"a.b": 3, "c": 0.5, "d": "word", "e": None, "f": True}
    with pytest.raises(PlanError, match="KEY=VALUE"):
        parse_changes(["oops"])


def test_an_unknown_preset_lists_those_that_exist_and_a_broken_file_is_named(tmp_path):
    with pytest.raises(PlanError, match="there are paper, quick, fast, supervised"):
        load_preset("papre")
    broken = tmp_path / "mine.toml"
    broken.write_text("epochs = = 3")
    with pytest.raises(PlanError, match=r"mine\.toml"):
        load_preset(str(broken))


def test_a_mistake_in_a_file_is_told_with_the_file_and_one_in_a_change_without(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('base = "quick"\n[schedule]\nepohs = 3\n')
    with pytest.raises(PlanError, match=r"mine\.toml: schedule\.epohs: no such setting"):
        load_preset(str(path), changes={"seed": 1})
    path.write_text('base = "quick"\n[schedule]\nepochs = 0\n')
    assert load_preset(str(path), changes={"schedule.epochs": 20}).schedule.epochs == 20
    with pytest.raises(PlanError, match=r"^seed is -1"):
        load_preset("quick", changes={"seed": -1})


def test_a_closed_gate_lets_everything_pass_and_an_override_wins():
    plan = load_preset("paper", changes={"masks.patches": False, "masks.tau_pixel": 0.2})
    applied = plan.masks.applied_to(MaskSettings(tau_patch=0.3, tau_pixel=0.9))
    assert (applied.tau_patch, applied.tau_pixel) == (1.0, 0.2)
    assert (applied.patches, applied.pixels) == (MaskSettings().patches, MaskSettings().pixels)
    plan = load_preset("paper", changes={"masks.normalisation": "absolute"})
    applied = plan.masks.applied_to(MaskSettings())
    assert {applied.patches.normalisation, applied.pixels.normalisation} == {"absolute"}


def test_events_become_plain_values():
    step = StepReported(
        step=1,
        epoch=0,
        losses={"total": 0.5},
        learning_rate=1e-3,
        images_per_second=9.0,
        seconds_left=1.0,
    )
    assert as_json(step)["event"] == "StepReported"
    finished = RoundFinished(
        round=0,
        step=1,
        epoch=0,
        masks=MaskSettings(),
        retained=0.5,
        patches_retained=0.6,
        sigma_mean=0.1,
    )
    assert as_json(finished)["masks"]["tau_patch"] == 0.4
