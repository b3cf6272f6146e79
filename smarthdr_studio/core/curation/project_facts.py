"""Everything a project knows of its scenes, read from its files in one go."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Final

import numpy as np

from smarthdr_studio.core.curation.clues import ClueRecord, kept_records
from smarthdr_studio.core.curation.proposals import CurrentPool
from smarthdr_studio.core.curation.queues import RankingInput
from smarthdr_studio.core.curation.scene_facts import SceneFacts, trend_of
from smarthdr_studio.core.errors import LabelError, StudioError
from smarthdr_studio.core.files import AnyPath, file_stamp
from smarthdr_studio.core.imaging.bracket import Scene, decode_ground_truth
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.imaging.metrics import psnr
from smarthdr_studio.core.imaging.radiometry import mu_law
from smarthdr_studio.core.project.journal import Ledger, SceneState, Status
from smarthdr_studio.core.project.labels import frozen_share
from smarthdr_studio.core.project.places import label_file
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.round_history import read_history
from smarthdr_studio.core.training.rounds import recorded_rounds
from smarthdr_studio.core.training.run_folder import runs_in
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.patch_statistics import PaintedStatistics, SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label

PSNR: Final = "psnr"
_NUMBER: Final = struct.Struct("<d")


def kept_psnr(project: Project) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """PSNR-μ in dB by scene, as it was measured before and is still true; and scenes to measure.

    Scenes without a pseudo-label or a ground truth are in neither.
    """
    kept = project.figures(PSNR)
    known: dict[str, float | None] = {}
    unmeasured = []
    for scene in project.scenes:
        stamp = _stamp(project, scene)
        if not stamp:
            continue
        was, data = kept.get(scene.id, ("", b""))
        if was == stamp and len(data) == _NUMBER.size:
            known[scene.id] = _NUMBER.unpack(data)[0]
        else:
            unmeasured.append(scene.id)
    return known, tuple(unmeasured)


def measure_psnr(project: Project, name: str) -> float | None:
    """PSNR-μ of the pseudo-label in dB, kept from now on; None where it cannot be told."""
    scene = project.scene(name)
    stamp = _stamp(project, scene)
    try:
        label = read_pseudo_label(project.pseudo_path(name), expect=(scene.height, scene.width))
        truth = decode_ground_truth(scene)
    except (StudioError, OSError):
        return None  # opening the scene tells what is wrong with its files
    if label.hdr.shape != truth.shape:
        return None
    found = psnr(*(mu_law(each.astype(np.float32)) for each in (label.hdr, truth)))
    project.keep_figures(PSNR, {name: (stamp, _NUMBER.pack(found))})
    return found


def _stamp(project: Project, scene: Scene) -> str:
    """What changes when either file does; "" where one of them is missing."""
    if scene.ground_truth is None:
        return ""
    label, truth = file_stamp(project.pseudo_path(scene.id)), file_stamp(scene.ground_truth)
    scale = f"{scene.ground_truth_gain} {scene.ground_truth_gamma}"
    return f"{label} {truth} {scale}" if label and truth else ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProjectFacts:
    """What was found; `shares` are those of the newest run's rounds, NaN where it took no part.

    `problems` are sentences about files that could not be used and were passed over.
    """

    facts: tuple[SceneFacts, ...]
    masks: MaskSettings
    statistics: Mapping[str, SceneStatistics]
    painted: Mapping[str, PaintedStatistics]
    pool: PoolStatistics
    shares: Mapping[str, tuple[float, ...]]
    records: Mapping[str, ClueRecord]
    problems: tuple[str, ...]

    def with_records(self, more: Mapping[str, ClueRecord]) -> "ProjectFacts":
        """The same with records that were found since."""
        records = {**self.records, **more}
        facts = tuple(with_record(each, records.get(each.id)) for each in self.facts)
        return replace(self, facts=facts, records=records)

    def material(self) -> RankingInput:
        """What the queues rank by."""
        return RankingInput(
            facts=self.facts,
            masks=self.masks,
            patch_means={name: known.means for name, known in self.statistics.items()},
            records=self.records,
        )

    def pool_now(self) -> CurrentPool:
        """What a proposal is held against."""
        return CurrentPool(
            facts=self.facts,
            masks=self.masks,
            statistics=self.statistics,
            painted=self.painted,
            laid_out=self.pool,
        )


def read_scene_facts(project: Project) -> tuple[SceneFacts, ...]:
    """The facts of every scene, in the order of `project.scenes`; see `gather`."""
    return read_project_facts(project).facts


def read_project_facts(project: Project) -> ProjectFacts:
    """Read journal, statistics, brushes, the newest run's history and the kept records.

    A scene is counted with the thresholds of now and the ranges of the pool, a promoted one as its
    label was frozen. PSNR-μ is known where it was measured before: measuring takes too long to do
    unasked.
    """
    ledger = project.ledger()
    statistics, painted, problems = _read(project, ledger)
    frozen, unread = frozen_shares(project.folder, frozen_labels_of(ledger))
    unlabelled = {
        name: known
        for name, known in statistics.items()
        if ledger.scenes[name].status is Status.UNLABELLED
    }
    pool = PoolStatistics(unlabelled, painted)
    retained = {**_retained(pool, statistics, painted, ledger.masks), **frozen}
    records, shares, reviewed = kept_records(project), newest_shares(project), project.reviewed()
    psnr_mu, _ = kept_psnr(project)
    facts = tuple(
        replace(
            with_record(
                _facts_of(scene, ledger.scenes[scene.id], shares.get(scene.id, ())),
                records.get(scene.id),
            ),
            retained=retained.get(scene.id),
            sigma_mean=statistics[scene.id].sigma_mean if scene.id in statistics else None,
            painted=_painted_share(painted.get(scene.id), scene),
            psnr_mu=psnr_mu.get(scene.id),
            reviewed=scene.id in reviewed,
        )
        for scene in project.scenes
    )
    return ProjectFacts(
        facts=facts,
        masks=ledger.masks,
        statistics=statistics,
        painted=painted,
        pool=pool,
        shares=shares,
        records=records,
        problems=(*problems, *unread),
    )


def frozen_labels_of(ledger: Ledger) -> dict[str, str]:
    """The label of every promoted scene, relative to the project; "" of one used whole."""
    return {
        name: "" if state.whole else state.label
        for name, state in ledger.scenes.items()
        if state.label is not None
    }


def frozen_shares(
    folder: AnyPath,
    labels: Mapping[str, str],
    *,
    known: Mapping[str, tuple[str, float]] | None = None,
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The trusted share in [0, 1] of each frozen label, and a sentence for each that is unreadable.

    `labels` is as `frozen_labels_of` has it; `known`, label and share by scene, spares reading
    again: a label never changes. What the pool has become meanwhile changes nothing of it.
    """
    shares: dict[str, float] = {}
    problems: list[str] = []
    for name, label in labels.items():
        before = (known or {}).get(name)
        try:
            if before is not None and before[0] == label:
                shares[name] = before[1]
            else:
                file = label_file(folder, label, scene=name) if label else None
                shares[name] = 1.0 if file is None else frozen_share(file)
        except StudioError as error:
            problems.append(str(error))
    return shares, tuple(problems)


