"""A screen nobody sees, small projects, and a watch for what a test leaves behind."""

import gc
import os

# Before Qt is imported. A real X server is used only when asked for.
if not (os.environ.get("SMARTHDR_TEST_XCB") and os.environ.get("DISPLAY")):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

import shutil
import time

import numpy as np
import pytest
import shiboken6
from brackets import write_dataset
from made_once import copied_project, made_once
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from runs_on_disk import Log

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.environment import garbage_collected_by
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.remedies import speak_in_window
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label
from smarthdr_studio.studio.actions import use_keys
from smarthdr_studio.studio.application import GarbageCollector
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.settings import Places
from smarthdr_studio.studio.theme import DARK, style_sheet, tint
from smarthdr_studio.studio.window import MainWindow, notices
from smarthdr_studio.synthetic.settings import SampleSettings

HEIGHT, WIDTH = 96, 128
TURN_MS, LONGEST_TURN_MS = 10, 200  # what took longer was the machine
SMALL_SAMPLE = SampleSettings(scenes=3, labelled=1, test=1, width=96, height=64)


def pytest_configure(config):
    # What the offscreen platform says of every window with a smallest size.
    config.addinivalue_line("qt_log_ignore", "propagateSizeHints")


class _Activator(QObject):
    """Gives every window the keyboard when it is shown: a bare X server has nobody else for it."""

    def eventFilter(self, watched, event):
        if event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            watched.activateWindow()
        return False


@pytest.fixture(autouse=True, scope="session")
def windows_have_the_keyboard(qapp):
    """Shortcuts work only in the active window."""
    if qapp.platformName() != "xcb":
        yield
        return
    activator = _Activator(qapp)
    qapp.installEventFilter(activator)
    yield
    qapp.removeEventFilter(activator)


@pytest.fixture(autouse=True, scope="session")
def garbage_collector(qapp):
    """As in the program: what Qt draws may not die on the thread of a job."""
    collector = GarbageCollector(qapp)
    with garbage_collected_by(collector.collect):
        yield collector
    collector.deleteLater()


@pytest.fixture(autouse=True)
def notices_stay(monkeypatch):
    """Long enough to be looked at, however slow the machine is."""
    monkeypatch.setattr(notices, "_STAYS_MS", 3_600_000)


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp, garbage_of_the_test):
    """Fails when a top-level widget, a running thread or an active timer survives a test."""
    yield
    use_keys({})  # those of the window of this test
    speak_in_window(on=False)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    widgets = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    made = _made_since(QThread, QTimer)
    threads = [each for each in made if isinstance(each, QThread) and each.isRunning()]
    threads = [thread for thread in threads if thread is not QThread.currentThread()]
    timers = [each for each in made if isinstance(each, QTimer) and each.isActive()]
    for thread in threads:
        thread.wait(5000)
    assert not widgets, f"left on the screen: {widgets}"
    assert not threads, f"left running: {threads}"
    assert not timers, f"left ticking: {[(timer, timer.parent()) for timer in timers]}"


def _made_since(*kinds):
    # type(), because asking some lazy objects for their class wakes them up.
    wanted = set(kinds)
    for kind in list(wanted):
        wanted |= _below(kind)
    held = [thing for thing in gc.get_objects() if type(thing) in wanted]
    return [thing for thing in held if shiboken6.isValid(thing)]


def _below(kind):
    """Every class that derives from it, however far down."""
    return {each for child in type.__subclasses__(kind) for each in (child, *_below(child))}


def write_pseudo(project, scene, *, at_round=3):
    """A pseudo-label whose uncertainty rises to the right, with its statistics."""
    ramp = np.linspace(0.01, 0.2, WIDTH, dtype=np.float32)
    # Every scene a little less sure than the one before.
    sigma = np.repeat(ramp[None, :], HEIGHT, 0) * np.float32(int(scene[-3:]) / 6)
    provenance = Provenance(
        run="earlier",
        round=at_round,
        epoch=4,
        checkpoint="ab12",
        network="light",
        masks=MaskSettings(),
        patch_range=Range(0.01, 0.2),
        pixel_range=Range(0.01, 0.2),
        made="2026-11-22T10:00:00Z",
    )
    label = PseudoLabel(
        scene=scene,
        hdr=np.full((HEIGHT, WIDTH, 3), 0.25, np.float16),
        sigma=sigma,
        person=None,
        provenance=provenance,
    )
    path = project.pseudo_path(scene)
    path.parent.mkdir(exist_ok=True)
    write_pseudo_label(path, label)
    SceneStatistics.of(sigma).save(project.statistics_path(scene))
    return label


