"""Ten thousand scenes listed, asked for, sorted and scrolled, as the window does it."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractItemView, QApplication
from table import Row, row, show, timed

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.curation.scene_gallery import SceneGallery
from smarthdr_studio.studio.curation.scene_list import SceneList
from smarthdr_studio.studio.curation.scene_listing import TableController
from smarthdr_studio.studio.curation.scene_model import SceneShelf
from smarthdr_studio.studio.curation.scene_overview import SceneTable
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import DARK, dress

SCENES = 10_000
QUERIES = ("status:unlabelled retained<0.6", "-tag:indoor trend<0", "0123", "")
FIGURES = ("retained", "sigma", "motion", "status", "id")


class Many:
    """The shelf with list, table and gallery on it, over the state of ten thousand scenes."""

    def __init__(self, application: QApplication) -> None:
        self.application = application
        self.store = Store(StudioState(), application)
        self.desk = TableController(self.store)
        self.shelf = SceneShelf(application)
        self.list = SceneList(DARK, self.shelf)
        self.table = SceneTable(DARK, self.shelf)
        self.gallery = SceneGallery(DARK, self.shelf)
        for part in (self.shelf, self.list, self.table):
            self.store.changed.connect(part.show_state)
        self.shelf.thumbnails_wanted.connect(self.send)
        picture = np.random.default_rng(0).integers(0, 255, (213, 320, 3), np.uint8)
        self._picture = QImage(picture.data, 320, 213, 960, QImage.Format.Format_RGB888).copy()
        for view, size in (
            (self.list, (254, 850)),
            (self.table, (830, 560)),
            (self.gallery, (830, 560)),
        ):
            view.resize(*size)
            view.show()
        self.settle()

    def settle(self) -> None:
        """Everything that was changed is painted."""
        self.application.processEvents()

    def send(self, scenes: tuple[str, ...]) -> None:
        """A thumbnail for each scene that is seen."""
        for scene in scenes:
            self.shelf.take_thumbnail(scene, self._picture)

    def open(self, k: int) -> None:
        """Scenes of a project that has just been opened."""
        self.store.become(scenes=facts_of(SCENES, seed=k), folder=Path(f"/{k}"))
        self.settle()

    def judge(self, k: int) -> None:
        """Another threshold changes what is kept of every scene."""
        rows = tuple(
            replace(each, retained=(each.retained or 0.0) * 0.999)
            for each in self.store.state.scenes
        )
        _ = k
        self.store.become(scenes=rows)
        self.settle()

    def ask(self, k: int) -> None:
        """Another query, until all three show its scenes."""
        self.desk.ask(QUERIES[k % len(QUERIES)])
        self.settle()

    def sort(self, k: int) -> None:
        """By another figure, until all three are sorted."""
        self.desk.sort_by(FIGURES[k % len(FIGURES)])
        self.settle()

    def scroll(self, view: QAbstractItemView, k: int) -> None:
        """One page further down, painted."""
        bar = view.verticalScrollBar()
        bar.setValue((k + 1) * bar.pageStep() % max(bar.maximum(), 1))
        view.viewport().repaint()


def facts_of(scenes: int, *, seed: int) -> tuple[SceneFacts, ...]:
    """Scenes with every figure known."""
    rng = np.random.default_rng(seed)
    statuses = (Status.UNLABELLED,) * 8 + (Status.PROMOTED, Status.GROUND_TRUTH)
    shares = rng.uniform(0, 1, (scenes, 12)).tolist()
    return tuple(
        SceneFacts(
            id=f"{k:05}",
            status=statuses[k % 10],
            retained=row[0],
            trend=row[1] - 0.5,
            sigma_mean=row[2] / 50,
            motion=row[3],
            saturation=row[4],
            rounds=tuple(row),
            tags=("indoor", "evening") if row[5] < 0.3 else (),
            note="a bright window" if row[6] < 0.1 else "",
        )
        for k, row in enumerate(shares)
    )


def main() -> list[Row]:
    """Milliseconds until everything is painted."""
    application = QApplication.instance() or QApplication([])
    dress(application, DARK)
    many, words = Many(application), f"{SCENES:,} scenes"
    many.gallery.hide()  # only one of the two is ever in the middle of the window
    rows = [
        row(
            f"{words} listed anew",
            timed(many.open, times=8),
            unit="ms",
            reach="1000 ms",
            stretch="–",
        ),
        row(
            f"query → {words}, painted",
            timed(many.ask, times=40),
            unit="ms",
            reach="50 ms",
            stretch="–",
        ),
        row(
            f"{words} sorted, painted",
            timed(many.sort, times=50),
            unit="ms",
            reach="100 ms",
            stretch="–",
        ),
    ]
    many.desk.sort_by("id")
    many.gallery.show()
    many.settle()
    for name, view in (("list", many.list._list), ("table", many.table), ("gallery", many.gallery)):
        scrolled = timed(lambda k, view=view: many.scroll(view, k), times=120)
        rows.append(
            row(
                f"a page of the {name}, no thumbnails",
                scrolled,
                unit="ms",
                reach="16 ms",
                stretch="–",
            )
        )
    for name, view in (("list", many.list._list), ("table", many.table), ("gallery", many.gallery)):
        view.verticalScrollBar().setValue(0)
        view.viewport().repaint()
        many.send(tuple(each.id for each in many.shelf.model.rows[:400]))
        bar = view.verticalScrollBar()

        def within(k: int, view=view, bar=bar) -> None:
            bar.setValue(k % 6 * bar.pageStep())
            view.viewport().repaint()

        rows.append(
            row(
                f"a page of the {name}",
                timed(within, times=120),
                unit="ms",
                reach="16 ms",
                stretch="–",
            )
        )
    for view in (many.list, many.table, many.gallery):
        view.close()
    application.processEvents()
    return rows


if __name__ == "__main__":
    show(main())
