"""The sections of a training plan: every setting with default, unit and what is allowed."""

from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator

from smarthdr_studio.core.trust.adaptive_thresholds import ThresholdMethod
from smarthdr_studio.core.trust.masking import PATCH_SIZE, Level, MaskSettings, Normalisation

NetworkName = Literal["gfhdr", "light", "ahdrnet", "safnet", "safnet-s"]
READ_WHOLE: Final = ("safnet", "safnet-s")  # networks that see a picture at once, not in tiles
NOTHING = "none"  # how a setting without a value is written, because TOML has no word for it


class Section(BaseModel):
    """Settings that belong together; a setting that may be without a value takes "none" for it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _read_nothing(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        return {key: _nothing_read(cls, key, value) for key, value in values.items()}


class NetworkPlan(Section):
    """Network: which one learns, and from which weights it starts."""

    name: NetworkName = Field(
        "gfhdr",
        title="Network",
        description="gfhdr is the paper's; light is for a CPU; the others are published networks.",
    )
    start_from: Path | None = Field(
        None,
        description="Weights to start from: a file, or starter, which ships; none starts anew.",
    )


class SchedulePlan(Section):
    """Schedule: how long, how fast, and when the pseudo-labels are made anew (METHOD §6)."""

    epochs: int = Field(
        200,
        ge=1,
        description="How long the run is, warm-up and all.",
        json_schema_extra={"unit": "epochs"},
    )
    warmup_epochs: int = Field(
        30,
        ge=0,
        title="Warm-up",
        description="Epochs at the start that learn from labels only.",
        json_schema_extra={"unit": "epochs"},
    )
    steps_per_epoch: int | None = Field(
        None,
        ge=1,
        description="Ends an epoch sooner; none is one pass over all crops.",
        json_schema_extra={"unit": "steps"},
    )
    refresh_every: int = Field(
        1,
        ge=1,
        title="New round every",
        description="How often the pseudo-labels are made anew.",
        json_schema_extra={"unit": "epochs"},
    )
    refresh_steps: int | None = Field(
        None,
        ge=1,
        title="New round after",
        description="So many steps after the last round, whatever the epoch; none is by epochs.",
        json_schema_extra={"unit": "steps"},
    )
    validate_every: int = Field(
        1,
        ge=1,
        description="How often the teacher is measured on held-out labels.",
        json_schema_extra={"unit": "epochs"},
    )
    checkpoint_every: int = Field(
        1,
        ge=1,
        description="How often the run is saved; a stop saves it too.",
        json_schema_extra={"unit": "epochs"},
    )
    learning_rate: float = Field(2e-4, gt=0, description="Of Adam, before any decay.")
    halve_at_epoch: int | None = Field(
        100,
        ge=1,
        title="Halve the rate at",
        description="Half the learning rate from here on.",
        json_schema_extra={"unit": "epoch"},
    )
    decay: float = Field(
        1.0,
        gt=0,
        le=1,
        title="Decay the rate by",
        description="Multiplies the rate again and again.",
    )
    decay_every: int = Field(
        10,
        ge=1,
        description="How often the rate decays; of a method with stages, since its stage began.",
        json_schema_extra={"unit": "epochs"},
    )
    final_decay: Literal["none", "cosine"] = Field(
        "none", description="Lets the rate fall to 0 from the end of the warm-up to the last step."
    )
    early_stop: int | None = Field(
        None,
        ge=1,
        title="Stop early after",
        description="Validations without a better PSNR-μ that end the run; none is never.",
        json_schema_extra={"unit": "validations"},
    )


class BatchPlan(Section):
    """Batch: how large crops are, and how many of each kind make one step."""

    crop: int = Field(
        128,
        ge=16,
        multiple_of=8,
        description="Side of a square crop; smaller needs less memory.",
        json_schema_extra={"unit": "px"},
    )
    stride: int = Field(
        64,
        ge=8,
        description="From one crop to the next in a scene; smaller makes more crops.",
        json_schema_extra={"unit": "px"},
    )
    labelled: int = Field(
        8, ge=1, description="Crops with a label in a step.", json_schema_extra={"unit": "crops"}
    )
    unlabelled: int = Field(
        8,
        ge=0,
        description="Crops with a pseudo-label in a step; 0 learns from labels only.",
        json_schema_extra={"unit": "crops"},
    )


class TeacherPlan(Section):
    """Teacher: how closely it follows the student."""

    ema: float = Field(
        0.999,
        ge=0,
        lt=1,
        title="EMA α",
        description="The share of itself the teacher keeps in a step; 0 is the student itself.",
    )
    early_warmup: bool = Field(
        True,  # noqa: FBT003 - a default
        title="Early warm-up",
        description="Follow closely at first: min(α, (1 + t) / (10 + t)) at step t.",
    )
    views: int = Field(
        1,
        ge=1,
        le=8,
        title="Views of a label",
        description="Turned and mirrored views a label is the mean of; σ grows where they differ.",
        json_schema_extra={"unit": "views"},
    )
    uncertainty: Literal["judge", "views"] = Field(
        "judge",
        title="Uncertainty σ",
        description="Of the judge, or how far answers to five views differ; that needs no judge.",
    )
    labels: Literal["scenes", "crops"] = Field(
        "scenes",
        title="Teacher labels",
        description="Whole scenes once a round, or each crop in its weak view at every step.",
    )


class LossPlan(Section):
    """Loss: the weights and variants of METHOD §3."""

    unlabelled_weight: float = Field(
        1.0,
        ge=0,
        title="Unlabelled half λ_u",
        description="Weight of all that unlabelled crops say.",
    )
    ramp_up: int = Field(
        0,
        ge=0,
        title="λ_u rises over",
        description="Epochs after the warm-up in which λ_u rises as exp(−5(1 − t)²); 0 is at once.",
        json_schema_extra={"unit": "epochs"},
    )
    perceptual_weight: float = Field(
        0.01,
        ge=0,
        title="Perceptual λ_v",
        description="Weight of the VGG-16 term, which needs its weights; 0 leaves it out.",
    )
    highlight_weight: float = Field(
        0.0,
        ge=0,
        title="Highlights L^h",
        description="Weight of the error in linear radiance, which sees what the μ-law compresses.",
    )
    nll_weight: float = Field(
        1.0, ge=0, title="Likelihood Lᵏ", description="Weight of the term that teaches σ."
    )
    nll_gradient: Literal["judge", "full", "beta"] = Field(
        "full",
        title="Gradient of Lᵏ",
        description="judge teaches σ alone, full the picture too, beta tempers it by σ.",
    )
    beta: float = Field(
        0.5, ge=0, le=1, title="β of Lᵏ", description="How much beta tempers: 0 is full."
    )
    unlabelled_nll: Literal["masked", "off"] = Field(
        "masked",
        title="Lᵏ on unlabelled",
        description="Whether pseudo-labels teach σ, on trusted pixels, or labels alone do.",
    )
    vgg_weights: Path | None = Field(
        None,
        title="VGG-16 weights",
        description="torchvision's vgg16-397923af.pth; none is torch's cache, fetch its server.",
    )


class StudentPlan(Section):
    """Student: what its crops suffer beside turns, while the label stays that of the clean.

    The wider the gap between what teacher and student see, the more a pseudo-label can teach.
    """

    noise: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Largest noise added to camera values, a standard deviation in [0, 1].",
    )
    swap: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Foreign patch",
        description="How often under and over get a piece of another crop, as if something moved.",
    )
    brighten: float = Field(
        0.0,
        ge=0,
        le=4,
        description="Largest rise of the scene's radiance, frames clipping as they would.",
        json_schema_extra={"unit": "stops"},
    )
    tint: float = Field(
        0.0,
        ge=0,
        le=2,
        description="The same for each colour by itself.",
        json_schema_extra={"unit": "stops"},
    )
    labelled_too: bool = Field(
        False,  # noqa: FBT003 - a default
        title="Labelled crops too",
        description="Whether crops with a ground truth suffer the same.",
    )


class MaskPlan(Section):
    """Masks: which gates are open, and thresholds that override the project's for this run."""

    patches: bool = Field(
        True,  # noqa: FBT003 - a default
        title="Patch gate",
        description="Leave out patches whose mean σ is above τ_pa.",
    )
    pixels: bool = Field(
        True,  # noqa: FBT003 - a default
        title="Pixel gate",
        description="Leave out pixels whose σ is above τ_pi.",
    )
    tau_patch: float | None = Field(
        None, ge=0, le=1, title="τ_pa", description="For this run; none is the project's threshold."
    )
    tau_pixel: float | None = Field(
        None, ge=0, le=1, title="τ_pi", description="For this run; none is the project's threshold."
    )
    normalisation: Normalisation | None = Field(
        None,
        title="Scores",
        description="How σ becomes both scores, for this run; absolute makes a threshold of it.",
    )
    threshold: ThresholdMethod = Field(
        "fixed",
        title="Thresholds",
        description="fixed, or drawn anew at each round: of labels, of running scores, as weights.",
    )
    quantile: float = Field(
        0.85,
        gt=0,
        lt=1,
        description="Of what labelled scenes score: the share of them that quantile would retain.",
    )
    risk: float = Field(
        0.01,
        gt=0,
        title="Target error",
        description="Largest mean error, on the μ-law, of what risk retains of labelled scenes.",
    )
    score_memory: float = Field(
        0.999,
        ge=0,
        lt=1,
        title="Memory of scores",
        description="The share that running thresholds keep of their mean score in a step.",
    )
    calibrate: bool = Field(
        False,  # noqa: FBT003 - a default
        title="Calibrate σ",
        description="Scale σ at each round so that e²/σ² is 1 on held-out labels.",
    )
    patch_size: int = Field(
        PATCH_SIZE,
        ge=1,
        description="Side of the square patches that the patch gate tests.",
        json_schema_extra={"unit": "px"},
    )

    def applied_to(self, settings: MaskSettings) -> MaskSettings:
        """The person's settings with what this plan insists on; a closed gate passes all."""
        patch = settings.tau_patch if self.tau_patch is None else self.tau_patch
        pixel = settings.tau_pixel if self.tau_pixel is None else self.tau_pixel
        return MaskSettings(
            tau_patch=patch if self.patches else 1.0,
            tau_pixel=pixel if self.pixels else 1.0,
            patch_size=self.patch_size,
            patches=self._scored(settings.patches),
            pixels=self._scored(settings.pixels),
        )

    def _scored(self, level: Level) -> Level:
        how = self.normalisation
        return level if how is None else replace(level, normalisation=how)


