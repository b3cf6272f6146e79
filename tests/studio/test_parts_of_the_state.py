"""Every panel is told of each part of the state it shows, and a change is told once."""

import importlib
import pkgutil
from dataclasses import fields, replace
from pathlib import Path
from types import MethodType, SimpleNamespace

import pytest
from PySide6.QtCore import QObject

from smarthdr_studio import studio
from smarthdr_studio.core.project import database
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.studio.dataset.camera_curve import CurveSheet
from smarthdr_studio.studio.dataset.chosen_frames import FramesSheet
from smarthdr_studio.studio.dataset.ground_truth import TruthSheet
from smarthdr_studio.studio.dataset.import_export import DatasetSheet, SplitSheet
from smarthdr_studio.studio.dataset.import_sheet import ImportSheet
from smarthdr_studio.studio.dataset.relocate import RelocateSheet
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.runs.model_export import ExportSheet
from smarthdr_studio.studio.runs.rollback import RollbackSheet
from smarthdr_studio.studio.runs.trash import RunTrashSheet
from smarthdr_studio.studio.state import Activity, Centre, Notice, QueueKind, StudioState, Tool

FIELDS = tuple(field.name for field in fields(StudioState))


class Watched:
    """A state that remembers which of its fields were read, be it by its own methods."""

    def __init__(self, state, read):
        self._state, self._read = state, read

    def __getattr__(self, name):
        if name in FIELDS:
            self._read.add(name)
            return getattr(self._state, name)
        return MethodType(getattr(StudioState, name), self)


