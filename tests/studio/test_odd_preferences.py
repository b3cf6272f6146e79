"""Odd window.json files of a person and of a project: told, set aside, and the window opens."""

import json

import pytest

from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.settings import Layout, Preferences
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.synthetic.settings import SampleSettings

ODD = {
    "deep": "[" * 100_000,
    "nested too deep": '{"keys": ' + '{"a":' * 300 + "1" + "}" * 300 + ', "budget": 1}',
    "no object": "[1, 2]",
    "keys of another type": '{"recent": [], "keys": {"promote": 7}, "budget": 1}',
    "recent of another type": '{"recent": "abc", "keys": {}, "budget": 1}',
    "an absurd number": '{"recent": [], "keys": {}, "budget": 1e999}',
    "an endless number": '{"recent": [], "keys": {}, "budget": 1' + "0" * 5000 + "}",
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_preferences_are_set_aside_and_told(qapp, places, qtbot, content):
    places.preferences.parent.mkdir(parents=True)
    places.preferences.write_text(content)
    session = Session(qapp, places=places, sample=SampleSettings())
    try:
        assert session.preferences.look == "system"
        assert session.preferences.keys == {}
        assert str(places.preferences) in session.state.notice.text
        assert "as at first" in session.state.notice.text
        assert len(session.state.notice.text) < 300 + 2 * len(str(places.preferences))
        (aside,) = places.preferences.parent.glob("window.json.damaged")
        assert aside.read_text() == content
        session.prefer(look="dark")
    finally:
        session.shut_down()
        qtbot.waitUntil(lambda: session.at_rest, timeout=20000)
        session.release()
        session.deleteLater()
    assert Preferences.read(places.preferences).look == "dark"
    assert Preferences.read(places.preferences).told == ""
    assert aside.read_text() == content


def test_what_was_set_aside_is_still_told_where_a_project_opens_at_once(
    qapp, places, qtbot, tiny_project
):
    places.preferences.parent.mkdir(parents=True)
    places.preferences.write_text("[1, 2]")
    session = Session(qapp, places=places, sample=SampleSettings())

    def told():
        notice = session.state.notice
        return notice is not None and "as at first" in "".join((notice.text, *notice.details))

    try:
        session.take(tiny_project)
        qtbot.waitUntil(lambda: session.project is not None, timeout=20000)
        assert told()
        session.dismiss()
        session.close_project()
        qtbot.waitUntil(lambda: session.project is None, timeout=20000)
        assert not told(), "it was read"
    finally:
        session.shut_down()
        qtbot.waitUntil(lambda: session.at_rest, timeout=20000)
        session.release()
        session.deleteLater()


def test_preferences_that_are_not_there_are_nothing_to_tell(places):
    assert Preferences.opened(places.preferences) == Preferences()


ABSURD = (None, [], {}, "x", -1, 0, 1e308, -1e308, float("nan"), float("inf"), 10**18, [[1]], True)


def fields_of(value, way=()):
    """The way to every value inside, by keys and places."""
    yield way
    if isinstance(value, dict):
        for key, below in value.items():
            yield from fields_of(below, (*way, key))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from fields_of(below, (*way, place))


def with_value(value, way, odd):
    """The same with another value at the end of a way."""
    if not way:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = with_value(value[way[0]], way[1:], odd)
    return copy


def test_no_absurd_value_in_the_layout_of_a_project_comes_through(tmp_path):
    Layout.of(StudioState(current="004"), {"across": [1, 2]}).write(tmp_path)
    path = tmp_path / "window.json"
    whole = json.loads(path.read_text())
    for way in fields_of(whole):
        for odd in ABSURD:
            path.write_text(json.dumps(with_value(whole, way, odd)))
            found = Layout.read(tmp_path)
            shown = found.display
            assert -30 <= shown.exposure_ev <= 30, way
            assert 1 <= shown.mu <= 1e6, way
            assert 0.1 <= shown.gamma <= 20, way
            assert 0 <= shown.overlay <= 1, way
            assert 1 <= found.rule.rounds <= 10**6, way
            assert isinstance(found.panes, dict), way


@pytest.mark.parametrize(
    "panes",
    [
        {"across": [10**18, 1, 1], "down": "wide", "tabs": 3},
        {"watching": {"charts": 3, "smoothing": [], "off": {"loss": 7}}},
        {"watching": 7, "hidden columns": 5},
        {"watching": {"smoothing": {"loss": 1e308}, "log": 1}},
    ],
)
def test_odd_sizes_and_tabs_of_a_project_are_as_in_a_new_one(
    window, until, qtbot, tiny_project, panes
):
    first = window.page.panes
    Layout.of(StudioState(current="004"), panes).write(tiny_project)
    with qtbot.captureExceptions() as thrown:
        window.session.take(tiny_project)
        until(window.session, lambda s: s.shown == "004" and s.charts is not None)
    assert thrown == []
    assert window.page.panes == first
