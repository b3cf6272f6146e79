"""Which scene plays which part in training right now, and what a person changed since."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.plan import MaskPlan
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.trust_files import masks_as_text, masks_from_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The parts of all scenes and the thresholds, as the project said at one moment.

    `promoted` gives each promoted scene its label file. Ids are sorted. A held-out scene stays so
    for a whole run, whatever becomes of it.
    """

    labelled: tuple[str, ...]
    promoted: Mapping[str, Path]
    unlabelled: tuple[str, ...]
    masks: MaskSettings
    held_out: tuple[str, ...] = ()

    def holding_out(self, names: tuple[str, ...]) -> "Roster":
        """The same, with these scenes kept from learning for validation."""
        labelled = tuple(name for name in self.labelled if name not in names)
        return replace(self, labelled=labelled, held_out=names)

    def state(self, *, project: Path) -> dict[str, Any]:
        """Plain values for a checkpoint; label files relative to the project."""
        return {
            "labelled": list(self.labelled),
            "promoted": {
                name: path.relative_to(project).as_posix() for name, path in self.promoted.items()
            },
            "unlabelled": list(self.unlabelled),
            "masks": masks_as_text(self.masks),
            "held_out": list(self.held_out),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, project: Path) -> "Roster":
        """What `state` gave."""
        return cls(
            labelled=tuple(state["labelled"]),
            promoted={name: project / path for name, path in state["promoted"].items()},
            unlabelled=tuple(state["unlabelled"]),
            masks=masks_from_text(state["masks"]),
            held_out=tuple(state["held_out"]),
        )


def read_roster(folder: Path, *, masks: MaskPlan) -> tuple[Roster, dict[str, Scene]]:
    """What the project says now, and all its scenes by id; opened and closed here.

    Raises ProjectError where the project cannot be opened.
    """
    with Project.open(folder) as project:
        statuses = project.statuses()
        promoted = {name for name, status in statuses.items() if status is Status.PROMOTED}
        files = {name: project.label_path(name) for name in sorted(promoted)}
        roster = Roster(
            labelled=_with(Status.GROUND_TRUTH, statuses),
            promoted={name: path for name, path in files.items() if path is not None},
            unlabelled=_with(Status.UNLABELLED, statuses),
            masks=masks.applied_to(project.ledger().masks),
        )
        return roster, {scene.id: scene for scene in project.scenes}


def choose_held_out(labelled: Collection[str], *, count: int, seed: int) -> tuple[str, ...]:
    """Labelled scenes kept for validation: the same for the same seed, and never all of them."""
    count = min(count, max(len(labelled) - 1, 0))
    return tuple(sorted(random.Random(seed).sample(sorted(labelled), count)))


def changes(before: Roster, after: Roster) -> tuple[str, ...]:
    """What a person changed in between, one sentence each."""
    said: list[str] = []
    for name in sorted(_all(before) | _all(after)):
        old, new = _part(before, name), _part(after, name)
        if old != new:
            said.append(f"{name}: was {old}, is {new} from this round on")
        elif before.promoted.get(name) != after.promoted.get(name):
            said.append(f"{name}: has a new promoted label from this round on")
    return (*said, *_mask_changes(before.masks, after.masks))


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


def _with(status: Status, statuses: Mapping[str, Status]) -> tuple[str, ...]:
    return tuple(sorted(name for name, found in statuses.items() if found is status))


def _all(roster: Roster) -> set[str]:
    return {*roster.labelled, *roster.promoted, *roster.unlabelled}


def _part(roster: Roster, name: str) -> str:
    if name in roster.promoted:
        return "promoted"
    if name in roster.labelled:
        return "ground truth"
    return "unlabelled" if name in roster.unlabelled else "left out"
