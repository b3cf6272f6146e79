"""The teacher's opinion of every unlabelled scene, written as pseudo-labels."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.events import PhaseChanged, RoundFinished, SceneRetention
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings, Range, Trust, trust
from smarthdr_studio.core.pool import pool_ranges
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import Provenance, PseudoLabel, write_pseudo_label
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.round_records import RECORDED_BINS, RoundRecord
from smarthdr_studio.core.statistics import SceneStatistics
from smarthdr_studio.learning.crops import SceneLabel
from smarthdr_studio.learning.model_files import read_card
from smarthdr_studio.learning.opinion import load_predictor
from smarthdr_studio.learning.predictor import Predictor

_Ranges = tuple[Range | None, Range | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who labels: goes into the provenance of every file and the events of the round."""

    run: str
    round: int
    step: int
    epoch: int
    checkpoint: str  # SHA-256 of the teacher's weights
    network: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPool:
    """The labels of a round as the loss will use them, and what the round says of itself."""

    labels: Mapping[str, SceneLabel]
    finished: RoundFinished
    record: RoundRecord


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Draft:
    scene: Scene
    hdr: Half
    sigma: Floats
    person: Brush | None


def label_pool(
    predictor: Predictor,
    scenes: Sequence[Scene],
    *,
    pseudo: AnyPath,
    masks: MaskSettings,
    origin: Origin,
    persons: Mapping[str, Brush] = MappingProxyType({}),
) -> Generator[PhaseChanged, None, LabelledPool | None]:
    """Labels the scenes, writes pseudo/<id>.exr and .npz, and returns what it wrote.

    The scenes are the pool: scores are normalised over all of them (METHOD §4). `persons` is what
    a person painted on some of them, H×W: 1 forces trust, −1 distrust. Nothing is written before
    the last scene is predicted. Several processes share the scenes out; only the first masks and
    writes them, the others get None.
    """
    pseudo = Path(pseudo)
    drafts: list[_Draft] = []
    for done, group in predictor.ranks.groups(scenes):
        yield _phase("labelling", done, len(scenes), origin=origin)
        predicted = predictor.predict_group(group)
        for scene, (hdr, sigma) in zip(group, predicted, strict=False):
            person = persons.get(scene.id)
            drafts.append(_Draft(scene=scene, hdr=hdr, sigma=sigma, person=person))
    if not predictor.ranks.is_first:
        return None
    ranges = pool_ranges([draft.sigma for draft in drafts], masks)
    shares = _Shares()
    labels: dict[str, SceneLabel] = {}
    for draft in drafts:
        yield _phase("writing", len(labels), len(scenes), origin=origin)
        path = pseudo / f"{draft.scene.id}.exr"
        labels[draft.scene.id] = _finish(
            draft, path, masks=masks, ranges=ranges, origin=origin, shares=shares
        )
    return LabelledPool(
        labels=labels,
        finished=shares.as_event(masks=masks, origin=origin),
        record=shares.as_record(masks=masks, ranges=ranges, origin=origin),
    )


def label_scenes(
    folder: AnyPath, *, checkpoint: AnyPath, ids: Sequence[str] | None = None, device: str = "auto"
) -> Generator[PhaseChanged | RoundFinished, None, None]:
    """Labels scenes of a project with a checkpoint's teacher or a bundle; None is every unlabelled.

    Raises ProjectError where a scene is unknown, none is left or what was painted on one is lost,
    CheckpointError, DeviceError.
    """
    folder = Path(folder)
    checkpoint = Path(checkpoint)
    yield PhaseChanged(phase="preparing", text="loading the teacher", step=0)
    scenes, masks, persons = _asked_for(folder, ids)
    card = read_card(checkpoint)
    predictor = load_predictor(checkpoint, device=device, frames=FrameStore())
    origin = Origin(
        run=card.run,
        round=0,
        step=card.step,
        epoch=card.epoch,
        checkpoint=card.weights,
        network=card.network,
    )
    pool = yield from label_pool(
        predictor,
        scenes,
        pseudo=folder / "pseudo",
        masks=masks,
        origin=origin,
        persons=persons,
    )
    assert pool is not None
    yield pool.finished


def _asked_for(
    folder: Path, ids: Sequence[str] | None
) -> tuple[list[Scene], MaskSettings, dict[str, Brush]]:
    """The scenes to label, the thresholds of now, and what a person painted on those scenes."""
    with Project.open(folder) as project:
        statuses, masks = project.statuses(), project.ledger().masks
        if unknown := sorted(set(ids or ()) - set(statuses)):
            raise ProjectError(f"{folder}: has no scene {unknown[0]}; see the names with: masks")
        if ids is None:
            ids = [name for name, status in statuses.items() if status is Status.UNLABELLED]
        if not ids:
            raise ProjectError(f"{folder}: no scene is unlabelled; demote or restore one first")
        scenes = [project.scene(name) for name in sorted(set(ids))]
        painted = {scene.id: project.person(scene.id) for scene in scenes}
    return scenes, masks, {name: mask for name, mask in painted.items() if mask is not None}


class _Shares:
    """Counts over the scenes of a round, for what it reports."""

    def __init__(self) -> None:
        self._scenes: list[SceneRetention] = []
        self._trusted = self._pixels = self._patches_kept = self._patches = 0
        self._sigma = 0.0
        self._statistics: dict[str, SceneStatistics] = {}
        self._columns: dict[str, int] = {}

    def add(self, name: str, sigma: Floats, *, found: Trust, statistics: SceneStatistics) -> None:
        trusted, patches = found.trusted, found.patch_mask
        self._statistics[name] = statistics.coarser(RECORDED_BINS)
        self._columns[name] = patches.shape[1]
        self._trusted += int(trusted.sum())
        self._pixels += trusted.size
        self._patches_kept += int(patches.sum())
        self._patches += patches.size
        self._sigma += float(sigma.sum(dtype=np.float64))
        self._scenes.append(
            SceneRetention(
                id=name,
                retained=float(trusted.mean()),
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
        )

    def as_record(self, *, masks: MaskSettings, ranges: _Ranges, origin: Origin) -> RoundRecord:
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


def _finish(
    draft: _Draft,
    path: Path,
    *,
    masks: MaskSettings,
    ranges: _Ranges,
    origin: Origin,
    shares: _Shares,
) -> SceneLabel:
    """Masks one scene, writes its files and counts it."""
    patch_range, pixel_range = ranges
    found = trust(
        draft.sigma, masks, patch_range=patch_range, pixel_range=pixel_range, person=draft.person
    )
    provenance = Provenance(
        run=origin.run,
        round=origin.round,
        epoch=origin.epoch,
        checkpoint=origin.checkpoint,
        network=origin.network,
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
    )
    write_pseudo_label(path, label)
    statistics = SceneStatistics.of(draft.sigma, size=masks.patch_size)
    statistics.save(path.with_suffix(".npz"))
    shares.add(draft.scene.id, draft.sigma, found=found, statistics=statistics)
    return SceneLabel(hdr=draft.hdr, sigma=draft.sigma.astype(np.float16), trusted=found.trusted)


def _phase(text: str, done: int, total: int, *, origin: Origin) -> PhaseChanged:
    return PhaseChanged(
        phase="labelling",
        text=f"{text} scene {done + 1} of {total}",
        step=origin.step,
        done=done,
        total=total,
    )
