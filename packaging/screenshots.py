"""Takes the screenshots: clicks through the main job in the real window and keeps what is seen."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from smarthdr_studio.core.environment import resource
from smarthdr_studio.studio.settings import Places
from smarthdr_studio.studio.state import Activity
from smarthdr_studio.studio.theme import dress, palette_for
from smarthdr_studio.studio.window.main_window import MainWindow

LONGEST_WAIT_S = 1800


class Photographer:
    """A person with a camera: clicks, waits, takes pictures of the real window."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self.window, self.folder = window, folder

    def wait(self, until: Callable[[], object], *, what: str) -> None:
        """Let the window live until something is so."""
        deadline = time.monotonic() + LONGEST_WAIT_S
        while not until():
            if time.monotonic() > deadline:
                sys.exit(f"Waited {LONGEST_WAIT_S} s in vain: {what}.")
            self.rest(50)

    def rest(self, milliseconds: int) -> None:
        """Let the window live for a while."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def click(self, name: str) -> None:
        """Click the visible button of that accessible name or text."""
        for button in self.window.findChildren(QAbstractButton):
            if button.isVisible() and name in (button.text(), button.accessibleName()):
                QTest.mouseClick(button, Qt.MouseButton.LeftButton)
                return
        sys.exit(f"There is no button {name!r} on the screen.")

    def do(self, *actions: str) -> None:
        """Carry out actions of the menus, by their id."""
        for action in actions:
            self.window.findChild(QAction, action).trigger()

    def turn_to(self, tab: str) -> None:
        """Bring a panel to the front."""
        self.do(f"tab_{tab}")

    def point_at_the_middle(self) -> None:
        """Put the mouse on the first picture."""
        picture = self.window.page.views.view(0).picture
        QTest.mouseMove(picture, picture.rect().center())

    def drag(self, picture: QWidget, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw with the left button, from and to shares of a picture's width and height."""
        ends = (QPointF(x * picture.width(), y * picture.height()) for x, y in (start, end))
        first, last = (point.toPoint() for point in ends)
        QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=first)
        for step in range(1, 21):
            QTest.mouseMove(picture, first + (last - first) * step / 20)
            self.rest(10)
        QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=last)
        self.rest(300)

    def take(self, name: str) -> None:
        """Keep what is on the screen now."""
        self.rest(400)
        path = self.folder / f"{name}.png"
        self.window.screen().grabWindow(self.window.winId()).save(str(path))
        print(path)


