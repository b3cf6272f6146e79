"""Which settings of a plan contradict each other, and which are allowed but do nothing."""

from typing import Literal, Protocol

from smarthdr_studio.core.plan_sections import (
    BatchPlan,
    LossPlan,
    MaskPlan,
    SchedulePlan,
    TeacherPlan,
)


class Planned(Protocol):
    """What the rules look at of a plan."""

    @property
    def system(self) -> str:
        """Which method it is."""

    @property
    def schedule(self) -> SchedulePlan:
        """How long and how fast."""

    @property
    def batch(self) -> BatchPlan:
        """Crops of a step."""

    @property
    def teacher(self) -> TeacherPlan:
        """How it follows."""

    @property
    def loss(self) -> LossPlan:
        """Weights of the terms."""

    @property
    def masks(self) -> MaskPlan:
        """Gates and thresholds."""

    @property
    def held_out(self) -> int | Literal["auto"]:
        """Labels to validate with."""


def contradictions(plan: Planned) -> dict[str, str]:
    """By dotted key, why a setting cannot stand beside the others; empty where all agree."""
    found: dict[str, str] = {}
    schedule = plan.schedule
    if schedule.warmup_epochs > schedule.epochs:
        found["schedule.warmup_epochs"] = f"at most epochs ({schedule.epochs})"
    if plan.system == "mean-teacher":
        found |= _of_mean_teacher(plan)
    elif plan.system == "fixmatch":
        found |= _of_fixmatch(plan)
    return found


def idle_settings(plan: Planned) -> dict[str, str]:
    """By dotted key, settings that are allowed, but do nothing beside the others."""
    found: dict[str, str] = {}
    schedule, learns = plan.schedule, plan.system != "supervised"
    if not learns and plan.batch.unlabelled:
        found["batch.unlabelled"] = "not used: supervised learns from labels only"
    if learns and plan.batch.unlabelled and schedule.warmup_epochs == schedule.epochs:
        found["schedule.warmup_epochs"] = "the whole run: pseudo-labels are made, but never used"
    if schedule.early_stop is not None and plan.held_out == 0:
        found["schedule.early_stop"] = "never happens: no label is held out to validate with"
    if schedule.halve_at_epoch is not None and schedule.halve_at_epoch >= schedule.epochs:
        found["schedule.halve_at_epoch"] = "never happens: the run ends before"
    if plan.loss.nll_gradient != "beta" and plan.loss.beta != LossPlan().beta:
        found["loss.beta"] = "not used: the gradient of L^k is not beta"
    for key, gate, tau in (
        ("masks.tau_patch", plan.masks.patches, plan.masks.tau_patch),
        ("masks.tau_pixel", plan.masks.pixels, plan.masks.tau_pixel),
    ):
        if not gate and tau is not None:
            found[key] = "not used: its gate lets everything pass"
    return found


def _of_mean_teacher(plan: Planned) -> dict[str, str]:
    found = {
        f"masks.{gate}": "mean-teacher has no masks; set it to false, or take system smarthdr"
        for gate, judges in (("patches", plan.masks.patches), ("pixels", plan.masks.pixels))
        if judges
    }
    if plan.teacher.ema == 0:
        found["teacher.ema"] = "mean-teacher averages the student; above 0, as 0.999"
    if plan.batch.unlabelled == 0:
        found["batch.unlabelled"] = "mean-teacher learns from pseudo-labels; at least 1"
    return found


def _of_fixmatch(plan: Planned) -> dict[str, str]:
    found: dict[str, str] = {}
    if plan.teacher.ema > 0:
        found["teacher.ema"] = "the teacher of fixmatch is the student itself; 0"
    if not plan.masks.patches and not plan.masks.pixels:
        found["masks.pixels"] = "fixmatch masks by a threshold; open a gate"
    if plan.batch.unlabelled == 0:
        found["batch.unlabelled"] = "fixmatch learns from pseudo-labels; at least 1"
    return found
