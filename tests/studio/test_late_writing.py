"""What is remembered is written where nothing is painted, in order, and whole at the end."""

import threading

import pytest

from smarthdr_studio.studio.settings import LateWriter, Layout, Preferences


@pytest.fixture
def written(monkeypatch):
    """Which thread wrote what, in order."""
    found = []
    for kind in (Layout, Preferences):
        write = kind.write

        def noted(self, place, write=write, kind=kind):
            found.append((kind, threading.get_ident()))
            write(self, place)

        monkeypatch.setattr(kind, "write", noted)
    return found


def test_only_the_newest_of_what_waits_is_written():
    writer, told = LateWriter(), []
    for number in range(3):
        writer.take(lambda number=number: told.append(number))
    writer.finish()
    writer.finish()
    assert told == [2]


def test_who_finishes_waits_for_the_thread_that_writes_and_comes_after_it():
    writer, told = LateWriter(), []
    begun, go = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        assert go.wait(20)
        told.append("older")

    writer.take(slowly)
    older = threading.Thread(target=writer.finish)
    older.start()
    assert begun.wait(20)
    writer.take(lambda: told.append("newer"))
    newer = threading.Thread(target=writer.finish)
    newer.start()
    go.set()
    for thread in (older, newer):
        thread.join(20)
    assert told == ["older", "newer"]


def test_what_is_looked_at_is_written_where_nothing_is_painted(
    opened, qtbot, until, tiny_project, written
):
    session = opened.session
    qtbot.waitUntil(lambda: not opened._keeping.isActive(), timeout=20000)
    until(session, lambda state: session.at_rest)
    written.clear()
    other = next(row.id for row in session.state.scenes if row.id != session.state.current)
    session.screen.pick(other)
    qtbot.waitUntil(lambda: Layout.read(tiny_project).scene == other, timeout=20000)
    painter = threading.get_ident()
    assert Layout in [kind for kind, _ in written]
    assert painter not in [thread for _, thread in written]


def test_a_project_that_is_left_has_all_that_was_remembered_of_it(opened, until, tiny_project):
    session = opened.session
    other = next(row.id for row in session.state.scenes if row.id != session.state.current)
    session.screen.pick(other)
    session.remember_layout(soon=True)
    session.close_project()
    assert Layout.read(tiny_project).scene == other


def test_a_wish_of_now_is_not_written_over_by_one_that_waits(opened, places):
    session = opened.session
    session.prefer(soon=True, look="light")
    session.prefer(look="contrast")
    session._tasks.close()
    assert Preferences.read(places.preferences).look == "contrast"
