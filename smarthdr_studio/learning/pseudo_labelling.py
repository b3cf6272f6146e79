"""A round: the teacher predicts every unlabelled scene, thresholds are drawn, labels are written.

METHOD §4: thresholds are the project's, or drawn anew from labels or from scores of rounds before.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from smarthdr_studio.core.errors import (
    BadScene,
    CheckpointError,
    LabelError,
    UnreadableImage,
)
from smarthdr_studio.core.files import AnyPath, place_in
from smarthdr_studio.core.imaging.bracket import FrameStore, Half, Scene
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    SceneRetention,
    as_json,
    event_of,
)
from smarthdr_studio.core.training.plan_sections import MaskPlan
from smarthdr_studio.core.training.round_files import (
    SceneLabel,
    open_round_file,
    round_path,
    write_previews,
    write_round,
)
from smarthdr_studio.core.training.rounds import (
    RECORDED_BINS,
    RoundRecord,
    history_path,
    write_record,
)
from smarthdr_studio.core.training.run_folder import RunFolder
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
from smarthdr_studio.core.trust.masking import MaskSettings, Trust, patch_means, pool_ranges, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label
from smarthdr_studio.learning.distributed import Ranks
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.label_set import LabelSet
from smarthdr_studio.learning.networks import Uncertainty

_WRITERS: Final = min(4, os.cpu_count() or 1)  # files are packed without Python's lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who labels: goes into the provenance of every file and the events of the round."""

    run: str
    round: int
    step: int
    epoch: int
    checkpoint: str  # SHA-256 of the teacher's weights
    network: str
    uncertainty: Uncertainty = "judge"
    sigma_scale: float = 1.0


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
class LabelledPool:
    """The labels of a round as the loss will use them, and what the round says of itself."""

    labels: Mapping[str, SceneLabel]
    finished: RoundFinished
    record: RoundRecord
    running: RunningScores | None = None  # for the next round, where thresholds follow from them


def label_pool(  # noqa: PLR0913 - what a round is made of
    predictor: Predictor,
    scenes: Sequence[Scene],
    *,
    pseudo: AnyPath,
    masks: MaskSettings,
    origin: Origin,
    manual_masks: Mapping[str, Brush] = MappingProxyType({}),
    thresholds: RoundThresholds | None = None,
    unreadable: dict[str, str] | None = None,
    left_alone: Callable[[str], bool] = lambda _: False,
) -> Generator[PhaseChanged, None, LabelledPool | None]:
    """Labels the scenes, writes pseudo/<id>.exr and .npz, and returns what it wrote.

    The scenes are the pool: scores are normalised over all of them (METHOD §4). `manual_masks`
    is what a person painted on some of them, H×W: 1 forces trust, −1 distrust. Nothing is written
    before the last scene is predicted. Several processes share the scenes out; only the first
    masks and writes them, the others get None. `thresholds` says what is drawn anew in place of
    those of `masks`, and is asked for the labelled scenes it takes. The files of a scene that is
    `left_alone`, asked just before they would be written, stay as they are: the round has it all
    the same.

    A scene for which the teacher answers something that is no number is left out, and that is told:
    one such pixel would be the range of every score of the pool. Raises LabelError where none is
    left. So is one whose frames cannot be read, where one process alone gives `unreadable`, which
    is told why; else BadScene or UnreadableImage is raised.
    """
    pseudo = Path(pseudo)
    drafts, left_out = yield from _predicted_pool(
        predictor,
        scenes,
        masks=masks,
        origin=origin,
        manual_masks=manual_masks,
        unreadable=unreadable,
    )
    labelled = yield from ask_labels(predictor, thresholds, step=origin.step)
    if not predictor.ranks.is_first:
        return None
    if scenes and not drafts:
        raise _nothing_labelled(pseudo, origin, unreadable or {})
    drawn = draw_thresholds(drafts, labelled, thresholds, masks=masks, step=origin.step)
    drafts, masks = drawn.drafts, drawn.masks
    scale, calibration = drawn.sigma_scale, drawn.calibration
    origin = replace(origin, sigma_scale=1.0 if scale is None else scale)
    ranges = ranges_of(drafts, masks)
    shares = _RoundCounts()
    labels = yield from _write_labels(
        drafts,
        pseudo,
        masks=masks,
        ranges=ranges,
        origin=origin,
        shares=shares,
        left_alone=left_alone,
    )
    told, finished = (*drawn.told, *left_out), shares.as_event(masks=masks, origin=origin)
    record = shares.as_record(masks=masks, ranges=ranges, origin=origin)
    return LabelledPool(
        labels=labels,
        finished=replace(finished, changes=told, sigma_scale=scale, calibration=calibration),
        record=replace(record, sigma_scale=scale, calibration=calibration),
        running=drawn.running,
    )


