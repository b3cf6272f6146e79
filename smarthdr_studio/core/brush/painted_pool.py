"""What every brush of a pool changes in its trusted pixels, in milliseconds for any thresholds.

A brush replaces what the gates say: of its pixels just those count that it forces to be trusted.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.brush.painted import PaintedStatistics
from smarthdr_studio.core.statistics import Counts, SceneStatistics, counted_below

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class PaintedPool:
    """The painted scenes of a pool, each laid out like the pool itself but for its patches.

    Only painted patches are held: sorted by their mean, with the running histogram of every
    prefix. `painted` says by the scene's place in the pool; `bins` are the pool's. Raises
    ValueError: the patches of a brush are not those of its scene.
    """

    def __init__(
        self,
        scenes: Sequence[SceneStatistics],
        painted: Mapping[int, PaintedStatistics],
        *,
        bins: int,
    ) -> None:
        self._places = np.array(list(painted), dtype=np.int64)
        chosen = [scenes[place] for place in painted]
        self._low = np.array([scene.low for scene in chosen], dtype=np.float64)
        self._high = np.array([scene.high for scene in chosen], dtype=np.float64)
        self._forced = np.array([each.trusted_pixels for each in painted.values()], dtype=float)
        self._count = np.array([len(each.patches) for each in painted.values()], dtype=np.int64)
        shape = len(chosen), int(self._count.max(initial=0))
        self._means = np.full(shape, np.inf, dtype=np.float32)
        tables = []
        for index, (scene, brush) in enumerate(zip(chosen, painted.values(), strict=True)):
            if brush.patch_size != scene.patch_size or (brush.patches >= scene.patches).any():
                raise ValueError("a brush was counted in other patches than its scene")
            means = scene.means[brush.patches]
            order = np.argsort(means, kind="stable")
            self._means[index, : len(order)] = means[order]
            tables.append(_running(brush.coarser(bins).painted[order]))
        self._starts = np.append(0, np.cumsum(self._count + 1))[:-1]
        self._table = np.concatenate(tables or [np.zeros((0, bins + 1), np.uint32)])

    def __len__(self) -> int:
        return len(self._places)

    def over(self, machine: Doubles, *, patch_tops: Doubles, pixel_tops: Doubles) -> Doubles:
        """Trusted pixels of each scene of the pool with the brush, from those without it.

        Both gates keep what is at most `patch_tops` and `pixel_tops`, in σ, one per scene.
        """
        own = self._places
        kept = np.minimum((self._means <= patch_tops[own, None]).sum(1), self._count)
        below = counted_below(
            self._table[self._starts + kept],
            pixel_tops[own],
            least=self._low,
            greatest=self._high,
        )
        trusted = machine.copy()
        trusted[own] = np.maximum(machine[own] - below, 0) + self._forced
        return trusted


def with_brush(
    lows: Sequence[npt.NDArray[np.float32]], painted: Mapping[int, PaintedStatistics]
) -> tuple[list[npt.NDArray[np.float32]], list[Flags]]:
    """The least σ of every patch that its gates still decide on, and whether trust is forced in it.

    `lows` are the scenes' own, one array per scene; `painted` says by the scene's place.
    """
    least, forced = list(lows), [np.zeros(len(each), dtype=bool) for each in lows]
    for place, brush in painted.items():
        least[place] = lows[place].copy()
        least[place][brush.patches] = brush.lows
        forced[place][brush.patches] = brush.trust.any(1)
    return least, forced


def trusted_of(
    scene: SceneStatistics,
    brush: PaintedStatistics,
    machine: float,
    *,
    patch_top: float,
    pixel_top: float,
) -> float:
    """Trusted pixels of one scene with its brush, from those without it; limits in σ."""
    one = PaintedPool([scene], {0: brush}, bins=scene.bins)
    tops = np.array([patch_top]), np.array([pixel_top])
    return float(one.over(np.array([machine]), patch_tops=tops[0], pixel_tops=tops[1])[0])


def _running(counts: Counts) -> Counts:
    """(K + 1)×(bins + 1): how many pixels the first k patches have in the first b bins."""
    table = np.zeros((len(counts) + 1, counts.shape[1] + 1), dtype=np.uint32)
    table[1:, 1:] = counts.cumsum(0).cumsum(1)
    return table
