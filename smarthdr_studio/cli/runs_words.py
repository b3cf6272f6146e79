"""Runs as the verbs of the shell name and tell them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarthdr_studio.cli.output import duration, percent
from smarthdr_studio.cli.which_plan import LAST
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.run_estimate import size_in_words

if TYPE_CHECKING:
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.running.listing import RunRow
    from smarthdr_studio.core.runs import RunFolder

RunName = Annotated[str, typer.Argument(metavar="RUN", help="Its name; last is the newest.")]

COLUMNS = ("run", "status", "preset", "note", "labels", "epoch", "best PSNR-μ", "trusted", "worked")
WORDS = 4
"""How many of the columns hold words."""


@contextmanager
def opened(project: Path, name: str) -> "Iterator[tuple[Project, RunFolder]]":
    """An open project and a run of it. Raises ProjectError where there is none."""
    from smarthdr_studio.core.project import Project

    with Project.open(project) as found:
        yield found, run_named(found, name)


def run_named(project: "Project", name: str) -> "RunFolder":
    """A run by its name, or the newest. Raises ProjectError where there is none."""
    from smarthdr_studio.core.runs import find_run, run_folders

    if name != LAST:
        return find_run(project, name)
    runs = run_folders(project.folder)
    if not runs:
        raise ProjectError(
            f"{project.folder}: has no runs yet; begin one with: smarthdr-studio "
            f"train {project.folder}"
        )
    return runs[0]


def row_as_json(row: "RunRow") -> dict[str, Any]:
    """A row as plain values."""
    times = {"started": row.started.isoformat(timespec="seconds"), "folder": str(row.folder)}
    return {**asdict(row), **times, "at_work": row.at_work}


def as_cells(row: "RunRow") -> tuple[str, ...]:
    """A row for `COLUMNS`."""
    best = "" if row.best is None else f"{row.best.psnr_mu:.2f} dB"
    labels = row.labels.labelled + row.labels.promoted
    return (
        *(row.id, row.status, row.preset, row.note.partition("\n")[0]),
        *(str(labels), f"{row.epoch}/{row.epochs}", best),
        *("" if row.retained is None else percent(row.retained), duration(row.seconds)),
    )


def facts_of(row: "RunRow") -> tuple[tuple[str, str], ...]:
    """What is known of one run, each fact with its name; what is not known is left out."""
    counts, best = row.labels, row.best
    checked = (
        ""
        if best is None
        else (f"PSNR-μ {best.psnr_mu:.2f} dB, PSNR-l {best.psnr_l:.2f} dB at step {best.step}")
    )
    facts = (
        ("status", f"{row.status}{', can be resumed' if row.resumable else ''}"),
        ("last word", row.message),
        ("plan", f"{row.preset}, {row.system}, {row.network}"),
        ("device", row.device),
        ("started", f"{row.started:%Y-%m-%d %H:%M} UTC"),
        ("worked", duration(row.seconds)),
        ("epoch", f"{row.epoch} of {row.epochs}, step {row.step}, rounds: {row.rounds}"),
        ("labels", f"{counts.labelled} with a ground truth, {counts.promoted} promoted, "
                   f"{counts.held_out} held out; {counts.unlabelled} unlabelled"),
        ("best check", checked),
        ("trusted", "" if row.retained is None else percent(row.retained)),
        ("disk", size_in_words(row.disk_bytes)),
        ("note", row.note),
    )  # fmt: skip
    return tuple((name, value) for name, value in facts if value)
