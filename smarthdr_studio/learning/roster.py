"""Which scene plays which part in training right now."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.brush.runs import fingerprint, pack
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.journal import SceneState, Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.trust_files import masks_as_text, masks_from_text


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
    def from_state(cls, state: Mapping[str, Any] | str, *, project: AnyPath) -> "LabelFile":
        """What `state` gave; older checkpoints hold the path alone."""
        project = Path(project)
        if isinstance(state, str):
            return cls(path=project / state)
        return cls(path=project / state["path"], checksum=state["checksum"], whole=state["whole"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The parts of all scenes and the thresholds, as the project said at one moment.

    Ids are sorted. A held-out scene stays so for a whole run, whatever becomes of it. `promoted`
    gives each promoted scene its label, `truths` every scene the ground truth that was brought to
    it, if any, and `brushes` the unlabelled scenes the hash of what a person painted, if anything.
    `damaged` says of scenes that are left out, in one sentence, what is wrong with their files.
    `journal` is the last entry that was read, 0 where it is not known.
    """

    labelled: tuple[str, ...]
    promoted: Mapping[str, LabelFile]
    unlabelled: tuple[str, ...]
    masks: MaskSettings
    held_out: tuple[str, ...] = ()
    truths: Mapping[str, LabelFile] = field(default_factory=dict)
    brushes: Mapping[str, str] = field(default_factory=dict)
    damaged: Mapping[str, str] = field(default_factory=dict)
    journal: int = field(default=0, compare=False)

    def holding_out(self, names: tuple[str, ...]) -> "Roster":
        """The same, with these scenes kept from learning for validation."""
        return replace(self._without(names), held_out=names)

    def setting_aside(self, damaged: Mapping[str, str]) -> "Roster":
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
        """The scenes with the brought ground truths this roster knows, whatever came since."""
        brought = {
            name: replace(scenes[name], ground_truth=self.truths[name].path, ground_truth_gain=1.0)
            for name in {*self.labelled, *self.held_out} & set(self.truths)
        }
        return {**scenes, **brought}

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
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, project: AnyPath) -> "Roster":
        """What `state` gave, also by a version that knew neither brush nor brought truths."""
        project = Path(project)

        def files(part: str) -> dict[str, LabelFile]:
            saved = state.get(part, {}).items()
            return {name: LabelFile.from_state(file, project=project) for name, file in saved}

        return cls(
            labelled=tuple(state["labelled"]),
            promoted=files("promoted"),
            unlabelled=tuple(state["unlabelled"]),
            masks=masks_from_text(state["masks"]),
            held_out=tuple(state["held_out"]),
            truths=files("truths"),
            brushes=dict(state.get("brushes", {})),
            damaged=dict(state.get("damaged", {})),
        )

    def _without(self, names: Collection[str]) -> "Roster":
        return replace(
            self,
            labelled=tuple(name for name in self.labelled if name not in names),
            promoted={name: file for name, file in self.promoted.items() if name not in names},
            unlabelled=tuple(name for name in self.unlabelled if name not in names),
        )


class Reading(NamedTuple):
    """What a project says at one moment."""

    roster: Roster
    scenes: Mapping[str, Scene]
    """All scenes by id; ground truths that were brought stand for the dataset's."""
    persons: Mapping[str, Brush]
    """What a person painted on unlabelled scenes: H×W, 1 trust, −1 distrust."""


def read_roster(folder: AnyPath, *, plan: TrainingPlan) -> Reading:
    """What the project says now; opened and closed here. Label files are not looked at.

    An unlabelled scene whose painted mask is lost is damaged. Raises ProjectError where the
    project cannot be opened.
    """
    folder = Path(folder)
    with Project.open(folder) as project:
        ledger, entries = project.ledger(), project.entries()
        states, scenes = ledger.scenes, {scene.id: scene for scene in project.scenes}
        roster = Roster(
            labelled=_with(Status.GROUND_TRUTH, states),
            promoted=_promoted(project.folder, states, plan=plan),
            unlabelled=_with(Status.UNLABELLED, states),
            masks=plan.masks.applied_to(ledger.masks),
            journal=entries[-1].seq if entries else 0,
            truths={
                name: LabelFile(
                    path=project.folder / state.truth, checksum=state.truth_checksum, whole=True
                )
                for name, state in states.items()
                if state.truth is not None
            },
        )
        painted = [name for name in roster.unlabelled if states[name].person is not None]
        persons, damaged = _persons(project, painted)
    brushes = {name: fingerprint(pack(mask)) for name, mask in persons.items()}
    return Reading(replace(roster, brushes=brushes).setting_aside(damaged), scenes, persons)


def held_out_count(plan: TrainingPlan, roster: Roster) -> int:
    """How many labelled scenes are kept for validation; "auto" is one of five, none below three."""
    if plan.held_out != "auto":
        return plan.held_out
    few = len(roster.labelled)
    return 0 if few < 3 else max(1, few // 5)


def choose_held_out(labelled: Collection[str], *, count: int, seed: int) -> tuple[str, ...]:
    """Labelled scenes kept for validation: the same for the same seed, and never all of them."""
    count = min(count, max(len(labelled) - 1, 0))
    return tuple(sorted(random.Random(seed).sample(sorted(labelled), count)))


def _with(status: Status, states: Mapping[str, SceneState]) -> tuple[str, ...]:
    return tuple(sorted(name for name, state in states.items() if state.status is status))


def _promoted(
    folder: Path, states: Mapping[str, SceneState], *, plan: TrainingPlan
) -> dict[str, LabelFile]:
    return {
        name: LabelFile(
            path=folder / label,
            checksum=states[name].checksum,
            whole=states[name].whole or plan.promoted_pixels == "all",
        )
        for name in _with(Status.PROMOTED, states)
        if (label := states[name].label) is not None
    }


def _persons(project: Project, names: Collection[str]) -> tuple[dict[str, Brush], dict[str, str]]:
    """The painted masks, and what is wrong with those that cannot be read."""
    persons: dict[str, Brush] = {}
    damaged: dict[str, str] = {}
    for name in names:
        try:
            mask = project.person(name)
        except ProjectError as error:
            damaged[name] = str(error)
        else:
            if mask is not None:
                persons[name] = mask
    return persons, damaged
