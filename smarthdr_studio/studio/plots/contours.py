"""Where a map of shares over both thresholds meets a level: reading, contours, nearest points."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Pair = tuple[float, float]

_FINER: Final = 6  # chords of a finer grid follow the curved lines of a bilinear map


def share_at(shares: npt.NDArray[Any], patch: float, pixel: float) -> float:
    """The share of one pair of thresholds, bilinear between the values of the grid.

    Row k of `shares` is the k-th τ_pi and column k the k-th τ_pa, both evenly over [0, 1].
    """
    rows, columns = shares.shape
    y, x = pixel * (rows - 1), patch * (columns - 1)
    top, left = min(int(y), max(rows - 2, 0)), min(int(x), max(columns - 2, 0))
    cell = np.asarray(shares[top : top + 2, left : left + 2], np.float64)
    up, across = np.clip(y - top, 0, 1), np.clip(x - left, 0, 1)
    lines = cell[0] + up * (cell[-1] - cell[0])
    return float(lines[0] + across * (lines[-1] - lines[0]))


def contour(shares: npt.NDArray[Any], level: float) -> list[Doubles]:
    """Every line along which a bilinear map has a level, as K×2 of (τ_pa, τ_pi).

    Marching squares over a finer grid of the same map: its vertices lie exactly on the level.
    A line that closes ends where it began. Shares need not rise with either threshold.
    """
    finer = _refined(np.asarray(shares, np.float64))
    links = _links(finer, level)
    points = _crossings(finer, level)
    return [np.array([points[edge] for edge in line]) for line in _joined(links)]


def nearest_on_iso(shares: npt.NDArray[Any], level: float, taus: Pair) -> Pair | None:
    """The pair (τ_pa, τ_pi) with this share that lies nearest to `taus`; None where none has it."""
    found = [_nearest(line, np.array(taus)) for line in contour(shares, level)]
    if not found:
        return None
    _, patch, pixel = min(found)
    return patch, pixel


def _nearest(line: Doubles, to: Doubles) -> tuple[float, float, float]:
    """The squared distance to a line and where it is met."""
    starts, ways = line[:-1], np.diff(line, axis=0)
    lengths = np.maximum((ways**2).sum(1), 1e-300)
    along = np.clip(((to - starts) * ways).sum(1) / lengths, 0, 1)
    feet = starts + along[:, None] * ways
    distances = ((feet - to) ** 2).sum(1)
    best = int(distances.argmin())
    return float(distances[best]), float(feet[best, 0]), float(feet[best, 1])


def _refined(shares: Doubles) -> Doubles:
    """The bilinear map at every `_FINER`-th of a cell."""
    for axis in (0, 1):
        n = shares.shape[axis]
        where = np.arange((n - 1) * _FINER + 1) / _FINER
        left = np.minimum(where.astype(np.int64), max(n - 2, 0))
        part = (where - left).reshape((-1, 1) if axis == 0 else (1, -1))
        before = shares.take(left, axis)
        shares = before + part * (shares.take(np.minimum(left + 1, n - 1), axis) - before)
    return shares


def _crossings(values: Doubles, level: float) -> dict[int, Pair]:
    """Where each edge of the grid that changes sides meets the level, by the edge's number.

    Edges along rows are even: 2·(row·columns + column); those along columns odd.
    """
    rows, columns = values.shape
    number = np.arange(rows * columns).reshape(rows, columns)
    inside = values >= level
    points: dict[int, Pair] = {}
    for axis, odd in ((1, 0), (0, 1)):
        head = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
        tail = (slice(None), slice(1, None)) if axis == 1 else (slice(1, None), slice(None))
        y, x = np.nonzero(inside[head] != inside[tail])
        before, after = values[head][y, x], values[tail][y, x]
        part = (level - before) / (after - before)
        patch = (x + (part if axis == 1 else 0)) / (columns - 1)
        pixel = (y + (part if axis == 0 else 0)) / (rows - 1)
        edges = 2 * number[head][y, x] + odd
        points.update(
            zip(edges.tolist(), zip(patch.tolist(), pixel.tolist(), strict=True), strict=True)
        )
    return points


def _links(values: Doubles, level: float) -> list[tuple[int, int]]:
    """Which crossings of a cell belong together."""
    columns = values.shape[1]
    inside = values >= level
    corners = (inside[:-1, :-1], inside[:-1, 1:], inside[1:, 1:], inside[1:, :-1])
    # below, right, above, left: between one corner and the next, around the cell
    changed = np.stack([a != b for a, b in zip(corners, (*corners[1:], corners[0]), strict=True)])
    links: list[tuple[int, int]] = []
    for y, x in zip(*np.nonzero(changed.any(0)), strict=True):
        at = int(y) * columns + int(x)
        edges = (2 * at, 2 * (at + 1) + 1, 2 * (at + columns), 2 * at + 1)
        met = [edge for edge, here in zip(edges, changed[:, y, x].tolist(), strict=True) if here]
        if len(met) == 4 and not _saddle_joins_first(values[y : y + 2, x : x + 2], level):
            met = [met[3], *met[:3]]
        links += [(met[k], met[k + 1]) for k in range(0, len(met), 2)]
    return links


def _saddle_joins_first(cell: Doubles, level: float) -> bool:
    """Whether the first corner and the one across are on one side, through the saddle point."""
    first, second, third, fourth = cell[0, 0], cell[0, 1], cell[1, 1], cell[1, 0]
    middle = (first * third - second * fourth) / (first + third - second - fourth)
    return bool((middle >= level) == (first >= level))


def _joined(links: list[tuple[int, int]]) -> list[list[int]]:
    """Lines of crossings, each as long as it can be; one that closes ends where it began."""
    beside: dict[int, list[int]] = {}
    for a, b in links:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    # Open lines first, from their ends; what is left are rings.
    starts = [edge for edge, ends in beside.items() if len(ends) == 1] + list(beside)
    return [_walk(start, beside) for start in starts if beside[start]]


def _walk(start: int, beside: dict[int, list[int]]) -> list[int]:
    line = [start]
    while beside[line[-1]]:
        here = line[-1]
        ahead = beside[here].pop()
        beside[ahead].remove(here)
        line.append(ahead)
    return line
