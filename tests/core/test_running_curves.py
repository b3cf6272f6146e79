"""Curves read back from a log are those that were told, whatever happened to run and log."""

import numpy as np
import pytest
from made_runs import a_run, check, line, log, round_, started, step

from smarthdr_studio.core.training import run_log as curves_module
from smarthdr_studio.core.training.events import StepSkipped
from smarthdr_studio.core.training.run_log import RunTail, read_curves


@pytest.fixture
def run(tmp_path):
    return a_run(tmp_path)


def points(curves, name):
    x, y = curves.series[name]
    assert x.dtype == y.dtype == np.float64
    return list(zip(x.tolist(), y.tolist(), strict=True))


def test_every_figure_is_a_curve_by_its_name(run):
    skipped = StepSkipped(step=3, epoch=0, why="no number", count=1)
    log(run, started(), step(1, total=3.0, labelled_nll=1.0), step(2, total=2.0, unlabelled_nll=4))
    log(run, skipped, check(3, 31.0), round_(1, 3, 0.7, b=0.5))
    curves = read_curves(run)
    assert points(curves, "total") == [(1, 3), (2, 2)]
    assert points(curves, "labelled_nll") == [(1, 1)]
    assert points(curves, "unlabelled_nll") == [(2, 4)]
    assert points(curves, "gradient_norm") == [(1, 0.5), (2, 0.5)]
    assert points(curves, "psnr_mu") == [(3, 31)]
    assert points(curves, "retained") == [(3, 0.7)]
    assert points(curves, "skipped") == [(3, 1)]
    assert {"learning_rate", "images_per_second", "psnr_l", "ssim_mu", "sigma_mean"} <= set(
        curves.series
    )
    assert not {"ause", "distance", "memory_bytes", "gates_retained"} & set(curves.series)


def test_values_that_are_no_numbers_are_left_out(run):
    log(run, started(), step(1, total=float("nan")), step(2, total=2.0), step(3, total=1e999))
    assert points(read_curves(run), "total") == [(2, 2)]


def test_what_came_after_the_step_a_run_was_resumed_from_is_not_part_of_it(run):
    log(run, started(), step(1), step(2), round_(1, 2, 0.1), check(2, 30.0), step(3), check(3, 9.0))
    log(run, started(2), round_(1, 2, 0.2), step(3, total=7.0))
    log(run, started(1), step(2, total=8.0))
    curves = read_curves(run)
    assert points(curves, "total") == [(1, 1), (2, 8)]
    assert "psnr_mu" not in curves.series


def test_a_round_made_again_where_a_run_was_resumed_counts_once(run):
    log(run, started(), step(1), round_(1, 1, 0.1), step(2), started(1), round_(1, 1, 0.2))
    assert points(read_curves(run), "retained") == [(1, 0.2)]


def test_a_damaged_line_costs_itself_only(run):
    good = line(started()) + line(step(1)) + '{"time": "2026-11-0\x00\n' + line(step(2))
    run.events_path.write_text(good + '{"time": "2026', encoding="utf-8")
    curves = read_curves(run)
    assert points(curves, "total") == [(1, 1), (2, 0.5)]
    assert curves.read_to == len(good)


def test_a_tail_goes_on_where_the_curves_were_read_to(run):
    log(run, started(), step(1))
    tail = RunTail(run, start=read_curves(run).read_to)
    assert tail.read() == ()
    log(run, step(2))
    assert [each.event for each in tail.read()] == [step(2)]


def test_progress_is_told_and_may_give_up(run, monkeypatch):
    monkeypatch.setattr(
        curves_module, "chunks", lambda path, **_: iter([line(step(n)).encode() for n in (1, 2)])
    )
    log(run, step(1), step(2))
    told = []
    read_curves(run, tell=lambda done, total: told.append((done, total)))
    size = run.events_path.stat().st_size
    assert [total for _, total in told] == [size, size]
    assert told[-1][0] == size

    def give_up(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_curves(run, tell=give_up)


def test_a_run_without_a_log_has_no_curves(run):
    assert read_curves(run).series == {}