def main() -> None:
    """Start page, a run half way, the trained project dark and light, and the smallest screen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=resource("guide"), help="where pictures go")
    folder: Path = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(sys.argv[:1])
    dress(application, palette_for("dark"))
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        os.environ["HOME"] = temporary  # paths on the pictures begin with ~
        places = Places.under(config=home / "config", cache=home / "cache", data=home / "data")
        window = MainWindow(places=places)
        window.set_look("dark")
        window.move(0, 0)
        window.show()
        tell_the_story(Photographer(window, folder))
        window.close()


def tell_the_story(camera: Photographer) -> None:
    """The main job, from the start page to a trained project."""
    window, session = camera.window, camera.window.session
    camera.take("start")
    camera.click("Try the sample project")
    camera.wait(lambda: session.state.shown, what="the sample project opens")
    clicked = time.monotonic()
    camera.do("work_train", "train")
    camera.wait(lambda: session.state.pool, what="the first round ends")
    session.screen.pick("002")  # labelled scenes have no film
    over = (Activity.DONE, Activity.STOPPED, Activity.FAILED)
    camera.wait(lambda: session.state.training.activity in over, what="the run ends")
    if session.state.training.activity is not Activity.DONE:
        sys.exit(f"The run did not end well: {session.state.training.message}")
    print(f"from click to trained: {time.monotonic() - clicked:.0f} s")
    camera.wait(lambda: session.at_rest, what="the last labels are shown")
    session.dismiss()  # what next, over what is to be seen
    camera.take("training")
    camera.do("work_inspect")
    diagnose(camera)
    curate(camera)
    plan_and_compare(camera)
    window.set_look("light")
    camera.take("window-light")
    window.resize(1280, 720)
    camera.take("window-small-light")
    window.set_look("dark")
    camera.take("window-small")


def diagnose(camera: Photographer) -> None:
    """From the least trusted region of the pool to thresholds, evidence, rounds and a figure."""
    window, session = camera.window, camera.window.session
    camera.click("Least trusted")
    camera.wait(lambda: session.state.report, what="the region is counted")
    camera.turn_to("why")
    camera.take("diagnostics")
    camera.turn_to("thresholds")
    camera.click("Retain 80 %")
    camera.do("clear_region", "fit")
    camera.point_at_the_middle()
    camera.wait(lambda: session.at_rest, what="everything is painted")
    camera.take("window")
    sheet = camera.folder / "sheet.png"
    window.page.views.sheet(visible_only=False).image().save(str(sheet))
    print(sheet)
    camera.turn_to("evidence")
    camera.wait(lambda: session.state.evidence.shown, what="the evidence is measured")
    camera.take("evidence")
    camera.turn_to("history")
    camera.do("previous_round", "previous_round")
    camera.wait(lambda: session.at_rest, what="the round is replayed")
    camera.take("history")
    camera.do("back_to_now")
    camera.do("reset_layout")
    camera.turn_to("thresholds")


def curate(camera: Photographer) -> None:
    """Two queues, the brush over the masks, and every figure of every scene."""
    window, session = camera.window, camera.window.session
    camera.do("work_curate", "queue_worth")
    camera.wait(lambda: not session.state.queue.work, what="the frames are looked at")
    camera.do("next_in_queue")
    camera.wait(lambda: session.state.shown == session.state.current, what="the scene is read")
    camera.turn_to("scene")
    camera.wait(lambda: session.at_rest, what="everything is painted")
    camera.take("curating")
    camera.do("tool_brush", "ink_distrust")
    camera.drag(window.page.views.view(1).picture, (0.62, 0.35), (0.72, 0.55))
    camera.do("ink_trust")
    camera.drag(window.page.views.view(1).picture, (0.32, 0.3), (0.5, 0.42))
    camera.take("brush")
    camera.do("clear_painting", "leave_brush", "show_table")
    camera.wait(lambda: not session.state.table.work, what="every figure is known")
    camera.take("table")
    camera.do("show_pictures", "queue_all", "work_inspect")
    camera.turn_to("thresholds")


def plan_and_compare(camera: Photographer) -> None:
    """The plan editor with an estimate, and a second run, without patch masks, beside the first."""
    session = camera.window.session
    camera.do("plan_run")
    camera.rest(1500)
    editor = next(each for each in QApplication.topLevelWidgets() if each.inherits("QDialog"))
    camera.wait(lambda: session.at_rest, what="devices are found")
    next(b for b in editor.findChildren(QAbstractButton) if b.text() == "Estimate").click()
    camera.rest(500)
    camera.wait(lambda: session.at_rest, what="the run is estimated")
    camera.take("plan")
    editor.close()
    shorter = ("schedule.epochs=6", "masks.patches=false")
    sets = [word for change in shorter for word in ("--set", change)]
    command = [sys.executable, "-m", "smarthdr_studio", "train", str(session.state.folder)]
    other = subprocess.Popen([*command, "--preset", "quick", *sets], stderr=subprocess.DEVNULL)
    camera.wait(lambda: other.poll() is not None, what="the second run ends")
    camera.do("show_runs")
    camera.wait(lambda: len(session.state.runs.rows) > 1, what="both runs are listed")
    camera.rest(1500)
    session.dismiss()
    camera.take("runs")
    session.running.runs.choose(tuple(row.id for row in session.state.runs.rows))
    camera.rest(1000)
    camera.window.page.browsing.runs_page().tabs.go("curves")
    camera.rest(2500)
    camera.take("compare")
    camera.do("show_pictures")


if __name__ == "__main__":
    main()
