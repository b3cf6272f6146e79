"""A million points on a chart: appended one by one, drawn whole, zoomed, smoothed, logarithmic."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import time

import numpy as np
from PySide6.QtWidgets import QApplication
from table import Row, row, show, timed

from smarthdr_studio.core.training.events import StepReported
from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.run_charts import RunBoard
from smarthdr_studio.studio.state.chart_names import points
from smarthdr_studio.studio.theme import DARK, dress

POINTS = 10**6
LINES = 4
STEPS = 2000

Noise = np.random.default_rng(0)


def long_curve() -> Curve:
    """A chart with four lines of a million noisy points."""
    curve = Curve("Fit")
    steps = np.arange(POINTS)
    for line in range(LINES):
        falling = np.exp(-steps / 2e5) * (1 + line) + 0.1
        curve.extend(f"term {line}", steps, falling * Noise.lognormal(0, 0.3, POINTS))
    curve.resize(300, 140)
    curve.show()
    return curve


def drawn(application: QApplication, curve: Curve, *, wander: bool) -> list[float]:
    """Milliseconds of each drawing; with `wander` other steps are in sight every time."""

    def draw(k: int) -> None:
        if wander:
            curve.look_at((1000.0 + 37 * k, 300_000.0 + 41 * k))
        else:
            curve.add("term 0", POINTS + k, 0.2)
        application.processEvents()

    curve.plot.show()
    application.processEvents()
    return timed(draw, times=60)


def frames() -> tuple[list[float], list[float]]:
    """Making an empty chart and moving its range, each ÷ the same with a frame of pyqtgraph's."""
    import pyqtgraph as pg

    from smarthdr_studio.studio.plots.plot import Plot

    def theirs() -> pg.PlotWidget:
        made = pg.PlotWidget(enableMenu=False)
        made.plotItem.hideButtons()
        return made

    making, moving = [], []
    for _ in range(9):  # by turns
        ours, other = timed(lambda _: Plot(), times=5), timed(lambda _: theirs(), times=5)
        making.append(sum(ours) / sum(other))
        plot, widget = Plot(), theirs()

        def move_ours(k: int, plot: Plot = plot) -> None:
            plot.show_range((0, k + 1), (0, k + 1))

        def move_its(k: int, widget: pg.PlotWidget = widget) -> None:
            widget.setRange(xRange=(0, k + 1), yRange=(0, k + 1), padding=0)

        moving.append(sum(timed(move_ours, times=40)) / sum(timed(move_its, times=40)))
    return making, moving


def per_step(application: QApplication) -> list[float]:
    """Milliseconds of the window's thread for one step of a run, drawing and all."""
    board = RunBoard()
    board.resize(850, 130)
    board.show()
    losses = {
        f"{half}_{term}": 0.1
        for half in ("labelled", "unlabelled")
        for term in ("reconstruction", "perceptual", "nll")
    }
    spent = []
    for step in range(STEPS):
        event = StepReported(
            step=step,
            epoch=0,
            losses={**losses, "total": float(Noise.normal())},
            learning_rate=1e-3,
            images_per_second=20.0,
            seconds_left=60.0,
            gradient_norm=1.0,
            distance=0.01,
            memory_bytes=2**30,
        )
        start = time.perf_counter()
        board.take_points(tuple(points(event)))
        application.processEvents()
        spent.append((time.perf_counter() - start) * 1e3)
        time.sleep(0.002)
    board.close()
    # The mean tells what a step costs; nearly all of it is spent in a few drawings.
    blocks = np.array(spent).reshape(-1, 200).mean(1)
    return [float(each) for each in blocks]


def main() -> list[Row]:
    """Medians in milliseconds; appending in microseconds."""
    application = QApplication.instance() or QApplication([])
    dress(application, DARK)
    curve = Curve("Loss")
    appended = timed(lambda k: [curve.lines.take("loss", i, k) for i in range(10_000)], times=20)
    rows = [
        row(
            "one point appended",
            [ms / 10 for ms in appended],
            unit="µs",
            reach="10 µs",
            stretch="2 µs",
        )
    ]
    chart = long_curve()
    for words, log, smooth in (
        (f"{LINES} lines of 10⁶ points", False, 0.0),
        ("the same, smoothed", False, 1000.0),
        ("the same, smoothed, logarithmic", True, 1000.0),
    ):
        chart.set_log(on=log)
        chart.set_smoothing(smooth)
        for how, wander in (("drawn", False), ("zoomed, drawn", True)):
            times = drawn(application, chart, wander=wander)
            rows.append(row(f"{words}, {how}", times, unit="ms", reach="16 ms", stretch="8 ms"))
        chart.look_at(None)
    chart.close()
    taken = per_step(application)
    rows.append(
        row("one step of a run on the board", taken, unit="ms", reach="0.3 ms", stretch="0.1 ms")
    )
    making, moving = frames()
    for what, ratios in (
        ("an empty chart made ÷ a PlotWidget", making),
        ("its range moved ÷ the same", moving),
    ):
        rows.append(row(what, ratios, unit="×", reach="1 ×", stretch="0.5 ×"))
    return rows


if __name__ == "__main__":
    show(main())
