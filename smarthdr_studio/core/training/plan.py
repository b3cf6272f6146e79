"""A training plan: its sections together, what contradicts, and how it is read."""

import copy
import operator
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, Self

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.files import AnyPath, shown_name
from smarthdr_studio.core.records import LARGEST, parse_toml
from smarthdr_studio.core.training.events import Material
from smarthdr_studio.core.training.plan_sections import (
    READ_WHOLE,
    BatchPlan,
    ComputePlan,
    FaultPlan,
    FshdrPlan,
    LossPlan,
    MaskPlan,
    NetworkPlan,
    SchedulePlan,
    Section,
    SmaePlan,
    StudentPlan,
    TeacherPlan,
)
from smarthdr_studio.core.training.presets import preset_file, preset_values
from smarthdr_studio.core.trust.adaptive_thresholds import FROM_LABELS, RUNNING
from smarthdr_studio.core.words import demand

WITHOUT_LABELS: Final = ("selfhdr",)  # methods that learn from no label
IN_STAGES: Final = ("fshdr", "smae", "selfhdr")  # methods that learn in stages, not in rounds
NO_ROUNDS: Final = ("supervised", *IN_STAGES)  # methods that learn from no round of pseudo-labels


class Planned(Protocol):
    """What the rules look at of a plan."""

    @property
    def system(self) -> str:
        """Which method it is."""

    @property
    def network(self) -> NetworkPlan:
        """Which one learns."""

    @property
    def tile(self) -> int:
        """Side of the tiles of a prediction."""

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
    def student(self) -> StudentPlan:
        """What its crops suffer."""

    @property
    def masks(self) -> MaskPlan:
        """Gates and thresholds."""

    @property
    def fshdr(self) -> FshdrPlan:
        """Of the method of that name."""

    @property
    def smae(self) -> SmaePlan:
        """Of the method of that name."""

    @property
    def held_out(self) -> int | Literal["auto"]:
        """Labels to validate with."""


def contradictions(plan: Planned) -> dict[str, str]:
    """By dotted key, why a setting cannot stand beside the others; empty where all agree."""
    found: dict[str, str] = {}
    schedule = plan.schedule
    if schedule.warmup_epochs > schedule.epochs:
        found["schedule.warmup_epochs"] = f"at most epochs ({schedule.epochs})"
    if plan.masks.threshold in RUNNING and not plan.masks.pixels:
        found["masks.pixels"] = f"{plan.masks.threshold} is made of the pixel gate; open it"
    if plan.masks.calibrate and plan.held_out == 0:
        found["masks.calibrate"] = "σ is held against held-out labels; hold out at least 1"
    if plan.system == "mean-teacher":
        found |= _of_mean_teacher(plan)
    elif plan.system == "fixmatch":
        found |= _of_fixmatch(plan)
    elif plan.system in IN_STAGES:
        found |= _of_stages(plan)
    return found


def idle_settings(plan: Planned) -> dict[str, str]:
    """By dotted key, settings that are allowed, but do nothing beside the others."""
    found = _idle_of_schedule(plan)
    if plan.system == "supervised":
        found |= _idle_without_rounds(plan)
    elif plan.system in IN_STAGES:
        found |= _idle_in_stages(plan)
    found |= _idle_of_other_methods(plan)
    if plan.network.name in READ_WHOLE and plan.tile != TrainingPlan().tile:
        found["tile"] = f"not used: {plan.network.name} reads a picture whole"
    if plan.loss.nll_gradient != "beta" and plan.loss.beta != LossPlan().beta:
        found["loss.beta"] = "not used: the gradient of Lᵏ is not beta"
    for key, gate, tau in (
        ("masks.tau_patch", plan.masks.patches, plan.masks.tau_patch),
        ("masks.tau_pixel", plan.masks.pixels, plan.masks.tau_pixel),
    ):
        if not gate and tau is not None:
            found[key] = "not used: its gate lets everything pass"
    return found | _idle_of_masks(plan)


