"""Any decisions in any order on a real project, against a stack of whole states."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from made_labels import HEIGHT, WIDTH, a_project

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.decisions import ALLOWED_FROM, Decisions
from smarthdr_studio.core.project.journal import Kind, Status
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import trash_older_versions
from smarthdr_studio.core.trust.brush import Dabs, Ink, apply
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label

some = st.lists(st.sampled_from("abcdt"), min_size=1, max_size=4, unique=True)
unlabelled = st.lists(st.sampled_from("bcd"), min_size=1, max_size=3, unique=True)
one = st.sampled_from("abcdt")
tags = st.sets(st.sampled_from(["night", "car", "sea"]), max_size=2)
FIRST = {"a": Status.GROUND_TRUTH, "t": Status.TEST}


@dataclass(frozen=True)
class Known:
    """All that is known of one scene."""

    status: Status
    label: int | None = None
    whole: bool = False
    aside: "Known | None" = None
    painted: bytes | None = None
    note: str = ""
    tags: tuple = ()

    def become(self, status, **changes):
        plain = replace(self, status=status, label=None, whole=False, aside=None)
        return replace(plain, **changes)

    def put_aside(self):
        """What an excluded scene comes back to."""
        return self.aside or Known(self.status, label=self.label, whole=self.whole)


class CurationController(RuleBasedStateMachine):
    """One person with one project, and a model that keeps every state whole."""

    @initialize()
    def begin(self):
        self.place = Path(tempfile.mkdtemp())
        with a_project(self.place) as made:
            self.folder = made.folder
        self.open()
        self.now = {n: Known(FIRST.get(n, Status.UNLABELLED)) for n in "abcdt"}, 0.4
        self.done, self.undone, self.numbers = [], [], dict.fromkeys("abcdt", 0)

    def open(self):
        self.project = Project.open(self.folder)
        self.decisions = Decisions(self.project)

    def teardown(self):
        self.project.close()
        shutil.rmtree(self.place)

    def become(self, scenes, *, masks=None):
        """The model's next state; the same state again is no decision."""
        then = {**self.now[0], **scenes}, self.now[1] if masks is None else masks
        self.done.append(self.now)
        self.undone.clear()
        self.now = then

    def decide(self, kind, names, decide, then):
        """Decide on the project and in the model, or be refused by the one as by the other."""
        known = {name: self.now[0][name] for name in names}
        if any(each.status not in ALLOWED_FROM[kind] for each in known.values()):
            with pytest.raises(ProjectError, match="its status is"):
                decide()
        else:
            decide()
            self.become({name: then(name, each) for name, each in known.items()})

    @rule(names=unlabelled, whole=st.booleans())
    def promote(self, names, whole):
        def then(name, known):
            self.numbers[name] += 1
            return known.become(Status.PROMOTED, label=self.numbers[name], whole=whole)

        self.decide(Kind.PROMOTE, names, lambda: self.decisions.promote(names, whole=whole), then)

    @rule(names=some)
    def demote(self, names):
        self.decide(
            Kind.DEMOTE,
            names,
            lambda: self.decisions.demote(names),
            lambda _, known: known.become(Status.UNLABELLED),
        )

    @rule(names=some)
    def exclude(self, names):
        self.decide(
            Kind.EXCLUDE,
            names,
            lambda: self.decisions.exclude(names),
            lambda _, known: known.become(Status.EXCLUDED, aside=known.put_aside()),
        )

    @rule(names=some)
    def restore(self, names):
        def then(_, known):
            was = known.aside or Known(Status.UNLABELLED)
            return known.become(was.status, label=was.label, whole=was.whole)

        self.decide(Kind.RESTORE, names, lambda: self.decisions.restore(names), then)

    @rule(name=one, x=st.integers(0, WIDTH), y=st.integers(0, HEIGHT), ink=st.sampled_from(Ink))
    def paint(self, name, x, y, ink):
        stroke = Dabs(points=((x, y),), radius=6.0, ink=ink)
        painted = self.now[0][name].painted
        mask = None if painted is None else np.frombuffer(painted, np.int8).reshape(HEIGHT, WIDTH)
        after = apply(stroke, mask, height=HEIGHT, width=WIDTH)
        kept = after.tobytes() if after.any() else None
        self.decisions.paint(name, lambda now: apply(stroke, now, height=HEIGHT, width=WIDTH))
        if kept != painted:
            self.become({name: replace(self.now[0][name], painted=kept)})

    @rule(names=some, note=st.none() | st.sampled_from(["", "blurred"]), add=tags, remove=tags)
    def annotate(self, names, note, add, remove):
        self.decisions.annotate(names, note=note, add=add, remove=remove)
        changed = {}
        for name in names:
            known = self.now[0][name]
            kept = tuple(sorted({*known.tags, *add} - remove))
            then = replace(known, note=known.note if note is None else note, tags=kept)
            if then != known:
                changed[name] = then
        if changed:
            self.become(changed)

    @rule(
        wanted=st.dictionaries(
            st.sampled_from("bcdt"),
            st.sampled_from([Status.UNLABELLED, Status.EXCLUDED, Status.TEST]),
            min_size=1,
        )
    )
    def split(self, wanted):
        self.decisions.import_split(wanted)
        known = self.now[0]
        changed = {
            n: known[n].become(s, aside=known[n].put_aside() if s is Status.EXCLUDED else None)
            for n, s in wanted.items()
            if known[n].status is not s
        }
        if changed:
            self.become(changed)

    @rule(tau=st.sampled_from([0.1, 0.4, 0.7]))
    def set_masks(self, tau):
        self.decisions.set_masks(MaskSettings(tau_patch=tau))
        if tau != self.now[1]:
            self.become({}, masks=tau)

    @rule()
    def undo(self):
        assert (self.decisions.undo() is None) is (not self.done)
        if self.done:
            self.undone.append(self.now)
            self.now = self.done.pop()

    @rule()
    def redo(self):
        assert (self.decisions.redo() is None) is (not self.undone)
        if self.undone:
            self.done.append(self.now)
            self.now = self.undone.pop()

    @rule()
    def tidy(self):
        trash_older_versions(self.project)

    @rule()
    def open_again(self):
        self.project.close()
        self.open()

    @invariant()
    def the_project_is_what_the_model_says(self):
        scenes, masks = self.now
        assert {name: self._known(name) for name in scenes} == scenes
        assert self.decisions.masks().tau_patch == masks
        assert (self.decisions.next_undo is None) is (not self.done)
        assert (self.decisions.next_redo is None) is (not self.undone)

    @invariant()
    def every_label_in_use_is_the_one_that_was_frozen(self):
        for name in "bcd":
            state = self.project.state(name)
            for path, checksum in state.files().items():
                check_label(self.folder / path, checksum)
                read_pseudo_label(self.folder / path, expect=(HEIGHT, WIDTH))

    def _known(self, name):
        return self._plain(self.project.state(name), self.project.person(name))

    def _plain(self, state, person):
        aside = state.aside
        return Known(
            status=state.status,
            label=None if state.label is None else int(Path(state.label).stem),
            whole=state.whole,
            # What was painted and noted before belongs to the scene, excluded or not.
            aside=None if aside is None else self._aside(aside),
            painted=None if person is None else person.tobytes(),
            note=state.note,
            tags=state.tags,
        )

    def _aside(self, state):
        label = None if state.label is None else int(Path(state.label).stem)
        return Known(state.status, label=label, whole=state.whole)


CurationController.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
)
TestCurating = CurationController.TestCase
