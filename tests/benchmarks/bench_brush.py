"""A hand paints on a scene of 1500×1000 in the real window: a stroke moves, and a stroke ends."""

import tempfile
import time
from pathlib import Path

from at_work import WindowAtWork
from fabricated import HEIGHT, WIDTH, crowded_project, one_large_scene
from paints import Paints
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from table import Row, row, show

STROKES = 12
MOVES = 40
RADIUS = 24.0


class Hand:
    """A mouse over the first view of a window with the brush in the hand."""

    def __init__(self, bench: WindowAtWork) -> None:
        self.bench = bench
        self.picture = bench.window.page.views.view(0).picture
        self.masks = Paints([bench.window.page.views.view(k).picture for k in (2, 3)])

    def press(self, x: float, y: float) -> None:
        """Put the brush down."""
        self._send(QEvent.Type.MouseButtonPress, x, y)

    def move(self, x: float, y: float) -> float:
        """Milliseconds until both masks of the four panels are on the screen with the stroke."""
        self.masks.arm()
        begun = time.perf_counter()
        self._send(QEvent.Type.MouseMove, x, y)
        return (self.bench.wait_for(self.masks) - begun) * 1e3

    def release(self, x: float, y: float) -> float:
        """Milliseconds until the stroke is in the journal and the window answers again."""
        begun = time.perf_counter()
        self._send(QEvent.Type.MouseButtonRelease, x, y)
        return (time.perf_counter() - begun) * 1e3

    def _send(self, kind: QEvent.Type, x: float, y: float) -> None:
        where = self.picture.sight.at(x, y)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind is QEvent.Type.MouseMove else left
        held = none if kind is QEvent.Type.MouseButtonRelease else left
        over = QPointF(self.picture.mapToGlobal(QPoint(0, 0))) + where
        event = QMouseEvent(kind, where, over, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.picture, event)


def strokes(bench: WindowAtWork) -> tuple[list[float], list[float]]:
    """Milliseconds of every move, and of every end."""
    hand, moved, ended = Hand(bench), [], []
    for stroke in range(STROKES):
        y = 60.0 + stroke * 75
        hand.press(100, y)
        bench.rest(0.05)
        moved.extend(hand.move(100 + 30 * k, y + 12 * (k % 3)) for k in range(1, MOVES))
        ended.append(hand.release(100 + 30 * MOVES, y))
        bench.until_quiet()
    return moved, ended


def measure(folder: Path) -> list[Row]:
    """All rows; the project and the person's files lie in `folder`."""
    dataset = one_large_scene(folder / "dataset")
    project = crowded_project(folder / "few.shdr", dataset, scenes=8)
    bench = WindowAtWork(folder)
    bench.open(project)
    bench.until(lambda: bench.session.state.pool is not None)
    bench.until_quiet()
    painting = bench.session.inspection.painting
    painting.toggle()
    painting.set_radius(RADIUS)
    bench.rest(0.3)
    moved, ended = strokes(bench)
    bench.close()
    size = f"{WIDTH}×{HEIGHT}"
    return [
        row(f"brush moved → four panels of {size}", moved, unit="ms", reach="20 ms", stretch="10"),
        row("brush stroke ended → durable", ended, unit="ms", reach="40 ms", stretch="20 ms"),
    ]


def main() -> list[Row]:
    """Every row of this benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))


if __name__ == "__main__":
    show(main())
