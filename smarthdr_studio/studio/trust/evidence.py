"""Measures whether σ knows where the errors are: of the scene on the screen, the pool, labels."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.display.cache import Recent
from smarthdr_studio.core.display.layer_data import ErrorMaps
from smarthdr_studio.core.errors import ProjectError, StudioError
from smarthdr_studio.core.files import is_file
from smarthdr_studio.core.imaging.bracket import FrameStore, Half, Scene
from smarthdr_studio.core.imaging.metrics import SplitQuality, split_quality
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.imaging.regions import Mask
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.causes import Clues, clues
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.trust.reliability import (
    Evidence,
    Part,
    Sampled,
    error_map,
    part_flags,
    sparsification_point,
    squared_error_map,
)
from smarthdr_studio.studio.project.current_scene import Stage
from smarthdr_studio.studio.project.predictions import Asked, network_of, predicted
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import EvidenceState
from smarthdr_studio.studio.state.inspection import Group
from smarthdr_studio.studio.tasks import Job, LatestTask, RepeatedTask, Report, TaskRunner, plain

_PIXELS_PER_SCENE = 40_000
_WORDS = {
    Status.UNLABELLED: "unlabelled",
    Status.TEST: "test",
    Status.GROUND_TRUTH: "labelled",
}
_MEASURED: Final[Mapping[Group, tuple[Status, ...]]] = {
    "pool": (Status.UNLABELLED,),
    "labels": (Status.TEST, Status.GROUND_TRUTH),
}
_NOTHING: Final[Mapping[Group, str]] = {
    "pool": "no scene of the pool has both a ground truth and a pseudo-label; train first, or "
    "measure labels instead",
    "labels": "no test or labelled scene can be measured yet; train first",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupEvidence:
    """Pixels of all `scenes` that could be measured; `note` says what to keep in mind of them.

    Each of `problems` is the sentence of a scene that could not.
    """

    scenes: tuple[str, ...]
    sampled: Sampled
    note: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Measurable:
    scene: Scene
    status: Status
    pseudo: Path


def measure_group(
    report: Report, *, project: Path, frames: FrameStore, group: Group
) -> GroupEvidence:
    """Every scene of a group with a ground truth: the pool by its pseudo-labels alone.

    Labels, test scenes and labelled ones, as the newest checkpoint's teacher sees them. Promoted
    and excluded scenes are in neither. Raises ProjectError where no scene can be measured.
    """
    report("loading the teacher" if group == "labels" else "looking for ground truth", 0, 0)
    wanted, problems = _measurable(project, _MEASURED[group]), list[str]()
    teacher = _teacher(wanted, project, frames, problems)
    if teacher is None:
        wanted = [each for each in wanted if each.status is Status.UNLABELLED]
    found: list[tuple[_Measurable, Sampled]] = []
    for done, each in enumerate(wanted):
        say = partial(_say_which, report, done, len(wanted))
        try:
            found.append((each, _sampled(say, each, teacher, frames)))
        except (StudioError, OSError) as error:
            problems.append(str(error))
    if not found:
        raise ProjectError(problems[0] if problems else f"{project}: {_NOTHING[group]}")
    return GroupEvidence(
        scenes=tuple(each.scene.id for each, _ in found),
        sampled=Sampled.joined([sampled for _, sampled in found]),
        note=_note(Counter(each.status for each, _ in found), teacher),
        problems=tuple(problems),
    )


def _say_which(report: Report, at: int, scenes: int, *_tiles: object) -> None:
    report(f"measuring scene {at + 1} of {scenes}", at, scenes)


def _measurable(project: Path, of: tuple[Status, ...]) -> list[_Measurable]:
    """Such scenes with a ground truth; of the pool only those with a pseudo-label."""
    with Project.open(project) as opened:
        statuses = opened.statuses()
        scenes = [
            _Measurable(scene, statuses[scene.id], opened.pseudo_path(scene.id))
            for scene in opened.scenes
            if scene.ground_truth is not None and statuses[scene.id] in of
        ]
    return [
        each
        for status in of
        for each in scenes
        if each.status is status and (status is not Status.UNLABELLED or is_file(each.pseudo))
    ]


def _teacher(
    wanted: list[_Measurable], project: Path, frames: FrameStore, problems: list[str]
) -> Asked | None:
    """None where nobody has to be asked, or where there is nobody to ask."""
    if all(each.status is Status.UNLABELLED for each in wanted):
        return None
    try:
        return network_of(project, who="teacher", frames=frames)
    except StudioError as error:
        problems.append(str(error))
        return None


def _sampled(
    report: Report, each: _Measurable, teacher: Asked | None, frames: FrameStore
) -> Sampled:
    scene = each.scene
    report("", 0, 0)
    hdr, sigma = _source(report, each, teacher)
    report("", 0, 0)
    truth = frames.ground_truth(scene)
    return Sampled.of(
        sigma,
        clues(frames.bracket(scene)),
        error=error_map(hdr, truth),
        squares=squared_error_map(hdr, truth),
        most=_PIXELS_PER_SCENE,
    )


def _source(report: Report, each: _Measurable, teacher: Asked | None) -> tuple[Half, Floats]:
    scene = each.scene
    if each.status is Status.UNLABELLED or teacher is None:
        label = read_pseudo_label(each.pseudo, expect=(scene.height, scene.width))
        return label.hdr, label.sigma
    return predicted(report, teacher, scene, words="")


def _note(counts: Counter[Status], teacher: Asked | None) -> str:
    """Who says what of how many scenes, and whose figures are too good."""
    said = [_counted(counts[Status.UNLABELLED], "unlabelled") + " by their pseudo-labels"]
    if not counts[Status.UNLABELLED]:
        said = []
    asked = [status for status in (Status.TEST, Status.GROUND_TRUTH) if counts[status]]
    if asked and teacher is not None:
        names = " and ".join(_counted(counts[status], _WORDS[status]) for status in asked)
        said.append(f"{names} as the teacher of {teacher.checkpoint} sees them")
    note = "; ".join(said) + "."
    if counts[Status.GROUND_TRUTH]:
        note += (
            " Labelled scenes were trained on, and leave-one-out is not done: figures of "
            "labelled scenes are optimistic."
        )
    return note


def _counted(count: int, word: str) -> str:
    return f"{count} {word} scene" if count == 1 else f"{count} {word} scenes"


_MOST_PIXELS = 2_000_000  # all of a 1500×1000 scene, every fourth of a very large one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """Evidence of every part that has any pixel; of a group also its scenes and what to know."""

    parts: Mapping[Part, Evidence]
    sigma: Floats | None = None  # the map of the scene that was measured
    scenes: tuple[str, ...] = ()
    note: str = ""
    problems: tuple[str, ...] = ()


def figures_of_scene(
    report: Report, *, sigma: Floats, error: Floats, squares: Floats, clues: Clues
) -> Figures:
    """Of the scene on the screen; maps are H×W, `error` |e| and `squares` e², channel mean."""
    words = "comparing σ"
    sampled = Sampled.of(sigma, clues, error=error, squares=squares, most=_MOST_PIXELS)
    return Figures(parts=_by_part(report, sampled, words=words), sigma=sigma)


def figures_of_group(report: Report, *, project: Path, frames: FrameStore, group: Group) -> Figures:
    """Of every scene of a group with a ground truth. Raises StudioError where there is none."""
    found = measure_group(report, project=project, frames=frames, group=group)
    return Figures(
        parts=_by_part(report, found.sampled, words="counting"),
        scenes=found.scenes,
        note=found.note,
        problems=found.problems,
    )


def _by_part(report: Report, sampled: Sampled, *, words: str) -> dict[Part, Evidence]:
    parts = {}
    for done, part in enumerate(Part):
        report(words, done, len(Part))
        if (known := sampled.evidence(part)) is not None:
            parts[part] = known
    return parts


_COMPARING = "comparing σ"
_NO_TRUTH = "This scene has no ground truth; measure the pool or labels instead."
_NO_SIGMA = "This scene has no pseudo-label; measuring asks the teacher for its prediction."


class EvidenceController(QObject):
    """Works only while somebody looks; the pool is measured when asked to."""

    teacher_wanted = Signal()

    def __init__(self, store: Store, tasks: TaskRunner, stage: Stage) -> None:
        super().__init__(store)
        self._store, self._stage = store, stage
        self._comparing, self._measuring = LatestTask(tasks), LatestTask(tasks)
        self._scene: Figures | None = None
        self._scene_of: Floats | None = None  # the σ map that is being measured, or was
        self._groups: dict[Group, Figures] = {}
        self._watched = False
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._scene, self._scene_of = None, None
        self._groups.clear()
        self._store.become(evidence=EvidenceState())

    def watch(self, *, seen: bool) -> None:
        """Whether the figures are on the screen."""
        self._watched = seen
        self.refresh()

    @Slot(str)
    def set_scope(self, scope: str) -> None:
        """Look at the scene, at the pool, or at labels."""
        self._become(scope=scope if scope in _MEASURED else "scene")
        self.refresh()

    @Slot(str)
    def set_part(self, part: str) -> None:
        """Look at saturated, moving or static pixels alone."""
        self._become(part=Part(part))
        self._show()

    def measure(self, frames: FrameStore) -> None:
        """Measure now: the scene by asking the teacher, or every scene of the group."""
        group = self._store.state.evidence.scope
        if group == "scene":
            self.teacher_wanted.emit()
        elif self._store.project is not None and not self._measuring.at_work:
            folder = self._store.project.folder
            self._measuring.start(
                partial(figures_of_group, project=folder, frames=frames, group=group),
                partial(self._group_measured, group),
                self._refused,
                on_progress=self._progressed,
                on_given_up=self._over,
            )
            self._become(work="looking for ground truth")

    @Slot()
    def cancel(self) -> None:
        """Give up measuring."""
        self._measuring.cancel()

    def refresh(self) -> None:
        """The scene, its σ or its clues have changed."""
        sigma = self._stage.material.sigma
        if self._scene_of is not sigma:
            self._scene = None
        if not self._measuring.at_work:
            self._become(work="")
        if self._watched and self._store.state.evidence.scope == "scene":
            self._measure_scene(sigma)
        self._show()

    def _measure_scene(self, sigma: Floats | None) -> None:
        errors, clues = self._stage.errors, self._stage.clues
        if sigma is None or errors is None or self._scene is not None:
            return
        self._become(work="looking at the frames" if clues is None else _COMPARING)
        if clues is not None and self._scene_of is not sigma:
            self._scene_of = sigma
            job = partial(
                figures_of_scene,
                sigma=sigma,
                error=errors.error,
                squares=errors.squares,
                clues=clues,
            )
            self._comparing.start(job, self._scene_measured, self._refused)

    def thresholds_moved(self) -> None:
        """Thresholds have moved: so has the point on the curve."""
        if self._watched:
            self._become(point=self._point(self._store.state.evidence))

    def _scene_measured(self, scene: Figures) -> None:
        if scene.sigma is self._stage.material.sigma:
            self._scene = scene
            if not self._measuring.at_work:
                self._become(work="")
            self._show()

    def _group_measured(self, group: Group, found: Figures) -> None:
        self._groups[group] = found
        self._over()
        self._show()
        if found.problems:
            self._store.complain(found.problems[0])

    def _refused(self, message: str) -> None:
        self._over()
        self._store.complain(message)

    def _over(self) -> None:
        if not self._measuring.at_work:
            self._become(work="", progress=None)

    def _progressed(self, text: str, done: int, total: int) -> None:
        self._become(work=text, progress=done / total if total else None)

    def _show(self) -> None:
        now = self._store.state.evidence
        known = self._scene if now.scope == "scene" else self._groups.get(now.scope)
        shown = known.parts.get(now.part) if known is not None and self._watched else None
        scenes = known.scenes if known is not None else ()
        new = replace(now, shown=shown, scenes=scenes, note=self._note(now))
        self._store.become(evidence=replace(new, point=self._point(new)))

    def _note(self, now: EvidenceState) -> str:
        if now.scope != "scene":
            known = self._groups.get(now.scope)
            return known.note if known is not None else ""
        if self._stage.material.ground_truth is None:
            return _NO_TRUTH
        return _NO_SIGMA if self._stage.material.sigma is None else ""

    def _point(self, now: EvidenceState) -> tuple[float, float] | None:
        """Where the thresholds stand: exact for the part of a scene, for a pool on its curve by σ.

        None where they retain nothing, as of labels, or nobody knows what: of parts of a pool.
        """
        if now.shown is None:
            return None
        if now.scope == "scene":
            return self._point_of_scene(now.part)
        pool = self._store.state.pool
        if now.scope == "labels" or now.part is not Part.ALL or pool is None:
            return None
        return 1 - pool.retained, _on_curve(now.shown, 1 - pool.retained)

    def _point_of_scene(self, part: Part) -> tuple[float, float] | None:
        found, error = self._stage.material.trust, self._stage.error
        clues = self._stage.clues
        if found is None or error is None or clues is None:
            return None
        of = part_flags(clues, part)
        return sparsification_point(found.trusted[of], error[of]) if of.any() else None

    def _become(self, **changes: object) -> None:
        now = self._store.state.evidence
        self._store.become(evidence=replace(now, **changes))  # type: ignore[arg-type]


def _on_curve(shown: Evidence, dropped: float) -> float:
    return float(np.interp(dropped, np.linspace(0, 1, len(shown.by_sigma)), shown.by_sigma))


class _Comparison(NamedTuple):
    pictures: tuple[Half, Half]
    errors: ErrorMaps
    quality: SplitQuality


def _compare(pictures: tuple[Half, Half], trusted: Mask, *, known: ErrorMaps | None) -> _Comparison:
    errors = ErrorMaps.of(*pictures) if known is None else known
    quality = split_quality(errors.squares, errors.linear_squares, trusted)
    return _Comparison(pictures, errors, quality)


class GroundTruthController(QObject):
    """Holds the picture on the screen against its ground truth: every pixel, and by the mask.

    On a thread, because a large picture takes its time; what was told stays until it is known.
    """

    measured = Signal()  # errors of another picture are known

    def __init__(self, store: Store, tasks: TaskRunner, stage: Stage) -> None:
        super().__init__(store)
        self._store, self._stage = store, stage
        self._known: Recent[ErrorMaps] = Recent()
        self._comparing = RepeatedTask(tasks, self._question, self._compared)

    @property
    def held_bytes(self) -> int:
        """Memory of comparisons that are kept for who goes back to their scene."""
        return self._known.nbytes

    def refresh(self) -> None:
        """Thresholds or pictures have changed."""
        why = self._stage.why_not_compared()
        if why is None:
            self._comparing.ask()
        else:
            self._comparing.cancel()
            self._store.become(quality=why)

    def _question(self) -> Job[_Comparison] | None:
        pictures, found = self._stage.picture_and_truth, self._stage.material.trust
        if pictures is None or found is None:
            return None
        known = self._stage.errors or self._known.find(pictures)
        return plain(_compare, pictures, found.trusted, known=known)

    def _compared(self, found: _Comparison) -> None:
        known, kept = self._stage.errors, self._known.find(found.pictures)
        if kept is not found.errors:
            self._known.keep(found.pictures, found.errors, nbytes=found.errors.nbytes)
        if not self._stage.take_errors(found.errors, of=found.pictures):
            self.refresh()
            return
        with self._store.one_change():
            self._store.become(quality=found.quality)
            if known is not found.errors:
                self.measured.emit()
