"""Works through a project with keys alone, says what the screen has confirmed, and is killed.

usage: python curating_by_keys.py PROJECT HOME
"""

import json
import os
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.settings import Places
from smarthdr_studio.studio.theme import DARK, dress
from smarthdr_studio.studio.window import MainWindow

PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
LONGEST_S = 240


class Hands:
    """Presses keys and waits for the screen; has no mouse."""

    def __init__(self, window):
        self.window = window

    @property
    def state(self):
        return self.window.session.state

    def press(self, key, modifiers=PLAIN):
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifiers)
        self.rest(20)

    def rest(self, milliseconds):
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def wait(self, until):
        for _ in range(LONGEST_S * 50):
            if until():
                return
            self.rest(20)
        sys.exit("waited in vain")

    def status(self, scene):
        return self.state.row(scene).status

    def walk(self):
        """Space, until the next scene is on the screen."""
        before = self.state.current
        self.press(Qt.Key.Key_Space)
        self.wait(lambda: self.state.current != before and self.state.shown == self.state.current)
        return self.state.current

    def paint(self):
        """The brush at a crosshair that arrows have moved."""
        scene = self.state.current
        self.press(Qt.Key.Key_B)
        self.press(Qt.Key.Key_Y)
        for _ in range(3):
            self.press(Qt.Key.Key_Left, ALT | SHIFT)
        self.press(Qt.Key.Key_Return)
        self.press(Qt.Key.Key_Escape)
        self.wait(lambda: self.state.row(scene).painted > 0)

    def note(self, words):
        self.press(Qt.Key.Key_J, CTRL)
        QTest.keyClicks(QApplication.focusWidget(), words)
        self.press(Qt.Key.Key_Escape)
        self.wait(lambda: self.state.row(self.state.current).note == words)


def work(hands):
    """Promote, paint, exclude, note and undo down the queue; answers what the screen says."""
    state = hands.state
    hands.press(Qt.Key.Key_3, ALT)
    hands.wait(lambda: hands.state.queue.scenes and not hands.state.queue.work)
    for turn in range(8):
        scene = hands.walk()
        if turn % 4 == 0:
            hands.press(Qt.Key.Key_P)
            hands.wait(lambda name=scene: hands.status(name) is Status.PROMOTED)
        elif turn % 4 == 1:
            hands.paint()
        elif turn % 4 == 2:
            hands.press(Qt.Key.Key_X)
            hands.wait(lambda name=scene: hands.status(name) is Status.EXCLUDED)
        else:
            hands.note(f"turn {turn}")
    hands.press(Qt.Key.Key_X)
    hands.wait(lambda: hands.status(hands.state.current) is Status.EXCLUDED)
    hands.press(Qt.Key.Key_Z, CTRL)
    hands.wait(lambda: hands.status(hands.state.current) is Status.UNLABELLED)
    state = hands.state
    return {
        row.id: [str(row.status), row.note, list(row.tags), row.painted > 0, row.reviewed]
        for row in state.scenes
    }


def main():
    project, home = map(Path, sys.argv[1:])
    application = QApplication([])
    dress(application, DARK)
    places = Places.under(config=home / "c", cache=home / "k", data=home / "d")
    window = MainWindow(places=places)
    window.resize(1280, 720)
    window.show()
    window.activateWindow()
    hands = Hands(window)
    window.session.take(project)
    hands.wait(lambda: hands.state.shown and hands.state.charts is not None)
    print(json.dumps(work(hands)), flush=True)
    hands.press(Qt.Key.Key_P)  # in the middle of a promotion nobody has confirmed yet
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
