"""Proposals in the window: a rule proposes, a person ticks and confirms, one undo takes it back."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton

from smarthdr_studio.core.curation.proposals import Rule
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.rounds import RoundRecord, history_path, write_record
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.studio.curation.proposal_sheet import ProposalSheet

POOL = ("003", "004", "005", "006")
CONTROL = Qt.KeyboardModifier.ControlModifier


def write_round(folder, number, shares):
    """One round of a run in which each scene kept so much."""
    run = folder / "runs" / "20261122-100000"
    (run / "history").mkdir(parents=True, exist_ok=True)
    (run / "plan.toml").touch()
    with Project.open(folder) as project:
        known = {s: SceneStatistics.load(project.statistics_path(s)) for s in shares}
    record = RoundRecord(
        round=number,
        step=number * 10,
        epoch=number,
        masks=MaskSettings(),
        patch_range=Range(0.01, 0.2),
        pixel_range=None,
        statistics={s: held.coarser(32) for s, held in known.items()},
        retained=dict(shares),
        columns=dict.fromkeys(shares, 2),
    )
    write_record(history_path(run, number), record)


@pytest.fixture
def rounds(tiny_project):
    """Three rounds: two scenes were steady, the others never."""
    for number in (1, 2, 3):
        write_round(tiny_project, number, dict(zip(POOL, (0.4, 0.35, 0.1, 0.15), strict=True)))
    return tiny_project


@pytest.fixture
def window(show, rounds):
    """The window with that project."""
    return show(rounds)


@pytest.fixture
def proposing(window, qtbot, until):
    """The sheet with a rule that two scenes fulfil."""
    until(
        window.session,
        lambda s: s.shown == "003" and s.charts is not None and s.history is not None,
    )
    qtbot.keyClick(window, Qt.Key.Key_P, CONTROL)
    sheet = sheet_of(window)
    window.session.recommendations.proposals.set_rule(Rule(share=0.2, rounds=3))
    until(window.session, lambda s: proposed(s) == ("003", "004"))
    yield sheet
    sheet.close()


def proposed(state):
    found = state.proposal.found
    return None if found is None else found.scenes


def sheet_of(window):
    return window.findChild(ProposalSheet)


def button(sheet, start):
    return next(b for b in sheet.findChildren(QPushButton) if b.text().startswith(start))


def click_tick(qtbot, sheet, line):
    view = sheet._list
    place = view.visualRect(view.model().index(line, 0))
    at = QPoint(place.x() + 14, place.center().y())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def figures(sheet):
    return {fact.name: (fact.value, fact.beside) for fact in sheet._facts.facts}


def test_the_sheet_says_what_would_be_done_and_stops_nobody(proposing, window):
    assert not proposing.isModal()
    assert proposing.width() <= 1280
    assert proposing.height() <= 720
    assert button(proposing, "Promote").text() == "Promote these 2"
    told = figures(proposing)
    assert told["labelled"] == ("2 → 4 scenes", "now → then")
    assert told["pool"] == ("4 → 2 scenes", "")
    with Project.open(window.session.state.folder) as project:
        assert Status.PROMOTED not in project.statuses().values()


def test_a_tick_taken_away_changes_button_and_figures(proposing, window, qtbot, until):
    click_tick(qtbot, proposing, 0)
    until(window.session, lambda s: s.proposal.chosen.scenes == ("004",))
    assert button(proposing, "Promote").text() == "Promote this one"
    assert figures(proposing)["pool"] == ("4 → 3 scenes", "")
    click_tick(qtbot, proposing, 1)
    until(window.session, lambda s: not s.proposal.chosen.scenes)
    assert not button(proposing, "Promote").isEnabled()
    qtbot.mouseClick(button(proposing, "All"), Qt.MouseButton.LeftButton)
    until(window.session, lambda s: len(s.proposal.chosen.scenes) == 2)


def test_space_turns_a_tick_in_the_sheet(proposing, window, qtbot, until):
    proposing._list.setFocus()
    proposing._list.setCurrentIndex(proposing._model.index(1, 0))
    qtbot.keyClick(proposing._list, Qt.Key.Key_Space)
    until(window.session, lambda s: s.proposal.chosen.scenes == ("003",))
    assert window.session.state.queue.kind.name == "ALL"


def test_a_click_shows_the_scene_in_the_window(proposing, window, qtbot, until):
    view = proposing._list
    place = view.visualRect(view.model().index(1, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    until(window.session, lambda s: s.shown == "004")


def test_promoting_asks_nothing_more_and_one_undo_takes_all_back(proposing, window, qtbot, until):
    qtbot.mouseClick(button(proposing, "Promote"), Qt.MouseButton.LeftButton)
    until(window.session, lambda s: s.counts()[Status.PROMOTED] == 2)
    until(window.session, lambda s: proposed(s) == ())
    with Project.open(window.session.state.folder) as project:
        promotions = [entry for entry in project.entries() if entry.after is Status.PROMOTED]
    assert {entry.note for entry in promotions} == {
        "by rule: at least 20 % retained in the last 3 rounds, and now"
    }
    window.session.curating.undo()
    until(window.session, lambda s: s.counts()[Status.PROMOTED] == 0)
    until(window.session, lambda s: len(proposed(s)) == 2)


def test_a_scene_that_cannot_be_promoted_is_left_out_and_told(proposing, window, qtbot, until):
    with Project.open(window.session.state.folder) as project:
        damaged = project.pseudo_path("004")
    damaged.write_bytes(damaged.read_bytes()[:-600])
    qtbot.mouseClick(button(proposing, "Promote"), Qt.MouseButton.LeftButton)
    until(window.session, lambda s: s.counts()[Status.PROMOTED] == 1)
    until(window.session, lambda s: s.notice is not None and "left out" in s.notice.text)
    notice = window.session.state.notice
    assert (notice.text, notice.tone) == ("Promoted 1 scene, 1 scene left out.", "warn")
    assert f"{damaged}: truncated" in notice.details[0]
    until(window.session, lambda s: proposed(s) == ("004",))
    qtbot.mouseClick(button(proposing, "Promote"), Qt.MouseButton.LeftButton)
    until(window.session, lambda s: "No scene is promoted" in s.notice.text)
    with Project.open(window.session.state.folder) as project:
        assert project.statuses()["004"] is Status.UNLABELLED


def test_an_empty_proposal_says_what_is_missing(proposing, window, until):
    proposing._share.setValue(95)
    until(window.session, lambda s: s.proposal.rule.share == 0.95 and bool(s.proposal.shortfall))
    words = [label.text() for label in proposing.findChildren(QLabel) if label.isVisible()]
    assert any("No scene retained 95 % for 3 rounds" in text for text in words)
    assert not button(proposing, "Promote").isEnabled()


def test_the_rule_is_remembered_with_the_project(proposing, window, until, rounds):
    proposing._rounds.setValue(2)
    tell = proposing.findChild(QCheckBox)
    tell.click()
    window.session.close_project()
    until(window.session, lambda s: s.folder is None)
    assert not proposing.isVisible()
    window.session.take(rounds)
    until(window.session, lambda s: s.shown is not None)
    assert window.session.state.proposal.rule == Rule(share=0.2, rounds=2)
    assert window.session.state.proposal.telling


def test_a_round_is_told_once_and_decides_nothing(proposing, window, qtbot, until, rounds):
    session = window.session
    proposing.close()
    session.recommendations.proposals.set_telling(True)
    session.dismiss()

    def a_round(number):
        write_round(rounds, number, dict(zip(POOL, (0.5, 0.4, 0.2, 0.1), strict=True)))
        session.training.round_finished.emit()

    a_round(4)
    until(session, lambda s: s.notice is not None)
    assert session.state.notice.text == "2 scenes fulfil your rule. Look: Ctrl+P."
    session.dismiss()
    a_round(5)
    until(session, lambda s: len(s.history.records) == 5)
    qtbot.waitUntil(lambda: session.at_rest, timeout=20000)
    assert session.state.notice is None
    assert session.state.counts()[Status.PROMOTED] == 0


def test_nobody_is_told_who_did_not_ask(proposing, window, qtbot, until, rounds):
    proposing.close()
    window.session.dismiss()
    write_round(rounds, 4, dict.fromkeys(POOL, 0.9))
    window.session.training.round_finished.emit()
    until(window.session, lambda s: len(s.history.records) == 4)
    qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
    assert window.session.state.notice is None
