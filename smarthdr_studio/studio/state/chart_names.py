"""Which line of which chart everything is that a run measures of itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    StepSkipped,
    TrainingEvent,
    Validated,
)

Doubles = npt.NDArray[np.float64]
Run = tuple[Doubles, Doubles]  # x (the step) and y of one curve
Place = tuple[str, str]  # chart and line

PERSON: Final[Place] = ("kept", "person")  # what the brush adds to both gates, or takes away


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartKind:
    """What a chart is called and means, in which unit, and its lines in the order of colours.

    `of_checks` are measured now and then on held-out labels, `of_rounds` whenever pseudo-labels are
    made: both are shown as they are, for what is smoothed over so few values is none that anybody
    measured.
    """

    title: str
    tip: str
    unit: str = ""
    lines: tuple[str, ...] = ()
    of_checks: bool = False
    of_rounds: bool = False


CHARTS: Final[Mapping[str, ChartKind]] = {
    "fit": ChartKind(
        title="Loss",
        tip="Loss terms of each step: Lʳ reconstruction, Lᵛ perceptual, Lʰ highlights; s labelled,"
        " u unlabelled; Lˢ the structure a method with stages keeps to",
        lines=("Lₛʳ", "Lᵤʳ", "Lₛᵛ", "Lᵤᵛ", "Lₛʰ", "Lᵤʰ", "Lˢ"),
    ),
    "likelihood": ChartKind(
        title="Likelihood",
        tip="Lᵏ, how well σ fits the error, labelled (s) and unlabelled (u); and the whole loss",
        lines=("total", "Lₛᵏ", "Lᵤᵏ"),
    ),
    "psnr": ChartKind(
        title="PSNR",
        unit="dB",
        tip="The teacher on labels held back: on the μ-law (μ) and on linear radiance (l)",
        lines=("PSNR-μ", "PSNR-l"),
        of_checks=True,
    ),
    "ssim": ChartKind(
        title="SSIM",
        tip="Structural similarity of the teacher on labels held back, 1 at best",
        lines=("SSIM-μ", "SSIM-l"),
        of_checks=True,
    ),
    "kept": ChartKind(
        title="Retained",
        unit="%",
        tip="Share of the pool: pixels the loss counts, what both gates and what the patch gate "
        "retain, and what the person's brush adds or takes away",
        lines=("pixels", "gates", "patches", "person"),
        of_rounds=True,
    ),
    "sigma": ChartKind(
        title="Mean σ", tip="Mean uncertainty of the pool", lines=("mean σ",), of_rounds=True
    ),
    "ause": ChartKind(
        title="AUSE",
        tip="How much worse σ sorts the pixels than their absolute error, on labels held back; 0 at"
        " best",
        lines=("AUSE",),
        of_checks=True,
    ),
    "calibration": ChartKind(
        title="e²/σ²",
        tip="Mean e²/σ² on labels held back: 1 where σ is as large as the error; far above 1 the"
        " judge is surer than it may be, and masks mean little",
        lines=("e²/σ²",),
        of_checks=True,
    ),
    "gap": ChartKind(
        title="Gap",
        tip="How far the student's answers are from the pseudo-labels it learns from: mean |e| on"
        " the μ-law since the round before; near 0 there is nothing left to learn from them",
        lines=("gap",),
        of_rounds=True,
    ),
    "distance": ChartKind(
        title="Distance",
        tip="Student from teacher: ‖s − t‖ ÷ ‖t‖ of their weights",
        lines=("distance",),
    ),
    "rate": ChartKind(
        title="Learning rate", tip="Learning rate of each step", lines=("learning rate",)
    ),
    "gradient": ChartKind(
        title="Gradient", tip="Norm of the whole gradient, before it is clipped", lines=("norm",)
    ),
    "speed": ChartKind(
        title="Speed", unit="img/s", tip="Crops learned from per second", lines=("speed",)
    ),
    "memory": ChartKind(
        title="Memory", unit="GiB", tip="Memory the run holds on its device", lines=("memory",)
    ),
    "skipped": ChartKind(
        title="Skipped",
        tip="Steps skipped so far because loss or gradient was no number",
        lines=("steps",),
    ),
}

_PLACES: Final[Mapping[str, Place]] = {
    "labelled_reconstruction": ("fit", "Lₛʳ"),
    "labelled_perceptual": ("fit", "Lₛᵛ"),
    "labelled_nll": ("likelihood", "Lₛᵏ"),
    "unlabelled_reconstruction": ("fit", "Lᵤʳ"),
    "unlabelled_perceptual": ("fit", "Lᵤᵛ"),
    "unlabelled_nll": ("likelihood", "Lᵤᵏ"),
    "labelled_highlights": ("fit", "Lₛʰ"),
    "unlabelled_highlights": ("fit", "Lᵤʰ"),
    "unlabelled_structure": ("fit", "Lˢ"),
    "psnr_mu": ("psnr", "PSNR-μ"),
    "psnr_l": ("psnr", "PSNR-l"),
    "ssim_mu": ("ssim", "SSIM-μ"),
    "ssim_l": ("ssim", "SSIM-l"),
    "retained": ("kept", "pixels"),
    "patches_retained": ("kept", "patches"),
    "gates_retained": ("kept", "gates"),
    "sigma_mean": ("sigma", "mean σ"),
    "ause": ("ause", "AUSE"),
    "calibration": ("calibration", "e²/σ²"),
    "gap": ("gap", "gap"),
    "distance": ("distance", "distance"),
    "learning_rate": ("rate", "learning rate"),
    "gradient_norm": ("gradient", "norm"),
    "images_per_second": ("speed", "speed"),
    "memory_bytes": ("memory", "memory"),
    "skipped": ("skipped", "steps"),
}

GIB: Final = 2.0**30
_IN_UNIT: Final[Mapping[str, float]] = {
    "kept": 100.0,
    "memory": 1 / GIB,
}  # of a log's value, by chart


def place_of(series: str) -> Place:
    """The chart and the line of a series, as a run's log names it.

    An unknown loss term is shown among the likelihoods, which may be of any sign.
    """
    return _PLACES.get(series, ("likelihood", series))


def in_unit(place: Place) -> float:
    """What a value of a run's log is multiplied by to be in the unit of its chart."""
    return _IN_UNIT.get(place[0], 1.0)


