"""Carries out what a person decides, at once and durably, and says in words what happened."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import Notice

_MANY: Final = re.compile(r"(\D+) (\d+) scenes")
_DONE: Final = {
    "promote": "Promoted",
    "demote": "Demoted",
    "exclude": "Excluded",
    "restore": "Took back in",
    "note on": "Changed notes or tags of",
    "use the ground truth of": "Use the ground truth of",
    "import a split of": "Imported a split of",
}

Ranges = Mapping[str, tuple[Range, Range | None]]


class DecisionDesk:
    """The person's pen with its refusals in words; every method answers None when all went well."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._decisions = Decisions(project)
        self._told = self._latest()

    @property
    def masks(self) -> MaskSettings:
        """The thresholds the journal adds up to."""
        return self._decisions.masks()

    @property
    def can_undo(self) -> str | None:
        """What undo would take back."""
        return self._decisions.can_undo

    @property
    def can_redo(self) -> str | None:
        """What redo would do again."""
        return self._decisions.can_redo

    def news(self) -> Notice | None:
        """How many scenes the latest decision was about, once, where it was about several."""
        latest = self._latest()
        if latest in (None, self._told):
            return None
        self._told = latest
        words = many_in_words(self._decisions.can_undo or "")
        return Notice(text=words) if words else None

    def _latest(self) -> str | None:
        """The decision made last, None where some are undone."""
        ledger = self._project.ledger()
        return ledger.undoable[-1] if ledger.undoable and not ledger.redoable else None

    def refusal(self) -> Notice | None:
        """Why nothing can be decided about this project; None where it can."""
        if not self._project.read_only:
            return None
        return _told(lambda: self._project.record(lambda _: ()))

    def promotable(self, scenes: Sequence[str], *, whole: bool) -> tuple[str, ...]:
        """Those with a pseudo-label that are unlabelled, excluded, or promoted otherwise.

        Where all of them are promoted as is asked for, each of them: for a new version.
        """
        states = self._project.ledger().scenes
        known = [scene for scene in scenes if self._project.pseudo_path(scene).is_file()]
        waiting = (Status.UNLABELLED, Status.EXCLUDED)
        promoted = [scene for scene in known if states[scene].status is Status.PROMOTED]
        ready = [scene for scene in known if states[scene].status in waiting]
        ready += [scene for scene in promoted if whole and not states[scene].whole]
        return tuple(ready or promoted)

    def decide(self, decide: Callable[[Decisions], object]) -> Notice | None:
        """Any decision."""
        return _told(lambda: decide(self._decisions))

    def demote(self, scenes: Sequence[str]) -> Notice | None:
        """Take promoted labels back."""
        statuses = self._project.statuses()
        ready = [scene for scene in scenes if statuses[scene] is Status.PROMOTED]
        if not ready:
            return _nothing(scenes, "Only a promoted scene is demoted")
        return _told(lambda: self._decisions.demote(ready))

    def exclude(self, scenes: Sequence[str]) -> Notice | None:
        """Keep scenes out of training; if all of them are out already, take them back in."""
        statuses = self._project.statuses()
        scenes = [scene for scene in scenes if statuses[scene] is not Status.TEST]
        inside = [scene for scene in scenes if statuses[scene] is not Status.EXCLUDED]
        if not scenes:
            return Notice(text="Test scenes take no part in training anyway.")
        if inside:
            return _told(lambda: self._decisions.exclude(inside))
        return _told(lambda: self._decisions.restore(scenes))

    def set_masks(self, masks: MaskSettings) -> Notice | None:
        """Keep these thresholds."""
        return _told(lambda: self._decisions.set_masks(masks))

    def undo(self) -> Notice | None:
        """Take the last decision back."""
        return _told(self._decisions.undo)

    def redo(self) -> Notice | None:
        """Decide it again."""
        return _told(self._decisions.redo)


def _told(decide: Callable[[], object]) -> Notice | None:
    try:
        decide()
    except StudioError as error:
        return Notice(text=str(error), tone="bad")
    return None


def many_in_words(undo: str) -> str:
    """What was done to several scenes, from the words undo has for it; "" where it was one."""
    found = _MANY.fullmatch(undo)
    if found is None:
        return ""
    did = _DONE.get(found[1], f"Done: {found[1]}")
    return f"{did} {found[2]} scenes. Undo: {by_id('undo').keys[0]}"


def not_promotable(scenes: Sequence[str]) -> Notice:
    """None of these can be promoted."""
    return _nothing(scenes, "Only a scene with a pseudo-label and no ground truth is promoted")


def _nothing(scenes: Sequence[str], rule: str) -> Notice:
    about = scenes[0] if len(scenes) == 1 else f"{len(scenes)} scenes"
    return Notice(text=f"{rule}: nothing was changed for {about}.", tone="warn")
