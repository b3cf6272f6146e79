"""What a training run is asked to do: every setting, its default and what is allowed."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.masking import PATCH_SIZE, MaskSettings
from smarthdr_studio.core.presets import preset_file, presets

NetworkName = Literal["gfhdr", "light"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class NetworkPlan(_Section):
    """Which network learns, and from which weights it starts."""

    name: NetworkName = "gfhdr"
    start_from: Path | None = None


class SchedulePlan(_Section):
    """How long, how fast, and when the pseudo-labels are made anew (METHOD §6)."""

    epochs: int = Field(200, ge=1)
    warmup_epochs: int = Field(30, ge=0)  # labels only
    steps_per_epoch: int | None = Field(None, ge=1)  # a cap; None is one pass over the crops
    refresh_every: int = Field(1, ge=1)  # epochs between two rounds
    validate_every: int = Field(1, ge=1)  # epochs
    checkpoint_every: int = Field(1, ge=1)  # epochs
    learning_rate: float = Field(2e-4, gt=0)
    halve_at_epoch: int | None = Field(100, ge=1)
    final_decay: Literal["none", "cosine"] = "none"
    early_stop: int | None = Field(None, ge=1)  # validations without a better PSNR-μ; None is never

    @model_validator(mode="after")
    def _warm_up_ends(self) -> "SchedulePlan":
        if self.warmup_epochs > self.epochs:
            raise ValueError(
                f"warmup_epochs is {self.warmup_epochs}; at most epochs ({self.epochs})"
            )
        return self


class BatchPlan(_Section):
    """Crops, and how many of each kind make one step."""

    crop: int = Field(128, ge=16, multiple_of=8)
    stride: int = Field(64, ge=8)
    labelled: int = Field(8, ge=1)
    unlabelled: int = Field(8, ge=0)


class TeacherPlan(_Section):
    """How the teacher follows the student."""

    ema: float = Field(0.999, ge=0, lt=1)
    early_warmup: bool = True  # min(ema, (1 + t) / (10 + t))


class LossPlan(_Section):
    """The weights and variants of METHOD §3."""

    unlabelled_weight: float = Field(1.0, ge=0)  # λ_u
    perceptual_weight: float = Field(0.01, ge=0)  # λ_v
    nll_weight: float = Field(1.0, ge=0)  # of L^k, in both halves
    nll_gradient: Literal["judge", "full", "beta"] = "full"
    beta: float = Field(0.5, ge=0, le=1)
    unlabelled_nll: Literal["masked", "off"] = "masked"
    vgg_weights: Path | None = None


class MaskPlan(_Section):
    """Which gates are open, and thresholds that override the project's for this run."""

    patches: bool = True
    pixels: bool = True
    tau_patch: float | None = Field(None, ge=0, le=1)
    tau_pixel: float | None = Field(None, ge=0, le=1)
    patch_size: int = Field(PATCH_SIZE, ge=1)

    def applied_to(self, settings: MaskSettings) -> MaskSettings:
        """The person's settings with what this plan insists on; a closed gate passes all."""
        patch = settings.tau_patch if self.tau_patch is None else self.tau_patch
        pixel = settings.tau_pixel if self.tau_pixel is None else self.tau_pixel
        return MaskSettings(
            tau_patch=patch if self.patches else 1.0,
            tau_pixel=pixel if self.pixels else 1.0,
            patch_size=self.patch_size,
            patches=settings.patches,
            pixels=settings.pixels,
        )


class ComputePlan(_Section):
    """How a step is computed; none of it changes what is learned but for rounding."""

    accumulate: int = Field(1, ge=1)  # parts a batch is cut into, to need less memory
    checkpointing: bool = False  # activations are computed twice instead of kept
    channels_last: Literal["auto", "on", "off"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    deterministic: bool = False  # on a GPU; a CPU always is
    clip_gradient: float | None = Field(None, gt=0)  # the largest norm of the gradient


class FaultPlan(_Section):
    """How much goes wrong before a run stops."""

    skipped_steps: int = Field(5, ge=0)  # steps without a number for loss or gradient, in a row
    kept_batches: int = Field(3, ge=0)  # batches of skipped steps saved for inspection


class TrainingPlan(_Section):
    """One run, whole. The defaults are the paper's."""

    preset: str = "paper"
    system: Literal["smarthdr", "supervised", "mean-teacher", "fixmatch"] = "smarthdr"
    network: NetworkPlan = NetworkPlan()
    schedule: SchedulePlan = SchedulePlan()
    batch: BatchPlan = BatchPlan()
    teacher: TeacherPlan = TeacherPlan()
    loss: LossPlan = LossPlan()
    masks: MaskPlan = MaskPlan()
    compute: ComputePlan = ComputePlan()
    faults: FaultPlan = FaultPlan()
    strong_augmentation: bool = True
    held_out: Annotated[int, Field(ge=0)] | Literal["auto"] = 0  # labels kept for validation
    promoted_pixels: Literal["trusted", "all"] = "trusted"
    tile: int = Field(256, ge=64, multiple_of=8)  # of pseudo-labels, pixels
    keep_rounds_mib: int = Field(2048, ge=0)  # disk for the maps of past rounds, to be replayed
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = Field(0, ge=0)

    @property
    def makes_rounds(self) -> bool:
        """Whether pseudo-labels are made and learned from at all."""
        return self.system != "supervised" and self.batch.unlabelled > 0


def load_preset(name: str, *, changes: Mapping[str, Any] | None = None) -> TrainingPlan:
    """A preset by name or TOML path, with changes by dotted key ("schedule.epochs").

    Raises:
        PlanError: an unknown preset, key or value; it names the key, the value, what is allowed.
    """
    path = preset_file(name)
    if not path.is_file():
        raise PlanError(
            f"{name}: no such preset; there are {', '.join(presets())}, or a .toml file"
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: not readable as TOML ({error}); mend that line") from None
    for key, value in (changes or {}).items():
        _set(values, key.split("."), value)
    return parse_plan({"preset": path.stem, **values})


def parse_plan(values: Mapping[str, Any]) -> TrainingPlan:
    """A plan from plain values; see `load_preset` for what is raised."""
    try:
        return TrainingPlan.model_validate(values)
    except ValidationError as error:
        raise PlanError(_in_words(error)) from None


def parse_changes(assignments: Iterable[str]) -> dict[str, Any]:
    """KEY=VALUE strings as a dict; values are read as TOML, bare words as strings."""
    changes: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise PlanError(f"--set {assignment}: write KEY=VALUE, as in schedule.epochs=20")
        try:
            changes[key.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
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
    key = ".".join(str(part) for part in first["loc"]) or "plan"
    if first["type"] == "extra_forbidden":
        return f"{key}: no such setting; {_known_beside(first['loc'])}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key} is {first['input']!r}: {message[:1].lower()}{message[1:]}"


def _known_beside(location: tuple[int | str, ...]) -> str:
    section: type[BaseModel] = TrainingPlan
    for part in location[:-1]:
        annotation = section.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        section = annotation
    return f"allowed here: {', '.join(section.model_fields)}"
