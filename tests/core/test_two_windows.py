"""Two windows, or a window and the command line, on one project see each other's changes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from made_labels import HEIGHT, WIDTH, a_project

from smarthdr_studio.core.project import database
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings

CHANGES = {
    "a promotion": lambda d: d.promote(["b"]),
    "an exclusion": lambda d: d.exclude(["b", "c"]),
    "a stroke": lambda d: d.paint("b", lambda _: np.ones((HEIGHT, WIDTH), np.int8)),
    "a note": lambda d: d.annotate(["b"], note="blurred", add=["night"]),
    "a split": lambda d: d.import_split({"b": Status.TEST}),
    "thresholds": lambda d: d.set_masks(MaskSettings(tau_patch=0.1)),
}


@pytest.fixture
def here(tmp_path):
    with a_project(tmp_path) as project:
        yield project


@pytest.fixture
def there(here):
    with Project.open(here.folder) as project:
        yield project


def everything(project):
    people = {scene.id: project.person(scene.id) for scene in project.scenes}
    painted = {name: None if m is None else m.tobytes() for name, m in people.items()}
    return project.ledger(), painted, project.scenes


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_there_is_noticed_cheaply_here_and_can_be_taken_back_here(here, there, what):
    before, version = everything(here), here.data_version()
    CHANGES[what](Decisions(there))
    assert here.data_version() != version
    assert everything(here) == everything(there)
    assert everything(here) != before
    version = there.data_version()
    Decisions(here).undo()
    assert there.data_version() != version
    assert everything(there) == everything(here)
    assert everything(there)[0].scenes == before[0].scenes
    assert everything(there)[0].masks == before[0].masks


def test_nothing_is_noticed_where_nothing_was_decided(here, there):
    version = here.data_version()
    everything(there)
    assert here.data_version() == version
    Decisions(here).exclude(["b"])
    assert here.data_version() == version, "what was decided here is known here"


def test_figures_and_reviews_of_one_window_are_there_in_the_other(here, there):
    there.keep_figures("clues", {"b": ("stamp", b"\0\1")})
    there.mark_reviewed(["b"])
    assert here.figures("clues") == {"b": ("stamp", b"\0\1")}
    assert list(here.reviewed()) == ["b"]


def test_many_who_decide_at_once_all_find_their_decision_in_the_journal(here):
    def decide(number):
        with Project.open(here.folder) as own:
            for turn in range(10):
                Decisions(own).annotate(["b"], add=[f"{number}-{turn}"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(decide, range(4)))
    assert set(here.state("b").tags) == {f"{k}-{turn}" for k in range(4) for turn in range(10)}
    while Decisions(here).undo():
        pass
    assert here.state("b").tags == ()


def reads(monkeypatch):
    """Counts how often rows of the journal are asked for."""
    asked, plain = [], database.each_entry_after

    def counted(connection, seq):
        asked.append(seq)
        return plain(connection, seq)

    monkeypatch.setattr(database, "each_entry_after", counted)
    return asked


def test_the_journal_is_read_again_only_when_somebody_has_written(here, there, monkeypatch):
    everything(here), everything(there)
    asked = reads(monkeypatch)
    everything(here)
    assert not asked
    Decisions(here).exclude(["b"])
    everything(here)
    assert len(asked) == 1, "one's own entries, with their numbers"
    everything(there), everything(there)
    assert len(asked) == 2
    assert here.entries() == there.entries()


def test_reviews_of_this_window_and_of_another_are_known_at_once(here, there):
    assert not here.reviewed()
    here.mark_reviewed(["b"])
    assert list(here.reviewed()) == ["b"]
    there.mark_reviewed(["c"])
    assert sorted(here.reviewed()) == sorted(there.reviewed()) == ["b", "c"]


def test_what_another_window_writes_between_two_decisions_is_decided_upon(here, there):
    Decisions(here).exclude(["b"])
    Decisions(there).restore(["b"])
    Decisions(here).exclude(["b"])
    assert [entry.kind for entry in here.entries()][-3:] == ["exclude", "restore", "exclude"]
    assert here.entries() == there.entries()


def test_after_a_decision_that_failed_the_journal_is_as_it_was(here, there):
    def fail(_ledger):
        Decisions(here).masks()
        raise RuntimeError("in the middle of it")

    before = everything(here)
    with pytest.raises(RuntimeError):
        here.record(fail)
    assert everything(here) == before == everything(there)
