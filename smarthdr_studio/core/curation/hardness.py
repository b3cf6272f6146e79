"""How much of what is trusted, and of what is not, moves or is saturated, scene by scene."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.curation.clue_records import ClueRecord, pixels_per_patch
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings, limit, span
from smarthdr_studio.core.statistics import Floats

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """What is known of the scenes that are to be ranked; each part may lack any of them.

    `patch_means` holds the mean σ of every patch (`SceneStatistics.means`), `records` what the
    frames say, `masks` the thresholds in force.
    """

    facts: Sequence[SceneFacts]
    masks: MaskSettings
    patch_means: Mapping[str, Floats] = field(default_factory=dict)
    records: Mapping[str, ClueRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hardness:
    """Shares in [0, 1] of one part of every scene, in the order asked; NaN where not known."""

    saturated: Doubles
    moving: Doubles

    @property
    def hard(self) -> Doubles:
        """The share that is saturated or moves; what clips cannot be seen to move."""
        return np.minimum(self.saturated + self.moving, 1.0)


def hardness(material: Material, scenes: Sequence[SceneFacts], *, trusted: bool) -> Hardness:
    """Of the patches that the patch gate keeps (`trusted`), or else of those it drops.

    Where that part of a scene is empty, or its patches are not known, the whole scene stands for
    it; where the frames were never looked at, the shares that its facts give.
    """
    records = [material.records.get(each.id) for each in scenes]
    pairs = list(zip(scenes, records, strict=True))
    saturated = [facts.saturation if r is None else r.saturation for facts, r in pairs]
    motion = [facts.motion if r is None else r.motion for facts, r in pairs]
    whole = Hardness(
        saturated=np.array(saturated, dtype=np.float64), moving=np.array(motion, dtype=np.float64)
    )
    known = {
        index: record
        for index, (facts, record) in enumerate(pairs)
        if record is not None and len(material.patch_means.get(facts.id, ())) == record.patches
    }
    if known:
        _refine(whole, known, _gated(material, [scenes[i].id for i in known], trusted=trusted))
    return whole


def _refine(whole: Hardness, known: Mapping[int, ClueRecord], part: Flags) -> None:
    """Put the shares of the part, all patches one after another, where those of the whole stand."""
    records = list(known.values())
    starts = np.cumsum([0, *(record.patches for record in records[:-1])])
    sizes = [pixels_per_patch(record.height, record.width) for record in records]
    weights = np.concatenate(sizes) * part
    totals = np.add.reduceat(weights, starts)
    there = totals > 0
    places = np.array(list(known))[there]
    for shares, patches in (
        (whole.saturated, [record.saturated for record in records]),
        (whole.moving, [record.moving for record in records]),
    ):
        sums = np.add.reduceat(np.concatenate(patches) * weights, starts)
        shares[places] = sums[there] / (255 * totals[there])


def _gated(material: Material, names: Sequence[str], *, trusted: bool) -> Flags:
    """Which patches of these scenes the patch gate keeps, or else drops, one after another."""
    masks = material.masks
    means = [material.patch_means[name] for name in names]
    if masks.patches.scope == "pool":
        pool = [
            material.patch_means[each.id]
            for each in material.facts
            if each.status is Status.UNLABELLED and each.id in material.patch_means
        ]
        top = limit(span(np.concatenate(pool or means), masks.patches), masks.tau_patch)
        limits = np.full(len(names), top)
    else:
        limits = np.array([limit(span(each, masks.patches), masks.tau_patch) for each in means])
    tops = np.repeat(limits, [len(each) for each in means])
    kept: Flags = np.concatenate(means) <= tops
    return kept if trusted else ~kept
