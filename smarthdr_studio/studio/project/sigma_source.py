"""Where the σ on the screen is from, and the ranges it is masked with."""

from dataclasses import dataclass, replace

from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.training.rounds import RoundRecord
from smarthdr_studio.core.trust.adaptive_thresholds import Exposure
from smarthdr_studio.core.trust.masking import (
    Level,
    MaskSettings,
    Range,
    Trust,
    patch_means,
    trust,
)
from smarthdr_studio.core.trust.pool import Retention
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel
from smarthdr_studio.studio.project.predictions import Replay, ScenePrediction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SigmaSource:
    """The σ that is masked; a range is the pool's, or None where the scene has its own.

    `patch_size` is the side of the patches it was made for, None where it is for nothing yet.
    Where it is `frozen` the ranges are those of the promotion, whatever the pool has become.
    `run` is what made it, "" where no run did, and `added` stands behind whose round it is.
    """

    hdr: Half
    sigma: Floats
    origin: str
    run: str = ""
    added: str = ""
    patch_range: Range | None = None
    pixel_range: Range | None = None
    patch_size: int | None = None
    frozen: bool = False

    def origin_beside(self, run: str) -> str:
        """Where it is from; a round of another run than the one that is told of says so."""
        other = " of another run" if run and self.run not in ("", run) else ""
        return self.origin + other + self.added

    @property
    def pictures(self) -> tuple[Half, Floats]:
        """The arrays it is known by."""
        return self.hdr, self.sigma

    @property
    def ranges(self) -> tuple[Range | None, Range | None, bool]:
        """What it adds to σ, thresholds and the pool where pixels are judged."""
        return self.patch_range, self.pixel_range, self.frozen

    def means(self, size: int) -> Floats:
        """Mean σ of each patch."""
        found: Floats = patch_means(self.sigma, size=size)
        return found

    def trust(
        self,
        masks: MaskSettings,
        *,
        pool: Retention | None,
        means: Floats,
        exposure: Exposure | None = None,
    ) -> Trust:
        """Both gates, with the pool's ranges where they are known; the brush comes on top.

        Thresholds by exposure, of the reference, H×W, are one where it cannot be read.
        """
        if exposure is None:
            masks = replace(masks, tau_exposure=None)
        pool = None if self.frozen else pool
        return trust(
            self.sigma,
            masks,
            patch_range=pool.patch_range if pool else _if_pooled(self.patch_range, masks.patches),
            pixel_range=pool.pixel_range if pool else _if_pooled(self.pixel_range, masks.pixels),
            means=means,
            exposure=exposure,
        )


def from_label(label: PseudoLabel, *, promoted: PseudoLabel | None = None) -> SigmaSource:
    """The scene's pseudo-label; the ranges it was made with serve once the pool is empty.

    What was promoted is no more in the pool, whose ranges are another's then: it keeps the ranges
    it was frozen with, which are those the loss goes by. A newer pseudo-label has nothing frozen.
    """
    made = label.provenance
    frozen = promoted is not None and _same_answer(made, promoted.provenance)
    ranges = promoted.provenance if promoted is not None and frozen else made
    return SigmaSource(
        hdr=label.hdr,
        sigma=label.sigma,
        origin=made.words,
        run=made.run if made.round else "",
        added=", σ by views" if made.uncertainty == "views" else "",
        patch_range=ranges.patch_range,
        pixel_range=ranges.pixel_range,
        patch_size=made.masks.patch_size,
        frozen=frozen,
    )


def _same_answer(one: Provenance, other: Provenance) -> bool:
    """Whether both are what one checkpoint said once, however it was masked."""
    return (one.run, one.round, one.checkpoint, one.made) == (
        other.run,
        other.round,
        other.checkpoint,
        other.made,
    )


def from_prediction(prediction: ScenePrediction) -> SigmaSource:
    """What the teacher answers for a scene that has no pseudo-label."""
    return SigmaSource(
        hdr=prediction.hdr,
        sigma=prediction.sigma,
        origin=f"{prediction.through or prediction.who}'s prediction, no label",
    )


def from_replay(replay: Replay, record: RoundRecord, *, run: str) -> SigmaSource:
    """The pseudo-label of a past round of a run, masked with the ranges of that round."""
    return SigmaSource(
        hdr=replay.hdr,
        sigma=replay.sigma,
        origin=f"round {record.round}",
        run=run,
        added=", replayed",
        patch_range=record.patch_range,
        pixel_range=record.pixel_range,
        patch_size=record.masks.patch_size,
    )


def _if_pooled(known: Range | None, level: Level) -> Range | None:
    return known if level.scope == "pool" else None
