"""How a decision becomes entries of the journal: allowed for all its scenes, in one transaction."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from smarthdr_studio.core.authorship import now, person
from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.decision_rules import refuse
from smarthdr_studio.core.journal import JournalEntry, Kind, Ledger, SceneState
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project


class Pen:
    """Writes groups of entries, each of them one thing to undo."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def allowed(self, kind: Kind, ids: Iterable[str]) -> tuple[Scene, ...]:
        """The scenes, each once, if each may be decided upon so; else ProjectError."""
        scenes = tuple(self._project.scene(name) for name in dict.fromkeys(ids))
        refuse(kind, scenes, self._project.ledger())
        return scenes

    def decide(
        self,
        kind: Kind,
        scenes: Sequence[Scene],
        *,
        note: str,
        who: str | None,
        enter: Callable[[JournalEntry, SceneState], JournalEntry],
    ) -> None:
        """One entry for each scene, made by `enter` from a draft and the scene's state."""

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            refuse(kind, scenes, ledger)  # again: another process may have been quicker
            plain = draft(kind, masks=ledger.masks, note=note, who=who)
            states = ((scene.id, ledger.scenes[scene.id]) for scene in scenes)
            return [
                enter(replace(plain, scene=name, before=state.status), state)
                for name, state in states
            ]

        if scenes:
            self._project.record(decide)

    def reverse(self, kind: Literal[Kind.UNDO, Kind.REDO], *, who: str | None) -> str | None:
        """Take the latest group back, or do again what was undone last; says what it was."""
        reversed_groups: list[str] = []

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            groups = ledger.undoable if kind is Kind.UNDO else ledger.redoable
            if not groups:
                return ()
            reversed_groups.append(groups[-1])
            accounts = self._project.accounts()
            for state in accounts.states_before(groups[-1]):
                self._project.fetch(state.files())
            return accounts.inverse(
                groups[-1],
                kind=kind,
                at=now(),
                who=who or person(),
                new_group=uuid.uuid4().hex,
            )

        self._project.record(decide)
        return self._project.accounts().in_words(reversed_groups[0]) if reversed_groups else None


def draft(kind: Kind, *, masks: MaskSettings, note: str, who: str | None) -> JournalEntry:
    """The beginning of a new group."""
    return JournalEntry(
        group=uuid.uuid4().hex, at=now(), who=who or person(), kind=kind, masks=masks, note=note
    )
