"""The curves of runs that are held against each other; a long log takes a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from smarthdr_studio.core.running.curves import RunCurves, read_curves
from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.tasks import Report


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurvesRead:
    """The curves of each run, and its row when they were read."""

    rows: tuple[RunRow, ...]
    curves: Mapping[str, RunCurves]


def read_run_curves(
    report: Report, *, rows: Sequence[RunRow], known: CurvesRead | None
) -> CurvesRead:
    """Every curve of these runs; of those in `known` only what is new is read."""
    before = {} if known is None else dict(known.curves)
    curves = {}
    for row in rows:
        words = f"reading the curves of {row.id}"
        curves[row.id] = read_curves(
            RunFolder(row.folder),
            known=before.get(row.id),
            tell=partial(report, words),
        )
    return CurvesRead(rows=tuple(rows), curves=curves)
