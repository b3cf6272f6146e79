"""Which σ the screen judges: the pseudo-label's, a past round's, or that of a guess asked for."""

from dataclasses import dataclass

import numpy as np

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.history import RoundRecord
from smarthdr_studio.core.masking import (
    Level,
    MaskSettings,
    Range,
    Trust,
    expand,
    limit,
    patch_means,
    span,
    trust,
)
from smarthdr_studio.core.pseudo_label import PseudoLabel
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.retention import Retention
from smarthdr_studio.studio.threads.history import Replay
from smarthdr_studio.studio.threads.opinions import Opinion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Belief:
    """What is judged; a range is the pool's, or None where the scene has its own."""

    hdr: Half
    sigma: Floats
    origin: str
    patch_range: Range | None = None
    pixel_range: Range | None = None

    def means(self, size: int) -> Floats:
        """Mean σ of each patch."""
        found: Floats = patch_means(self.sigma, size=size)
        return found

    def judged(self, masks: MaskSettings, *, pool: Retention | None, means: Floats) -> Trust:
        """Both gates, with the pool's ranges where they are known; the brush comes on top."""
        return trust(
            self.sigma,
            masks,
            patch_range=pool.patch_range if pool else _if_pooled(self.patch_range, masks.patches),
            pixel_range=pool.pixel_range if pool else _if_pooled(self.pixel_range, masks.pixels),
            means=means,
        )


def from_label(label: PseudoLabel) -> Belief:
    """The scene's pseudo-label; the ranges it was made with serve once the pool is empty."""
    return Belief(
        hdr=label.hdr,
        sigma=label.sigma,
        origin=f"round {label.provenance.round}",
        patch_range=label.provenance.patch_range,
        pixel_range=label.provenance.pixel_range,
    )


def from_opinion(opinion: Opinion) -> Belief:
    """What the teacher answers for a scene that has no pseudo-label."""
    return Belief(
        hdr=opinion.hdr,
        sigma=opinion.sigma,
        origin=f"{opinion.through or opinion.who}'s guess, no label",
    )


def from_replay(replay: Replay, record: RoundRecord) -> Belief:
    """The pseudo-label of a past round, judged with the ranges of that round."""
    return Belief(
        hdr=replay.hdr,
        sigma=replay.sigma,
        origin=f"round {record.round}, replayed",
        patch_range=record.patch_range,
        pixel_range=record.pixel_range,
    )


def patches_of_round(
    record: RoundRecord, scene: str, masks: MaskSettings, *, size: tuple[int, int]
) -> Trust | None:
    """The patch gate of a round whose maps are gone, over a scene of this width and height.

    Its pixel gate is not known any more, so it lets everything pass.
    """
    held = record.statistics.get(scene)
    width, height = size
    columns = -(-width // masks.patch_size)
    if held is None or held.patch_size != masks.patch_size or held.patches % columns:
        return None
    ends = record.patch_range or span(held.means, masks.patches)
    open_patches = held.means.reshape(-1, columns) <= limit(ends, masks.tau_patch)
    kept = expand(open_patches, size=masks.patch_size, height=height, width=width)
    every = np.ones((height, width), bool)
    return Trust(open_patches, every, np.ascontiguousarray(kept), ends, Range(0.0, 0.0))


def _if_pooled(known: Range | None, level: Level) -> Range | None:
    return known if level.scope == "pool" else None
