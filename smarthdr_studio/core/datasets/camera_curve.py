"""The response curve of the camera that shot a dataset, measured on a few of its brackets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from smarthdr_studio.core.datasets.exposures import FROM_PIXELS, exposures_beside, find_exposures
from smarthdr_studio.core.datasets.proposal import ProposedScene
from smarthdr_studio.core.errors import BadDataset, StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.imaging.exposure import thinned
from smarthdr_studio.core.imaging.image_files import read_bracket_frames
from smarthdr_studio.core.imaging.response import (
    PairSamples,
    ResponseCurve,
    ResponseFit,
    fit_response,
    read_response,
    sample_pair,
)

Progress = Callable[[int, int], None]

_MOST_BRACKETS: Final = 8
_MOST_FRAMES: Final = 5
_LEAST_STEP: Final = 0.3  # stops
_LEAST_SIDE: Final = 32  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Frames of one view, and what may tell their exposures beside EXIF."""

    frames: tuple[Path, ...]
    listed: Path | None
    step: float | None = None


def measure_response(
    brackets: Sequence[ProposedScene | Scene], *, progress: Progress | None = None
) -> ResponseFit | None:
    """The curve that up to eight of the brackets show, spread over all; None where they tell none.

    Only those count whose exposures a camera, a file or a person tells: what is measured by the
    pixels takes gamma 2.2 for granted. `progress` may raise to stop.
    """
    last = len(brackets) - 1
    count = min(len(brackets), _MOST_BRACKETS)
    chosen = [brackets[round(index * last / max(1, count - 1))] for index in range(count)]
    samples: list[PairSamples] = []
    for done, bracket in enumerate(chosen, start=1):
        samples += _samples(_told(bracket))
        if progress is not None:
            progress(done, count)
    return fit_response(samples) if samples else None


def _told(bracket: ProposedScene | Scene) -> _Told:
    if isinstance(bracket, Scene):
        frames = tuple(frame.path for frame in bracket.whole_bracket)
        frames = tuple(dict.fromkeys(frames))
        return _Told(frames=frames, listed=exposures_beside(frames))
    files = bracket.files
    return _Told(frames=files.frames, listed=files.exposures, step=bracket.step)


def _samples(told: _Told) -> list[PairSamples]:
    """Of neighbours by exposure; none where a frame cannot be read or nothing tells exposures."""
    try:
        frames = told.frames
        if len(frames) > _MOST_FRAMES and told.step is None and told.listed is None:
            middle = (len(frames) - _MOST_FRAMES) // 2
            frames = frames[middle : middle + _MOST_FRAMES]
        pixels = read_bracket_frames(frames)
        small = [thinned(frame) for frame in pixels]
        given = None
        if told.step is not None:
            order = sorted(range(len(frames)), key=lambda index: float(small[index].mean()))
            given = [told.step * order.index(index) for index in range(len(frames))]
        found = find_exposures(frames, small, given=given, listed=told.listed)
    except StudioError:
        return []  # the check of the dataset says what is wrong with it
    if found.source == FROM_PIXELS:
        return []
    order = sorted(range(len(frames)), key=lambda index: found.evs[index])
    return [
        sample_pair(pixels[darker], pixels[brighter], stops=found.evs[brighter] - found.evs[darker])
        for darker, brighter in pairwise(order)
        if found.evs[brighter] - found.evs[darker] >= _LEAST_STEP
        and pixels[darker].shape == pixels[brighter].shape
        and min(pixels[darker].shape[:2]) >= _LEAST_SIDE
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenResponse:
    """The curve that is used, None for gamma 2.2, what was measured, and what is to be said."""

    curve: ResponseCurve | None
    fit: ResponseFit | None = None
    note: str = ""


def choose_response(
    wish: AnyPath,
    brackets: Sequence[ProposedScene | Scene],
    *,
    progress: Progress | None = None,
) -> ChosenResponse:
    """What a person wished: "gamma", a file's curve, or what is "measured" if that fits better.

    Raises BadDataset: the file is no curve, or nothing can be measured.
    """
    if wish == "gamma":
        return ChosenResponse(curve=None)
    if wish != "measured":
        return ChosenResponse(curve=read_response(wish))
    fit = measure_response(brackets, progress=progress)
    if fit is None:
        raise BadDataset(
            f"{_place(brackets)}: shows no response curve; for that, exposures have to be told by "
            "EXIF or exposure.txt, and frames have to share well-exposed places. Use gamma, or the "
            "file of a curve."
        )
    if fit.is_better:
        return ChosenResponse(
            curve=fit.curve, fit=fit, note=f"The camera's curve is used: {fit.words}."
        )
    return ChosenResponse(
        curve=None, fit=fit, note=f"Gamma 2.2 is kept, which fits about as well: {fit.words}."
    )


def _place(brackets: Sequence[ProposedScene | Scene]) -> Path:
    first = brackets[0]
    return (first.frames if isinstance(first, Scene) else first.files.frames)[0].parent
