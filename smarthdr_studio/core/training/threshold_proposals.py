"""Thresholds proposed for a project from its labels and pseudo-labels, and what they would mean."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.imaging.bracket import FrameStore, Half, Scene
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.project.findings import refuse_shut
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import refuse_without_dataset
from smarthdr_studio.core.remedies import FIRST_LABEL, FIRST_ROUND
from smarthdr_studio.core.training.run_folder import run_of
from smarthdr_studio.core.training.run_start import read_start_state
from smarthdr_studio.core.trust.adaptive_thresholds import (
    Ends,
    Exposure,
    KeptError,
    LabelledMaps,
    Ranges,
    chosen_labels,
    drawn_from_labels,
    exposure_bins,
    kept_error,
    score_moments,
    threshold_words,
)
from smarthdr_studio.core.trust.masking import EXPOSURES, MaskSettings, Trust, trust
from smarthdr_studio.core.trust.patch_statistics import PaintedStatistics, SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.words import percent

ProposalMethod = Literal["quantile", "exposure", "risk"]

Predict = Callable[[Scene], tuple[Half, Floats]]
"""H×W×3 linear radiance and H×W σ of a scene, as the teacher answers."""
Said = Callable[[str, int, int], None]
"""Hears what is done, and how many of how many; it may raise to give up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdProposal:
    """Thresholds to take or leave: the share of the pool they keep, and the error they would.

    `patches` is of patches, `retained` of pixels, both in [0, 1]; `error` is of labelled scenes,
    None where there is none with a ground truth. `how` says where the thresholds are from.
    """

    method: ProposalMethod
    masks: MaskSettings
    retained: float
    patches: float
    error: KeptError | None
    how: str

    @property
    def words(self) -> tuple[str, ...]:
        """Everything a person decides by, a sentence each."""
        share = f"{percent(self.retained)} of the pixels and {percent(self.patches)}"
        return (
            f"{self.how}.",
            f"They retain {share} of the patches of the pool.",
            _error_words(self.error),
        )


def _error_words(error: KeptError | None) -> str:
    if error is None:
        return "No labelled scene tells what error that means."
    kept, dropped = (
        "no pixel" if math.isnan(each) else f"pixels that err by {each:.2g} on the μ-law"
        for each in (error.kept, error.dropped)
    )
    return f"Of labelled scenes they keep {kept}, and drop {dropped} (means)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked: by which method, from which settings, with which share and target error."""

    method: ProposalMethod
    masks: MaskSettings
    share: float = 0.85
    target: float = 0.01


def propose_thresholds(
    project: Project, wish: Wish, *, predict: Predict, frames: FrameStore, run: str, said: Said
) -> ThresholdProposal:
    """Both thresholds by a method, from what lies on the disk and what the teacher says of labels.

    `predict` answers H×W×3 radiance and H×W σ as the teacher does, before any calibration; `run` is
    the one whose teacher it asks, and whose held-out labels are preferred. Raises LabelError where
    there is no pseudo-label or one is damaged, ProjectError where a method needs a labelled scene
    and there is none.
    """
    refuse_without_dataset(project)
    scenes = {scene.id: scene for scene in project.scenes}
    pool, masks, sigma_scale = _read_pool(project, wish.masks, said=said)

    def ranges(settings: MaskSettings) -> Ends:
        kept = pool.retention(settings)
        return kept.patch_range, kept.pixel_range

    asked = _asked(project, scenes.values(), predict=predict, frames=frames, run=run, said=said)
    labels = [each.scaled(sigma_scale) for each in asked]
    if wish.method == "exposure":
        masks, how = _by_exposure(project, masks, ranges=ranges, frames=frames, said=said)
    elif not labels:
        raise ProjectError(
            f"{project.folder}: no labelled scene has a ground truth to draw thresholds from; "
            f"{FIRST_LABEL}"
        )
    else:
        drawn = drawn_from_labels(
            wish.method, labels, masks, ranges=ranges, share=wish.share, target=wish.target
        )
        masks, how = drawn.masks, drawn.words
    kept = pool.retention(masks)
    return ThresholdProposal(
        method=wish.method,
        masks=replace(masks, patch_size=wish.masks.patch_size),
        retained=kept.retained,
        patches=kept.patches_retained,
        error=kept_error(labels, masks, ranges=ranges) if labels else None,
        how=how,
    )


