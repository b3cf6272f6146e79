"""The patches of every scene of a pool sorted by mean, with what each prefix of them holds."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.statistics import BINS, SceneStatistics

_TABLE_BYTES = 128 * 2**20


class PrefixTables:
    """The patch gate keeps a prefix of a scene's patches; here are its least, greatest, histogram.

    With n scenes of at most p patches: `means` is n×p float32, ascending and filled up with
    infinity; `least` and `greatest` are n×(p + 1) float64; `counted` is n×(p + 1)×(bins + 1) uint32
    and cumulative. The coarsest histogram says how many `bins` are used. Scenes that `before` had
    laid out just so are taken over, so that a scene more or less costs little.
    """

    def __init__(
        self, scenes: Sequence[SceneStatistics], before: "PrefixTables | None" = None
    ) -> None:
        self._scenes = tuple(scenes)
        n, most = len(scenes), max((scene.patches for scene in scenes), default=0)
        self.bins = _bins(scenes, most)
        self.means = np.full((n, most), np.inf, dtype=np.float32)
        self.least = np.zeros((n, most + 1))
        self.greatest = np.zeros((n, most + 1))
        self.counted = np.zeros((n, most + 1, self.bins + 1), dtype=np.uint32)
        known = self._take_over(before) if before is not None else frozenset[int]()
        for index, scene in enumerate(scenes):
            if index not in known:
                self._lay_out(index, scene)

    def _take_over(self, before: "PrefixTables") -> frozenset[int]:
        """Copy what was laid out; the places of these scenes."""
        if (before.bins, before.means.shape[1]) != (self.bins, self.means.shape[1]):
            return frozenset()
        places = {id(scene): place for place, scene in enumerate(before._scenes)}
        found = {
            index: places[id(scene)]
            for index, scene in enumerate(self._scenes)
            if id(scene) in places
        }
        now, then = (np.array(list(part), dtype=np.int64) for part in (found, found.values()))
        for mine, theirs in (
            (self.means, before.means),
            (self.least, before.least),
            (self.greatest, before.greatest),
            (self.counted, before.counted),
        ):
            _copy_rows(mine, now, theirs, then)
        return frozenset(found)

    def _lay_out(self, index: int, scene: SceneStatistics) -> None:
        order, p = np.argsort(scene.means, kind="stable"), scene.patches
        self.means[index, :p] = scene.means[order]
        self.least[index, 1 : p + 1] = np.minimum.accumulate(scene.lows[order])
        self.greatest[index, 1 : p + 1] = np.maximum.accumulate(scene.highs[order])
        counts = scene.coarser(self.bins).counts[order]
        self.counted[index, 1 : p + 1, 1:] = counts.cumsum(0).cumsum(1)


def _bins(scenes: Sequence[SceneStatistics], most: int) -> int:
    """As many as every scene has and memory allows."""
    bins = min((scene.bins for scene in scenes), default=BINS)
    while len(scenes) * (most + 1) * (bins + 1) * 4 > _TABLE_BYTES and bins > 16:
        bins //= 2
    return bins


def _copy_rows(
    mine: npt.NDArray[np.generic],
    now: npt.NDArray[np.int64],
    theirs: npt.NDArray[np.generic],
    then: npt.NDArray[np.int64],
) -> None:
    """Rows `then` of one array into rows `now` of another, neighbours in one go."""
    ends = np.flatnonzero((np.diff(now) != 1) | (np.diff(then) != 1)) + 1
    for run_now, run_then in zip(np.split(now, ends), np.split(then, ends), strict=True):
        if len(run_now):
            mine[run_now[0] : run_now[-1] + 1] = theirs[run_then[0] : run_then[-1] + 1]