def _nothing_labelled(pseudo: Path, origin: Origin, unreadable: Mapping[str, str]) -> LabelError:
    why = (
        f"{pseudo}: the teacher of step {origin.step} answers no numbers for any scene; go on "
        "from an earlier checkpoint, with a lower schedule.learning_rate"
    )
    return LabelError(next(iter(unreadable.values()), why))


def _predicted_pool(
    predictor: Predictor,
    scenes: Sequence[Scene],
    *,
    masks: MaskSettings,
    origin: Origin,
    manual_masks: Mapping[str, Brush],
    unreadable: dict[str, str] | None,
) -> Generator[PhaseChanged, None, tuple[list[Draft], list[str]]]:
    """What the teacher answers for every scene, and of which it answers no numbers, in words."""
    drafts: list[Draft] = []
    left_out: dict[str, str] = {}
    for done, group in predictor.ranks.groups(scenes):
        yield _phase("labelling", done, len(scenes), origin=origin)
        asked = group if unreadable is None else _readable(predictor, group, unreadable)
        predicted = predictor.predict_group(asked)
        for scene, (hdr, sigma) in zip(asked, predicted, strict=False):
            if wrong := no_numbers(hdr, sigma):
                left_out[scene.id] = wrong
                continue
            means = patch_means(sigma, size=masks.patch_size)
            person = manual_masks.get(scene.id)
            frames = predictor.frames
            drafts.append(
                Draft(scene=scene, hdr=hdr, sigma=sigma, means=means, person=person, frames=frames)
            )
    return drafts, [f"{name}: {why}" for name, why in sorted(left_out.items())]


def _readable(
    predictor: Predictor, scenes: Sequence[Scene], unreadable: dict[str, str]
) -> list[Scene]:
    """The scenes whose frames can be decoded, which are then at hand; the others are told why."""
    found = []
    for scene in scenes:
        try:
            predictor.frames.bracket(scene)
        except (BadScene, UnreadableImage) as error:
            unreadable[scene.id] = str(error)
        else:
            found.append(scene)
    return found


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


def no_numbers(hdr: Half, sigma: Floats) -> str:
    """Why H×W×3 radiance and H×W σ cannot be a label; "" where they can."""
    wrong = int(np.count_nonzero(~(np.isfinite(sigma) & np.isfinite(hdr).all(axis=2))))
    if not wrong:
        return ""
    where = "1 pixel" if wrong == 1 else f"{wrong} pixels"
    return f"is left out of this round, because the teacher's answer is no number at {where}"