def charted(series: Mapping[str, Run]) -> dict[Place, Run]:
    """The curves of a run, as read from its log, by chart and line and in the charts' units."""
    placed = {
        (place := place_of(name)): (steps, values * in_unit(place))
        for name, (steps, values) in series.items()
    }
    counted, gates = series.get("retained"), series.get("gates_retained")
    if counted is not None and gates is not None:
        steps, mine, other = np.intersect1d(counted[0], gates[0], return_indices=True)
        placed[PERSON] = steps, (counted[1][mine] - gates[1][other]) * in_unit(PERSON)
    return placed


_OF_CHECKS: Final = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l", "ause", "calibration")
_OF_ROUNDS: Final = ("retained", "gates_retained", "patches_retained", "sigma_mean", "gap")


class Point(NamedTuple):
    """One value of one line of one chart; x is the step."""

    chart: str
    line: str
    x: float
    y: float


def points(event: TrainingEvent) -> Iterator[Point]:
    """What an event adds to the curves."""
    match event:
        case StepReported():
            yield from _of_step(event)
        case StepSkipped():
            yield _point("skipped", event.step, event.count)
        case Validated():
            yield from _told(event, _OF_CHECKS)
        case RoundFinished():
            yield from _told(event, _OF_ROUNDS)
            if event.gates_retained is not None:
                share = event.retained - event.gates_retained
                yield Point(*PERSON, event.step, share * in_unit(PERSON))
        case RunStarted() | PhaseChanged() | Steered() | CheckpointSaved() | RunFinished():
            pass


def _told(event: Validated | RoundFinished, names: tuple[str, ...]) -> Iterator[Point]:
    """Those of the figures that were measured."""
    for name in names:
        value = getattr(event, name)
        if value is not None:
            yield _point(name, event.step, value)


def _of_step(event: StepReported) -> Iterator[Point]:
    step = event.step
    for name, value in event.losses.items():
        yield _point(name, step, value)
    yield _point("learning_rate", step, event.learning_rate)
    yield _point("images_per_second", step, event.images_per_second)
    if event.gradient_norm is not None:
        yield _point("gradient_norm", step, event.gradient_norm)
    if event.distance is not None:
        yield _point("distance", step, event.distance)
    if event.memory_bytes is not None:
        yield _point("memory_bytes", step, event.memory_bytes)


def _point(series: str, x: float, y: float) -> Point:
    place = place_of(series)
    return Point(*place, x, y * in_unit(place))