class _Pool(NamedTuple):
    """The statistics of a pool, the settings in its patches, and what σ was multiplied by in it."""

    statistics: PoolStatistics
    masks: MaskSettings
    sigma_scale: float


def _read_pool(project: Project, masks: MaskSettings, *, said: Said) -> _Pool:
    """What the pseudo-labels of unlabelled scenes say, and how most of them were made."""
    refuse_shut(project.folder, "pseudo")
    names = _pool_names(project)
    if not names:
        raise LabelError(
            f"{project.folder}: has no pseudo-labels yet; {FIRST_ROUND.of(PROJECT=project.folder)}"
        )
    statistics, painted, scales = {}, {}, list[float]()
    for done, name in enumerate(names):
        said("reading pseudo-labels", done, len(names))
        label = read_pseudo_label(project.pseudo_path(name))
        size = label.provenance.masks.patch_size
        statistics[name] = SceneStatistics.of(label.sigma, size=size)
        scales.append(label.provenance.sigma_scale)
        person = project.person(name)
        if person is not None and person.shape == label.sigma.shape:
            painted[name] = PaintedStatistics.of(label.sigma, person, size=size)
    pool = PoolStatistics(statistics, painted)
    return _Pool(pool, pool.fitted(masks), max(scales, key=scales.count))


def _pool_names(project: Project) -> list[str]:
    return [
        name
        for name, status in sorted(project.statuses().items())
        if status is Status.UNLABELLED and project.pseudo_path(name).is_file()
    ]


def _asked(
    project: Project,
    scenes: Iterable[Scene],
    *,
    predict: Predict,
    frames: FrameStore,
    run: str,
    said: Said,
) -> list[LabelledMaps]:
    """What the teacher says of labelled scenes with a ground truth, held-out ones if there are."""
    statuses = project.statuses()
    known = {
        scene.id: scene
        for scene in scenes
        if scene.ground_truth is not None and statuses[scene.id] is Status.GROUND_TRUTH
    }
    held_out = set(read_start_state(run_of(project.folder, run)).held_out) & set(known)
    names, found = chosen_labels(sorted(held_out), sorted(known)), []
    for done, name in enumerate(names):
        said(f"asking the teacher for labelled scene {done + 1} of {len(names)}", done, len(names))
        hdr, sigma = predict(known[name])
        truth = frames.ground_truth(known[name])
        found.append(LabelledMaps.of(hdr, sigma, truth, learned=name not in held_out))
    return found


def _by_exposure(
    project: Project,
    masks: MaskSettings,
    *,
    ranges: Ranges,
    frames: FrameStore,
    said: Said,
) -> tuple[MaskSettings, str]:
    """The mean S_pi of the pool as τ_pi, and what it is by exposure of the reference."""
    maps = _exposed(project, masks, ranges=ranges, frames=frames, said=said)
    found = score_moments(maps, masks, step=0)
    drawn = replace(masks, tau_pixel=found.mean)
    by = ", ".join(f"{getattr(found, name):.3f} {name}" for name in EXPOSURES)
    return drawn, (
        f"{threshold_words(drawn)}: the mean S_pi of the pool, by exposure {by}; one τ_pi serves "
        "all here, a run with masks.threshold freematch has one for each"
    )


def _exposed(
    project: Project, masks: MaskSettings, *, ranges: Ranges, frames: FrameStore, said: Said
) -> Iterator[tuple[Floats, Trust, Exposure]]:
    """σ, what masks it and the exposure of every scene of the pool, one in memory at a time."""
    patch_range, pixel_range = ranges(masks)
    names = _pool_names(project)
    for done, name in enumerate(names):
        said("looking at exposures", done, len(names))
        label = read_pseudo_label(project.pseudo_path(name))
        found = trust(label.sigma, masks, patch_range=patch_range, pixel_range=pixel_range)
        yield label.sigma, found, exposure_bins(frames.bracket(project.scene(name)).reference)
