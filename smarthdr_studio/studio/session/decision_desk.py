"""Carries out what a person decides, at once and durably, and says in words what happened."""

from collections.abc import Callable, Mapping, Sequence

from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.state import Notice

Ranges = Mapping[str, tuple[Range, Range | None]]


class DecisionDesk:
    """The person's pen with its refusals in words; every method answers None when all went well."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._decisions = Decisions(project)

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

    def promotable(self, scenes: Sequence[str]) -> tuple[str, ...]:
        """Those that are unlabelled or excluded and have a pseudo-label."""
        statuses = self._project.statuses()
        ready = (s for s in scenes if statuses[s] in (Status.UNLABELLED, Status.EXCLUDED))
        return tuple(scene for scene in ready if self._project.pseudo_path(scene).is_file())

    def promote(self, scenes: Sequence[str], ranges: Ranges) -> Notice | None:
        """Promote scenes with the pool's ranges of σ."""
        return _told(lambda: self._decisions.promote(scenes, ranges=ranges))

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


def not_promotable(scenes: Sequence[str]) -> Notice:
    """None of these can be promoted."""
    return _nothing(scenes, "Only an unlabelled scene with a pseudo-label is promoted")


def _nothing(scenes: Sequence[str], rule: str) -> Notice:
    about = scenes[0] if len(scenes) == 1 else f"{len(scenes)} scenes"
    return Notice(text=f"{rule}: nothing was changed for {about}.", tone="warn")
