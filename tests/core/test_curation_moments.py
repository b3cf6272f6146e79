"""The past, from random journals: as it was, what changed, and the story."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.project.journal import (
    Accounts,
    ChangeKind,
    JournalEntry,
    Kind,
    Status,
    add_up,
    decision_history,
    initially_unlabelled,
    ledger_at,
    ledger_differences,
)
from smarthdr_studio.core.trust.masking import Level, MaskSettings

SCENES = ("a", "b", "c")
MASKS = [
    MaskSettings(tau_patch=0.2),
    MaskSettings(tau_pixel=0.7, pixels=Level(scope="pool")),
    MaskSettings(patches=Level(normalisation="percentile", high_percentile=98)),
    MaskSettings(patch_size=32),
]
KINDS = (Kind.PROMOTE, Kind.DEMOTE, Kind.EXCLUDE, Kind.RESTORE, Kind.PAINT, Kind.ANNOTATE)


def created():
    return [
        entry(0, Kind.CREATED, scene=name, after=Status.UNLABELLED if name != "a" else Status.TEST)
        for name in SCENES
    ]


def entry(group, kind, **known):
    at = f"2026-03-{group // 24 + 1:02}T{group % 24:02}:00:00.000+00:00"
    return JournalEntry(group=f"g{group}", at=at, who="me@here", kind=kind, **known)


def decided(journal, group, kind, names, draw):
    """What a decision of this kind appends."""
    if kind in {Kind.UNDO, Kind.REDO}:
        accounts = Accounts(journal)
        ledger = accounts.ledger()
        stack = ledger.undoable if kind is Kind.UNDO else ledger.redoable
        new = entry(group, kind)
        about = {"kind": kind, "at": new.at, "who": new.who, "new_group": new.group}
        return [each for last in stack[-1:] for each in accounts.inverse(last, **about)]
    if kind is Kind.SET_MASKS:
        return [entry(group, kind, masks=draw(st.sampled_from(MASKS)))]
    known = {
        Kind.PROMOTE: {"after": Status.PROMOTED, "label": f"labels/x/{group}.exr", "whole": True},
        Kind.DEMOTE: {"after": Status.UNLABELLED},
        Kind.EXCLUDE: {"after": Status.EXCLUDED},
        Kind.RESTORE: {"after": Status.UNLABELLED},
        Kind.PAINT: {"person": f"{group:064x}"[::-1]},
        Kind.ANNOTATE: {"note": f"note {group}", "tags": ("night",)},
    }[kind]
    states = add_up(journal).scenes
    allowed = {Kind.EXCLUDE: {*Status} - {Status.EXCLUDED}, Kind.RESTORE: {Status.EXCLUDED}}
    names = [name for name in names if states[name].status in allowed.get(kind, {*Status})]
    return [
        entry(group, kind, **{"scene": name, "before": now, "after": now, **known})
        for name, now in ((name, states[name].status) for name in names)
    ]


@st.composite
def journals(draw):
    """Everything a person may have done to three scenes, numbered as a project numbers it."""
    journal = created()
    for group in range(1, draw(st.integers(0, 8)) + 1):
        kind = draw(st.sampled_from([*KINDS, Kind.SET_MASKS, Kind.UNDO, Kind.REDO]))
        names = draw(st.lists(st.sampled_from(SCENES), min_size=1, max_size=3, unique=True))
        journal += decided(journal, group, kind, names, draw)
    return [replace(each, seq=seq) for seq, each in enumerate(journal, 1)]


@given(journals())
def test_now_is_everything_and_before_the_first_there_is_nothing(journal):
    assert ledger_at(journal, journal[-1].seq) == add_up(journal)
    assert ledger_at(journal, journal[-1].at) == add_up(journal)
    assert ledger_at(journal, 0).scenes == ledger_at(journal, "2025").scenes == {}


@given(journals())
def test_as_it_was_right_after_each_decision(journal):
    for line in decision_history(journal):
        until = [each for each in journal if each.seq <= line.seq]
        assert ledger_at(journal, line.seq) == ledger_at(journal, line.at) == add_up(until)


@given(journals())
def test_a_decision_is_never_cut_in_two(journal):
    whole = [
        add_up([e for e in journal if e.seq <= line.seq]) for line in decision_history(journal)
    ]
    for each in journal:
        assert ledger_at(journal, each.seq) in whole


@given(journals())
def test_nothing_changed_exactly_between_equal_moments(journal):
    moments = [ledger_at(journal, line.seq) for line in reversed(decision_history(journal))]
    for moment in moments:
        assert ledger_differences(moment, moment) == ()
    for before, after in pairwise(moments):
        same = before.scenes == after.scenes and before.masks == after.masks
        assert (ledger_differences(before, after) == ()) == same
    then, now = moments[0], moments[-1]
    turned = [replace(c, before=c.after, after=c.before) for c in ledger_differences(then, now)]
    assert list(ledger_differences(now, then)) == turned


@settings(max_examples=50)
@given(journals())
def test_the_story_tells_every_decision_once_and_what_still_stands(journal):
    lines = decision_history(journal)
    assert [line.group for line in reversed(lines)] == list(
        dict.fromkeys(each.group for each in journal)
    )
    accounts = Accounts(journal)
    plain = [line for line in lines if line.kind not in {Kind.CREATED, Kind.UNDO, Kind.REDO}]
    standing = [line for line in plain if not line.undone]
    assert len(standing) == len(accounts.ledger().undoable)
    assert all(line.what == accounts.in_words(line.group) for line in plain)


def test_a_change_is_said_in_words():
    journal = created()
    promoted = {"after": Status.PROMOTED, "label": "labels/b/2.exr"}
    journal.append(entry(1, Kind.PROMOTE, scene="b", before=Status.UNLABELLED, **promoted))
    journal.append(entry(2, Kind.SET_MASKS, masks=MaskSettings(tau_patch=0.25)))
    then, now = add_up(created()), add_up(journal)
    words = [change.words for change in ledger_differences(then, now)]
    assert "τ_pa 0.4 (min–max over the pool)" in words[0]
    assert "→ τ_pa 0.25 (min–max over the pool)" in words[0]
    assert words[1:] == ["b: status unlabelled → promoted", "b: label none → version 2"]
    assert {change.matter for change in ledger_differences(then, now)} == {
        *(ChangeKind.THRESHOLDS, ChangeKind.STATUS, ChangeKind.LABEL)
    }


def test_a_day_means_its_end_and_a_clock_turned_back_changes_no_order():
    journal = [replace(each, seq=n) for n, each in enumerate(created(), 1)]
    late = entry(30, Kind.EXCLUDE, scene="b", before=Status.UNLABELLED, after=Status.EXCLUDED)
    early = entry(3, Kind.EXCLUDE, scene="c", before=Status.UNLABELLED, after=Status.EXCLUDED)
    journal += [replace(late, seq=4), replace(early, seq=5)]
    assert ledger_at(journal, "2026-03-01") == add_up(journal)
    assert ledger_at(journal[:4], "2026-03-01") == add_up(journal[:3])
    assert ledger_at(journal[:4], "2026-03-02") == add_up(journal[:4])


def test_who_was_unlabelled_at_first_stays_so_whatever_is_decided():
    journal = created()
    journal.append(entry(1, Kind.EXCLUDE, scene="b", after=Status.EXCLUDED))
    assert initially_unlabelled(journal) == ("b", "c")
