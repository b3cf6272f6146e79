"""One setting of a plan as a person meets it: name, unit, what may be written; plans as TOML."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from smarthdr_studio.core.words import number

Kind = Literal["switch", "choice", "whole", "number", "words", "path"]
NONE: Final = "none"

# What settings are called in other programs and in papers, by key.
ELSEWHERE: Final[Mapping[str, str]] = {
    "schedule.learning_rate": "lr adam",
    "schedule.final_decay": "scheduler lr_scheduler annealing",
    "schedule.halve_at_epoch": "lr_scheduler step_lr",
    "schedule.early_stop": "patience",
    "schedule.epochs": "max_epochs num_epochs iterations",
    "schedule.warmup_epochs": "burn-in pretrain",
    "schedule.refresh_every": "relabel rounds",
    "schedule.steps_per_epoch": "iters iterations",
    "batch.labelled": "bs batch_size",
    "batch.unlabelled": "bs batch_size mu",
    "batch.crop": "patch_size crop_size imsize",
    "teacher.ema": "ema momentum alpha decay polyak",
    "loss.unlabelled_weight": "lambda lambda_u",
    "loss.ramp_up": "rampup sigmoid",
    "loss.perceptual_weight": "vgg lpips",
    "loss.nll_weight": "uncertainty gaussian",
    "masks.tau_patch": "threshold tau cutoff",
    "masks.tau_pixel": "threshold tau cutoff",
    "masks.threshold": "adaptive freematch softmatch conformal",
    "masks.normalisation": "min-max percentile absolute",
    "masks.calibrate": "temperature recalibration",
    "student.noise": "augmentation jitter",
    "student.swap": "augmentation cutmix cutout",
    "student.brighten": "augmentation jitter",
    "student.tint": "augmentation color jitter",
    "compute.accumulate": "grad_accum gradient_accumulation",
    "compute.checkpointing": "grad_checkpoint activation memory oom",
    "compute.compile": "torch.compile",
    "compute.clip_gradient": "clip_grad grad_clip max_norm",
    "seed": "random_seed",
    "device": "gpu cuda",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanField:
    """A setting, made from the plan's own schema.

    `key` is dotted, `words` are values beside numbers ("auto"), `above` and `below` say that the
    bound itself is not allowed, numbers of a `step` are multiples of it, `form` says which words
    are allowed where not every word is.
    """

    key: str
    section: str
    title: str
    description: str
    kind: Kind
    unit: str = ""
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False
    step: int = 1
    form: str = ""
    default: Any = None
    nullable: bool = False

    @property
    def allowed(self) -> str:
        """What may be written there, as a clause."""
        others = [*self.words, *((NONE,) if self.nullable else ())]
        return ", or ".join([self._range(), *others])

    def found_by(self, query: str) -> bool:
        """Whether every word of a query stands in the name, key, section or description.

        What a setting is called elsewhere ("lr", "wd", "bs") finds it too, by its whole word.
        """
        text = f"{self.title} {self.key} {self.section} {self.description}".casefold()
        other = ELSEWHERE.get(self.key, "").split()
        return all(word in text or word in other for word in query.casefold().split())

    def read(self, text: str) -> Any:  # noqa: ANN401 - as many types as there are settings
        """The value that is written as `text`; what cannot be read stays text, to be refused."""
        text = text.strip()
        if self.nullable and text in ("", NONE):
            return None
        if self.kind == "switch" and text in ("true", "false"):
            return text == "true"
        try:
            if self.kind == "whole":
                return int(text)
            if self.kind == "number":
                return number(text)
        except ValueError:
            pass
        return text

    def _range(self) -> str:
        match self.kind:
            case "switch":
                return "true or false"
            case "choice":
                return " or ".join(filter(None, (", ".join(self.choices[:-1]), self.choices[-1])))
            case "words":
                return self.form or "words"
            case "path":
                return "a file"
            case "whole" | "number":
                return self._number()

    def _number(self) -> str:
        kind = "a number" if self.kind == "number" else "a whole number"
        if self.step > 1:
            kind = f"a multiple of {self.step}"
        bounds = []
        if self.low is not None:
            bounds.append(f"above {self.low:g}" if self.above else f"at least {self.low:g}")
        if self.high is not None:
            bounds.append(f"below {self.high:g}" if self.below else f"at most {self.high:g}")
        return ", ".join(filter(None, (kind, " and ".join(bounds))))


def as_text(value: object) -> str:
    """A value as it is written in an editor; `PlanField.read` reads it back."""
    match value:
        case None:
            return NONE
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}" if float(f"{value:g}") == value else repr(value)
        case _:
            return str(value)


def toml(values: Mapping[str, Any]) -> str:
    """The text of a TOML file of settings, and of sections of settings."""
    return "\n".join(_lines(values)) + "\n"


def toml_value(value: object) -> str:
    """One value as TOML writes it."""
    if value is None:
        return json.dumps(NONE)
    # Strings of JSON are strings of TOML, but for one sign that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(values: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{key} = {toml_value(value)}"
        for key, value in values.items()
        if not isinstance(value, Mapping)
    ]
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *_lines(value)]
    return lines