class FshdrPlan(Section):
    """FSHDR: what the unlabelled half of its first stage counts, which is a in METHOD §7."""

    weight: float = Field(
        0.5,
        ge=0,
        title="a at first",
        description="Weight of how far predictions, exposed again, are from reference frames.",
    )
    rise: float = Field(0.1, ge=0, title="a rises by", description="Added to it again and again.")
    rise_every: int = Field(
        10,
        ge=1,
        title="a rises every",
        description="How often that is added.",
        json_schema_extra={"unit": "epochs"},
    )


class SmaePlan(Section):
    """SMAE: what is hidden in its first stage, how long its second is, and which patches count."""

    masked: float = Field(
        0.75, ge=0, lt=1, title="Hidden share", description="How much of each frame is hidden."
    )
    patch: int = Field(
        8,
        ge=1,
        title="Hidden patches",
        description="Side of the squares that are hidden.",
        json_schema_extra={"unit": "px"},
    )
    label_epochs: int = Field(
        40,
        ge=1,
        title="On labels alone",
        description="Epochs after the warm-up that learn from labels only.",
        json_schema_extra={"unit": "epochs"},
    )
    quantile: float = Field(
        0.85,
        ge=0,
        le=1,
        title="τ_t at",
        description="The share of labelled patches whose error counts as small enough.",
    )


