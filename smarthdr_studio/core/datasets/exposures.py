"""The exposures of a bracket: of a list, an exposure file, EXIF or the pixels, held against them.

No verb and no sheet asks anywhere else. What is believed is measured: where the pixels plainly
contradict it, it is refused in one sentence, and where they only differ, a note says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from smarthdr_studio.core.datasets.layouts import as_listed, exposure_file, frame_files
from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.exposure import (
    ListedExposures,
    MeasuredStep,
    evs_from_exif,
    measured_step,
    read_exposures,
    refuse_impossible,
    thinned,
)
from smarthdr_studio.core.imaging.radiometry import Frame
from smarthdr_studio.core.remedies import GIVE_EXPOSURES, MEASURE_CURVE, Way
from smarthdr_studio.core.words import counted

_GIVEN: Final = "the exposure values given"
_EXIF: Final = "EXIF"
FROM_PIXELS: Final = "pixels"
# A camera's contrast makes three stops measure 3.3 to 5.2, never less than were shot.
_TOO_FEW, _TOO_MANY = 0.75, 1.95
_LEAST_OFF: Final = 0.5  # stops
_NOTED: Final = 0.12  # of the step
_LEAST_NOTED: Final = 0.3  # stops
_ALIKE: Final = 1.02  # mean camera values that differ by less are the same brightness
_REST: Final = 0.95  # of the pixels; what is above them are the lights of a frame
_THIRD: Final = 1 / 3
_NEAR_A_THIRD: Final = 0.07


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposures:
    """EVs in the order of the frames, where they are from, and sentences about what was odd.

    `bends` says that the last of these tells of a curve that is not gamma 2.2.
    """

    evs: tuple[float, ...]
    source: str
    notes: tuple[str, ...] = ()
    bends: bool = False


class _Reading(NamedTuple):
    """One way to understand what is written; `note` is what is said where it is taken."""

    evs: tuple[float, ...]
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Frames with their thinned pixels; what was measured between two of them is kept."""

    paths: tuple[Path, ...]
    pixels: tuple[Frame, ...]
    bent: Way
    _steps: dict[tuple[int, int], MeasuredStep] = field(default_factory=dict)

    def step(self, darker: int, brighter: int) -> MeasuredStep:
        if (darker, brighter) not in self._steps:
            self._steps[darker, brighter] = measured_step(
                self.pixels[darker], self.pixels[brighter]
            )
        return self._steps[darker, brighter]

    def rises(self, darker: int, brighter: int) -> bool:
        """Whether a frame is brighter than another; means tell where single pixels cannot.

        The mean over all of it, or over its lights: of a frame that is all but black the rest, and
        the border of a scan, says nothing.
        """
        measured = self.step(darker, brighter)
        if measured.stops is not None and measured.tells:
            return measured.stops > 0
        low, high = self.pixels[darker], self.pixels[brighter]
        return float(high.mean()) > float(low.mean()) or _lights_rise(low, high)

    def by_brightness(self) -> list[int]:
        return sorted(range(len(self.paths)), key=lambda index: float(self.pixels[index].mean()))


def _lights_rise(darker: Frame, brighter: Frame) -> bool:
    """Whether the brightest twentieth of both, by the middle channel, is brighter in one.

    The middle one of three, because a border in one pure colour is no light.
    """
    middles = [np.median(frame, axis=2) for frame in (darker, brighter)]
    both = middles[0] + middles[1]
    lights = both >= np.quantile(both, _REST)
    low, high = (float(each[lights].mean()) for each in middles)
    return high > low


def find_exposures(
    frames: Sequence[AnyPath],
    pixels: Sequence[Frame],
    *,
    given: Sequence[float] | None = None,
    listed: AnyPath | None = None,
    bent: Way = MEASURE_CURVE,
) -> Exposures:
    """The exposures of two or more H×W×3 uint16 frames of one size.

    `bent` is the remedy where the camera's curve may be another one than frames were read under.
    `given` are EVs in the order of `frames`. Else the exposure file `listed` is read, whose numbers
    stand in the order of the frames' names; else EXIF; else the pixels are measured. Raises
    BadScene in one sentence: nothing tells the exposures, or the pixels contradict what does.
    """
    paths = tuple(Path(each) for each in frames)
    _refuse_repeated(paths)
    bracket = _Bracket(paths, tuple(map(thinned, pixels)), bent)
    if given is not None:
        _refuse_unfit(given, paths)
        return _first_that_fits([_Reading(tuple(given), _GIVEN)], bracket)
    if listed is not None:
        return _first_that_fits(_readings(Path(listed), paths), bracket)
    try:
        readings = [_Reading(evs_from_exif(paths), _EXIF)]
    except BadScene as unknown:
        return _measured(bracket, unknown)
    return _first_that_fits(readings, bracket)


def _refuse_unfit(given: Sequence[float], paths: Sequence[Path]) -> None:
    if len(given) != len(paths) or len(set(given)) < len(given):
        raise BadScene(
            f"{paths[0]}: {counted(len(paths), 'frame')} need as many different exposure values, "
            f"but {', '.join(f'{ev:g}' for ev in given)} were given; give one EV for each."
        )
    refuse_impossible(given, source=str(paths[0]))


