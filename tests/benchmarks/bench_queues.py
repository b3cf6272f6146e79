"""Queues of a window with many scenes: ranked, and walked with Space; offscreen."""

import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from fabricated import crowded_project, write_dataset
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from table import Row, row, show, timed

from smarthdr_studio.core.curation.clues import CLUES_KIND, record_of
from smarthdr_studio.core.imaging.bracket import decode_bracket, frames_stamp
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.settings import Places
from smarthdr_studio.studio.state import QueueKind
from smarthdr_studio.studio.window import MainWindow
from smarthdr_studio.synthetic.settings import SampleSettings

SMALL = SampleSettings(scenes=1, labelled=0, test=0, width=192, height=128)
LONGEST_S = 300


def looked_at(folder: Path) -> Path:
    """The project with the clues of every scene, all of which share their files."""
    with Project.open(folder) as project:
        first = project.scenes[0]
        found = (frames_stamp(first), record_of(decode_bracket(first)).to_bytes())
        project.keep_figures(CLUES_KIND, {scene.id: found for scene in project.scenes})
    return folder


class Walker:
    """A person in front of the window who picks a queue and presses Space."""

    def __init__(self, folder: Path, home: Path) -> None:
        places = Places.under(config=home / "config", cache=home / "cache", data=home / "data")
        self.window = MainWindow(places=places)
        self.session = self.window.session
        self.window.show()
        self.session.take(folder)
        self.wait(lambda: self.session.state.charts is not None)
        self.wait(lambda: self.session.at_rest)

    def wait(self, until) -> None:
        """Let the window live until something is so."""
        deadline = time.monotonic() + LONGEST_S
        while not until():
            assert time.monotonic() < deadline, "waited in vain"
            QApplication.processEvents()
            time.sleep(0.0005)

    def rank(self, k: int) -> None:
        """Pick the other queue, until it is ranked and listed."""
        self.session.recommendations.queue.pick((QueueKind.SAFEST, QueueKind.WORTH)[k % 2])
        self.wait(lambda: not self.session.state.queue.preliminary)

    def step(self, _k: int) -> None:
        """Press Space, until another scene is the current one."""
        before = self.session.state.current
        QTest.keyClick(self.window, Qt.Key.Key_Space)
        assert self.session.state.current != before

    def steps(self, times: int) -> list[float]:
        """Milliseconds of Space → next scene current; each is looked at before it is left."""
        taken = []
        for k in range(times):
            taken += timed(self.step, times=1, warm_up=0)
            self.wait(lambda: self.session.state.shown == self.session.state.current)
            del k
        return taken

    def leave(self) -> None:
        """Close the window when nothing is at work."""
        self.session.shut_down()
        self.wait(lambda: self.session.at_rest)
        self.window.close()


def measured(scenes: int, folder: Path) -> list[Row]:
    """Both figures for so many scenes."""
    dataset = write_dataset(folder / f"brackets-{scenes}", SMALL)
    made = looked_at(crowded_project(folder / f"{scenes}.shdr", dataset, scenes=scenes))
    walker = Walker(made, folder / f"home-{scenes}")
    ranked = timed(walker.rank, times=6)
    walked = walker.steps(20)
    walker.leave()
    many = f"{scenes:,} scenes"
    return [
        row(f"queue picked → {many} listed", ranked, unit="ms", reach="–", stretch="1000 ms"),
        row(f"Space → next of {many}", walked, unit="ms", reach="50 ms", stretch="20 ms"),
    ]


def main() -> list[Row]:
    """A thousand scenes, and ten thousand."""
    application = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as temporary:
        rows = [r for scenes in (1_000, 10_000) for r in measured(scenes, Path(temporary))]
    del application
    return rows


if __name__ == "__main__":
    show(main())
