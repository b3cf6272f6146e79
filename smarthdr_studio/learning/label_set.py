"""Which scene plays which part in training, what of it changed, and what is damaged."""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from smarthdr_studio.core.errors import LabelError, PlanError, ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import (
    FrameReading,
    Scene,
    Three,
    as_chosen,
    with_imported_truth,
)
from smarthdr_studio.core.project.journal import SceneState, Status, three_in_words
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.places import label_file
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.stale import PSEUDO_LABEL, stale_in_words, stale_labels
from smarthdr_studio.core.project.stamps import Comparison
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.run_start import runs_read_otherwise
from smarthdr_studio.core.trust.brush import Brush, fingerprint, pack
from smarthdr_studio.core.trust.masking import MaskSettings, masks_as_text, masks_from_text
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """A file of the project that a scene learns from.

    `checksum` is its SHA-256, hex, None where it is not known. With `whole` the loss counts every
    pixel, else those that were trusted when the label was frozen.
    """

    path: Path
    checksum: str | None = None
    whole: bool = False

    def state(self, *, project: AnyPath) -> dict[str, Any]:
        """Plain values for a checkpoint; the path relative to the project."""
        project = Path(project)
        path = self.path.relative_to(project).as_posix()
        return {"path": path, "checksum": self.checksum, "whole": self.whole}

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any] | str, *, project: AnyPath, scene: str
    ) -> "LabelFile":
        """What `state` gave; older checkpoints hold the path alone.

        Raises ForeignPlace where that is no label of the scene.
        """
        project = Path(project)
        about = {"path": state} if isinstance(state, str) else state
        path = label_file(project, about["path"], scene=scene)
        whole = bool(about.get("whole", False))
        return cls(path=path, checksum=about.get("checksum"), whole=whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSet:
    """The parts of all scenes and the thresholds, as the project said at one moment.

    Ids are sorted. A held-out scene stays so for a whole run, whatever becomes of it. `promoted`
    gives each promoted scene its label, `truths` every scene the ground truth that was imported for
    it, if any, and `brushes` the unlabelled scenes the hash of what a person painted, if anything.
    `damaged` says of scenes that are left out, in one sentence, what is wrong with their files.
    `reading` is how frames are read, None in checkpoints of before that was kept; `chosen` are the
    three of a bracket that are used, where a person chose them. `journal` is the last entry that
    was read, 0 where it is not known.
    """

    labelled: tuple[str, ...]
    promoted: Mapping[str, LabelFile]
    unlabelled: tuple[str, ...]
    masks: MaskSettings
    held_out: tuple[str, ...] = ()
    truths: Mapping[str, LabelFile] = field(default_factory=dict)
    brushes: Mapping[str, str] = field(default_factory=dict)
    damaged: Mapping[str, str] = field(default_factory=dict)
    reading: FrameReading | None = None
    chosen: Mapping[str, Three] = field(default_factory=dict)
    journal: int = field(default=0, compare=False)

    def holding_out(self, names: tuple[str, ...]) -> "LabelSet":
        """The same, with these scenes kept from learning for validation."""
        return replace(self._without(names), held_out=names)

    def setting_aside(self, damaged: Mapping[str, str]) -> "LabelSet":
        """The same without these scenes, because of what is wrong with their files."""
        return replace(self._without(damaged), damaged={**self.damaged, **damaged})

    @property
    def labels(self) -> tuple[tuple[str, LabelFile | None], ...]:
        """All there is to learn from: each scene and its file, None for one of the dataset."""
        files = {name: self.truths.get(name) for name in self.labelled}
        return tuple(sorted({**files, **self.promoted}.items(), key=lambda label: label[0]))

    @property
    def files(self) -> dict[str, LabelFile]:
        """The files of the project that are learned from or validated against, by scene."""
        truths = {name: self.truths[name] for name in self.held_out if name in self.truths}
        return truths | {name: file for name, file in self.labels if file is not None}

    def held_against(self, scenes: Mapping[str, Scene]) -> dict[str, Scene]:
        """The scenes as this label_set knows them, whatever was decided since.

        With the ground truths that were imported by then, and their frames chosen and read as then.
        """
        scenes = {name: as_chosen(scene, self.chosen.get(name)) for name, scene in scenes.items()}
        if (reading := self.reading) is not None:
            scenes = {name: _read_so(scene, reading) for name, scene in scenes.items()}
        imported = {
            name: with_imported_truth(scenes[name], self.truths[name].path)
            for name in {*self.labelled, *self.held_out} & set(self.truths)
        }
        return {**scenes, **imported}

    def state(self, *, project: AnyPath) -> dict[str, Any]:
        """Plain values for a checkpoint; files relative to the project."""
        project = Path(project)

        def plain(files: Mapping[str, LabelFile]) -> dict[str, Any]:
            return {name: file.state(project=project) for name, file in files.items()}

        return {
            "labelled": list(self.labelled),
            "promoted": plain(self.promoted),
            "unlabelled": list(self.unlabelled),
            "masks": masks_as_text(self.masks),
            "held_out": list(self.held_out),
            "truths": plain(self.truths),
            "brushes": dict(self.brushes),
            "damaged": dict(self.damaged),
            "reading": None if self.reading is None else self.reading.as_text(),
            "chosen": {name: list(three) for name, three in self.chosen.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, project: AnyPath) -> "LabelSet":
        """What `state` gave, also by a version that knew less."""
        project = Path(project)
        reading = state.get("reading")

        def files(part: str) -> dict[str, LabelFile]:
            saved = state.get(part, {}).items()
            return {
                name: LabelFile.from_state(file, project=project, scene=name)
                for name, file in saved
            }

        return cls(
            labelled=tuple(state["labelled"]),
            promoted=files("promoted"),
            unlabelled=tuple(state["unlabelled"]),
            masks=masks_from_text(state["masks"]),
            held_out=tuple(state["held_out"]),
            truths=files("truths"),
            brushes=dict(state.get("brushes", {})),
            damaged=dict(state.get("damaged", {})),
            reading=None if reading is None else FrameReading.from_text(reading),
            chosen={name: _three(each) for name, each in state.get("chosen", {}).items()},
        )

    def _without(self, names: Collection[str]) -> "LabelSet":
        return replace(
            self,
            labelled=tuple(name for name in self.labelled if name not in names),
            promoted={name: file for name, file in self.promoted.items() if name not in names},
            unlabelled=tuple(name for name in self.unlabelled if name not in names),
        )


def _three(places: Sequence[int]) -> Three:
    under, reference, over = places
    return under, reference, over


def _read_so(scene: Scene, reading: FrameReading) -> Scene:
    return scene if scene.reading == reading else replace(scene, reading=reading)


class ProjectLabels(NamedTuple):
    """What a project says at one moment."""

    label_set: LabelSet
    scenes: Mapping[str, Scene]
    """All scenes by id; imported ground truths stand for the dataset's."""
    manual_masks: Mapping[str, Brush]
    """What a person painted on unlabelled scenes: H×W, 1 trust, −1 distrust."""
    pictures: Comparison
    """Which of the scenes that play a part in training have other pictures than the project knows;
    they are not set aside yet."""


def read_label_set(folder: AnyPath, *, plan: TrainingPlan) -> ProjectLabels:
    """What the project says now; opened and closed here. Label files are not looked at.

    The dataset's pictures are held against their stamps. An unlabelled scene whose painted mask is
    lost is damaged. Raises ProjectError where the project cannot be opened.
    """
    folder = Path(folder)
    with Project.open(folder) as project:
        ledger, entries = project.ledger(), project.entries()
        states, scenes = ledger.scenes, {scene.id: scene for scene in project.scenes}
        label_set = LabelSet(
            labelled=_scenes_with(Status.GROUND_TRUTH, states),
            promoted=_promoted_files(project.folder, states, plan=plan),
            unlabelled=_scenes_with(Status.UNLABELLED, states),
            masks=plan.masks.applied_to(ledger.masks),
            reading=ledger.reading,
            chosen={name: of.three for name, of in states.items() if of.three is not None},
            journal=entries[-1].seq if entries else 0,
            truths={
                name: LabelFile(
                    path=label_file(project.folder, state.truth, scene=name),
                    checksum=state.truth_checksum,
                    whole=True,
                )
                for name, state in states.items()
                if state.truth is not None
            },
        )
        painted = [name for name in label_set.unlabelled if states[name].person is not None]
        manual_masks, damaged = _manual_masks(project, painted)
        pictures = project.compare_pictures().only(_all_scenes(label_set))
    brushes = {name: fingerprint(pack(mask)) for name, mask in manual_masks.items()}
    label_set = replace(label_set, brushes=brushes).setting_aside(damaged)
    return ProjectLabels(label_set, scenes, manual_masks, pictures)


class DecidedSince:
    """Which scenes have another status by now than `then`; a decision comes whenever it likes.

    The project is opened when it is first asked, and closed with the block. Raises ProjectError.
    """

    def __init__(self, folder: AnyPath, then: Mapping[str, Status]) -> None:
        self._folder, self._then = Path(folder), then
        self._project: Project | None = None

    def __enter__(self) -> "DecidedSince":
        return self

    def __exit__(self, *_: object) -> None:
        if self._project is not None:
            self._project.close()

    def __call__(self, scene: str) -> bool:
        """Whether somebody has decided about the scene since."""
        if self._project is None:
            self._project = Project.open(self._folder)
        return self._project.state(scene).status is not self._then[scene]


def held_out_count(plan: TrainingPlan, label_set: LabelSet) -> int:
    """How many labelled scenes are kept for validation; "auto" is one of five, none below three.

    One is asked for by presets as well, which know no project: where only one label is, it is
    learned from. More than there can be raises PlanError.
    """
    few = len(label_set.labelled)
    if plan.held_out == "auto":
        return 0 if few < 3 else max(1, few // 5)
    if plan.held_out > max(1, few - 1):
        raise PlanError(
            f"held_out is {plan.held_out}, but there {'is' if few == 1 else 'are'} "
            f"{counted(few, 'ground truth')}, and one at least is learned from: hold out at most "
            f"{max(few - 1, 0)}, or auto"
        )
    return plan.held_out


def choose_held_out(labelled: Collection[str], *, count: int, seed: int) -> tuple[str, ...]:
    """Labelled scenes kept for validation: the same for the same seed, and never all of them."""
    count = min(count, max(len(labelled) - 1, 0))
    return tuple(sorted(random.Random(seed).sample(sorted(labelled), count)))


def _scenes_with(status: Status, states: Mapping[str, SceneState]) -> tuple[str, ...]:
    return tuple(sorted(name for name, state in states.items() if state.status is status))


def _promoted_files(
    folder: Path, states: Mapping[str, SceneState], *, plan: TrainingPlan
) -> dict[str, LabelFile]:
    return {
        name: LabelFile(
            path=label_file(folder, label, scene=name),
            checksum=states[name].checksum,
            whole=states[name].whole or plan.promoted_pixels == "all",
        )
        for name in _scenes_with(Status.PROMOTED, states)
        if (label := states[name].label) is not None
    }


def _manual_masks(
    project: Project, names: Collection[str]
) -> tuple[dict[str, Brush], dict[str, str]]:
    """The painted masks, and what is wrong with those that cannot be read."""
    manual_masks: dict[str, Brush] = {}
    damaged: dict[str, str] = {}
    for name in names:
        try:
            mask = project.person(name)
        except ProjectError as error:
            damaged[name] = str(error)
        else:
            if mask is not None:
                manual_masks[name] = mask
    return manual_masks, damaged


_HELD_AGAINST: Final[Mapping[str, str]] = {
    "ground truth": "learns from",
    "held out": "is validated against",
}


def label_changes(
    before: LabelSet, after: LabelSet, *, since: str = "from this round on"
) -> tuple[str, ...]:
    """What a person changed in between and what became damaged, one sentence each.

    `since` says from when on it counts.
    """
    said = [
        f"{name}: {what}"
        for name in sorted(_all_scenes(before) | _all_scenes(after))
        for what in (
            *_changes_of(name, before, after, since=since),
            *_frame_changes(name, before, after, since=since),
        )
    ]
    return (
        *said,
        *_mask_changes(before.masks, after.masks),
        *_reading_changes(before, after, since=since),
    )


def _reading_changes(before: LabelSet, after: LabelSet, *, since: str) -> Iterator[str]:
    old, new = before.reading, after.reading
    if old is not None and new is not None and old != new:
        yield f"frames are read {new.words} {since}, were read {old.words}"


def _changes_of(name: str, before: LabelSet, after: LabelSet, *, since: str) -> Iterator[str]:
    if name in after.damaged:
        if before.damaged.get(name) != after.damaged[name]:
            yield f"is left out {since}, because {after.damaged[name]}"
        return
    old, new = _part_of(before, name), _part_of(after, name)
    if old != new:
        yield f"was {old}, is {new} {since}"
    if new == "promoted":
        yield from _promotion_changes(before.promoted.get(name), after.promoted[name], since=since)
    if new in _HELD_AGAINST and before.truths.get(name) != after.truths.get(name):
        imported = name in after.truths
        which = "an imported ground truth" if imported else "the dataset's ground truth"
        yield f"{_HELD_AGAINST[new]} {which} {since}"
    if old == new == "unlabelled" and before.brushes.get(name) != after.brushes.get(name):
        painted = name in after.brushes
        yield f"the brush is {'new' if painted else 'gone'} {since}"


def _frame_changes(name: str, before: LabelSet, after: LabelSet, *, since: str) -> Iterator[str]:
    three = after.chosen.get(name)
    if before.chosen.get(name) != three:
        which = "as they were found" if three is None else three_in_words(three)
        yield f"its frames are {which} {since}"


def _promotion_changes(before: LabelFile | None, after: LabelFile, *, since: str) -> Iterator[str]:
    if before is not None and before.path != after.path:
        yield f"has a new promoted label {since}"
    if after.whole and not (before and before.whole):
        yield f"every pixel of its label counts {since}"
    elif before and before.whole and not after.whole:
        yield f"only trusted pixels of its label count {since}"


def _mask_changes(old: MaskSettings, new: MaskSettings) -> tuple[str, ...]:
    said = [
        f"{name} is {after:g}, was {before:g}"
        for name, before, after in (
            ("τ_pa", old.tau_patch, new.tau_patch),
            ("τ_pi", old.tau_pixel, new.tau_pixel),
            ("patch size", old.patch_size, new.patch_size),
        )
        if before != after
    ]
    if (old.patches, old.pixels) != (new.patches, new.pixels):
        said.append("scores are normalised in a new way")
    return tuple(said)


def _all_scenes(label_set: LabelSet) -> set[str]:
    parts = (
        label_set.labelled,
        label_set.promoted,
        label_set.unlabelled,
        label_set.held_out,
        label_set.damaged,
    )
    return {name for part in parts for name in part}


def _part_of(label_set: LabelSet, name: str) -> str:
    if name in label_set.damaged:
        return "left out"
    parts = {
        "promoted": label_set.promoted,
        "ground truth": label_set.labelled,
        "unlabelled": label_set.unlabelled,
        "held out": label_set.held_out,
    }
    return next((part for part, names in parts.items() if name in names), "left out")


def damaged_labels(label_set: LabelSet) -> dict[str, str]:
    """The scenes whose promoted label or imported ground truth is damaged, each with a sentence."""
    found: dict[str, str] = {}
    for name, file in label_set.files.items():
        try:
            _check_file(file, imported=name not in label_set.promoted)
        except LabelError as error:
            found[name] = str(error)
    return found


def refuse_damaged(label_set: LabelSet) -> None:
    """Raises LabelError where a label, an imported truth or a painted mask is damaged."""
    for sentence in {**label_set.damaged, **damaged_labels(label_set)}.values():
        raise LabelError(sentence)


def stale_sentence(folder: AnyPath, label_set: LabelSet, *, run: str | None = None) -> str:
    """What is learned from though it was made under another response curve, "" for nothing.

    Promoted labels and merged ground truths; pseudo-labels are made anew. A `run` that is gone on
    with counts where it began under another one. Raises ProjectError.
    """
    with Project.open(Path(folder)) as project:
        found = stale_labels(project, of=[name for name, _ in label_set.labels])
        runs = [each for each in runs_read_otherwise(project) if each.run == run]
    return stale_in_words([each for each in found if each.what != PSEUDO_LABEL], runs=runs)


def refuse_changed(pictures: Comparison) -> None:
    """Raises LabelError where a run would begin, or go on, with pictures nobody has accepted."""
    if pictures.changed:
        raise LabelError(pictures.sentence)


def without_damaged(label_set: LabelSet, *, pictures: Comparison) -> LabelSet:
    """The label_set without scenes that are damaged, or whose pictures are others by now.

    Raises LabelError where that leaves nothing labelled.
    """
    changed = {name: pictures.of_scene(name) for name in pictures.changed}
    found = changed | damaged_labels(label_set)
    left = label_set.setting_aside(found)
    if label_set.labels and not left.labels:
        raise LabelError(next(iter(found.values())))
    return left


def with_repaired(label_set: LabelSet, now: LabelSet) -> LabelSet:
    """The label_set of a checkpoint, where a damaged scene takes the part the project gives it now.

    Raises LabelError where that is damaged as well.
    """
    bad = damaged_labels(label_set)
    if not bad:
        return label_set
    again = now.holding_out(label_set.held_out)
    plain = label_set.setting_aside(bad)
    then = replace(
        plain,
        labelled=tuple(sorted({*plain.labelled, *(set(bad) & set(again.labelled))})),
        promoted={**plain.promoted, **_only(bad, again.promoted)},
        truths=_except(bad, plain.truths) | _only(bad, again.truths),
        damaged=label_set.damaged,
    )
    for sentence in damaged_labels(then).values():
        raise LabelError(sentence)
    return then


def _check_file(file: LabelFile, *, imported: bool) -> None:
    if file.checksum is None:  # frozen before labels had checksums: at least it can be read
        read_pseudo_label(file.path)
    check_label(file.path, file.checksum, imported=imported)


def _only(names: Mapping[str, str], files: Mapping[str, LabelFile]) -> dict[str, LabelFile]:
    return {name: file for name, file in files.items() if name in names}


def _except(names: Mapping[str, str], files: Mapping[str, LabelFile]) -> dict[str, LabelFile]:
    return {name: file for name, file in files.items() if name not in names}
