"""Decisions about scenes and thresholds: what is allowed, and durable when the call returns."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from smarthdr_studio.core.environment import current_user, utc_now
from smarthdr_studio.core.errors import LostPainting, ProjectError
from smarthdr_studio.core.imaging.bracket import FrameReading, Scene, Three
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.project.journal import (
    DecisionSubject,
    JournalEntry,
    Kind,
    Ledger,
    SceneState,
    Status,
    differing_scenes,
    ledger_at,
    reverting_entry,
)
from smarthdr_studio.core.project.labels import (
    Ranges,
    TruthProvenance,
    frozen_labels,
    numbering,
    truth_draft,
)
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.stamps import CHANGED_TAG, Comparison
from smarthdr_studio.core.remedies import IMPORT_TRUTH
from smarthdr_studio.core.trust.brush import Brush, fingerprint, pack
from smarthdr_studio.core.trust.masking import MaskSettings

_TRAINING: Final = frozenset(set(Status) - {Status.TEST})

ALLOWED_FROM: Final[Mapping[Kind, frozenset[Status]]] = {
    Kind.PROMOTE: frozenset({Status.UNLABELLED, Status.EXCLUDED, Status.PROMOTED}),
    Kind.DEMOTE: frozenset({Status.PROMOTED, Status.GROUND_TRUTH}),
    Kind.EXCLUDE: _TRAINING - {Status.EXCLUDED},
    Kind.RESTORE: frozenset({Status.EXCLUDED}),
    Kind.USE_GROUND_TRUTH: _TRAINING - {Status.GROUND_TRUTH},
    Kind.IMPORT_TRUTH: frozenset(Status),
    Kind.PAINT: frozenset(Status),
    Kind.CHOOSE_FRAMES: frozenset(Status),
    Kind.ANNOTATE: frozenset(Status),
    Kind.SPLIT: frozenset(Status),
}
_DONE: Final[Mapping[Kind, str]] = {
    Kind.PROMOTE: "promoted",
    Kind.DEMOTE: "demoted",
    Kind.EXCLUDE: "excluded",
    Kind.RESTORE: "restored",
    Kind.USE_GROUND_TRUTH: "given back its ground truth",
}
_SPLIT_INTO: Final = frozenset(
    {Status.GROUND_TRUTH, Status.UNLABELLED, Status.EXCLUDED, Status.TEST}
)


def refuse_decision(kind: Kind, scenes: Iterable[Scene], ledger: Ledger) -> None:
    """Raises ProjectError at the first scene about which this may not be decided."""
    for scene in scenes:
        status = ledger.scenes[scene.id].status
        if status not in ALLOWED_FROM[kind]:
            allowed = " or ".join(sorted(ALLOWED_FROM[kind]))
            raise ProjectError(
                f"{scene.id}: its status is {status}, so it cannot be {_DONE[kind]}; "
                f"only {allowed} scenes can"
            )


def refuse_without_truth(scenes: Iterable[Scene]) -> None:
    """Raises ProjectError at the first scene that has no ground truth file."""
    for scene in scenes:
        if scene.ground_truth is None:
            raise ProjectError(
                f"{scene.id}: has no ground truth file; promote it instead, or import one with: "
                f"{IMPORT_TRUTH}"
            )


def as_tags(words: Iterable[str]) -> frozenset[str]:
    """Tags without the space around them. Raises ProjectError where one is not one word."""
    tags = frozenset(word.strip() for word in words)
    for tag in sorted(tags):
        if len(tag.split()) != 1:
            raise ProjectError(f"{tag!r}: a tag is one word; join words with a hyphen")
    return tags


def refuse_split(wanted: Mapping[str, Status]) -> None:
    """Raises ProjectError where a split asks for a status that only a decision gives."""
    for name, status in wanted.items():
        if status not in _SPLIT_INTO:
            allowed = ", ".join(sorted(_SPLIT_INTO))
            raise ProjectError(f"{name}: a split cannot make it {status}; it can say {allowed}")


class JournalWriter:
    """Writes groups of entries, each of them one thing to undo."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def allowed(self, kind: Kind, ids: Iterable[str]) -> tuple[Scene, ...]:
        """The scenes, each once, if each may be decided upon so; else ProjectError."""
        scenes = tuple(self._project.scene(name) for name in dict.fromkeys(ids))
        refuse_decision(kind, scenes, self._project.ledger())
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
            refuse_decision(kind, scenes, ledger)  # again: another process may have been quicker
            plain = draft_entry(kind, masks=ledger.masks, note=note, who=who)
            states = ((scene.id, ledger.scenes[scene.id]) for scene in scenes)
            return [
                enter(replace(plain, scene=name, before=state.status), state)
                for name, state in states
            ]

        if scenes:
            self._project.record(decide)

    def reverse(
        self, kind: Literal[Kind.UNDO, Kind.REDO], *, who: str | None
    ) -> DecisionSubject | None:
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
                at=utc_now(),
                who=who or current_user(),
                new_group=uuid.uuid4().hex,
            )

        self._project.record(decide)
        return self._project.accounts().subject(reversed_groups[0]) if reversed_groups else None


