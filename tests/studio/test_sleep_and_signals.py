"""The system asks the program to end, or the computer to sleep: the run is stopped and kept."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from PySide6.QtCore import QObject, QTimer

from smarthdr_studio.core.training.events import RunStarted
from smarthdr_studio.studio.application import EndSignals, Shutdown
from smarthdr_studio.studio.state import Activity

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")


@pytest.fixture
def parent(qapp):
    made = QObject()
    yield made
    made.deleteLater()


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_wakes_the_event_loop_and_is_told_there(parent, qtbot, number):
    before = signal.getsignal(number)
    signals = EndSignals(parent)
    with qtbot.waitSignal(signals.asked, timeout=20000):
        # Sent while nothing happens, as a system does it: nobody but the signal wakes the loop.
        QTimer.singleShot(0, lambda: os.kill(os.getpid(), number))
    signals.let_go()
    assert signal.getsignal(number) is before


@posix
def test_a_signal_to_the_window_closes_it_and_asks_nothing(window, qtbot):
    endings = Shutdown(window)
    os.kill(os.getpid(), signal.SIGTERM)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=30000)
    endings.signals.let_go()


def at_work(controller, monkeypatch):
    """A controller whose thread stops as soon as it is asked to."""
    stopped = []

    class Thread:
        def stop(self):
            stopped.append(True)

        def deleteLater(self):  # noqa: N802 - Qt's
            return

    controller._thread = Thread()
    controller.take(
        (
            RunStarted(
                run="r1", folder="/r1", device="cpu", network="light", total_steps=9, total_epochs=3
            ),
        )
    )
    return stopped


def test_before_sleep_the_run_is_stopped_and_after_waking_it_is_said(window, until, monkeypatch):
    controller = window.session.training
    endings = Shutdown(window)
    stopped = at_work(controller, monkeypatch)
    sleep, slept = endings.sleep, []
    monkeypatch.setattr(type(sleep), "let_it_sleep", lambda _: slept.append(True))
    sleep.prepare(True)
    assert stopped == [True]
    assert controller.state.activity is Activity.STOPPING
    assert not slept  # the run is still being saved
    controller._ended()
    assert controller.state.activity is Activity.STOPPED
    assert slept == [True]
    sleep.prepare(False)
    notice = window.session.state.notice
    assert "because the computer went to sleep" in notice.text
    assert [(offer.asks, offer.about) for offer in notice.offers] == [("resume", "r1")]
    endings.signals.let_go()


def test_sleep_without_a_run_is_nobodys_business(window):
    endings = Shutdown(window)
    endings.sleep.prepare(True)
    endings.sleep.prepare(False)
    assert window.session.state.notice is None
    endings.signals.let_go()


BUS = """
import sys
from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from smarthdr_studio.studio.application import Sleep
application = QCoreApplication([])
logind = QDBusConnection.connectToBus(sys.argv[1], "logind")
assert logind.registerService("org.freedesktop.login1")
sleep = Sleep(application)
sleep.begins.connect(lambda: print("begins"))
sleep.is_over.connect(lambda: (print("over"), application.quit()))
sleep.listen()
def say(begins):
    at = "/org/freedesktop/login1"
    told = QDBusMessage.createSignal(at, "org.freedesktop.login1.Manager", "PrepareForSleep")
    told.setArguments([begins])
    logind.send(told)
QTimer.singleShot(100, lambda: say(True))
QTimer.singleShot(200, lambda: say(False))
QTimer.singleShot(20000, application.quit)
application.exec()
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="there is no dbus-daemon")
def test_logind_is_heard_on_the_system_bus():
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    address = daemon.stdout.readline().strip()
    try:
        heard = subprocess.run(
            [sys.executable, "-c", BUS, address],
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address},
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    finally:
        daemon.terminate()
        daemon.wait()
        daemon.stdout.close()
    assert heard.stdout.split() == ["begins", "over"]


def test_without_a_bus_nothing_happens_and_nothing_is_said():
    code = (
        "from PySide6.QtCore import QCoreApplication; "
        "from smarthdr_studio.studio.application import Sleep; "
        "application = QCoreApplication([]); Sleep(application).listen()"
    )
    heard = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere/bus"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert (heard.stdout, heard.stderr) == ("", "")
