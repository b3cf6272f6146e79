"""Everything a project knows of its scenes, read from its files in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.brush.painted import PaintedStatistics
from smarthdr_studio.core.curation.closeness import kept_psnr
from smarthdr_studio.core.curation.clue_records import ClueRecord
from smarthdr_studio.core.curation.hardness import Material
from smarthdr_studio.core.curation.proposals import PoolNow
from smarthdr_studio.core.curation.record_keeping import kept_records
from smarthdr_studio.core.curation.scene_facts import SceneFacts, trend_of
from smarthdr_studio.core.errors import LabelError, StudioError
from smarthdr_studio.core.exr import read_layers
from smarthdr_studio.core.history import read_history, recorded_rounds
from smarthdr_studio.core.journal import Ledger, SceneState, Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.retention import PoolStatistics
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.core.statistics import SceneStatistics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
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

    def with_records(self, more: Mapping[str, ClueRecord]) -> "Gathered":
        """The same with records that were found since."""
        records = {**self.records, **more}
        facts = tuple(with_record(each, records.get(each.id)) for each in self.facts)
        return replace(self, facts=facts, records=records)

    def material(self) -> Material:
        """What the queues rank by."""
        return Material(
            facts=self.facts,
            masks=self.masks,
            patch_means={name: known.means for name, known in self.statistics.items()},
            records=self.records,
        )

    def pool_now(self) -> PoolNow:
        """What a proposal is held against."""
        return PoolNow(
            facts=self.facts,
            masks=self.masks,
            statistics=self.statistics,
            painted=self.painted,
            laid_out=self.pool,
        )


def facts_of(project: Project) -> tuple[SceneFacts, ...]:
    """The facts of every scene, in the order of `project.scenes`; see `gather`."""
    return gather(project).facts


def gather(project: Project) -> Gathered:
    """Read journal, statistics, brushes, the newest run's history and the kept records.

    A scene is judged with the thresholds of now and the ranges of the pool. PSNR-μ is known where
    it was measured before: measuring takes too long to do unasked.
    """
    ledger = project.ledger()
    statistics, painted, problems = _read(project, ledger)
    unlabelled = {
        name: known
        for name, known in statistics.items()
        if ledger.scenes[name].status is Status.UNLABELLED
    }
    pool = PoolStatistics(unlabelled, painted)
    retained = _retained(pool, statistics, painted, ledger.masks)
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
    return Gathered(
        facts=facts,
        masks=ledger.masks,
        statistics=statistics,
        painted=painted,
        pool=pool,
        shares=shares,
        records=records,
        problems=problems,
    )


def newest_shares(project: Project) -> dict[str, tuple[float, ...]]:
    """Retained shares by scene in the rounds of the newest run that has any, oldest first.

    NaN where a scene took no part.
    """
    if not project.runs_folder.is_dir():
        return {}
    folders = sorted(path for path in project.runs_folder.iterdir() if path.is_dir())
    for folder in reversed(folders):
        if not folder.name.startswith(".") and recorded_rounds(folder):
            history = read_history(RunFolder(folder))
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
                painted[name] = _painted(project, name)
        except StudioError as error:
            problems.append(str(error))
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


def _painted(project: Project, name: str) -> PaintedStatistics:
    path, person = project.pseudo_path(name), project.person(name)
    layers, _ = read_layers(path, only=("uncertainty.Y",))
    sigma = layers["uncertainty.Y"].astype(np.float32, copy=False)
    if person is None or sigma.shape != person.shape:
        raise LabelError(f"{path}: is not as large as what was painted; label the scene anew")
    return PaintedStatistics.of(sigma, person)


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