def newest_shares(project: Project) -> dict[str, tuple[float, ...]]:
    """Retained shares by scene in the rounds of the newest run that has any, oldest first.

    NaN where a scene took no part.
    """
    for run in runs_in(project.runs_folder):
        if recorded_rounds(run.path):
            history = read_history(run)
            rows = history.shares.tolist()
            return {name: tuple(row) for name, row in zip(history.scenes, rows, strict=True)}
    return {}


def with_record(facts: SceneFacts, record: ClueRecord | None) -> SceneFacts:
    """The same facts with what a record says of the frames."""
    if record is None:
        return facts
    return replace(facts, motion=record.motion, saturation=record.saturation)


def _read(
    project: Project, ledger: Ledger
) -> tuple[dict[str, SceneStatistics], dict[str, PaintedStatistics], tuple[str, ...]]:
    """Statistics of every pseudo-label there is, and of what was painted on it."""
    statistics: dict[str, SceneStatistics] = {}
    painted: dict[str, PaintedStatistics] = {}
    problems: list[str] = []
    for name, state in ledger.scenes.items():
        try:
            if project.statistics_path(name).is_file():
                statistics[name] = SceneStatistics.load(project.statistics_path(name))
            if name in statistics and state.person is not None:
                painted[name] = _painted(project, name, size=statistics[name].patch_size)
        except StudioError as error:
            problems.append(str(error))
        except OSError as error:  # a folder that may not be looked into
            problems.append(
                f"{error.filename}: cannot be read ({error.strerror}); allow reading it"
            )
    return statistics, painted, tuple(problems)


def _retained(
    pool: PoolStatistics,
    statistics: Mapping[str, SceneStatistics],
    painted: Mapping[str, PaintedStatistics],
    masks: MaskSettings,
) -> dict[str, float]:
    """The share of every scene that is trusted, inside the pool and outside."""
    inside = pool.retention(masks).scenes
    others = {name: known for name, known in statistics.items() if name not in inside}
    return {
        **{name: share.retained for name, share in inside.items()},
        **pool.shares_outside(others, masks, painted=painted),
    }


def _painted(project: Project, name: str, *, size: int) -> PaintedStatistics:
    path, person = project.pseudo_path(name), project.person(name)
    layers, _ = read_layers(path, only=("uncertainty.Y",))
    sigma = layers["uncertainty.Y"].astype(np.float32, copy=False)
    if person is None or sigma.shape != person.shape:
        raise LabelError(f"{path}: is not as large as what was painted; label the scene anew")
    return PaintedStatistics.of(sigma, person, size=size)


def _facts_of(scene: Scene, state: SceneState, shares: Sequence[float]) -> SceneFacts:
    """What journal and history say."""
    rounds = tuple(share for share in shares if not isnan(share))
    return SceneFacts(
        id=scene.id,
        status=state.status,
        rounds=rounds,
        trend=trend_of(rounds),
        tags=state.tags,
        note=state.note,
        whole=state.whole,
        pixels=scene.pixels,
    )


def _painted_share(known: PaintedStatistics | None, scene: Scene) -> float:
    return 0.0 if known is None else float(known.painted.sum()) / scene.pixels