def _make_projects(folder):
    write_dataset(folder / "brackets", train=6)
    scenes = find_scenes(folder / "brackets")
    Project.create(folder / "fresh.shdr", scenes, labelled=("001", "002")).close()
    shutil.copytree(folder / "fresh.shdr", folder / "labelled.shdr")
    with Project.open(folder / "labelled.shdr") as project:
        for scene in ("003", "004", "005", "006"):
            write_pseudo(project, scene)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A dataset and projects over it, to be copied: no test changes what another one sees."""
    return made_once(tmp_path_factory, "studio", _make_projects)


@pytest.fixture
def dataset(made, tmp_path):
    """Six training scenes and one for testing."""
    return shutil.copytree(made / "brackets", tmp_path / "brackets")


@pytest.fixture
def fresh_project(made, dataset, tmp_path):
    """A project before its first run: two labels, four scenes without."""
    return copied_project(made / "fresh.shdr", tmp_path / "tiny.shdr", dataset=dataset)


@pytest.fixture
def tiny_project(made, fresh_project, dataset):
    """The same after a run: every unlabelled scene has a pseudo-label."""
    return copied_project(made / "labelled.shdr", fresh_project, dataset=dataset)


def _make_checkpoints(folder):
    from made_models import make_checkpoint

    plan = load_preset("quick", changes={"tile": 96, "device": "cpu"})
    for step, psnr_mu in ((10, 30.0), (20, 34.0), (30, 33.0)):
        make_checkpoint(folder / Log.NAME, plan, step=step, psnr_mu=psnr_mu)


@pytest.fixture
def run_of_three(tiny_project, tmp_path_factory):
    """The name of a run that came to three checkpoints, the second of which is the best."""
    log = Log(tiny_project)
    log.begin()
    log.end()
    made = made_once(tmp_path_factory, "three-checkpoints", _make_checkpoints)
    shutil.copytree(made / log.name / "checkpoints", log.folder / "checkpoints")
    return log.name


@pytest.fixture
def nothing_predicted_before():
    """No network is held from another test, and small pictures have one thread."""
    import torch

    from smarthdr_studio.studio.project.predictions import forget

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    forget()
    yield
    forget()
    torch.set_num_threads(threads)


@pytest.fixture
def places(tmp_path):
    """A person's folders that nobody has."""
    return Places.under(
        config=tmp_path / "config", cache=tmp_path / "cache", data=tmp_path / "data"
    )


@pytest.fixture
def session(qapp, qtbot, places):
    """A session without a window."""
    session = Session(qapp, places=places, sample=SMALL_SAMPLE)
    yield session
    session.shut_down()
    qtbot.waitUntil(lambda: session.at_rest, timeout=20000)
    session.release()
    session.deleteLater()


@pytest.fixture
def build_window(qapp, places):
    """Builds a window as the program does; a style sheet is worked out anew for each part added."""

    def build(**how):
        qapp.setStyleSheet("")
        tint(qapp, DARK)
        window = MainWindow(places=places, **how)
        qapp.setStyleSheet(style_sheet(DARK))
        return window

    return build


@pytest.fixture
def built(qtbot, build_window):
    """The whole window before it is shown, closed at the end whatever happened."""
    speak_in_window()
    window = build_window(sample=SMALL_SAMPLE)
    window.resize(1280, 720)
    yield window
    window.session.shut_down()
    qtbot.waitUntil(lambda: window.session.at_rest, timeout=30000)
    window.close()
    window.deleteLater()


@pytest.fixture
def show(built, qtbot):
    """Shows the window as the program does: a project is opened before anything is painted."""

    def on_the_screen(project=None):
        with qtbot.waitActive(built, timeout=20000):
            built.show()
            if project is not None:
                built.session.take(project)
            built.activateWindow()
        return built

    return on_the_screen


@pytest.fixture
def window(show):
    """The whole window on the screen."""
    return show()


@pytest.fixture
def opened(show, until, tiny_project):
    """The window with the tiny project, its first pseudo-label and its pool on the screen."""
    window = show(tiny_project)
    until(window.session, lambda s: s.shown == "003" and s.charts is not None)
    return window


class PatientBot(QtBot):
    """Waits for turns of the event loop: no clock that is set and no sleep of the machine counts.

    pytest-qt takes the time of day, so that a machine that was away for a moment failed the test.
    """

    def wait(self, ms):
        """So many ms, or longer: every ten of them are a turn, however slow the machine is."""
        for begun in range(0, ms, TURN_MS):
            super().wait(min(TURN_MS, ms - begun))

    def waitUntil(self, callback, *, timeout=20000):  # noqa: N802 - as it is called there
        """Until `callback` asserts nothing wrong, or is True; `timeout` is in ms of turns."""
        had = 0.0
        while True:
            try:
                if callback() in (None, True):
                    return
                wrong = None
            except AssertionError as error:
                wrong = error
            if had > timeout:
                raise self.TimeoutError(f"not within {timeout / 1000:g} s") from wrong
            begun = time.monotonic()
            self.wait(TURN_MS)
            had += min(1000 * (time.monotonic() - begun), LONGEST_TURN_MS)


@pytest.fixture
def qtbot(qapp, request):
    """The one of pytest-qt, and more patient."""
    return PatientBot(request)


@pytest.fixture
def until(qtbot):
    """Waits until the state of a session is so."""

    def wait(session, holds, *, timeout=20000):
        try:
            # bool, because nothing at all would count as held.
            qtbot.waitUntil(lambda: bool(holds(session.state)), timeout=timeout)
        except qtbot.TimeoutError as error:
            run, told = session.state.training, session.state.notice
            raise AssertionError(f"not within {timeout / 1000:g} s: {run}, {told}") from error

    return wait


@pytest.fixture
def label_again():
    """Writes a newer pseudo-label, as a round does."""
    return write_pseudo
