"""What training says while it happens: frozen values, written to a log and read back from it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, get_args

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.records import is_of_its_types, parse_lines
from smarthdr_studio.core.trust.masking import MaskSettings, masks_as_values, masks_from_text

Phase = Literal["preparing", "warm-up", "labelling", "learning", "validating", "saving", "paused"]
Asked = Literal["pause", "go on", "next round", "learning rate", "refresh every"]
Outcome = Literal["done", "stopped", "failed"]
Material = Literal["labels and others", "labels", "no label"]
"""What a run learns from: labels and others, labels alone, or brackets without any label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run folder exists and its plan is written; resumed runs say from which step.

    `labelled` and `unlabelled` are what scenes were to the project; `material` says what of them
    is learned from. `precision_why` is why it computes in `precision`, where its plan left that to
    a processor; "" where there is nothing to tell, or it was told before. `short_epochs` says that
    crops are too few for the steps that the plan wants of an epoch, "" where they are not.
    `rounds_left` as in `RoundFinished`. `changes_wait` says that a resumed run goes on with what it
    knew, and that something decided since waits for a round; it is in epoch `at_epoch`, from 0.
    """

    run: str
    folder: str
    device: str
    network: str
    total_steps: int
    total_epochs: int
    step: int = 0
    labelled: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    precision: str = "float32"
    processes: int = 1
    precision_why: str = ""
    material: Material = "labels and others"
    short_epochs: str = ""
    rounds_left: int | None = None
    changes_wait: bool = False
    at_epoch: int | None = None

    @property
    def arithmetic(self) -> str:
        """In what it computes and why, in a sentence; "" where there is nothing to tell."""
        return self.precision_why and f"computes in {self.precision}: {self.precision_why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged:
    """What the run is doing now, in words for the person ("labelling scene 3 of 13")."""

    phase: Phase
    text: str
    step: int
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReported:
    """One gradient step; `losses` has every term by name, `total` among them.

    `gradient_norm` is that of the whole gradient before it is clipped, `distance` ‖s − t‖ / ‖t‖ of
    the weights of student and teacher, `memory_bytes` what the process holds on its device,
    `data_share` the part of the step that went by before the network had its crops. None is not
    measured.
    """

    step: int
    epoch: int
    losses: Mapping[str, float]
    learning_rate: float
    images_per_second: float
    seconds_left: float
    gradient_norm: float | None = None
    distance: float | None = None
    memory_bytes: int | None = None
    data_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped:
    """A step that taught nothing, because loss or gradient was no number; weights are untouched.

    `count` is how many the run has skipped, `batch` the file in which the crops lie, if any.
    """

    step: int
    epoch: int
    why: str
    count: int
    batch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """A person asked something of the run, and when it takes effect, in one sentence.

    `what` is what was asked, None for anything else that is told so. `counts_from` is the epoch,
    counted from 0, from which a change counts; None where it counts at once, or not at all.
    `rounds_left` as in `RoundFinished`, where what was asked moves rounds.
    """

    step: int
    epoch: int
    text: str
    what: Asked | None = None
    counts_from: int | None = None
    rounds_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRetention:
    """What a round trusts of one unlabelled scene; shares in [0, 1]."""

    id: str
    retained: float
    patches_retained: float
    sigma_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFinished:
    """New pseudo-labels are on disk and in use, masked with these settings.

    `retained` is what the loss counts; `gates_retained` what both gates would keep without the
    person's brush, None where nothing is painted. `gap` is how far the student's answers to its own
    view were from the labels of the round before: mean |e| on the μ-law over what was trusted, None
    of the first. `rounds_left` is how many are planned to come that something is learned from; the
    last of a run shows what its teacher thinks and is none of them. None is not told.
    """

    round: int
    step: int
    epoch: int
    masks: MaskSettings
    retained: float
    patches_retained: float
    sigma_mean: float
    scenes: tuple[SceneRetention, ...] = ()
    changes: tuple[str, ...] = ()  # what a person changed since the last round, one sentence each
    gates_retained: float | None = None
    gap: float | None = None
    sigma_scale: float | None = None  # what σ was multiplied by to be calibrated, if it was
    calibration: float | None = None  # mean e²/σ² on held-out labels before that
    rounds_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """The teacher on held-out labels; decibels on linear (`psnr_l`) and μ-law (`psnr_mu`).

    `ause` is how much worse than the true error σ sorts the pixels, 0 at best (METHOD §8);
    `calibration` the mean of e²/σ² over pixels, 1 where σ is as large as the error. `best` says
    that no check of the run had a better PSNR-μ.
    """

    step: int
    epoch: int
    psnr_mu: float
    psnr_l: float
    scenes: Mapping[str, float] = field(default_factory=dict)  # PSNR-μ of each
    ssim_mu: float | None = None
    ssim_l: float | None = None
    ause: float | None = None
    calibration: float | None = None
    best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved:
    """A checkpoint folder is complete on disk."""

    step: int
    epoch: int
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event; said by whoever drives the generator when it was closed early."""

    run: str
    outcome: Outcome
    step: int
    message: str
    remedies: tuple[Remedy, ...] = ()


