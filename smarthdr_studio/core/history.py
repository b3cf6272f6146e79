"""What every round of a run trusted, kept small so that it can be looked at ever after."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.statistics import SceneStatistics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundRecord:
    """One round: the masks and ranges in use, each scene's statistics and share in [0, 1].

    A range is None where every scene had its own.
    """

    round: int
    step: int
    epoch: int
    masks: MaskSettings
    patch_range: Range | None
    pixel_range: Range | None
    statistics: Mapping[str, SceneStatistics]
    retained: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunHistory:
    """A run, round by round, oldest first.

    `shares` is scenes×rounds in [0, 1] as they were used, NaN where a scene took no part;
    `replayable` are the rounds whose maps are still on disk; `psnr_mu` is (step, dB) on held-out
    labels; `alarm` is a sentence, or "" while there is no reason for one.
    """

    run: str
    records: tuple[RoundRecord, ...]
    scenes: tuple[str, ...]
    shares: npt.NDArray[np.float64]
    replayable: frozenset[int]
    psnr_mu: tuple[tuple[int, float], ...]
    alarm: str = ""
