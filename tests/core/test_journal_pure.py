"""The state of everything is a pure function of the journal, in whatever portions it is read."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.project.journal import Accounts, JournalEntry, Kind, Status, add_up
from smarthdr_studio.core.trust.masking import MaskSettings

NAMES = ("a", "b", "c")
FIELDS = {
    Kind.PROMOTE: {"after": Status.PROMOTED, "label": "labels/x/1.exr", "checksum": "ab"},
    Kind.DEMOTE: {"after": Status.UNLABELLED},
    Kind.EXCLUDE: {"after": Status.EXCLUDED},
    Kind.RESTORE: {"after": Status.UNLABELLED},
    Kind.IMPORT_TRUTH: {"after": Status.GROUND_TRUTH, "truth": "labels/x/2.exr", "checksum": "cd"},
    Kind.PAINT: {"person": "ef"},
    Kind.ANNOTATE: {"note": "blurred", "tags": ("night",)},
    Kind.SPLIT: {"after": Status.TEST},
}


def first_entries():
    plain = JournalEntry(group="first", at="", who="", kind=Kind.CREATED)
    return [replace(plain, scene=name, after=Status.UNLABELLED) for name in NAMES]


@st.composite
def journals(draw):
    """Journals of bulk decisions of every kind, thresholds, undo and redo; they add up."""
    journal = first_entries()
    for number in range(draw(st.integers(0, 25))):
        journal += draw_group(draw, journal, f"g{number}")
    return journal


def draw_group(draw, journal, group):
    accounts = Accounts(journal)
    stacks = {Kind.UNDO: accounts.ledger().undoable, Kind.REDO: accounts.ledger().redoable}
    kind = draw(st.sampled_from([*FIELDS, Kind.SET_MASKS, Kind.UNDO, Kind.UNDO, Kind.REDO]))
    plain = JournalEntry(group=group, at="", who="", kind=kind)
    if kind in stacks:
        undone = stacks[kind][-1:]
        return [
            entry
            for earlier in undone
            for entry in accounts.inverse(earlier, kind=kind, at="", who="", new_group=group)
        ]
    if kind is Kind.SET_MASKS:
        tau = draw(st.sampled_from([0.1, 0.2]))
        return [replace(plain, masks=MaskSettings(tau_patch=tau))]
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    return [replace(plain, scene=name, **FIELDS[kind]) for name in names]


def portions(journal, cuts):
    places = sorted({0, len(journal), *(cut % (len(journal) + 1) for cut in cuts)})
    return [journal[start:end] for start, end in pairwise(places)]


@given(journals(), st.lists(st.integers(0, 1000), max_size=8), st.booleans())
def test_portions_add_up_to_what_the_whole_adds_up_to(journal, cuts, asked):
    accounts, whole = Accounts(), Accounts(journal)
    for portion in portions(journal, cuts):
        accounts.take(portion)
        if asked:
            accounts.ledger()
    assert accounts.ledger() == whole.ledger() == add_up(iter(journal))
    for group in {entry.group for entry in journal}:
        assert accounts.in_words(group) == whole.in_words(group)


@given(journals(), st.integers(0, 1000))
def test_what_a_journal_added_up_to_stays_so_whatever_comes_later(journal, cut):
    start = cut % (len(journal) + 1)
    accounts = Accounts(journal[:start])
    before, again = accounts.ledger(), add_up(journal[:start])
    accounts.take(journal[start:])
    accounts.ledger()
    assert before == again


@given(journals())
def test_taking_everything_back_leaves_every_scene_as_it_began(journal):
    accounts = Accounts(journal)
    for number in range(len(accounts.ledger().undoable)):
        group = accounts.ledger().undoable[-1]
        accounts.take(
            accounts.inverse(group, kind=Kind.UNDO, at="", who="", new_group=f"u{number}")
        )
    assert accounts.ledger().scenes == add_up(first_entries()).scenes
    assert accounts.ledger().masks == MaskSettings()


@given(journals())
def test_what_a_state_needs_is_its_label_its_truth_and_what_it_once_was(journal):
    for state in add_up(journal).scenes.values():
        needed = state.files()
        assert needed.get(state.label, "no label") == (state.checksum or "no label")
        assert (state.truth in needed) is (state.truth is not None)
        if state.aside is not None:
            assert needed.items() >= state.aside.files().items()
