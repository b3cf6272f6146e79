"""What a person decides about scenes and thresholds; durable when the call returns."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from smarthdr_studio.core.authorship import now, person
from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.journal import (
    JournalEntry,
    Kind,
    Ledger,
    SceneState,
    Status,
    in_words,
    inverse,
)
from smarthdr_studio.core.label_files import Ranges, frozen_labels
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project

__all__ = ["Decisions", "Status"]

_FROM: Final[Mapping[Kind, frozenset[Status]]] = {
    Kind.PROMOTE: frozenset({Status.UNLABELLED, Status.EXCLUDED}),
    Kind.DEMOTE: frozenset({Status.PROMOTED, Status.GROUND_TRUTH}),
    Kind.EXCLUDE: frozenset({Status.PROMOTED, Status.GROUND_TRUTH, Status.UNLABELLED}),
    Kind.RESTORE: frozenset({Status.EXCLUDED}),
    Kind.USE_GROUND_TRUTH: frozenset({Status.PROMOTED, Status.UNLABELLED, Status.EXCLUDED}),
}
_DONE: Final[Mapping[Kind, str]] = {
    Kind.PROMOTE: "promoted",
    Kind.DEMOTE: "demoted",
    Kind.EXCLUDE: "excluded",
    Kind.RESTORE: "restored",
    Kind.USE_GROUND_TRUTH: "given back its ground truth",
}


class Decisions:
    """The person's pen. Several scenes decided in one call are one entry to undo.

    A call that is not allowed for one of its scenes raises ProjectError or LabelError and changes
    none of them. `who` is user@host unless given.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def promote(
        self,
        ids: Iterable[str],
        *,
        note: str = "",
        who: str | None = None,
        ranges: Ranges | None = None,
    ) -> None:
        """Learn from the pseudo-labels as they are now, masked with the thresholds of now.

        `ranges` are the pool's ranges of σ by scene (see `pseudo_label.remasked`). Raises
        LabelError where a pseudo-label is missing or damaged.
        """
        scenes = self._allowed(Kind.PROMOTE, ids)
        with frozen_labels(self._project, scenes, self.masks(), ranges=ranges) as labels:
            by_scene = {label.scene: label for label in labels}

            def enter(draft: JournalEntry, _: SceneState) -> JournalEntry:
                label = by_scene[str(draft.scene)]
                path = label.take_number().relative_to(self._project.folder)
                of = label.provenance
                return replace(
                    draft,
                    after=Status.PROMOTED,
                    label=path.as_posix(),
                    masks=of.masks,
                    run=of.run,
                    round=of.round,
                    checkpoint=of.checkpoint,
                )

            self._decide(Kind.PROMOTE, scenes, note=note, who=who, enter=enter)

    def demote(self, ids: Iterable[str], *, note: str = "", who: str | None = None) -> None:
        """Back to the pool, unlabelled; the label file stays for undo."""
        self._become(Status.UNLABELLED, Kind.DEMOTE, ids, note=note, who=who)

    def exclude(self, ids: Iterable[str], *, note: str = "", who: str | None = None) -> None:
        """Take out of training altogether."""
        self._become(Status.EXCLUDED, Kind.EXCLUDE, ids, note=note, who=who)

    def restore(self, ids: Iterable[str], *, note: str = "", who: str | None = None) -> None:
        """Excluded scenes become what they were."""

        def enter(draft: JournalEntry, now_is: SceneState) -> JournalEntry:
            was = now_is.aside or SceneState(Status.UNLABELLED)
            return replace(draft, after=was.status, label=was.label)

        scenes = self._allowed(Kind.RESTORE, ids)
        self._decide(Kind.RESTORE, scenes, note=note, who=who, enter=enter)

    def use_ground_truth(
        self, ids: Iterable[str], *, note: str = "", who: str | None = None
    ) -> None:
        """Learn from the ground truth file."""
        ids = tuple(ids)
        for scene in map(self._project.scene, ids):
            if scene.ground_truth is None:
                raise ProjectError(f"{scene.id}: has no ground truth file; promote it instead")
        self._become(Status.GROUND_TRUTH, Kind.USE_GROUND_TRUTH, ids, note=note, who=who)

    def set_masks(self, masks: MaskSettings, *, note: str = "", who: str | None = None) -> None:
        """New thresholds for the whole project; the same ones again are no decision."""

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            draft = _draft(Kind.SET_MASKS, masks=masks, note=note, who=who)
            return () if ledger.masks == masks else (draft,)

        self._project.record(decide)

    def masks(self) -> MaskSettings:
        """The thresholds in force; the paper's until somebody sets others."""
        return self._project.ledger().masks

    def undo(self, *, who: str | None = None) -> str | None:
        """Take the latest decision back and say which; None if there is none."""
        return self._reverse(Kind.UNDO, who=who)

    def redo(self, *, who: str | None = None) -> str | None:
        """Do again what was undone last and say what; None if there is nothing."""
        return self._reverse(Kind.REDO, who=who)

    @property
    def can_undo(self) -> str | None:
        """What `undo` would take back, in words."""
        groups = self._project.ledger().undoable
        return in_words(self._project.entries(), groups[-1]) if groups else None

    @property
    def can_redo(self) -> str | None:
        """What `redo` would do again, in words."""
        groups = self._project.ledger().redoable
        return in_words(self._project.entries(), groups[-1]) if groups else None

    def history(self, limit: int = 100) -> tuple[JournalEntry, ...]:
        """The latest entries, newest first."""
        return tuple(reversed(self._project.entries()[-limit:])) if limit > 0 else ()

    def _become(
        self, status: Status, kind: Kind, ids: Iterable[str], *, note: str, who: str | None
    ) -> None:
        def enter(draft: JournalEntry, _: SceneState) -> JournalEntry:
            return replace(draft, after=status)

        self._decide(kind, self._allowed(kind, ids), note=note, who=who, enter=enter)

    def _allowed(self, kind: Kind, ids: Iterable[str]) -> tuple[Scene, ...]:
        """The scenes, each once, if each may be decided upon so; else ProjectError."""
        scenes = tuple(self._project.scene(name) for name in dict.fromkeys(ids))
        _refuse(kind, scenes, self._project.ledger())
        return scenes

    def _decide(
        self,
        kind: Kind,
        scenes: Sequence[Scene],
        *,
        note: str,
        who: str | None,
        enter: Callable[[JournalEntry, SceneState], JournalEntry],
    ) -> None:
        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            _refuse(kind, scenes, ledger)  # again: another process may have been quicker
            draft = _draft(kind, masks=ledger.masks, note=note, who=who)
            states = ((scene.id, ledger.scenes[scene.id]) for scene in scenes)
            return [
                enter(replace(draft, scene=name, before=state.status), state)
                for name, state in states
            ]

        if scenes:
            self._project.record(decide)

    def _reverse(self, kind: Literal[Kind.UNDO, Kind.REDO], *, who: str | None) -> str | None:
        reversed_groups: list[str] = []

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            groups = ledger.undoable if kind is Kind.UNDO else ledger.redoable
            if not groups:
                return ()
            reversed_groups.append(groups[-1])
            return inverse(
                self._project.entries(),
                groups[-1],
                kind=kind,
                at=now(),
                who=who or person(),
                new_group=uuid.uuid4().hex,
            )

        self._project.record(decide)
        return in_words(self._project.entries(), reversed_groups[0]) if reversed_groups else None


def _draft(kind: Kind, *, masks: MaskSettings, note: str, who: str | None) -> JournalEntry:
    return JournalEntry(
        group=uuid.uuid4().hex, at=now(), who=who or person(), kind=kind, masks=masks, note=note
    )


def _refuse(kind: Kind, scenes: Sequence[Scene], ledger: Ledger) -> None:
    for scene in scenes:
        status = ledger.scenes[scene.id].status
        if status not in _FROM[kind]:
            allowed = " or ".join(sorted(_FROM[kind]))
            raise ProjectError(
                f"{scene.id}: its status is {status}, so it cannot be {_DONE[kind]}; "
                f"only {allowed} scenes can"
            )