class ComputePlan(Section):
    """Compute: how a step is computed; none of it changes what is learned but for rounding."""

    accumulate: int = Field(
        1,
        ge=1,
        description="Parts a batch is cut into, one after the other, to need less memory.",
        json_schema_extra={"unit": "parts"},
    )
    checkpointing: bool = Field(
        False,  # noqa: FBT003 - a default
        description="Compute activations twice instead of keeping them: slower, far less memory.",
    )
    channels_last: Literal["auto", "on", "off"] = Field(
        "auto",
        description="The order of values in memory; auto is on where it was measured to help.",
    )
    compile: Literal["auto", "on", "off"] = Field(
        "auto", description="Compile the network at the start: minutes once, faster steps after."
    )
    deterministic: bool = Field(
        False,  # noqa: FBT003 - a default
        description="Exactly the same figures every time on a GPU, slower; a CPU always does so.",
    )
    clip_gradient: float | None = Field(
        None, gt=0, title="Clip gradient at", description="The largest norm of the gradient."
    )


class FaultPlan(Section):
    """Faults: how much goes wrong before a run stops."""

    skipped_steps: int = Field(
        5,
        ge=0,
        description="Steps in a row whose loss is no number, before the run stops.",
        json_schema_extra={"unit": "steps"},
    )
    kept_batches: int = Field(
        3,
        ge=0,
        description="Batches of skipped steps that are saved for inspection.",
        json_schema_extra={"unit": "batches"},
    )


def _nothing_read(section: type[BaseModel], key: object, value: object) -> object:
    """None and "none" are the same, as the setting has it: where both were, "none" is a choice."""
    if value is not None and value != NOTHING:
        return value
    field = section.model_fields.get(str(key))
    union = field is not None and get_origin(field.annotation) in (Union, UnionType)
    nullable = union and field is not None and type(None) in get_args(field.annotation)
    return None if nullable else NOTHING
