"""The log of a person: what nobody catches is in it, it stays small, and it costs no work."""

import logging
import signal
import subprocess
import sys
import threading
import time

import pytest

from smarthdr_studio import cli
from smarthdr_studio.core import logbook
from smarthdr_studio.core.logbook import Logbook, keep_traceback, log_files


@pytest.fixture
def quiet(monkeypatch):
    """Hooks of before that say nothing, and which are there again at the end."""
    heard = []
    monkeypatch.setattr(sys, "excepthook", lambda *told: heard.append(told[1]))
    monkeypatch.setattr(threading, "excepthook", lambda told: heard.append(told.exc_value))
    return heard


def test_what_nobody_catches_in_any_thread_is_written_with_its_traceback(tmp_path, quiet):
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    book = Logbook(tmp_path / "logs")

    def stumble():
        raise LookupError("in a thread")

    thread = threading.Thread(target=stumble, name="the loader")
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError("here"), None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    book.close()
    text = (tmp_path / "logs" / "studio.log").read_text(encoding="utf-8")
    assert "in the thread the loader" in text
    assert "in stumble\n" in text
    assert "LookupError: in a thread" in text
    assert "ValueError: here" in text
    assert "KeyboardInterrupt" not in text
    assert [type(each) for each in quiet] == [LookupError, ValueError, KeyboardInterrupt]
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_an_event_loop_that_stands_still_leaves_what_it_did_and_one_that_goes_on_nothing(
    tmp_path, quiet, monkeypatch
):
    monkeypatch.setattr(logbook, "_HUNG_S", 0.3)
    book = Logbook(tmp_path)
    for _ in range(4):
        book.beat()
        time.sleep(0.1)
    crashes = tmp_path / "crashes.log"
    assert crashes.read_text() == ""

    def standing_still():
        time.sleep(0.8)

    book.beat()
    standing_still()
    book.beat()
    book.rest()
    time.sleep(0.5)
    book.close()
    assert crashes.read_text().count("standing_still") == 1
    told = (tmp_path / "studio.log").read_text(encoding="utf-8")
    assert told.count("stood still for 1 s; what it did is in crashes.log") == 1


_BEATS = """
import sys, time
from smarthdr_studio.core import logbook
logbook._HUNG_S = 0.5
book = logbook.Logbook(sys.argv[1])
book.beat()
print("goes on", flush=True)
until = time.monotonic() + 2.5
while time.monotonic() < until:
    book.beat()
    time.sleep(0.02)
book.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is stopped there")
def test_a_program_that_was_stopped_has_not_hung(tmp_path):
    command = [sys.executable, "-c", _BEATS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        program.stdout.readline()
        program.send_signal(signal.SIGSTOP)
        time.sleep(1.2)
        program.send_signal(signal.SIGCONT)
        assert program.wait(timeout=30) == 0
    assert (tmp_path / "crashes.log").read_text() == ""


def test_a_long_verb_that_crashes_leaves_what_its_threads_did(tmp_path):
    crashing = (
        "import os, signal, sys; from smarthdr_studio.core.logbook import crashes_kept\n"
        "def deep(): os.kill(os.getpid(), signal.SIGSEGV)\n"
        "with crashes_kept(sys.argv[1]): deep()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", crashing, str(tmp_path / "logs")], capture_output=True, check=False
    )
    assert ended.returncode < 0
    assert "in deep" in (tmp_path / "logs" / "crashes.log").read_text()
    book = Logbook(tmp_path / "logs")
    assert book.crashed
    book.close()


def test_the_long_verbs_are_verbs():
    assert cli.LONG < cli.VERBS


def test_a_crash_is_told_once_by_the_next_log(tmp_path, quiet):
    crashing = (
        "import faulthandler, sys; from smarthdr_studio.core.logbook import Logbook; "
        "Logbook(sys.argv[1]); faulthandler._sigabrt()"
    )
    told = []
    for _ in range(3):
        book = Logbook(tmp_path)
        told.append(book.crashed)
        book.close()
        if not told[1:]:
            done = subprocess.run(
                [sys.executable, "-c", crashing, str(tmp_path)], capture_output=True, check=False
            )
            assert done.returncode != 0
    assert told == [False, True, False]


def test_the_log_is_turned_over_by_size_and_a_few_of_them_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(logbook, "_MOST_BYTES", 2000)
    book = Logbook(tmp_path)
    for number in range(200):
        logging.getLogger("smarthdr_studio.test").warning("line %d", number)
    book.close()
    files = log_files(tmp_path)
    assert [each.name for each in files] == [
        *("studio.log", "studio.log.1", "studio.log.2", "studio.log.3", "crashes.log")
    ]
    assert all(each.stat().st_size <= 2000 for each in files)
    assert files[0].read_text(encoding="utf-8").endswith("line 199\n")


_WRITES = """
import logging, sys
from smarthdr_studio.core import logbook
logbook._MOST_BYTES, logbook._OLDER = 20_000, 99
book = logbook.Logbook(sys.argv[1])
for number in range(1000):
    logging.getLogger("smarthdr_studio").info("%s wrote %04d.", sys.argv[2], number)