def ranges_of(drafts: Sequence[Draft], masks: MaskSettings) -> Ends:
    """The ranges of patch means and of pixels that span the pool (METHOD §4)."""
    return pool_ranges(
        [draft.sigma for draft in drafts], masks, means=[draft.means for draft in drafts]
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnRound:
    """A pool with the masks of a round, what to tell of them, and how σ was scaled, if it was."""

    drafts: list[Draft]
    masks: MaskSettings
    told: tuple[str, ...] = ()
    sigma_scale: float | None = None
    calibration: float | None = None
    running: RunningScores | None = None


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
    now, before = score_moments(_judged(drafts, masks), masks, step=step), thresholds.running
    running = now if before is None else before.after(now, ema=plan.score_memory)
    drawn = running.masks(masks, plan.threshold)
    return replace(
        begun,
        drafts=drafts,
        masks=drawn,
        told=(*begun.told, threshold_words(drawn)),
        running=running,
    )


def _judged(
    drafts: Sequence[Draft], masks: MaskSettings
) -> Iterator[tuple[Floats, Trust, Exposure | None]]:
    """H×W σ, what masks it, and the exposure of each scene."""
    ranges = ranges_of(drafts, masks)
    for draft in drafts:
        yield draft.sigma, draft.trust(masks, ranges=ranges), draft.exposure


class _RoundCounts:
    """Counts over the scenes of a round, for what it reports."""

    def __init__(self) -> None:
        self._scenes: list[SceneRetention] = []
        self._pixels = self._patches_kept = self._patches = 0
        self._trusted = self._by_gates = self._sigma = 0.0
        self._is_painted = False
        self._statistics: dict[str, SceneStatistics] = {}
        self._columns: dict[str, int] = {}

    def add(self, draft: Draft, *, found: Trust, gates: Trust, statistics: SceneStatistics) -> None:
        """`found` is what a scene trusts, `gates` the same without what a person painted."""
        name, sigma = draft.scene.id, draft.sigma
        trusted, patches = found.trusted, found.patch_mask
        self._statistics[name] = statistics.coarser(RECORDED_BINS)
        self._columns[name] = patches.shape[1]
        self._trusted += found.counted
        self._by_gates += gates.counted
        self._is_painted |= draft.person is not None
        self._pixels += trusted.size
        self._patches_kept += int(patches.sum())
        self._patches += patches.size
        self._sigma += float(sigma.sum(dtype=np.float64))
        self._scenes.append(
            SceneRetention(
                id=name,
                retained=found.retained,
                patches_retained=float(patches.mean()),
                sigma_mean=float(sigma.mean(dtype=np.float64)),
            )
        )

    def as_event(self, *, masks: MaskSettings, origin: Origin) -> RoundFinished:
        return RoundFinished(
            round=origin.round,
            step=origin.step,
            epoch=origin.epoch,
            masks=masks,
            retained=self._trusted / max(self._pixels, 1),
            patches_retained=self._patches_kept / max(self._patches, 1),
            sigma_mean=self._sigma / max(self._pixels, 1),
            scenes=tuple(self._scenes),
            gates_retained=self._by_gates / max(self._pixels, 1) if self._is_painted else None,
        )

    def as_record(self, *, masks: MaskSettings, ranges: Ends, origin: Origin) -> RoundRecord:
        return RoundRecord(
            round=origin.round,
            step=origin.step,
            epoch=origin.epoch,
            masks=masks,
            patch_range=ranges[0],
            pixel_range=ranges[1],
            statistics=self._statistics,
            retained={scene.id: scene.retained for scene in self._scenes},
            columns=self._columns,
        )


def _write_labels(  # noqa: PLR0913 - what a round is made of
    drafts: Sequence[Draft],
    pseudo: Path,
    *,
    masks: MaskSettings,
    ranges: Ends,
    origin: Origin,
    shares: _RoundCounts,
    left_alone: Callable[[str], bool],
) -> Generator[PhaseChanged, None, dict[str, SceneLabel]]:
    """Masks and counts scene after scene, while the files of those before it are written.

    However it ends, no file is half written then, and none is written afterwards.
    """
    labels: dict[str, SceneLabel] = {}
    writing: deque[Future[None]] = deque()
    with ThreadPoolExecutor(max_workers=_WRITERS) as writers:
        for draft in drafts:
            yield _phase("writing", len(labels), len(drafts), origin=origin)
            path = place_in(pseudo, f"{draft.scene.id}.exr")
            label, gates, found = _masked(draft, masks=masks, ranges=ranges, origin=origin)
            statistics = SceneStatistics.of(draft.sigma, size=masks.patch_size, means=draft.means)
            shares.add(draft, found=found, gates=gates, statistics=statistics)
            labels[draft.scene.id] = SceneLabel(
                hdr=draft.hdr,
                sigma=draft.sigma.astype(np.float16),
                trusted=found.trusted,
                weight=None if found.weight is None else found.weight.astype(np.float16),
            )
            if left_alone(draft.scene.id):
                continue
            judged = found, draft.means
            writing.append(writers.submit(_write_files, path, label, judged, statistics))
            if len(writing) > _WRITERS:
                writing.popleft().result()
        while writing:
            writing.popleft().result()
    return labels


def _write_files(
    path: Path, label: PseudoLabel, judged: tuple[Trust, Floats], statistics: SceneStatistics
) -> None:
    write_pseudo_label(path, label, judged=judged)
    statistics.save(path.with_suffix(".npz"))


def _masked(
    draft: Draft, *, masks: MaskSettings, ranges: Ends, origin: Origin
) -> tuple[PseudoLabel, Trust, Trust]:
    """A scene's label, what its gates alone trust, and what is trusted with what is painted."""
    gates = replace(draft, person=None).trust(masks, ranges=ranges)
    found = gates.painted(draft.person)
    provenance = Provenance(
        run=origin.run,
        round=origin.round,
        epoch=origin.epoch,
        checkpoint=origin.checkpoint,
        network=origin.network,
        uncertainty=origin.uncertainty,
        sigma_scale=origin.sigma_scale,
        curve=draft.scene.reading.curve,
        three=draft.scene.chosen,
        masks=masks,
        patch_range=found.patch_range,
        pixel_range=found.pixel_range,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    label = PseudoLabel(
        scene=draft.scene.id,
        hdr=draft.hdr,
        sigma=draft.sigma,
        person=draft.person,
        provenance=provenance,
        exposure=draft.exposure,
    )
    return label, gates, found


def publish_round(
    pool: LabelledPool | None, *, folder: RunFolder, number: int, ranks: Ranks
) -> RoundFinished:
    """Writes what a round has made into the run's folder; what the round says of itself.

    Where it returns, the file of the round can be opened by every process.
    """
    path = round_path(folder.path, number=number)
    if pool is None:
        finished = event_of(ranks.told({}))
        assert isinstance(finished, RoundFinished)
        ranks.wait_for(path)
        return finished
    write_round(path, pool.labels)
    write_record(history_path(folder.path, number), pool.record)
    write_previews(folder.path, pool.labels, number=number)
    ranks.told(as_json(pool.finished))
    return pool.finished


def agree_on_label_set(
    found: LabelSet, scenes: Mapping[str, Scene], *, ranks: Ranks, project: AnyPath
) -> tuple[LabelSet, Mapping[str, Scene]]:
    """The label_set the first process has read, whatever was decided while the others read theirs.

    `scenes` are those this process has read; they come back with its ground truths.
    """
    project = Path(project)
    if ranks.size == 1:
        return found, scenes
    agreed = LabelSet.from_state(ranks.told(found.state(project=project)), project=project)
    return agreed, agreed.held_against(scenes)


def open_round(path: AnyPath) -> Mapping[str, SceneLabel]:
    """The labels of a round, mapped from the file: only what crops touch is read.

    Raises CheckpointError where the file is missing or damaged.
    """
    path = Path(path)
    try:
        return open_round_file(path)
    except LabelError as error:
        raise CheckpointError(
            f"{path}: the pseudo-labels of this round cannot be read ({error.__cause__}); "
            "start a new run from the checkpoint with network.start_from"
        ) from error


def _phase(text: str, done: int, total: int, *, origin: Origin) -> PhaseChanged:
    return PhaseChanged(
        phase="labelling",
        text=f"{text} scene {done + 1} of {total}",
        step=origin.step,
        done=done,
        total=total,
    )
