"""What a round makes of its thresholds: σ calibrated, τ drawn anew, scores kept for the next."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from smarthdr_studio.core.imaging.bracket import FrameStore, Half, Scene
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.plan_sections import MaskPlan
from smarthdr_studio.core.training.rounds import pool_ranges
from smarthdr_studio.core.trust.adaptive_thresholds import (
    FROM_LABELS,
    Ends,
    Exposure,
    LabelledMaps,
    RunningScores,
    calibration_scale,
    calibration_words,
    drawn_from_labels,
    exposure_bins,
    score_moments,
    threshold_words,
)
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import MaskSettings, Trust, patch_means, trust
from smarthdr_studio.learning.inference import Predictor


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundThresholds:
    """What a plan makes of the thresholds at each round, and what it knows for that.

    `labelled` are the scenes with a ground truth that they are drawn from, `held_out` those of
    them that the teacher has not learned from, `running` the scores of rounds before.
    """

    plan: MaskPlan
    labelled: Sequence[Scene] = ()
    held_out: frozenset[str] = frozenset()
    running: RunningScores | None = None

    @property
    def asked(self) -> Sequence[Scene]:
        """The scenes the teacher is asked for beside the pool."""
        if self.plan.threshold in FROM_LABELS:
            return self.labelled
        held_out = [scene for scene in self.labelled if scene.id in self.held_out]
        return held_out if self.plan.calibrate else ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """A scene as the teacher answers it, before it is masked; maps are H×W, radiance H×W×3.

    `means` are the mean σ of its patches, rows×columns, `person` is what was painted on it,
    `exposure` how its reference exposes each pixel, where that is asked for.
    """

    scene: Scene
    hdr: Half
    sigma: Floats
    means: Floats
    person: Brush | None
    frames: FrameStore
    exposure: Exposure | None = None

    def trust(self, masks: MaskSettings, *, ranges: Ends) -> Trust:
        """What the loss counts of it, with the ranges of the pool and the brush over it."""
        patch_range, pixel_range = ranges
        return trust(
            self.sigma,
            masks,
            patch_range=patch_range,
            pixel_range=pixel_range,
            person=self.person,
            means=self.means,
            exposure=self.exposure,
        )

    def with_exposure(self) -> "Draft":
        """The same with how its reference exposes each pixel."""
        return replace(self, exposure=exposure_bins(self.frames.bracket(self.scene).reference))

    def scaled(self, by: float, *, masks: MaskSettings) -> "Draft":
        """The same with σ multiplied by a number above 0."""
        if by == 1:
            return self
        sigma = self.sigma * np.float32(by)
        return replace(self, sigma=sigma, means=patch_means(sigma, size=masks.patch_size))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnRound:
    """A pool with the masks of a round, what to tell of them, and how σ was scaled, if it was."""

    drafts: list[Draft]
    masks: MaskSettings
    told: tuple[str, ...] = ()
    sigma_scale: float | None = None
    calibration: float | None = None
    running: RunningScores | None = None


def ask_labels(
    predictor: Predictor, thresholds: RoundThresholds | None, *, step: int
) -> Generator[PhaseChanged, None, list[LabelledMaps]]:
    """What the teacher says of the labelled scenes that thresholds are drawn from."""
    asked = () if thresholds is None else thresholds.asked
    found: list[LabelledMaps] = []
    for done, group in predictor.ranks.groups(asked):
        yield PhaseChanged(
            phase="labelling",
            text=f"asking for labelled scene {done + 1} of {len(asked)}",
            step=step,
            done=done,
            total=len(asked),
        )
        for scene, (hdr, sigma) in zip(group, predictor.predict_group(group), strict=False):
            if no_numbers(hdr, sigma) or thresholds is None:
                continue
            truth = predictor.frames.ground_truth(scene)
            found.append(
                LabelledMaps.of(hdr, sigma, truth, learned=scene.id not in thresholds.held_out)
            )
    return found


def ranges_of(drafts: Sequence[Draft], masks: MaskSettings) -> Ends:
    """The ranges of patch means and of pixels that span the pool (METHOD §4)."""
    return pool_ranges(
        [draft.sigma for draft in drafts], masks, means=[draft.means for draft in drafts]
    )


def draw_thresholds(
    drafts: list[Draft],
    labelled: Sequence[LabelledMaps],
    thresholds: RoundThresholds | None,
    *,
    masks: MaskSettings,
    step: int,
) -> DrawnRound:
    """The pool with σ calibrated and thresholds drawn, as far as the plan wants it."""
    if thresholds is None:
        return DrawnRound(drafts=drafts, masks=masks)
    plan, begun = thresholds.plan, DrawnRound(drafts=drafts, masks=masks)
    if plan.calibrate:
        by, before = calibration_scale(each.calibration for each in labelled if not each.learned)
        labelled = [each.scaled(by) for each in labelled]
        begun = replace(
            begun,
            drafts=[draft.scaled(by, masks=masks) for draft in drafts],
            told=(calibration_words(by, before),),
            sigma_scale=by,
            calibration=None if math.isnan(before) else before,
        )
    if plan.threshold in FROM_LABELS:
        found = drawn_from_labels(
            plan.threshold,
            labelled,
            masks,
            ranges=partial(ranges_of, begun.drafts),
            share=plan.quantile,
            target=plan.risk,
        )
        return replace(begun, masks=found.masks, told=(*begun.told, found.words))
    return begun if plan.threshold == "fixed" else _weighed_up(begun, thresholds, step=step)


def _weighed_up(begun: DrawnRound, thresholds: RoundThresholds, *, step: int) -> DrawnRound:
    """The pool with what a method makes of its running scores, brought up to date by it."""
    plan, drafts, masks = thresholds.plan, begun.drafts, begun.masks
    if plan.threshold == "freematch":
        drafts = [draft.with_exposure() for draft in drafts]
    now, before = score_moments(_masked(drafts, masks), masks, step=step), thresholds.running
    running = now if before is None else before.after(now, ema=plan.score_memory)
    drawn = running.masks(masks, plan.threshold)
    return replace(
        begun,
        drafts=drafts,
        masks=drawn,
        told=(*begun.told, threshold_words(drawn)),
        running=running,
    )


def _masked(
    drafts: Sequence[Draft], masks: MaskSettings
) -> Iterator[tuple[Floats, Trust, Exposure | None]]:
    """H×W σ, what masks it, and the exposure of each scene."""
    ranges = ranges_of(drafts, masks)
    for draft in drafts:
        yield draft.sigma, draft.trust(masks, ranges=ranges), draft.exposure


def no_numbers(hdr: Half, sigma: Floats) -> str:
    """Why H×W×3 radiance and H×W σ cannot be a label; "" where they can."""
    wrong = int(np.count_nonzero(~(np.isfinite(sigma) & np.isfinite(hdr).all(axis=2))))
    if not wrong:
        return ""
    where = "1 pixel" if wrong == 1 else f"{wrong} pixels"
    return f"is left out of this round, because the teacher's answer is no number at {where}"
