"""The curves of a run as a table: one line for each step, one column for each curve."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.handover.tables import Tell, cannot_write, silent

Doubles = npt.NDArray[np.float64]

_AT_ONCE = 10_000  # lines


def write_curves(
    path: AnyPath, curves: Mapping[str, tuple[Doubles, Doubles]], *, tell: Tell = silent
) -> None:
    """Write a CSV with a column "step" and one for each curve, empty where a curve has no value.

    Args:
        path: the file; it is written whole or not at all.
        curves: x (the step, rising) and y by name; of several values at one step the last counts.
        tell: hears how many steps of how many are written; it may raise to give up.

    Raises:
        ExportError: there are no values, or the file cannot be written.
    """
    path = Path(path)
    known = {name: curve for name, curve in curves.items() if len(curve[0])}
    if not known:
        raise ExportError(f"{path}: there are no values to write; wait for the first steps")
    steps = np.unique(np.concatenate([x for x, _ in known.values()]))
    places = {name: np.searchsorted(steps, x) for name, (x, _) in known.items()}
    try:
        with (
            replacing(path) as draft,
            draft.open("w", encoding="utf-8-sig", newline="") as file,
        ):
            lines = csv.writer(file)
            lines.writerow(("step", *known))
            for begin in range(0, len(steps), _AT_ONCE):
                tell(f"writing {path.name}", begin, len(steps))
                end = min(begin + _AT_ONCE, len(steps))
                columns = [_column(places[name], y, begin, end) for name, (_, y) in known.items()]
                lines.writerows(zip(_whole(steps[begin:end]), *columns, strict=True))
    except OSError as error:
        raise cannot_write(path, error) from None


def _column(places: npt.NDArray[np.intp], y: Doubles, begin: int, end: int) -> list[str]:
    """The cells of one curve in some lines."""
    first, last = np.searchsorted(places, (begin, end))
    cells = [""] * (end - begin)
    for place, value in zip(places[first:last].tolist(), y[first:last].tolist(), strict=True):
        cells[place - begin] = f"{value:.9g}"
    return cells


def _whole(steps: Doubles) -> list[str]:
    return [f"{step:.10g}" for step in steps.tolist()]