def _idle_of_masks(plan: Planned) -> dict[str, str]:
    """What does nothing beside the way thresholds are drawn, or beside closed gates."""
    masks, found = plan.masks, dict[str, str]()
    method, default = masks.threshold, MaskPlan()
    for name, users in (
        ("quantile", ("quantile",)),
        ("risk", ("risk",)),
        ("score_memory", RUNNING),
    ):
        if method not in users and getattr(masks, name) != getattr(default, name):
            found[f"masks.{name}"] = f"not used: masks.threshold is {method}"
    if method in FROM_LABELS and masks.tau_patch is not None and masks.patches:
        found["masks.tau_patch"] = f"not used: {method} draws it at each round"
    if method != "fixed" and masks.tau_pixel is not None and masks.pixels:
        found["masks.tau_pixel"] = f"not used: {method} draws it at each round"
    if masks.calibrate and masks.normalisation in ("minmax", "percentile"):
        found["masks.calibrate"] = "changes no mask: these scores do not depend on the scale of σ"
    elif masks.calibrate and method != "fixed":
        found["masks.calibrate"] = f"changes no mask: {method} draws thresholds from σ scaled alike"
    makes_masks = masks.patches or masks.pixels
    # What learns in stages masks the one round it makes at its end.
    if method != "fixed" and not (makes_masks and plan.system != "supervised"):
        found["masks.threshold"] = "not used: nothing is masked"
    return found


def _idle_of_schedule(plan: Planned) -> dict[str, str]:
    found: dict[str, str] = {}
    schedule, learns = plan.schedule, plan.system not in NO_ROUNDS
    if learns and plan.batch.unlabelled and schedule.warmup_epochs == schedule.epochs:
        found["schedule.warmup_epochs"] = "the whole run: pseudo-labels are made, but never used"
    if schedule.early_stop is not None and plan.held_out == 0:
        found["schedule.early_stop"] = "never happens: no label is held out to validate with"
    if schedule.halve_at_epoch is not None and schedule.halve_at_epoch >= schedule.epochs:
        found["schedule.halve_at_epoch"] = "never happens: the run ends before"
    if schedule.decay == 1 and schedule.decay_every != SchedulePlan().decay_every:
        found["schedule.decay_every"] = "not used: the rate decays by 1, which leaves it as it is"
    by_default = schedule.refresh_every == SchedulePlan().refresh_every
    if schedule.refresh_steps is not None and not by_default:
        found["schedule.refresh_every"] = "not used: rounds come by steps"
    return found


def _idle_without_rounds(plan: Planned) -> dict[str, str]:
    """What does nothing where no pseudo-label is made; epochs are as long as with them."""
    why = "not used: supervised learns from labels only"
    found: dict[str, str] = {}
    if not plan.student.labelled_too:
        spoilt = plan.student.model_dump(exclude={"labelled_too"})
        found |= {f"student.{name}": why for name, most in spoilt.items() if most}
    if plan.teacher.views != TeacherPlan().views:
        found["teacher.views"] = why
    if plan.schedule.refresh_steps is not None:
        found["schedule.refresh_steps"] = why
    if plan.loss.ramp_up:
        found["loss.ramp_up"] = why
    if plan.teacher.labels != TeacherPlan().labels:
        found["teacher.labels"] = why
    return found


