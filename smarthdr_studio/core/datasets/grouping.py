"""Which pictures of a flat folder were shot as one bracket: by time, exposure and order of names.

Pure functions over headers. A bracket holds no exposure twice, so where one comes back another
bracket begins; so it does after a pause, with another camera and with another size. What the
camera wrote goes first; without it the names tell, and last the brightness of the pictures.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from smarthdr_studio.core.datasets.layouts import natural_key
from smarthdr_studio.core.imaging.shots import Shot

Brightness = Callable[[Path], float]
Run = list[Shot]

_SHORTEST_PAUSE: Final = 8.0  # seconds between two shots of which a bracket is never torn apart
_PAUSE: Final = 4.0  # times the usual time between two shots
_SAME_EXPOSURE: Final = 0.15  # EV; cameras step by thirds and round
_MOST_IN_A_PATTERN: Final = 9
_NO_STEP: Final = 0.02
_LEAST_APART: Final = 0.2  # stops of mean brightness that tell two exposures apart


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A picture that belongs to no bracket, with the sentence that says why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Brackets of two or more shots in the order they were taken, and what belongs to none."""

    groups: tuple[tuple[Shot, ...], ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(slots=True)
class _Found:
    groups: list[Run] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def take(self, run: Run, *, why_single: str) -> None:
        if len(run) > 1:
            self.groups.append(run)
        else:
            self.left_out += [
                LeftOut(path=each.path, reason=f"{each.path}: {why_single}") for each in run
            ]


def group_shots(shots: Sequence[Shot], *, brightness: Brightness) -> Grouping:
    """The brackets among the shots of one folder.

    `brightness` answers log2 of the mean linear light of a picture; it is asked only of pictures
    whose headers say nothing of their exposure and whose names are all of one kind.
    """
    found = _Found()
    for alike in _by_camera(shots):
        told = [each for each in alike if _says_exposure(each)]
        if len(told) * 2 >= len(alike):
            _by_exposure(_in_order(told), found)
            silent = (each for each in alike if not _says_exposure(each))
            found.left_out += map(_without_exposure, silent)
        else:
            _by_names(_by_name(alike), found, brightness)
    groups = sorted(found.groups, key=lambda run: _place(run[0]))
    return Grouping(groups=tuple(map(tuple, groups)), left_out=tuple(found.left_out))


def _says_exposure(shot: Shot) -> bool:
    return shot.ev is not None or shot.bias is not None


def _by_camera(shots: Sequence[Shot]) -> Iterator[Run]:
    kinds: dict[tuple[str, tuple[int, int]], Run] = {}
    for shot in shots:
        kinds.setdefault((shot.camera, shot.size), []).append(shot)
    yield from kinds.values()


def _place(shot: Shot) -> tuple[float, tuple[tuple[int, int | str], ...]]:
    return shot.taken or 0.0, natural_key(shot.path.name)


def _by_name(shots: Sequence[Shot]) -> Run:
    return sorted(shots, key=lambda shot: natural_key(shot.path.name))


def _in_order(shots: Sequence[Shot]) -> Run:
    """As they were taken, where the camera says so of all of them, else by name."""
    return sorted(shots, key=_place) if all(s.taken is not None for s in shots) else _by_name(shots)


def _without_exposure(shot: Shot) -> LeftOut:
    return LeftOut(
        path=shot.path,
        reason=f"{shot.path}: says nothing of its exposure, as the others of this folder do; put "
        "it into a folder of its own with its bracket.",
    )


_ALONE: Final = (
    "stands alone: no other exposure was taken right before or after it; join it to a bracket, or "
    "leave it out."
)


def _by_exposure(shots: Run, found: _Found) -> None:
    exposures = _exposures(shots)
    pauses = _pauses(shots)
    pattern = _commonest(exposures, pauses)
    rest: list[int] = []
    start = 0
    while start < len(shots):
        if _is_at(start, pattern, exposures, pauses):
            _take_rest(rest, shots, exposures, pauses, found)
            end, rest = start + len(pattern), []
            found.take(shots[start:end], why_single=_ALONE)
            start = end
        else:
            rest.append(start)
            start += 1
    _take_rest(rest, shots, exposures, pauses, found)


def _take_rest(
    rest: Sequence[int],
    shots: Run,
    exposures: Sequence[float],
    pauses: Sequence[bool],
    found: _Found,
) -> None:
    """What the commonest pattern does not explain, cut wherever an exposure comes back."""
    if not rest:
        return
    start, end = rest[0], rest[-1] + 1
    breaks = [False, *pauses[start + 1 : end]]
    cuts = [0, *_greedy_cuts(exposures[start:end], breaks), end - start]
    for a, b in pairwise(cuts):
        found.take(shots[start + a : start + b], why_single=_ALONE)


def _exposures(shots: Run) -> list[float]:
    """One number a shot that tells the exposures of a bracket apart.

    The bias where a camera brackets by it around its own metering, which moves between brackets;
    else the exposure itself.
    """
    biases = [shot.bias for shot in shots]
    known = [bias for bias in biases if bias is not None]
    if len(known) == len(shots) and len(set(known)) > 1 and not _contradicted(shots):
        return known
    return [shot.ev if shot.ev is not None else shot.bias or 0.0 for shot in shots]


def _contradicted(shots: Run) -> bool:
    """Whether shots of one bias and one moment differ in exposure: somebody turned a dial."""
    biased: dict[float | None, set[float]] = {}
    for shot in shots:
        if shot.ev is not None:
            biased.setdefault(shot.bias, set()).add(round(shot.ev, 1))
    per_bias = max((len(evs) for evs in biased.values()), default=0)
    per_ev = len({ev for evs in biased.values() for ev in evs})
    return per_bias > 1 and per_bias == per_ev


def _pauses(shots: Run) -> list[bool]:
    """Of each shot, whether it was taken long after the one before was over."""
    if any(shot.taken is None for shot in shots):
        return [False] * len(shots)
    gaps = [
        (after.taken or 0.0) - (before.taken or 0.0) - before.seconds
        for before, after in pairwise(shots)
    ]
    if not gaps:
        return [False] * len(shots)
    limit = max(_SHORTEST_PAUSE, _PAUSE * median(gaps))
    return [False, *(gap > limit for gap in gaps)]


def _greedy_cuts(exposures: Sequence[float], pauses: Sequence[bool]) -> list[int]:
    """Where a new bracket has to begin, at the latest."""
    cuts: list[int] = []
    here: list[float] = []
    for index, ev in enumerate(exposures):
        again = any(abs(ev - each) < _SAME_EXPOSURE for each in here)
        if index and (pauses[index] or again):
            cuts.append(index)
            here = []
        here.append(ev)
    return cuts


def _commonest(exposures: Sequence[float], pauses: Sequence[bool]) -> tuple[float, ...]:
    """The steps of the likeliest bracket, counted from its first frame; () where none is likely.

    A pattern has to occur twice to count; of equals the longer one wins.
    """
    cuts = [0, *_greedy_cuts(exposures, pauses), len(exposures)]
    patterns = {_steps(exposures[a:b]) for a, b in pairwise(cuts) if b - a > 1}
    counts = {each: _count(each, exposures, pauses) for each in patterns}
    often = [each for each in patterns if counts[each] > 1]
    return max(often, key=lambda each: (counts[each] * len(each), len(each)), default=())


def _count(pattern: tuple[float, ...], exposures: Sequence[float], pauses: Sequence[bool]) -> int:
    at = count = 0
    while at < len(exposures):
        here = _is_at(at, pattern, exposures, pauses)
        count += here
        at += len(pattern) if here else 1
    return count


def _is_at(
    start: int, pattern: tuple[float, ...], exposures: Sequence[float], pauses: Sequence[bool]
) -> bool:
    """Whether a bracket of these steps begins here, without a pause in it."""
    end = start + len(pattern)
    if not pattern or end > len(exposures) or any(pauses[start + 1 : end]):
        return False
    off = zip(exposures[start:end], pattern, strict=True)
    return all(abs(ev - exposures[start] - step) < _SAME_EXPOSURE for ev, step in off)


def _steps(group: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(ev - group[0], 1) for ev in group)


def _by_names(shots: Run, found: _Found, brightness: Brightness) -> None:
    prefixes: dict[str, Run] = {}
    for shot in shots:
        prefixes.setdefault(_prefix(shot.path.stem), []).append(shot)
    if len(prefixes) > 1 and all(len(run) > 1 for run in prefixes.values()):
        runs = list(prefixes.values())
    else:
        runs = _by_brightness(shots, brightness)
    for run in runs:
        found.take(run, why_single=_ALONE)


def _prefix(stem: str) -> str:
    """A name without its last number: that of "hall_3" and "hall_4" is "hall_"."""
    return re.sub(r"\d+\D*$", "", stem)


def _by_brightness(shots: Run, brightness: Brightness) -> list[Run]:
    """All as one bracket where all differ, else in equal parts that rise and fall alike."""
    if len(shots) <= 3:
        return [shots]
    lights = [brightness(shot.path) for shot in shots]
    if _all_differ(lights) or _one_way(lights):
        return [shots]
    for length in range(min(_MOST_IN_A_PATTERN, len(shots) // 2), 1, -1):
        if len(shots) % length:
            continue
        parts = [lights[at : at + length] for at in range(0, len(lights), length)]
        if len({_ranks(part) for part in parts}) == 1 and all(map(_all_differ, parts)):
            return [shots[at : at + length] for at in range(0, len(shots), length)]
    return [shots]


def _all_differ(lights: Sequence[float]) -> bool:
    return all(b - a > _LEAST_APART for a, b in pairwise(sorted(lights)))


def _one_way(lights: Sequence[float]) -> bool:
    """Whether they rise or fall all along; the brightest of a long bracket are all but white."""
    steps = [b - a for a, b in pairwise(lights)]
    return min(steps) > -_NO_STEP or max(steps) < _NO_STEP


def _ranks(lights: Sequence[float]) -> tuple[int, ...]:
    return tuple(sorted(range(len(lights)), key=lambda index: lights[index]))
