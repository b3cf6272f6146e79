"""Evidence for or against σ from every scene whose truth is known."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.errors import ProjectError, StudioError
from smarthdr_studio.core.evidence import Sampled
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import read_pseudo_label
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.reasons import clues
from smarthdr_studio.core.reliability import error_map, squared_error_map
from smarthdr_studio.studio.tasks import Report
from smarthdr_studio.studio.threads.opinions import Asked, network_of, predicted

_PIXELS_PER_SCENE = 40_000
_WORDS = {
    Status.UNLABELLED: "unlabelled",
    Status.TEST: "test",
    Status.GROUND_TRUTH: "labelled",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolEvidence:
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


def measure_pool(report: Report, *, project: Path, frames: FrameStore) -> PoolEvidence:
    """Every scene with a ground truth: the pool by its pseudo-labels, others by the teacher.

    The teacher is the newest checkpoint's. Promoted and excluded scenes take no part. Raises
    ProjectError where no scene can be measured.
    """
    report("loading the teacher", 0, 0)
    wanted, problems = _measurable(project), list[str]()
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
        nothing = f"{project}: no scene with a ground truth can be measured yet; train first"
        raise ProjectError(problems[0] if problems else nothing)
    return PoolEvidence(
        scenes=tuple(each.scene.id for each, _ in found),
        sampled=Sampled.joined([sampled for _, sampled in found]),
        note=_note(Counter(each.status for each, _ in found), teacher),
        problems=tuple(problems),
    )


def _say_which(report: Report, at: int, scenes: int, *_tiles: object) -> None:
    report(f"measuring scene {at + 1} of {scenes}", at, scenes)


def _measurable(project: Path) -> list[_Measurable]:
    """Scenes with a ground truth, the pool first; of the pool only those with a pseudo-label."""
    with Project.open(project) as opened:
        statuses = opened.statuses()
        scenes = [
            _Measurable(scene, statuses[scene.id], opened.pseudo_path(scene.id))
            for scene in opened.scenes
            if scene.ground_truth is not None and statuses[scene.id] in _WORDS
        ]
    return [
        each
        for status in _WORDS
        for each in scenes
        if each.status is status and (status is not Status.UNLABELLED or each.pseudo.is_file())
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
    hdr, sigma = _belief(report, each, teacher)
    report("", 0, 0)
    truth = frames.ground_truth(scene)
    return Sampled.of(
        sigma,
        clues(frames.bracket(scene)),
        error=error_map(hdr, truth),
        squares=squared_error_map(hdr, truth),
        most=_PIXELS_PER_SCENE,
    )


def _belief(report: Report, each: _Measurable, teacher: Asked | None) -> tuple[Half, Floats]:
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
