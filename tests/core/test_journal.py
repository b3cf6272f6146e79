"""What the journal adds up to, against the simplest model: a stack of whole states."""

from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import (
    Accounts,
    JournalEntry,
    Kind,
    Status,
    add_up,
    in_words,
)
from smarthdr_studio.core.project.stamps import Comparison
from smarthdr_studio.core.trust.masking import MaskSettings

NAMES = ("a", "b", "c", "t")


def plain_scene(name):
    return Scene(
        id=name,
        frames=(None, None, None),
        evs=(0, 2, 4),
        height=1,
        width=1,
        ground_truth="some file",
    )


class ProjectInMemory:
    """Keeps the journal in a list, as a project keeps it on disk."""

    def __init__(self):
        first = {"a": Status.GROUND_TRUTH, "t": Status.TEST}
        self.journal = [
            JournalEntry(
                group="0",
                at="",
                who="",
                kind=Kind.CREATED,
                scene=name,
                after=first.get(name, Status.UNLABELLED),
                seq=seq,
            )
            for seq, name in enumerate(NAMES)
        ]

    def scene(self, name):
        return plain_scene(name)

    def entries(self):
        return self.journal

    def accounts(self):
        return Accounts(self.journal)

    def ledger(self):
        return add_up(self.journal)

    def fetch(self, files):
        """There are no files."""

    def compare_pictures(self, ids):
        """There are no pictures that could have changed."""
        return Comparison(root=Path(), scenes=len(ids))

    def record(self, decide, painted=dict):
        new = decide(self.ledger())
        self.journal += [replace(e, seq=len(self.journal) + i) for i, e in enumerate(new)]


@dataclass
class Model:
    """Every state that can be returned to is kept whole."""

    state: dict = field(
        default_factory=lambda: {
            "masks": 0.4,
            "a": (Status.GROUND_TRUTH, None),
            "b": (Status.UNLABELLED, None),
            "c": (Status.UNLABELLED, None),
            "t": (Status.TEST, None),
        }
    )
    done: list = field(default_factory=list)
    undone: list = field(default_factory=list)

    def become(self, **changes):
        self.done.append(self.state)
        self.undone.clear()
        self.state = {**self.state, **changes}

    def undo(self):
        if self.done:
            self.undone.append(self.state)
            self.state = self.done.pop()

    def redo(self):
        if self.undone:
            self.done.append(self.state)
            self.state = self.undone.pop()


TRAIN = {Status.GROUND_TRUTH, Status.PROMOTED, Status.UNLABELLED, Status.EXCLUDED}
ALLOWED = {
    "promote": {Status.UNLABELLED, Status.EXCLUDED, Status.PROMOTED},
    "demote": {Status.PROMOTED, Status.GROUND_TRUTH},
    "exclude": TRAIN - {Status.EXCLUDED},
    "restore": {Status.EXCLUDED},
    "use_ground_truth": TRAIN - {Status.GROUND_TRUTH},
}


def in_model(model, verb, names, label):
    """The model's own idea of a decision; False where it is not allowed."""
    if any(model.state[name][0] not in ALLOWED[verb] for name in names):
        return False
    states = {
        "promote": lambda _: (Status.PROMOTED, label),
        "demote": lambda _: (Status.UNLABELLED, None),
        "exclude": lambda now: (Status.EXCLUDED, now),
        "restore": lambda now: now[1],
        "use_ground_truth": lambda _: (Status.GROUND_TRUTH, None),
    }
    if names:
        model.become(**{name: states[verb](model.state[name]) for name in names})
    return True


def promote(project, names, label):
    """As Decisions.promote, without the label file."""
    decisions = Decisions(project)
    scenes = decisions._writer.allowed(Kind.PROMOTE, names)
    decisions._writer.decide(
        Kind.PROMOTE,
        scenes,
        note="",
        who="me",
        enter=lambda draft, _: replace(draft, after=Status.PROMOTED, label=label),
    )


def in_studio(project, verb, names, label):
    try:
        if verb == "promote":
            promote(project, names, label)
        else:
            getattr(Decisions(project), verb)(names)
    except ProjectError:
        return False
    return True


def seen(project):
    ledger = project.ledger()
    states = {name: (s.status, s.label) for name, s in ledger.scenes.items()}
    return {**states, "masks": ledger.masks.tau_patch}