def draft_entry(kind: Kind, *, masks: MaskSettings, note: str, who: str | None) -> JournalEntry:
    """The beginning of a new group."""
    return JournalEntry(
        group=uuid.uuid4().hex,
        at=utc_now(),
        who=who or current_user(),
        kind=kind,
        masks=masks,
        note=note,
    )


class Decisions:
    """Writes a person's decisions. Several scenes decided in one call are one entry to undo.

    A call that is not allowed for one of its scenes raises ProjectError or LabelError and changes
    none of them. `who` is user@host unless given.
    """

    def __init__(self, project: Project) -> None:
        self._project, self._writer = project, JournalWriter(project)

    def promote(
        self,
        ids: Iterable[str],
        *,
        whole: bool = False,
        note: str = "",
        who: str | None = None,
        ranges: Ranges | None = None,
    ) -> None:
        """Learn from the pseudo-labels as they are now, masked with thresholds and brush of now.

        With `whole` the loss counts every pixel, else the trusted ones. A scene that is promoted
        already gets a new version; the old one stays. `ranges` are the pool's ranges of σ by scene
        (see `pseudo_label.remasked`). Raises LabelError where a pseudo-label is missing or damaged,
        ProjectError where pictures are not those the project knows.
        """
        self._project.refuse_read_only()  # before a label is written
        scenes = self._writer.allowed(Kind.PROMOTE, ids)
        self._project.compare_pictures([scene.id for scene in scenes]).refuse()
        self._promote(scenes, whole=whole, note=note, who=who, ranges=ranges)

    def promote_those_that_can(
        self,
        ids: Iterable[str],
        *,
        note: str = "",
        who: str | None = None,
        ranges: Ranges | None = None,
    ) -> dict[str, str]:
        """The same of scenes that nobody has named one by one: what cannot be promoted is left out.

        Answers why by scene, in a sentence each; where none is left, nothing is decided.
        """
        self._project.refuse_read_only()
        left_out: dict[str, str] = {}
        scenes: list[Scene] = []
        for name in ids:
            try:
                scenes += self._writer.allowed(Kind.PROMOTE, [name])
            except ProjectError as error:
                left_out[name] = str(error)
        pictures = self._project.compare_pictures([scene.id for scene in scenes])
        left_out |= {name: pictures.of_scene(name) for name in pictures.changed}
        scenes = [scene for scene in scenes if scene.id not in left_out]
        self._promote(scenes, note=note, who=who, ranges=ranges, left_out=left_out)
        return left_out

    def _promote(
        self,
        scenes: Sequence[Scene],
        *,
        note: str,
        who: str | None,
        ranges: Ranges | None,
        whole: bool = False,
        left_out: dict[str, str] | None = None,
    ) -> None:
        with (
            frozen_labels(
                self._project, scenes, self.masks(), ranges=ranges, left_out=left_out
            ) as labels,
            numbering(self._project) as number,
        ):
            by_scene = {label.scene: label for label in labels}
            scenes = [scene for scene in scenes if scene.id in by_scene]

            def enter(plain: JournalEntry, _: SceneState) -> JournalEntry:
                label = by_scene[str(plain.scene)]
                of = label.provenance
                return replace(
                    plain,
                    after=Status.PROMOTED,
                    label=number(label),
                    whole=whole,
                    checksum=label.checksum,
                    masks=of.masks,
                    run=of.run,
                    round=of.round,
                    checkpoint=of.checkpoint,
                )

            self._writer.decide(Kind.PROMOTE, scenes, note=note, who=who, enter=enter)

    def demote(self, ids: Iterable[str], *, note: str = "", who: str | None = None) -> None:
        """Back to the pool, unlabelled; the label file stays for undo."""
        self._become(Status.UNLABELLED, Kind.DEMOTE, ids, note=note, who=who)

    def exclude(self, ids: Iterable[str], *, note: str = "", who: str | None = None) -> None:
        """Take out of training altogether."""
        self._become(Status.EXCLUDED, Kind.EXCLUDE, ids, note=note, who=who)

    def restore(self, ids: Iterable[str], *, note: str = "", who: str | None = None) -> None:
        """Excluded scenes become what they were."""

        def enter(plain: JournalEntry, now_is: SceneState) -> JournalEntry:
            was = now_is.aside or SceneState(Status.UNLABELLED)
            self._project.fetch(was.files())
            return replace(plain, after=was.status, label=was.label)

        scenes = self._writer.allowed(Kind.RESTORE, ids)
        self._writer.decide(Kind.RESTORE, scenes, note=note, who=who, enter=enter)

    def use_ground_truth(
        self, ids: Iterable[str], *, note: str = "", who: str | None = None
    ) -> None:
        """Learn from the ground truth file."""

        def enter(plain: JournalEntry, _: SceneState) -> JournalEntry:
            # Asked here, where nobody can take an imported ground truth back.
            refuse_without_truth([self._project.scene(str(plain.scene))])
            return replace(plain, after=Status.GROUND_TRUTH)

        scenes = self._writer.allowed(Kind.USE_GROUND_TRUTH, ids)
        self._project.compare_pictures([scene.id for scene in scenes]).refuse()
        self._writer.decide(Kind.USE_GROUND_TRUTH, scenes, note=note, who=who, enter=enter)

    def import_truth(
        self,
        scene_id: str,
        radiance: Floats,
        *,
        provenance: TruthProvenance,
        note: str = "",
        who: str | None = None,
    ) -> None:
        """Learn from an imported ground truth: H×W×3 linear RGB on METHOD §1's scale.

        A copy is frozen in the project. A test scene stays one, and is measured against it.
        """
        self._project.refuse_read_only()
        scenes = self._writer.allowed(Kind.IMPORT_TRUTH, [scene_id])
        with (
            truth_draft(self._project, scene_id, radiance, provenance=provenance) as truth,
            numbering(self._project) as number,
        ):

            def enter(plain: JournalEntry, now_is: SceneState) -> JournalEntry:
                is_test = now_is.status is Status.TEST
                return replace(
                    plain,
                    after=Status.TEST if is_test else Status.GROUND_TRUTH,
                    truth=number(truth),
                    checksum=truth.checksum,
                )

            self._writer.decide(Kind.IMPORT_TRUTH, scenes, note=note, who=who, enter=enter)

    def paint(
        self,
        scene_id: str,
        change: Callable[[Brush | None], Brush | None],
        *,
        note: str = "",
        who: str | None = None,
    ) -> None:
        """Paint over the masks of a scene; the loss heeds it from the next round on.

        `change` is given the scene's mask of this moment, H×W with 1 for trust and −1 for distrust
        or None, and answers the new one. The same mask again is no decision. Over a mask that is
        lost one begins anew; undo still leads to what it was.
        """
        scene = self._project.scene(scene_id)
        packed: dict[str, bytes] = {}

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            mask = change(self._painted(scene_id))
            if mask is not None and mask.any():
                runs = pack(mask)
                packed[fingerprint(runs)] = runs
            person_now, state = next(iter(packed), None), ledger.scenes[scene.id]
            if person_now == state.person:
                packed.clear()
                return ()
            plain = draft_entry(Kind.PAINT, masks=ledger.masks, note=note, who=who)
            status = state.status
            return [replace(plain, scene=scene.id, before=status, after=status, person=person_now)]

        self._project.record(decide, painted=lambda: packed)

    def annotate(
        self,
        ids: Iterable[str],
        *,
        note: str | None = None,
        add: Collection[str] = (),
        remove: Collection[str] = (),
        who: str | None = None,
    ) -> None:
        """Give scenes a note in place of theirs, and tags beside theirs or fewer of them.

        Scenes that have all of it already are left alone. Raises ProjectError where a tag is not
        one word.
        """
        scenes = self._writer.allowed(Kind.ANNOTATE, ids)
        added, removed = as_tags(add), {word.strip() for word in remove}

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            plain = draft_entry(Kind.ANNOTATE, masks=ledger.masks, note="", who=who)
            entries = []
            for scene in scenes:
                state = ledger.scenes[scene.id]
                tags = tuple(sorted({*state.tags, *added} - removed))
                text = state.note if note is None else note
                if (text, tags) != (state.note, state.tags):
                    status = state.status
                    entries.append(
                        replace(
                            plain, scene=scene.id, before=status, after=status, note=text, tags=tags
                        )
                    )
            return entries

        self._project.record(decide)

    def accept_pictures(
        self, found: Comparison, *, same: bool = False, who: str | None = None
    ) -> tuple[str, ...]:
        """Take the pictures as they were compared for those of the project.

        Unless they are the `same` to a person's eye, scenes with a label of their own, promoted or
        imported, are tagged `CHANGED_TAG`, as it was made of the earlier ones; answers which.
        Pictures that changed since the comparison are found by the next one.
        """
        states = self._project.ledger().scenes
        own = [
            n for n in found.changed if states[n].label is not None or states[n].truth is not None
        ]
        marked = () if same else tuple(own)
        self._project.refuse_read_only()
        if marked:
            self.annotate(marked, add=(CHANGED_TAG,), who=who)
        self._project.accept_pictures(found)
        return marked

    def import_split(
        self, wanted: Mapping[str, Status], *, note: str = "", who: str | None = None
    ) -> None:
        """Give scenes the statuses a split asks for: ground truth, unlabelled, excluded or test.

        Raises ProjectError where a scene is unknown or lacks the ground truth it is to have.
        """
        refuse_split(wanted)
        scenes = self._writer.allowed(Kind.SPLIT, wanted)
        states = self._project.ledger().scenes
        changed = [scene for scene in scenes if states[scene.id].status is not wanted[scene.id]]

        def enter(plain: JournalEntry, _: SceneState) -> JournalEntry:
            status = wanted[str(plain.scene)]
            if status is Status.GROUND_TRUTH:
                refuse_without_truth([self._project.scene(str(plain.scene))])
            return replace(plain, after=status)

        self._writer.decide(Kind.SPLIT, changed, note=note, who=who, enter=enter)

    def set_masks(self, masks: MaskSettings, *, note: str = "", who: str | None = None) -> None:
        """New thresholds for the whole project; the same ones again are no decision."""

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            plain = draft_entry(Kind.SET_MASKS, masks=masks, note=note, who=who)
            return () if ledger.masks == masks else (plain,)

        self._project.record(decide)

    def read_frames(self, reading: FrameReading, *, note: str = "", who: str | None = None) -> None:
        """How the frames of all scenes are read from now on; the same again is no decision.

        What was labelled before stays as it is, and so does the dataset.
        """

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            plain = draft_entry(Kind.READ_FRAMES, masks=ledger.masks, note=note, who=who)
            return () if ledger.reading == reading else (replace(plain, reading=reading),)

        self._project.record(decide)

    def choose_frames(
        self, scene_id: str, three: Three | None, *, note: str = "", who: str | None = None
    ) -> None:
        """Let networks and views use these frames of a scene's bracket; None as it was found.

        The same ones again are no decision. What was labelled before stays as it is. Raises
        BadScene, and ProjectError where the under frame would be another one although the scene
        has a label of its own: its light is on the scale of that frame.
        """
        self._project.refuse_read_only()
        self._writer.allowed(Kind.CHOOSE_FRAMES, [scene_id])
        wanted = self._project.scene_with(scene_id, three)

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            state = ledger.scenes[scene_id]
            if state.three == three:
                return ()
            if state.files() and wanted.evs[0] != self._project.scene(scene_id).evs[0]:
                raise ProjectError(
                    f"{scene_id}: has a label of its own, whose light is on the scale of its under "
                    "frame; keep that frame, or undo the label first"
                )
            plain = draft_entry(Kind.CHOOSE_FRAMES, masks=ledger.masks, note=note, who=who)
            status = state.status
            return [replace(plain, scene=scene_id, before=status, after=status, three=three)]

        self._project.record(decide)

    def go_back(
        self, moment: int | str, *, note: str = "", who: str | None = None
    ) -> tuple[tuple[str, ...], bool]:
        """Statuses, labels, brush and thresholds become again what they were (see `ledger_at`).

        Notes and tags stay. Answers which scenes changed, and whether the thresholds did; where
        nothing does, it is no decision. Raises LabelError: a label of then is gone for good.
        """
        then = ledger_at(self._project.entries(), moment)
        written: list[JournalEntry] = []

        def decide(ledger: Ledger) -> Sequence[JournalEntry]:
            plain = draft_entry(Kind.GO_BACK, masks=then.masks, note=note, who=who)
            for name in differing_scenes(ledger, then):
                was = then.scenes[name]
                # What an excluded scene was before it was excluded does not come back.
                self._project.fetch(was._replace(aside=None).files())
                written.append(
                    reverting_entry(replace(plain, scene=name), ledger.scenes[name], was)
                )
            written.extend([plain] * (ledger.masks != then.masks))
            return written

        self._project.record(decide)
        scenes = tuple(entry.scene for entry in written if entry.scene is not None)
        return scenes, len(scenes) < len(written)

    def masks(self) -> MaskSettings:
        """The thresholds in force; the paper's until somebody sets others."""
        return self._project.ledger().masks

    def undo(self, *, who: str | None = None) -> DecisionSubject | None:
        """Take the latest decision back and say which; None if there is none."""
        return self._writer.reverse(Kind.UNDO, who=who)

    def redo(self, *, who: str | None = None) -> DecisionSubject | None:
        """Do again what was undone last and say what; None if there is nothing."""
        return self._writer.reverse(Kind.REDO, who=who)

    @property
    def next_undo(self) -> DecisionSubject | None:
        """What `undo` would take back."""
        accounts = self._project.accounts()
        groups = accounts.ledger().undoable
        return accounts.subject(groups[-1]) if groups else None

    @property
    def next_redo(self) -> DecisionSubject | None:
        """What `redo` would do again."""
        accounts = self._project.accounts()
        groups = accounts.ledger().redoable
        return accounts.subject(groups[-1]) if groups else None

    def history(self, limit: int = 100) -> tuple[JournalEntry, ...]:
        """The latest entries, newest first."""
        return tuple(reversed(self._project.entries()[-limit:])) if limit > 0 else ()

    def _painted(self, scene_id: str) -> Brush | None:
        try:
            return self._project.person(scene_id)
        except LostPainting:
            return None

    def _become(
        self, status: Status, kind: Kind, ids: Iterable[str], *, note: str, who: str | None
    ) -> None:
        def enter(plain: JournalEntry, _: SceneState) -> JournalEntry:
            return replace(plain, after=status)

        self._writer.decide(kind, self._writer.allowed(kind, ids), note=note, who=who, enter=enter)