book.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
def test_two_programs_on_one_log_lose_no_line_and_turn_it_over_by_its_size(tmp_path):
    command = [sys.executable, "-c", _WRITES, str(tmp_path)]
    both = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    assert [each.wait(timeout=60) for each in both] == [0, 0]
    files = [each for each in tmp_path.glob("studio.log*") if each.suffix != ".lock"]
    text = "".join(each.read_text(encoding="utf-8") for each in files)
    wanted = [f"{name} wrote {number:04d}." for name in ("one", "two") for number in range(1000)]
    assert [line for line in wanted if text.count(line) != 1] == []
    older = [each.stat().st_size for each in files if each.name != "studio.log"]
    assert len(older) > 3
    assert min(older) > 19_000
    assert max(older) <= 20_000


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")
def test_a_line_is_written_where_another_program_does_not_let_go_of_the_log(
    tmp_path, quiet, monkeypatch
):
    import fcntl

    monkeypatch.setattr(logbook, "_LONGEST_WAIT_S", 0.05)
    book = Logbook(tmp_path)
    with (tmp_path / "studio.log.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        logging.getLogger("smarthdr_studio").warning("while it was held")
    book.close()
    assert "while it was held" in (tmp_path / "studio.log").read_text(encoding="utf-8")


def test_a_crash_of_the_interpreter_leaves_the_stack_of_every_thread(tmp_path):
    program = (
        "import sys, faulthandler; from pathlib import Path\n"
        "from smarthdr_studio.core.logbook import Logbook\n"
        "Logbook(Path(sys.argv[1]))\n"
        "def deep(): faulthandler._sigabrt()\n"
        "deep()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, check=False
    )
    assert ended.returncode != 0
    text = (tmp_path / "crashes.log").read_text(encoding="utf-8")
    assert "Fatal Python error: Aborted" in text
    assert "in deep" in text


def test_a_large_file_of_crashes_is_set_aside_once(tmp_path, monkeypatch):
    monkeypatch.setattr(logbook, "_MOST_BYTES", 100)
    (tmp_path / "crashes.log").write_text("x" * 101)
    Logbook(tmp_path).close()
    assert (tmp_path / "crashes.log.1").stat().st_size == 101
    assert (tmp_path / "crashes.log").stat().st_size == 0


def test_a_home_that_cannot_be_written_to_costs_the_log_and_nothing_else(tmp_path, quiet):
    (tmp_path / "home").write_text("a file where the folder should be")
    book = Logbook(tmp_path / "home")
    error = ValueError("told all the same")
    sys.excepthook(ValueError, error, None)
    book.close()
    assert quiet == [error]
    assert keep_traceback(tmp_path / "home", error, words="ended") is None


def test_letters_that_no_file_can_hold_are_written_as_their_numbers(tmp_path):
    kept = keep_traceback(tmp_path, ValueError("half \ud800"), words="the verb ended")
    assert r"half \ud800" in kept.read_text(encoding="utf-8")


def test_a_verb_that_ends_in_a_traceback_keeps_it(tmp_path, monkeypatch, capsys):
    def breaks(_words):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(logbook, "state_folder", lambda: tmp_path / "state")
    monkeypatch.setattr("smarthdr_studio.cli.app.run", breaks)
    with pytest.raises(RuntimeError):
        cli.main(["doctor"])
    text = (tmp_path / "state" / "studio.log").read_text(encoding="utf-8")
    assert "the verb doctor ended" in text
    assert "in breaks\n" in text
    assert "RuntimeError: a fault of ours" in text
    assert str(tmp_path / "state" / "studio.log") in capsys.readouterr().err
