"""How tests wait: by turns of the event loop, whatever happens to clocks and to the machine."""

import itertools
import time

import pytest


def test_a_clock_that_is_set_forward_ends_no_wait(qtbot, monkeypatch):
    days = itertools.count()
    monkeypatch.setattr(time, "time", lambda: 86400.0 * next(days))
    looks = itertools.count()
    qtbot.waitUntil(lambda: next(looks) > 5, timeout=1000)


def test_a_machine_that_is_away_ends_no_wait(qtbot, monkeypatch):
    hours = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: 3600.0 * next(hours))
    looks = itertools.count()
    qtbot.waitUntil(lambda: next(looks) > 5, timeout=1500)


def test_what_never_comes_is_not_waited_for_for_ever(qtbot):
    with pytest.raises(qtbot.TimeoutError, match=r"not within 0\.05 s"):
        qtbot.waitUntil(lambda: False, timeout=50)

    def wrong():
        assert not qtbot, "what is wrong"

    with pytest.raises(qtbot.TimeoutError) as late:
        qtbot.waitUntil(wrong, timeout=50)
    assert "what is wrong" in str(late.value.__cause__)
