"""A camera's response curve: what its values stand for, given, read from a file, or measured.

It is measured by what frames of one view show of each other (Debevec and Malik 1997, eq. 3, in
pairs): where the darker frame has the value z and the brighter, Δ stops above, the value y, the
curve f has log2 f(y) − log2 f(z) = Δ. Only even, well-exposed places count, medians over many of
them, so that little of what moves or of noise is left.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.imaging.radiometry import GAMMA, Frame
from smarthdr_studio.core.records import parse_json, read_text

Floats64 = npt.NDArray[np.float64]

_ENTRIES: Final = 256
_MOST_ENTRIES: Final = 65536
_MOST_TEXT: Final = 1 << 22


@dataclass(frozen=True, kw_only=True)
class ResponseCurve:
    """Camera values of gamma 2.2, by what a frame holds: one table for all channels, or three.

    Each table stands at evenly spaced values from 0 to 1, rises from 0 or more to 1, and holds
    light^(1/2.2), which is nearly a straight line, so that between entries it is one.
    """

    tables: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if len(self.tables) not in (1, 3):
            raise ValueError("a response has one table or three")
        for table in self.tables:
            values = np.asarray(table, np.float64)
            if not 2 <= len(values) <= _MOST_ENTRIES or not np.isfinite(values).all():
                raise ValueError("a table of a response has 2 to 65536 finite entries")
            if values[0] < 0 or values[-1] != 1 or (np.diff(values) < 0).any():
                raise ValueError("a table of a response rises from 0 or more to 1")

    @cached_property
    def digest(self) -> str:
        """Another one for another curve; hex."""
        return hashlib.sha256(self.as_text().encode()).hexdigest()

    def __hash__(self) -> int:
        """That of the digest: scenes are keys, and a table is long."""
        return hash(self.digest)

    def as_text(self) -> str:
        """JSON, as projects keep it."""
        return json.dumps(self.tables, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "ResponseCurve":
        """What `as_text` gave. Raises ValueError or TypeError."""
        return cls.from_plain(parse_json(text))

    @classmethod
    def from_plain(cls, tables: Any) -> "ResponseCurve":  # noqa: ANN401 (what JSON holds)
        """Of lists of numbers. Raises ValueError or TypeError."""
        return cls(tables=tuple(tuple(float(value) for value in table) for table in tables))

    def camera_values(self, frame: Frame) -> Frame:
        """H×W×3 uint16 as the camera wrote it, as uint16 camera values of gamma 2.2 (METHOD §1)."""
        codes = _codes(self)
        if len(codes) == 1:
            return codes[0][frame]
        channels = [table[frame[..., index]] for index, table in enumerate(codes)]
        return np.stack(channels, axis=-1)

    def light(self, values: npt.ArrayLike) -> Floats64:
        """Linear light in [0, 1] of values in [0, 1]: of N values N×1 or N×3."""
        return np.stack([_looked_up(table, values) for table in self.tables], axis=-1) ** GAMMA


def _looked_up(table: Sequence[float], values: npt.ArrayLike) -> Floats64:
    return np.interp(np.asarray(values, np.float64), np.linspace(0, 1, len(table)), table)


@lru_cache(maxsize=4)
def _codes(curve: ResponseCurve) -> tuple[Frame, ...]:
    every = np.arange(65536) / 65535
    return tuple(
        np.rint(_looked_up(table, every) * 65535).astype(np.uint16) for table in curve.tables
    )


_LOW, _HIGH = 0.025, 0.985  # values that tell something of light
_BLOCK: Final = 4  # pixels a side of the places that are compared
_MOST_BLOCKS: Final = 40_000  # of a pair of frames
_BLEEDS: Final = 8  # pixels around what clips to which JPEG carries it
_BANDS: Final = 24  # of brightness
_EVENER: Final = 0.4  # the share of places of a brightness that is compared
_LEAST_IN_BAND: Final = 200
_TILE: Final = 8  # places a side; every second tile is kept from the fit
_BINS: Final = 48
_LEAST_IN_BIN: Final = 8
_KNOTS: Final = 40
_BEND: Final = 0.002  # stops that the fourth difference from knot to knot may have
_LAST: Final = 6  # knots before white, which little is seen of: there the curve goes on as it came
_LAST_BEND: Final = 0.03  # stops that it may bend by from knot to knot there
_BLACK: Final = 0.0005  # values that noise and rounding may lift black by
_FLOOR: Final = 0.01  # stops, of what cameras do not do by the formula


class PairSamples(NamedTuple):
    """Even places of two frames of one view: N×3 values in [0, 1] each, `stops` apart.

    `held_out` says which of the places the fit does not see.
    """

    darker: Floats64
    brighter: Floats64
    stops: float
    held_out: npt.NDArray[np.bool_]


def sample_pair(darker: Frame, brighter: Frame, *, stops: float) -> PairSamples:
    """Even places that neither frame clips, of two H×W×3 uint16 frames of one size."""
    height, width = darker.shape[:2]
    every = max(_BLOCK, math.ceil(math.sqrt(height * width / _MOST_BLOCKS)))
    means, ranges = [], []
    for frame in (darker, brighter):
        parts = np.stack([_every(frame, every, row, column) for row, column in _WITHIN])
        means.append(parts.mean(axis=0, dtype=np.float64) / 65535)
        ranges.append((parts.max(axis=0) - parts.min(axis=0)) / 65535)
    clipped = (brighter.max(axis=2) > round(_HIGH * 65535)).astype(np.uint8)
    near = cv2.dilate(clipped, np.ones((2 * _BLEEDS + 1,) * 2, np.uint8))
    free = _every(near, every, 0, 0) == 0
    spread = np.maximum(*ranges).max(axis=-1)
    even = free & _evenest(np.where(free, spread, 2.0), means[1].mean(axis=-1))
    rows, columns = np.indices(even.shape) // _TILE
    held_out = ((rows + columns) % 2 == 1)[even]
    return PairSamples(means[0][even], means[1][even], stops, held_out)


_WITHIN: Final = tuple((row, column) for row in range(_BLOCK) for column in range(_BLOCK))


def _every(picture: npt.NDArray[Any], every: int, row: int, column: int) -> npt.NDArray[Any]:
    """One pixel of each place of an H×W(×C) picture."""
    height, width = picture.shape[:2]
    last = height - _BLOCK + row + 1, width - _BLOCK + column + 1
    return picture[row : last[0] : every, column : last[1] : every]


def _evenest(spread: Floats64, brightness: Floats64) -> npt.NDArray[np.bool_]:
    """Of the places of each brightness the evener part, where a shift by a pixel hardly shows."""
    bands = (brightness * _BANDS).astype(int)
    order = np.lexsort((spread.ravel(), bands.ravel()))
    _, starts, counts = np.unique(bands.ravel()[order], return_index=True, return_counts=True)
    rank = np.arange(spread.size) - np.repeat(starts, counts)
    kept = rank < np.repeat(
        np.maximum(counts * _EVENER, np.minimum(counts, _LEAST_IN_BAND)), counts
    )
    even = np.zeros(spread.size, bool)
    even[order] = kept
    return even.reshape(spread.shape)


class _Bins(NamedTuple):
    """Of one channel of a pair: values that are medians over places alike in the brighter frame."""

    darker: Floats64
    brighter: Floats64
    stops: Floats64
    weights: Floats64


def _binned(samples: PairSamples, channel: int) -> _Bins:
    use = ~samples.held_out
    darker, brighter = samples.darker[use, channel], samples.brighter[use, channel]
    # By the brighter frame alone, which has less noise: to choose by both would bend the medians.
    edges = np.sin(np.linspace(0, np.pi / 2, _BINS + 1)) ** 2
    found = []
    which = np.digitize(brighter, edges)
    for number in range(1, _BINS + 1):
        inside = which == number
        count = int(np.count_nonzero(inside))
        if count < _LEAST_IN_BIN:
            continue
        low, high = float(np.median(darker[inside])), float(np.median(brighter[inside]))
        if low < _LOW or high > _HIGH or low >= high:
            continue
        off = 1.4826 * float(np.median(np.abs(darker[inside] - low)))
        stray = GAMMA * off / low / math.log(2) / math.sqrt(count)
        black = GAMMA * _BLACK / low / math.log(2)
        found.append((low, high, samples.stops, 1 / (stray**2 + _FLOOR**2 + black**2)))
    columns = np.array(found, np.float64).reshape(-1, 4).T
    return _Bins(*columns)


def _place(values: Floats64) -> Floats64:
    """Where values stand among the knots, which are denser towards black and white."""
    place: Floats64 = np.arcsin(np.sqrt(np.clip(values, 0, 1))) * (2 / np.pi) * (_KNOTS - 1)
    return place


def _hats(values: Floats64) -> Floats64:
    """N×knots weights of linear interpolation."""
    place = _place(values)
    hats: Floats64 = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(_KNOTS)))
    return hats


def _solved(bins: Sequence[_Bins]) -> Floats64:
    """How many stops log2 of the curve lies above gamma 2.2 at each knot, 0 at white.

    Frames that are all Δ apart tell the curve but for a wave that repeats every Δ of log light:
    it changes no difference of f(y) and f(z). Fourth differences forbid such waves and cost a
    camera's curve, which is smoother, next to nothing; second ones bent it by 2 % at Δ = 3. At
    white, where few values are well exposed in both frames, second ones bind it too.
    """
    low, high, stops, weights = (np.concatenate(part) for part in zip(*bins, strict=True))
    rows = _hats(high) - _hats(low)
    wanted = stops - GAMMA * np.log2(high / low)
    bends = np.vstack(
        [
            np.diff(np.eye(_KNOTS), n=4, axis=0) / _BEND,
            np.diff(np.eye(_KNOTS), n=2, axis=0)[-_LAST:] / _LAST_BEND,
        ]
    )
    white = np.eye(_KNOTS)[-1:] * 1e3
    trust = np.ones(len(low))
    found = np.zeros(_KNOTS)
    for _ in range(8):
        root = np.sqrt(weights * trust)
        matrix = np.vstack([rows * root[:, None], bends, white])
        target = np.concatenate([wanted * root, np.zeros(len(bends) + 1)])
        found = np.linalg.lstsq(matrix, target, rcond=None)[0]
        off = np.abs(rows @ found - wanted)
        scale = max(1.4826 * float(np.median(off)), _FLOOR)
        trust = 1 / (1 + (off / (2 * scale)) ** 2) ** 2
    return found


def _as_table(knots: Floats64) -> tuple[float, ...]:
    values = np.linspace(0, 1, _ENTRIES)
    stops = np.interp(_place(values), np.arange(_KNOTS), knots)
    return _whole(values * 2.0 ** (stops / GAMMA))


_LEAST_SAMPLES: Final = 300  # places kept from the fit that compare
_LEAST_BINS: Final = 12
_WORTH: Final = 0.03  # stops of disagreement under gamma 2.2, below which it is good enough
_CLEARLY: Final = 0.6  # of that disagreement may be left, or the curve is no better


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFit:
    """A measured curve, and how far exposures disagree under it and under gamma 2.2.

    Both are medians, in stops, over places that the fit has not seen: of log2 of the light of one
    frame by that of the other, against the stops between them. `pairs` of frames were compared.
    """

    curve: ResponseCurve
    measured: float
    gamma: float
    pairs: int

    @property
    def is_better(self) -> bool:
        """Whether the measured curve fits clearly better than gamma 2.2."""
        return self.gamma > _WORTH and self.measured < _CLEARLY * self.gamma

    @property
    def words(self) -> str:
        """Both disagreements, in a clause."""
        return (
            f"exposures disagree by {in_percent(self.measured)} under the measured curve and by "
            f"{in_percent(self.gamma)} under gamma 2.2"
        )


def in_percent(stops: float) -> str:
    """Stops as a share of light."""
    share = 100 * (2.0**stops - 1)
    return f"{share:.1f} %" if share < 9.95 else f"{share:.0f} %"


def fit_response(samples: Sequence[PairSamples]) -> ResponseFit | None:
    """The curve that these pairs of frames show, one for all channels; None where they tell little.

    One curve is more robust than three: measured on computed brackets, its light is off by about
    half as much, and a camera bends its channels alike.
    """
    bins = [_binned(pair, channel) for pair in samples for channel in range(3)]
    if sum(len(each.darker) for each in bins) < _LEAST_BINS:
        return None
    curve = ResponseCurve(tables=(_as_table(_solved(bins)),))
    measured, gamma = _disagreement(samples, curve), _disagreement(samples, GAMMA_2_2)
    if measured is None or gamma is None:
        return None
    return ResponseFit(curve=curve, measured=measured, gamma=gamma, pairs=len(samples))


GAMMA_2_2: Final = ResponseCurve(tables=((0.0, 1.0),))


def _disagreement(samples: Sequence[PairSamples], curve: ResponseCurve) -> float | None:
    """Median over pairs of the median over places that were kept from the fit, in stops."""
    medians = []
    for pair in samples:
        values = [part[pair.held_out] for part in (pair.darker, pair.brighter)]
        both = (values[0] > _TOLD[0]) & (values[1] < _TOLD[1])
        if np.count_nonzero(both) < _LEAST_SAMPLES:
            continue
        darker, brighter = (np.log2(np.maximum(curve.light(v[both])[:, 0], 1e-9)) for v in values)
        medians.append(float(np.median(np.abs(brighter - darker - pair.stops))))
    return float(np.median(medians)) if medians else None


_TOLD: Final = (0.08, 0.96)  # values at which exposures are compared


def read_response(path: AnyPath) -> ResponseCurve:
    """A curve from a text file: a line for each value, the value and its light, or three lights.

    Values rise evenly or not, from whatever black to whatever white; light is linear on any scale,
    the last line's is 1. # begins a comment. Raises BadDataset.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_TEXT:
            raise BadDataset(f"{path}: is no response curve; {_FORM}.")
        lines = [line.partition("#")[0].split() for line in read_text(path).splitlines()]
        numbers = np.array([[float(word) for word in line] for line in lines if line], np.float64)
    except OSError as error:
        raise BadDataset(f"{path}: cannot be opened ({error.strerror}); {_FORM}.") from error
    except ValueError as error:
        raise BadDataset(f"{path}: holds something that is no number; {_FORM}.") from error
    if numbers.ndim != 2 or len(numbers) < 2 or numbers.shape[1] not in (2, 4):
        raise BadDataset(f"{path}: has not two or four numbers on each of its lines; {_FORM}.")
    values, lights = numbers[:, 0], numbers[:, 1:]
    rising = (np.diff(values) > 0).all() and (np.diff(lights, axis=0) >= 0).all()
    if not (np.isfinite(numbers).all() and rising and (lights >= 0).all() and lights[-1].all()):
        raise BadDataset(f"{path}: holds values or light that do not rise; {_FORM}.")
    if len(numbers) < _LEAST_FROM_FILE or (lights[0] == lights[-1]).any():
        raise BadDataset(
            f"{path}: tells too little of a curve; give {_LEAST_FROM_FILE} values or more, each "
            "with its light, from black to white."
        )
    places = np.linspace(values[0], values[-1], min(_MOST_FROM_FILE, max(_ENTRIES, len(values))))
    tables = [np.interp(places, values, (each / each[-1]) ** (1 / GAMMA)) for each in lights.T]
    return ResponseCurve(tables=tuple(_whole(table) for table in tables))


_MOST_FROM_FILE: Final = 4096
_LEAST_FROM_FILE: Final = 16  # what lies between them is read as a gamma of 2.2
_FORM: Final = "give a text with a value and its light on each line, both rising"


def _whole(table: Floats64) -> tuple[float, ...]:
    table = np.minimum(np.maximum.accumulate(table), 1.0)
    table[-1] = 1.0
    return tuple(float(round(value, 6)) for value in table)


def write_response(path: AnyPath, curve: ResponseCurve) -> None:
    """The curve as `read_response` reads it. Raises OSError."""
    entries = len(curve.tables[0])
    lights = curve.light(np.linspace(0, 1, entries))
    lines = ["# value and linear light of a camera, both in [0, 1]"]
    for index, light in enumerate(lights):
        lines.append(
            " ".join([f"{index / (entries - 1):.17g}", *(f"{each:.17g}" for each in light)])
        )
    with replacing(Path(path)) as draft:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