def panels_there_are():
    """Every class of the studio that shows a state."""
    found = set()
    for module in pkgutil.walk_packages(studio.__path__, "smarthdr_studio.studio."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and "show_state" in vars(thing) and hasattr(thing, "SHOWS"):
                found.add(thing)
    return found


def panels_in(window):
    """Every panel of the window, those included that come only when asked for."""
    table = window.session.inspection.table
    for centre in (Centre.PAIR, Centre.RUNS, Centre.TABLE):
        table.show(centre)
    window._plan_commands.show()
    window._queue_commands.propose()
    window._benchmark._made()
    for sheet in (
        *(TruthSheet, SplitSheet, RelocateSheet, CurveSheet, FramesSheet),
        *(RollbackSheet, RunTrashSheet, ImportSheet),
    ):  # fmt: skip
        sheet(window)
    DatasetSheet(window.session.state, window)
    ExportSheet(SimpleNamespace(id="r", folder=Path("/p.shdr/runs/r"), best=None), window)
    plain = (window.page.charts, window.page.browsing.runs.details)
    held = (window, *plain, *window.findChildren(QObject))
    return [part for part in held if hasattr(type(part), "SHOWS")]


def pairs_of_states(state):
    """States that differ in one field, or in all, to and fro; and one that is shown anew."""
    promoted = tuple(replace(row, status=Status.UNLABELLED) for row in state.scenes)
    other = replace(
        state,
        tool=Tool.BRUSH,
        centre=Centre.GALLERY,
        scenes=promoted,
        queue=replace(state.queue, kind=QueueKind.SAFEST, scenes=("003", "004")),
        table=replace(state.table, query="x", found=frozenset({"003"}), descending=True),
        training=replace(state.training, activity=Activity.RUNNING, run="r", changes_wait=True),
        replay=1,
        pair="004",
        read_only="it is full",
    )
    nothing = StudioState()
    for now in (state, other, replace(other, tool=Tool.HAND, centre=Centre.PAIR)):
        yield nothing, now
        yield now, nothing
        yield now, now
        for name in FIELDS:
            yield replace(now, **{name: getattr(nothing, name)}), now


def test_every_panel_reads_only_the_parts_it_declares(opened, until):
    until(opened.session, lambda s: s.what_if is not None)
    panels, forgotten = panels_in(opened), {}
    opened.session.blockSignals(True)
    for panel in panels:
        read = set()
        for old, new in pairs_of_states(opened.session.state):
            before = Watched(old, read)
            after = before if old is new else Watched(new, read)
            panel.show_state(before, after)
        panel.show_state(StudioState(), opened.session.state)
        if read - panel.SHOWS:
            forgotten[type(panel).__name__] = read - panel.SHOWS
    opened.session.blockSignals(False)
    assert not forgotten
    assert panels_there_are() == {type(panel) for panel in panels}


def test_only_those_are_told_whose_part_has_changed(qapp):
    store, told = Store(StudioState(), qapp), []
    store.watch({"masks"}, lambda _old, new: told.append(new.masks))
    store.watch({"current", "shown"}, lambda _old, new: told.append(new.current))
    store.become(masks=MaskSettings(tau_patch=0.1))
    store.become(busy="reading")
    store.become(current="003")
    assert told == [MaskSettings(tau_patch=0.1), "003"]


def test_what_is_changed_together_is_told_once(qapp):
    store, told = Store(StudioState(), qapp), []
    store.watch({"busy", "current"}, lambda old, new: told.append((old.busy, new)))
    with store.one_change():
        store.become(busy="a")
        store.become(current="003")
        assert (store.state.busy, told) == ("a", [])
    assert told == [("", replace(StudioState(), busy="a", current="003"))]


def test_what_is_changed_back_is_told_to_nobody(qapp):
    store, told = Store(StudioState(), qapp), []
    store.watch({"busy"}, lambda old, new: told.append(new))
    with store.one_change():
        store.become(busy="a")
        store.become(busy="")
    assert not told


def test_who_hears_of_a_change_first_can_add_to_it(qapp):
    store, told = Store(StudioState(), qapp), []
    store.watch({"current", "shown"}, lambda _old, new: told.append((new.current, new.shown)))
    store.changed.connect(lambda _old, new: store.become(shown=new.current))
    store.become(current="003")
    assert told == [("003", "003")]


def test_a_change_made_while_one_is_shown_is_shown_after_it(qapp):
    store, told = Store(StudioState(), qapp), []
    store.watch({"current"}, lambda _old, new: store.become(busy=f"for {new.current}"))
    store.watch({"current", "busy"}, lambda old, new: told.append((old.busy, new.busy)))
    store.become(current="003")
    assert told == [("", ""), ("", "for 003")]


def test_a_field_that_the_state_has_not_is_refused(qapp):
    with pytest.raises(ValueError, match="mask"):
        Store(StudioState(), qapp).watch({"mask"}, print)


def test_a_step_of_a_threshold_is_one_change(opened):
    session, told = opened.session, []
    session.changed.connect(lambda old, new: told.append((old, new)))
    session.screen.move_masks(replace(session.state.masks, tau_patch=0.1))
    ((old, new),) = told
    assert (old.masks.tau_patch, new.masks.tau_patch) == (MaskSettings().tau_patch, 0.1)
    assert old.retained != new.retained
    assert old.pool != new.pool


def test_a_scene_at_hand_is_one_change(opened, until):
    session, told = opened.session, []
    session.screen.pick("004")
    until(session, lambda s: s.shown == "004" and s.clues_known)
    session.changed.connect(lambda old, new: told.append((old, new)))
    session.screen.pick("003")
    ((old, new),) = told
    assert (old.current, old.shown, old.clues_known) == ("004", "004", True)
    assert (new.current, new.shown, new.clues_known) == ("003", "003", False)
    assert new.story.scene == "003"
    assert old.retained != new.retained


def test_evidence_that_says_the_same_again_is_no_change(opened, until):
    until(opened.session, lambda s: s.clues_known and not s.evidence.work)
    told = []
    opened.session.changed.connect(lambda old, new: told.append(new))
    opened.session.inspection.evidence.refresh()
    assert not told


def test_a_decision_is_one_change_and_one_reading_of_the_journal(opened, monkeypatch):
    session, told, read = opened.session, [], []
    plain = database.each_entry_after
    monkeypatch.setattr(
        database, "each_entry_after", lambda *asked: read.append(asked) or plain(*asked)
    )
    session.changed.connect(lambda old, new: told.append(new))
    session.curating.exclude(("004",))
    (now,) = told
    assert now.row("004").status is Status.EXCLUDED
    assert now.undo == "exclude 004"
    assert len(read) == 1


def test_bad_news_that_nobody_read_stays_below_newer_ones(qapp):
    store = Store(StudioState(), qapp)
    store.notice(Notice(text="003 lacks 1.tif", tone="warn", details=("004 too",)))
    store.complain("1.tif: is gone")
    assert store.state.notice.text == "1.tif: is gone"
    assert store.state.notice.details == ("003 lacks 1.tif", "004 too")
    store.complain("1.tif: is gone")  # told again, it is not told twice
    assert store.state.notice.details == ("003 lacks 1.tif", "004 too")
    store.notice(Notice(text="Kept."))
    assert store.state.notice.details == ()
    store.complain("the disk is full")
    store.notice(None)
    store.complain("the disk is fuller")
    assert store.state.notice.details == ()


def test_of_many_complaints_the_newest_are_kept(qapp):
    store = Store(StudioState(), qapp)
    for number in range(1000):
        store.complain(f"fault {number}")
    assert store.state.notice.text == "fault 999"
    assert store.state.notice.details[:2] == ("fault 998", "fault 997")
    assert len(store.state.notice.details) == 20