def _of_mean_teacher(plan: Planned) -> dict[str, str]:
    found = {
        f"masks.{gate}": "mean-teacher has no masks; set it to false, or set system to smarthdr"
        for gate, on in (("patches", plan.masks.patches), ("pixels", plan.masks.pixels))
        if on
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


def _of_stages(plan: Planned) -> dict[str, str]:
    name, found = plan.system, dict[str, str]()
    if not 0 < plan.schedule.warmup_epochs < plan.schedule.epochs:
        found["schedule.warmup_epochs"] = "the first of its stages; above 0 and below epochs"
    if plan.teacher.uncertainty != "views":
        found["teacher.uncertainty"] = f"nothing teaches a judge in {name}; views"
    if plan.batch.unlabelled == 0:
        found["batch.unlabelled"] = f"{name} learns from these crops; at least 1"
    begins = plan.schedule.warmup_epochs + plan.smae.label_epochs
    if name == "smae" and begins >= plan.schedule.epochs:
        found["smae.label_epochs"] = "leaves no epoch for pseudo-labels; fewer, or more epochs"
    if name == "smae" and plan.smae.patch >= plan.batch.crop:
        found["smae.patch"] = f"hides a whole crop or nothing; below batch.crop ({plan.batch.crop})"
    if name != "fshdr" and plan.loss.unlabelled_weight == 0:
        found["loss.unlabelled_weight"] = f"nothing else teaches a stage of {name}; above 0"
    if name == "fshdr" and plan.loss.perceptual_weight:
        found["loss.perceptual_weight"] = "fshdr has no such term; 0"
    return found


def _idle_in_stages(plan: Planned) -> dict[str, str]:
    """What of a plan is never looked at by a method with stages of its own."""
    name = plan.system
    why = f"not used: {name} learns in stages of its own"
    idle: dict[str, tuple[BaseModel, tuple[str, ...]]] = {
        "loss": (
            plan.loss,
            ("ramp_up", "highlight_weight", "nll_weight", "nll_gradient", "unlabelled_nll"),
        ),
        "teacher": (plan.teacher, ("labels",)),
        "schedule": (plan.schedule, ("refresh_steps",)),
    }
    if name != "smae":
        idle["schedule"] = (plan.schedule, ("refresh_every", "refresh_steps"))
    if name in WITHOUT_LABELS:
        why = f"not used: {name} learns from no label and in stages"
        idle |= {"batch": (plan.batch, ("labelled",)), "student": (plan.student, ("labelled_too",))}
    return {
        f"{section}.{key}": why
        for section, (set_to, keys) in idle.items()
        for key in keys
        if getattr(set_to, key) != type(set_to).model_fields[key].default
    }


def _idle_of_other_methods(plan: Planned) -> dict[str, str]:
    """Settings of one method where another learns."""
    return {
        f"{name}.{key}": f"not used: it is of the method {name}"
        for name, section in (("fshdr", plan.fshdr), ("smae", plan.smae))
        if plan.system != name
        for key, value in section.model_dump().items()
        if value != type(section).model_fields[key].default
    }


CONTRADICTION: Final = "contradiction"  # the type of a complaint about several settings


class TrainingPlan(Section):
    """The run: what is learned from what, and where. The defaults are the paper's."""

    preset: str = Field("paper", description="The preset this plan was made from.")
    system: Literal[
        "smarthdr", "supervised", "mean-teacher", "fixmatch", "fshdr", "smae", "selfhdr"
    ] = Field(
        "smarthdr",
        title="Method",
        description="smarthdr masks by σ; selfhdr needs no label; the others are baselines.",
    )
    network: NetworkPlan = NetworkPlan()
    schedule: SchedulePlan = SchedulePlan()
    batch: BatchPlan = BatchPlan()
    teacher: TeacherPlan = TeacherPlan()
    loss: LossPlan = LossPlan()
    student: StudentPlan = StudentPlan()
    masks: MaskPlan = MaskPlan()
    fshdr: FshdrPlan = FshdrPlan()
    smae: SmaePlan = SmaePlan()
    compute: ComputePlan = ComputePlan()
    faults: FaultPlan = FaultPlan()
    strong_augmentation: bool = Field(
        True,  # noqa: FBT003 - a default
        description="Shuffle the colours of unlabelled crops, beside turning and mirroring them.",
    )
    held_out: Annotated[int, Field(ge=0)] | Literal["auto"] = Field(
        0,
        title="Held-out labels",
        description="Labels kept from training to validate with; auto is one of five.",
        json_schema_extra={"unit": "scenes"},
    )
    promoted_pixels: Literal["trusted", "all"] = Field(
        "trusted", description="Which pixels of promoted labels count."
    )
    tile: int = Field(
        256,
        ge=64,
        multiple_of=8,
        description="Side of the tiles of a prediction; smaller ones need less memory.",
        json_schema_extra={"unit": "px"},
    )
    keep_rounds_mib: int = Field(
        2048,
        ge=0,
        title="Keep rounds",
        description="Disk for the maps of past rounds, so that they can be replayed.",
        json_schema_extra={"unit": "MiB"},
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="Where it is computed; auto is a GPU where there is one.",
        json_schema_extra={"form": "auto, cpu, mps, cuda or cuda:N"},
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="auto is bfloat16 on GPUs that have it, and on processors where a trial wins.",
    )
    seed: int = Field(0, ge=0, description="The same seed gives the same losses.")

    @property
    def makes_rounds(self) -> bool:
        """Whether pseudo-labels are made and learned from at all."""
        return self.system not in NO_ROUNDS and self.batch.unlabelled > 0

    @property
    def has_stages(self) -> bool:
        """Whether the method learns in stages of its own."""
        return self.system in IN_STAGES

    @property
    def needs_labels(self) -> bool:
        """Whether nothing can be learned without a label."""
        return self.system not in WITHOUT_LABELS

    @property
    def material(self) -> Material:
        """What is learned from."""
        if not self.needs_labels:
            return "no label"
        return "labels and others" if self.has_stages or self.makes_rounds else "labels"

    @model_validator(mode="after")
    def _no_contradictions(self) -> Self:
        if found := contradictions(self):
            key, why = next(iter(found.items()))
            first = f"{key} is {operator.attrgetter(key)(self)!r}: {why}"
            raise PydanticCustomError(CONTRADICTION, "{first}", {"first": first, "found": found})
        return self


def load_preset(
    name: str, *, changes: Mapping[str, Any] | None = None, own: AnyPath | None = None
) -> TrainingPlan:
    """A preset by name or TOML path, with changes by dotted key ("schedule.epochs").

    `own` is where a person's presets lie, if elsewhere than the system wants them.

    Raises:
        PlanError: an unknown preset, key or value; it names the key, the value, what is allowed,
            and the file where the mistake is not among the changes.
    """
    own = None if own is None else Path(own)
    path = preset_file(name, own=own)
    values = {"preset": path.stem, **preset_values(name, own=own)}
    changed = copy.deepcopy(values)
    for key, value in (changes or {}).items():
        _set(changed, key.split("."), value)
    try:
        return parse_plan(changed)
    except PlanError:
        _blame_file(path, values)
        raise


def _blame_file(path: Path, values: Mapping[str, Any]) -> None:
    """Raises PlanError with the path where the values of a file are no plan by themselves."""
    try:
        parse_plan(values)
    except PlanError as error:
        raise PlanError(f"{path}: {error}") from None


def parse_plan(values: Mapping[str, Any]) -> TrainingPlan:
    """A plan from plain values; see `load_preset` for what is raised."""
    try:
        plan = TrainingPlan.model_validate(values)
    except ValidationError as error:
        raise PlanError(_in_words(error)) from None
    _refuse_large(plan.model_dump())
    return plan


def _refuse_large(values: Mapping[str, Any], *, above: str = "") -> None:
    """Raises PlanError for a whole number with which no run could be read again."""
    for name, value in values.items():
        if isinstance(value, dict):
            _refuse_large(value, above=f"{above}{name}.")
        elif isinstance(value, int) and not -LARGEST <= value < LARGEST:
            key = f"{above}{name}"
            raise PlanError(f"{key} is {shown_name(repr(value))}: should be far smaller")


def parse_changes(assignments: Iterable[str]) -> dict[str, Any]:
    """KEY=VALUE strings as a dict; values are read as TOML, bare words as strings."""
    changes: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise PlanError(f"--set {assignment}: write KEY=VALUE, as in schedule.epochs=20")
        try:
            changes[key.strip()] = parse_toml(f"value = {text}")["value"]
        except ValueError:
            changes[key.strip()] = None if text.strip() == "none" else text.strip()
    return changes


def _set(values: dict[str, Any], keys: list[str], value: object) -> None:
    *parents, last = keys
    for parent in parents:
        below = values.setdefault(parent, {})
        if not isinstance(below, dict):
            raise PlanError(f"{'.'.join(keys)}: {parent} is a single value, not a section")
        values = below
    values[last] = value


def _in_words(error: ValidationError) -> str:
    """The first complaint: the key, its value, and what is allowed there."""
    first = error.errors(include_url=False)[0]
    if first["type"] == CONTRADICTION:
        return first["msg"]
    key = shown_name(".".join(str(part) for part in first["loc"]) or "plan")
    if first["type"] == "extra_forbidden":
        return f"{key}: no such setting; {_known_beside(first['loc'])}"
    wanted = demand(first)
    if first["type"] == "string_pattern_mismatch":
        wanted = f"should be {_form(first['loc'])}"
    return f"{key} is {shown_name(repr(first['input']))}: {wanted}"


def _known_beside(location: tuple[int | str, ...]) -> str:
    return f"allowed here: {', '.join(_section_of(location).model_fields)}"


def _form(location: tuple[int | str, ...]) -> str:
    """Which words are allowed, in place of the expression that tells them apart."""
    extra = _section_of(location).model_fields[str(location[-1])].json_schema_extra
    return str(extra["form"]) if isinstance(extra, dict) and "form" in extra else "another word"


def _section_of(location: tuple[int | str, ...]) -> type[BaseModel]:
    section: type[BaseModel] = TrainingPlan
    for part in location[:-1]:
        annotation = section.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        section = annotation
    return section
