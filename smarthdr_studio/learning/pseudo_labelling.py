"""The teacher's predictions of every unlabelled scene, masked and written as pseudo-labels.

rounds/00012.safetensors   the labels of a round, from which a run can be resumed
previews/00012/<scene>.jpg  small pictures, to see how a scene came out from round to round
"""

import os
import shutil
import uuid
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from safetensors.numpy import save_file

from smarthdr_studio.core.display import Rgb8, ToneMap, to_rgb8, tone_table
from smarthdr_studio.core.errors import CheckpointError, LabelError
from smarthdr_studio.core.files import AnyPath, place_in, replacing
from smarthdr_studio.core.imaging.bracket import Half, Scene
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    SceneRetention,
    as_json,
    event_of,
)
from smarthdr_studio.core.training.rounds import (
    RECORDED_BINS,
    RoundRecord,
    history_path,
    kept_rounds,
    open_round_file,
    recorded_rounds,
    round_path,
    write_record,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.adaptive_thresholds import Ends, RunningScores
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import MaskSettings, Trust, patch_means
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label
from smarthdr_studio.learning.crops import SceneLabel
from smarthdr_studio.learning.distributed import Ranks
from smarthdr_studio.learning.failures import is_disk_full
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.label_set import LabelSet
from smarthdr_studio.learning.networks import Uncertainty
from smarthdr_studio.learning.round_thresholds import (
    Draft,
    RoundThresholds,
    ask_labels,
    draw_thresholds,
    no_numbers,
    ranges_of,
)

_LONG_SIDE: Final = 192
_QUALITY: Final = 80
_MOST_SCENES: Final = 500  # about 4 MB a round, whatever the pool
_FOLDER: Final = "previews"
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
) -> Generator[PhaseChanged, None, LabelledPool | None]:
    """Labels the scenes, writes pseudo/<id>.exr and .npz, and returns what it wrote.

    The scenes are the pool: scores are normalised over all of them (METHOD §4). `manual_masks`
    is what a person painted on some of them, H×W: 1 forces trust, −1 distrust. Nothing is written
    before the last scene is predicted. Several processes share the scenes out; only the first
    masks and writes them, the others get None. `thresholds` says what is drawn anew in place of
    those of `masks`, and is asked for the labelled scenes it takes.

    A scene for which the teacher answers something that is no number is left out, and that is told:
    one such pixel would be the range of every score of the pool. Raises LabelError where none is
    left.
    """
    pseudo = Path(pseudo)
    drafts, left_out = yield from _predicted_pool(
        predictor, scenes, masks=masks, origin=origin, manual_masks=manual_masks
    )
    labelled = yield from ask_labels(predictor, thresholds, step=origin.step)
    if not predictor.ranks.is_first:
        return None
    if scenes and not drafts:
        raise LabelError(
            f"{pseudo}: the teacher of step {origin.step} answers no numbers for any scene; go on "
            "from an earlier checkpoint, with a lower schedule.learning_rate"
        )
    drawn = draw_thresholds(drafts, labelled, thresholds, masks=masks, step=origin.step)
    drafts, masks = drawn.drafts, drawn.masks
    scale, calibration = drawn.sigma_scale, drawn.calibration
    origin = replace(origin, sigma_scale=1.0 if scale is None else scale)
    ranges = ranges_of(drafts, masks)
    shares = _RoundCounts()
    labels = yield from _write_labels(
        drafts, pseudo, masks=masks, ranges=ranges, origin=origin, shares=shares
    )
    finished = shares.as_event(masks=masks, origin=origin)
    return LabelledPool(
        labels=labels,
        finished=replace(
            finished, changes=(*drawn.told, *left_out), sigma_scale=scale, calibration=calibration
        ),
        record=replace(
            shares.as_record(masks=masks, ranges=ranges, origin=origin),
            sigma_scale=scale,
            calibration=calibration,
        ),
        running=drawn.running,
    )


def _predicted_pool(
    predictor: Predictor,
    scenes: Sequence[Scene],
    *,
    masks: MaskSettings,
    origin: Origin,
    manual_masks: Mapping[str, Brush],
) -> Generator[PhaseChanged, None, tuple[list[Draft], list[str]]]:
    """What the teacher answers for every scene, and of which it answers no numbers, in words."""
    drafts: list[Draft] = []
    left_out: dict[str, str] = {}
    for done, group in predictor.ranks.groups(scenes):
        yield _phase("labelling", done, len(scenes), origin=origin)
        predicted = predictor.predict_group(group)
        for scene, (hdr, sigma) in zip(group, predicted, strict=False):
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