def told(model):
    hide = {
        name: (state[0], None if state[0] is Status.EXCLUDED else state[1])
        for name, state in model.state.items()
        if name != "masks"
    }
    return {**hide, "masks": model.state["masks"]}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(ALLOWED)), st.lists(st.sampled_from(NAMES), max_size=3)),
        st.tuples(st.just("masks"), st.sampled_from([0.1, 0.2, 0.3])),
        st.tuples(st.sampled_from(["undo", "redo"]), st.none()),
    ),
    max_size=30,
)


@given(STEPS)
def test_any_decisions_add_up_to_what_a_stack_of_states_says(steps):
    project, model, labels = ProjectInMemory(), Model(), count()
    for verb, about in steps:
        label = f"labels/{next(labels)}.exr"
        if verb in ALLOWED:
            expected = in_model(model, verb, about, label)
            assert in_studio(project, verb, about, label) is expected
        elif verb == "masks":
            if model.state["masks"] != about:
                model.become(masks=about)
            Decisions(project).set_masks(MaskSettings(tau_patch=about))
        else:
            possible = bool(model.done if verb == "undo" else model.undone)
            getattr(model, verb)()
            assert (getattr(Decisions(project), verb)() is not None) is possible
        assert seen(project) == told(model)
        assert bool(Decisions(project).next_undo) is bool(model.done)
        assert bool(Decisions(project).next_redo) is bool(model.undone)


@given(STEPS)
def test_every_entry_says_truly_what_was_before_and_after(steps):
    project = ProjectInMemory()
    for verb, about in steps:
        if verb in ALLOWED:
            in_studio(project, verb, about, "labels/x.exr")
        elif verb in ("undo", "redo"):
            getattr(Decisions(project), verb)()
    for position, entry in enumerate(project.journal):
        if entry.kind is not Kind.CREATED:
            assert add_up(project.journal[:position]).scenes[entry.scene].status is entry.before
            now = add_up(project.journal[: position + 1]).scenes[entry.scene]
            assert (now.status, now.label) == (entry.after, entry.label)


@given(STEPS)
def test_undoing_everything_returns_to_the_beginning_and_redoing_comes_back(steps):
    project = ProjectInMemory()
    beginning = seen(project)
    for verb, about in steps:
        if verb in ALLOWED:
            in_studio(project, verb, about, "labels/x.exr")
        elif verb == "masks":
            Decisions(project).set_masks(MaskSettings(tau_patch=about))
    end, decisions = seen(project), Decisions(project)
    while decisions.next_undo:
        decisions.undo()
    assert seen(project) == beginning
    while decisions.next_redo:
        decisions.redo()
    assert seen(project) == end


def test_a_bulk_decision_is_one_undo_and_says_how_many():
    project = ProjectInMemory()
    decisions = Decisions(project)
    decisions.exclude(["a", "b", "c"], note="blurred")
    assert decisions.next_undo.words == "exclude 3 scenes"
    assert decisions.undo().words == "exclude 3 scenes"
    assert decisions.next_redo.words == "exclude 3 scenes"
    assert decisions.redo().words == "exclude 3 scenes"
    assert [entry.note for entry in project.journal[4:7]] == ["blurred"] * 3
    assert in_words(project.journal, decisions.history(1)[0].group) == "exclude 3 scenes"


def test_thresholds_are_undone_in_words():
    decisions = Decisions(ProjectInMemory())
    decisions.set_masks(MaskSettings(tau_patch=0.25, tau_pixel=0.5))
    assert decisions.next_undo.words == "set the thresholds to 0.25 and 0.5"
    decisions.undo()
    assert decisions.masks() == MaskSettings()


def test_the_same_thresholds_again_are_no_decision():
    project = ProjectInMemory()
    Decisions(project).set_masks(MaskSettings())
    assert Decisions(project).next_undo is None


def test_the_latest_entry_comes_first_in_the_history():
    project = ProjectInMemory()
    decisions = Decisions(project)
    decisions.exclude(["b"])
    decisions.restore(["b"])
    assert [entry.kind for entry in decisions.history(2)] == [Kind.RESTORE, Kind.EXCLUDE]
    assert decisions.history(0) == ()