TrainingEvent = (
    RunStarted
    | PhaseChanged
    | StepReported
    | StepSkipped
    | Steered
    | RoundFinished
    | Validated
    | CheckpointSaved
    | RunFinished
)


def as_json(event: TrainingEvent) -> dict[str, Any]:
    """The event as plain values, with its name under "event": what `--json` prints."""
    values = {name: value for name, value in asdict(event).items() if name not in _ONLY_LOGGED}
    if isinstance(event, RoundFinished):
        values["masks"] = masks_as_values(event.masks)
    return {"event": type(event).__name__, **values}


def as_logged(event: TrainingEvent) -> dict[str, Any]:
    """The same with all that is known: one line of events.jsonl."""
    known = {name: getattr(event, name, None) for name in _ONLY_LOGGED}
    told = {name: value for name, value in known.items() if value is not None}
    return as_json(event) | {name: value for name, value in told.items() if value is not False}


_KINDS: Final = {kind.__name__: kind for kind in get_args(TrainingEvent)}
_KNOWN: Final = {name: frozenset(f.name for f in fields(kind)) for name, kind in _KINDS.items()}
_ONLY_LOGGED: Final = ("what", "counts_from", "rounds_left", "changes_wait", "at_epoch")
_BEGINNING: Final = b'{"time": '


def event_of(values: Mapping[str, Any]) -> TrainingEvent | None:
    """The event `as_json` was given; None of a kind or shape that is not known here."""
    name = str(values.get("event"))
    kind = _KINDS.get(name)
    if kind is None:
        return None
    known = _KNOWN[name]
    told: dict[str, Any] = {name: _frozen(value) for name, value in values.items() if name in known}
    try:
        if kind is RoundFinished:
            told["masks"] = masks_from_text(json.dumps(values["masks"]))
            told["scenes"] = tuple(SceneRetention(**scene) for scene in values.get("scenes", ()))
        elif kind is RunFinished:
            told["remedies"] = tuple(Remedy(**each) for each in values.get("remedies", ()))
        elif kind is Steered and "what" not in values:
            told |= _as_once_logged(values["text"], values["epoch"])
        event: TrainingEvent = kind(**told)
    except (KeyError, TypeError, ValueError):
        return None
    return event if is_of_its_types(event) else None


def events_in(lines: bytes) -> Iterator[TrainingEvent]:
    """Every event of some lines; a line cut short by a kill is passed over."""
    for values in values_in(lines):
        if (event := event_of(values)) is not None:
            yield event


def values_in(lines: bytes) -> Iterator[dict[str, Any]]:
    """Every line as plain values that name an event; what is no such line is passed over.

    Where a resumed run wrote behind a line that a kill or a full disk had cut, its own counts.
    """
    for line in lines.splitlines():
        values = _read(line)
        if values is None and (again := line.rfind(_BEGINNING)) > 0:
            values = _read(line[again:])
        if values is not None:
            yield values


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        values = parse_lines(line)
    except ValueError:
        return None
    return values if isinstance(values, dict) and "event" in values else None


def _as_once_logged(text: str, epoch: int) -> dict[str, Any]:
    """What a sentence means in a log of before 2026-12, which has nothing but the sentence."""
    if text in _ONCE_PAUSES:
        return {"what": _ONCE_PAUSES[text]}
    for beginning, what in _ONCE_CHANGES.items():
        if text.startswith(beginning):
            waits = text.endswith(f"from epoch {epoch + 2} on")  # epochs are told from 1
            return {"what": what, "counts_from": epoch + 1 if waits else None}
    return {}


_ONCE_PAUSES: Final[Mapping[str, Asked]] = {"paused": "pause", "goes on": "go on"}
_ONCE_CHANGES: Final[Mapping[str, Asked]] = {
    "learning rate ": "learning rate",
    "a round every ": "refresh every",
}


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