def _refuse_repeated(paths: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise BadScene(f"{path}: is given twice; give one file for each exposure.")
        seen.add(path.resolve())


def exposures_beside(frames: Sequence[AnyPath]) -> Path | None:
    """The exposure file in the folder that holds all the frames, whichever name it has."""
    paths = [Path(each) for each in frames]
    folder = paths[0].parent
    if not folder.is_dir() or {each.parent for each in paths} != {folder}:
        return None
    return exposure_file(sorted(folder.iterdir()))


def _readings(file: Path, paths: Sequence[Path]) -> list[_Reading]:
    """What an exposure file may mean, the likeliest first."""
    listed = read_exposures(file)
    meant = as_listed(_of_the_folder(file, listed, paths))
    readings: list[_Reading] = []
    # A script that sorts names as text writes those of 9, 10, 11 in another order.
    for order in (meant, tuple(sorted(meant))):
        for values in listed.readings:
            by_path = dict(zip(order, values, strict=True))
            evs = tuple(by_path[path] for path in paths)
            odd = _in_words(times=values != listed.values, order=() if order == meant else order)
            if all(evs != each.evs for each in readings):
                note = f"{file}: {odd}; taken as {_told(sorted(evs))} EV." if odd else ""
                readings.append(_Reading(evs, file.name, note))
    return readings


def _in_words(*, times: bool, order: Sequence[Path]) -> str:
    parts = ["holds shutter times or ratios instead of EVs"] if times else []
    if order:
        parts.append(f"lists its exposures in the order {', '.join(each.name for each in order)}")
    return " and ".join(parts)


def _of_the_folder(file: Path, listed: ListedExposures, paths: Sequence[Path]) -> Sequence[Path]:
    """The frames the numbers stand for: those given, or all that lie beside them."""
    if len(listed.values) == len(paths):
        return paths
    beside = frame_files(sorted(paths[0].parent.iterdir()))
    if len(beside) == len(listed.values) and set(paths) <= set(beside):
        return beside
    raise BadScene(
        f"{file}: holds {counted(len(listed.values), 'exposure value')} for "
        f"{counted(len(paths), 'frame')}; {GIVE_EXPOSURES}."
    )


def _first_that_fits(readings: Sequence[_Reading], bracket: _Bracket) -> Exposures:
    wrong = [_contradiction(each, bracket) for each in readings]
    for reading, contradiction in zip(readings, wrong, strict=True):
        if contradiction is None:
            bends = _differences(reading, bracket)
            notes = (reading.note, *bends)
            return Exposures(
                evs=reading.evs,
                source=reading.source,
                notes=tuple(note for note in notes if note),
                bends=bool(bends),
            )
    raise BadScene(next(each for each in wrong if each is not None))


def _contradiction(reading: _Reading, bracket: _Bracket) -> str | None:
    """One sentence where the pixels cannot be what the exposures say."""
    evs, paths = reading.evs, bracket.paths
    order = sorted(range(len(evs)), key=lambda index: evs[index])
    for darker, brighter in pairwise(order):
        if not bracket.rises(darker, brighter):
            return (
                f"{paths[brighter]}: has the exposure {evs[brighter]:g} EV but is no brighter than "
                f"{paths[darker].name} at {evs[darker]:g} EV; put the EVs in the order of the "
                "frames' names or replace the frame."
            )
    for darker, brighter in pairwise(order):
        believed, measured = evs[brighter] - evs[darker], bracket.step(darker, brighter)
        if measured.stops is not None and measured.tells and _contradicts(measured.stops, believed):
            return (
                f"{paths[brighter]}: is {measured.stops:.1f} stops brighter than "
                f"{paths[darker].name} by its pixels, but {believed:g} by {reading.source}; "
                "write the EVs that were shot into exposure.txt, or where they are right, "
                f"{bracket.bent}."
            )
    return None


def _contradicts(measured: float, believed: float) -> bool:
    off = abs(measured - believed) > _LEAST_OFF
    return off and not _TOO_FEW <= measured / believed <= _TOO_MANY


def _differences(reading: _Reading, bracket: _Bracket) -> tuple[str, ...]:
    """At most one sentence, about the worst step that no gamma 2.2 explains."""
    order = sorted(range(len(reading.evs)), key=lambda index: reading.evs[index])
    worst, words = 0.0, ""
    for darker, brighter in pairwise(order):
        believed, measured = (
            reading.evs[brighter] - reading.evs[darker],
            bracket.step(darker, brighter),
        )
        if measured.stops is None:
            continue
        off = abs(measured.stops - believed)
        if off > max(worst, _LEAST_NOTED, _NOTED * believed) and measured.spread < measured.stops:
            worst = off
            words = (
                f"{bracket.paths[darker]}: it and {bracket.paths[brighter].name} measure "
                f"{measured.stops:.1f} stops apart where {believed:g} were shot by "
                f"{reading.source}: the camera's curve is not gamma 2.2, or the exposures are "
                f"wrong; {bracket.bent}."
            )
    return (words,) if words else ()


def _measured(bracket: _Bracket, unknown: BadScene) -> Exposures:
    """Exposures counted from the darkest frame by the pixels. Raises `unknown` if they cannot."""
    order = bracket.by_brightness()
    evs = dict.fromkeys(order, 0.0)
    total = 0.0
    for darker, brighter in pairwise(order):
        step = bracket.step(darker, brighter)
        if step.stops is None or not step.is_exact:
            raise unknown
        total += step.stops
        evs[brighter] = _rounded(total)
    told = tuple(evs[index] for index in range(len(order)))
    return Exposures(
        evs=told,
        source=FROM_PIXELS,
        notes=(
            f"{bracket.paths[0].parent}: nothing tells its exposures, so they were measured by its "
            f"pixels: {_told(told)} EV; write the true ones into "
            "exposure.txt if you know them.",
        ),
    )


def _rounded(stops: float) -> float:
    """To a third of a stop where it is near one, because cameras step by thirds."""
    third = round(stops / _THIRD) * _THIRD
    return round(third if abs(third - stops) < _NEAR_A_THIRD else stops, 2)


def _told(evs: Sequence[float]) -> str:
    """EVs counted from the shortest, for a sentence."""
    return ", ".join(f"{round(ev - min(evs), 2):g}" for ev in evs)