def write_previews(run: AnyPath, labels: Mapping[str, SceneLabel], *, number: int) -> None:
    """One JPEG for each scene of a round, long side 192 pixels, each whole or not at all.

    Of more than 500 scenes it is 500 spread evenly over their names, in every round the same as
    long as the scenes are. A round is as good without them. Raises OSError where the disk is full.
    """
    run = Path(run)
    folder = preview_folder(run, number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for scene in _evenly_chosen(sorted(labels)):
            _write_file(place_in(folder, f"{scene}.jpg"), _as_jpeg(preview(labels[scene].hdr)))
    except OSError as error:
        if is_disk_full(error):
            raise


def preview(hdr: Half) -> Rgb8:
    """H×W×3 linear radiance as a small picture on the μ-law."""
    height, width = hdr.shape[:2]
    scale = _LONG_SIDE / max(height, width)
    picture = to_rgb8(hdr, tone_table(ToneMap.MU_LAW))
    if scale >= 1:
        return picture
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small: Rgb8 = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype("uint8")
    return small


def preview_folder(run: AnyPath, number: int) -> Path:
    """Where the small pictures of a round lie."""
    return Path(run) / _FOLDER / f"{number:05d}"


def drop_later_previews(run: AnyPath, *, than: int) -> None:
    """Removes those of rounds of a past that a resumed run does not share."""
    run = Path(run)
    for folder in (run / _FOLDER).glob("*"):
        if folder.name.isdecimal() and int(folder.name) > than:
            shutil.rmtree(folder, ignore_errors=True)


def _evenly_chosen(scenes: Sequence[str]) -> Sequence[str]:
    """As many of the scenes as are shown, evenly chosen; all where they are few."""
    count = min(len(scenes), _MOST_SCENES)
    return [scenes[at * len(scenes) // count] for at in range(count)]


def _write_file(path: Path, content: bytes) -> None:
    """Whole or not at all, but not made durable: after a power cut one may be missing."""
    draft = path.with_name(f".{uuid.uuid4().hex}.jpg")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _as_jpeg(picture: Rgb8) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"OpenCV cannot write a picture of {picture.shape} as JPEG")
    return encoded.tobytes()


def write_round(path: AnyPath, labels: Mapping[str, SceneLabel]) -> None:
    """All labels of a round in one safetensors file, whole or not at all."""
    path = Path(path)
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for scene, label in labels.items():
        tensors[f"{scene}/hdr"] = label.hdr
        if label.weight is not None:
            tensors[f"{scene}/weight"] = label.weight
        if label.sigma is not None:
            tensors[f"{scene}/sigma"] = label.sigma
        if label.trusted is not None:
            tensors[f"{scene}/trusted"] = label.trusted
        if label.frames is not None:
            tensors[f"{scene}/frames"] = label.frames
    with replacing(path) as draft:
        draft.touch()
        rights = draft.stat().st_mode
        save_file(tensors, draft)  # whose files nobody else may read
        draft.chmod(rights)


def open_round(path: AnyPath) -> dict[str, SceneLabel]:
    """The labels of a round, mapped from the file: only what crops touch is read.

    Raises CheckpointError where the file is missing or damaged.
    """
    path = Path(path)
    try:
        found = open_round_file(path)
    except LabelError as error:
        raise CheckpointError(
            f"{path}: the pseudo-labels of this round cannot be read ({error.__cause__}); "
            "start a new run from the checkpoint with network.start_from"
        ) from error
    return {
        scene: SceneLabel(
            hdr=maps.hdr,
            sigma=maps.sigma,
            trusted=maps.trusted,
            weight=maps.weight,
            frames=maps.frames,
        )
        for scene, maps in found.items()
    }


def drop_rounds(run: AnyPath, *, needed_from: int, keep_bytes: int) -> None:
    """Removes the oldest rounds, as many as it takes for the newer ones to fit in `keep_bytes`.

    From `needed_from` on a checkpoint may go on with them, so they stay whatever they take.
    """
    run = Path(run)
    left = keep_bytes
    for number in sorted(kept_rounds(run), reverse=True):
        path = round_path(run, number=number)
        left -= path.stat().st_size
        if left < 0 and number < needed_from:
            _remove(path)


def drop_later_rounds(run: AnyPath, *, than: int) -> None:
    """Removes rounds, records and previews of a past that a resumed run does not share."""
    run = Path(run)
    for number in kept_rounds(run):
        if number > than:
            _remove(round_path(run, number=number))
    for number in recorded_rounds(run):
        if number > than:
            _remove(history_path(run, number))
    drop_later_previews(run, than=than)


def _remove(path: Path) -> None:
    # Windows refuses while somebody looks at the file: it is removed another time.
    with suppress(PermissionError):
        path.unlink(missing_ok=True)


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


def _write_labels(
    drafts: Sequence[Draft],
    pseudo: Path,
    *,
    masks: MaskSettings,
    ranges: Ends,
    origin: Origin,
    shares: _RoundCounts,
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


def _phase(text: str, done: int, total: int, *, origin: Origin) -> PhaseChanged:
    return PhaseChanged(
        phase="labelling",
        text=f"{text} scene {done + 1} of {total}",
        step=origin.step,
        done=done,
        total=total,
    )
