"""The log of the window, as a process of its own writes it."""

import os
import subprocess
import sys
from threading import Event

from smarthdr_studio.studio.tasks import TaskRunner

PROGRAM = """
import threading
from PySide6.QtCore import QTimer, qWarning
from smarthdr_studio.studio.application import shown

application, window = shown(None)
window._preload.stop()
print(window.session.state.notice)

def in_a_slot():
    raise ValueError("in a slot")

def in_a_thread():
    raise LookupError("in a thread")

def all_of_it():
    qWarning("Qt is not content")
    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    QTimer.singleShot(0, in_a_slot)
    QTimer.singleShot(200, window.close)

QTimer.singleShot(0, all_of_it)
application.exec()
"""


def after_a_crash(home, program, *words):
    """A program of the window in a process of its own, where the last one has crashed."""
    homes = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CONFIG", "CACHE", "DATA")}
    crashes = home / "STATE" / "smarthdr-studio" / "crashes.log"
    crashes.parent.mkdir(parents=True)
    crashes.write_text("Fatal Python error: Segmentation fault\n", encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        env={**os.environ, **homes, "XDG_STATE_HOME": str(home / "STATE")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_window_keeps_what_slots_threads_and_qt_say(tmp_path):
    ended = after_a_crash(tmp_path, PROGRAM)
    assert ended.returncode == 0, ended.stderr
    (log,) = (tmp_path / "STATE").rglob("studio.log")
    text = log.read_text(encoding="utf-8")
    assert "begins: Python" in text
    assert "in in_a_slot" in text
    assert "ValueError: in a slot" in text
    assert "LookupError: in a thread" in text
    assert "WARNING MainThread smarthdr_studio.qt: default: Qt is not content" in text
    for words in ("in a slot", "in a thread", "Qt is not content"):
        assert words in ended.stderr  # a terminal hears it as before
    assert "The program broke off last time" in ended.stdout
    (crashes,) = (tmp_path / "STATE").rglob("crashes.log")
    assert crashes.read_text(encoding="utf-8").startswith("Fatal Python error")


def test_a_job_that_fails_by_a_fault_of_ours_leaves_its_traceback(qapp, qtbot, caplog):
    def breaks(_report):
        raise KeyError("a fault of ours")

    runner, told = TaskRunner(qapp), Event()
    runner.start(breaks, on_refused=lambda _words: told.set())
    qtbot.waitUntil(told.is_set)
    (record,) = [each for each in caplog.records if each.name == "smarthdr_studio.studio.tasks"]
    assert "in breaks" in caplog.text
    assert record.exc_info[0] is KeyError


OPENED = """
import sys
from pathlib import Path
from smarthdr_studio.studio.application import shown

application, window = shown(Path(sys.argv[1]))
session = window.session

def look():
    if session.state.folder is not None and session.at_rest:
        print(session.state.notice.text, *session.state.notice.details)
        session.dismiss()
        print(session.state.notice)
        window.close()

session.changed.connect(look)
application.exec()
"""


def test_a_project_that_opens_at_once_does_not_hide_that_the_last_time_broke_off(
    tmp_path, tiny_project
):
    ended = after_a_crash(tmp_path, OPENED, tiny_project)
    assert ended.returncode == 0, ended.stderr
    first, then, *_ = ended.stdout.splitlines()
    assert "The program broke off last time" in first
    assert then == "None"
