"""Tables as files for spreadsheets and scripts: rows, JSON, the curves of a run, the journal."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.environment import utc_now
from smarthdr_studio.core.errors import ExportError, harmless
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.project.debris import sweep_beside
from smarthdr_studio.core.project.journal import JournalEntry, decision_history
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import masks_as_text, masks_as_values

Cell = str | int | float | bool | None
Doubles = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], None]
"""Hears what is being done and how many of how many are done; it may raise to stop."""

# A spreadsheet would run a cell that begins so as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
# Some skip these first, wide signs count as plain ones.
_BLANKS: Final = " \n\u00a0\u2000\u2002\u2003\u2009\u200b\u3000\ufeff\x00"
_APOSTROPHE: Final = "'"


def no_progress(_text: str, _done: int, _total: int) -> None:
    """Tells nobody."""


def write_rows(
    path: AnyPath, rows: Sequence[Mapping[str, Cell]], *, columns: Sequence[str]
) -> None:
    """Write a CSV with one column for each of `columns`, in UTF-8 as spreadsheets know it.

    Text that a spreadsheet would take for a formula begins with an apostrophe; `unguarded` takes
    it away. None is an empty cell. Raises ExportError.
    """
    path = Path(path)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[_cell(row.get(name)) for name in columns] for row in rows])
    write_text(path, text.getvalue(), encoding="utf-8-sig")


def write_columns(path: AnyPath, columns: Mapping[str, Sequence[str] | Doubles]) -> None:
    """Write a CSV with these columns, flat and equally long; what is no number is left empty.

    Raises ExportError, also where there is nothing to write.
    """
    path = Path(path)
    if not any(len(column) for column in columns.values()):
        raise ExportError(f"{path}: there are no values to write")
    cells = [
        [_number(cell) for cell in column.tolist()] if isinstance(column, np.ndarray) else column
        for column in columns.values()
    ]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]
    write_rows(path, rows, columns=tuple(columns))


def _number(value: float) -> str | None:
    return f"{value:.9g}" if np.isfinite(value) else None


def write_json(path: AnyPath, value: Mapping[str, Any]) -> None:
    """Write one JSON object, indented for people. Raises ExportError."""
    path = Path(path)
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_text(path: AnyPath, text: str, *, encoding: str = "utf-8") -> None:
    """Write a text file whole, then replace what was there. Raises ExportError."""
    write_bytes(path, text.encode(encoding, errors="replace"))


def write_bytes(path: AnyPath, content: bytes) -> None:
    """Write a file whole, then replace what was there. Raises ExportError."""
    path = Path(path)
    sweep_beside(path)
    try:
        with replacing(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise cannot_write(path, error) from None


def cannot_write(path: AnyPath, error: OSError) -> ExportError:
    """The sentence for a file that could not be written."""
    path = Path(path)
    reason = error.strerror or type(error).__name__
    return ExportError(
        f"{path}: cannot be written ({reason}); choose another folder or free some space"
    )


def is_json(path: AnyPath) -> bool:
    """Whether a file is to be JSON, by its suffix. Raises ExportError where it is neither."""
    path = Path(path)
    match path.suffix.casefold():
        case ".json":
            return True
        case ".csv":
            return False
        case _:
            raise ExportError(f"{path}: name a file that ends in .csv or .json")


def below(folder: AnyPath, path: AnyPath) -> str:
    """A path as seen from a folder; one that lies elsewhere stays whole."""
    folder = Path(folder)
    path = Path(path)
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def unguarded(cell: str) -> str:
    """A cell of `write_rows` as it was given."""
    guarded = cell.startswith(_APOSTROPHE) and cell[1:].lstrip(_BLANKS).startswith(_FORMULA)
    return cell[1:] if guarded else cell


def _cell(value: Cell) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            text = value if value.isprintable() else _harmless(value)
            guard = _APOSTROPHE if text.lstrip(_BLANKS).startswith(_FORMULA) else ""
            return f"{guard}{text}"
        case _:
            return value


def _harmless(text: str) -> str:
    """The text without what a terminal obeys; its own line breaks and tabs stay."""
    kept = (each if each.isprintable() or each in "\n\r\t" else harmless(each) for each in text)
    return "".join(kept)


_ROWS_AT_ONCE = 10_000  # lines


def write_curves(
    path: AnyPath, curves: Mapping[str, tuple[Doubles, Doubles]], *, tell: Progress = no_progress
) -> None:
    """Write a CSV with a column "step" and one for each curve, empty where a curve has no value.

    Args:
        path: the file; it is written whole or not at all.
        curves: x (the step, rising) and y, flat and equally long, by name; of several values at
            one step the last counts.
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
            for begin in range(0, len(steps), _ROWS_AT_ONCE):
                tell(f"writing {path.name}", begin, len(steps))
                end = min(begin + _ROWS_AT_ONCE, len(steps))
                columns = [
                    _curve_cells(places[name], y, begin, end) for name, (_, y) in known.items()
                ]
                lines.writerows(zip(_step_cells(steps[begin:end]), *columns, strict=True))
    except OSError as error:
        raise cannot_write(path, error) from None


def _curve_cells(places: npt.NDArray[np.intp], y: Doubles, begin: int, end: int) -> list[str]:
    """The cells of one curve in some lines."""
    first, last = np.searchsorted(places, (begin, end))
    cells = [""] * (end - begin)
    for place, value in zip(places[first:last].tolist(), y[first:last].tolist(), strict=True):
        cells[place - begin] = f"{value:.9g}"
    return cells


def _step_cells(steps: Doubles) -> list[str]:
    return [f"{step:.10g}" for step in steps.tolist()]


JOURNAL_FORMAT: Final = 1

JOURNAL_COLUMNS: Final = (
    *("seq", "at", "who", "what", "kind", "scene", "before", "after", "note", "tags"),
    *("tau_patch", "tau_pixel", "masks", "run", "round", "checkpoint", "label", "whole"),
    *("checksum", "truth", "person", "group", "undoes", "stands", "reading"),
)
_PLAIN: Final = (
    *("seq", "at", "who", "scene", "note", "run", "round", "checkpoint", "label", "whole"),
    *("checksum", "truth", "person", "group", "undoes"),
)


def export_journal(project: Project, path: AnyPath) -> int:
    """Write every entry as CSV or JSON, by the suffix; the answer is how many.

    Entries of one `group` were decided in one go; `stands` says whether the decision is in force
    or was undone. `masks` holds every setting in force after the entry. Raises ExportError.
    """
    path = Path(path)
    as_json, entries = is_json(path), project.entries()
    refuse_inside(project.dataset, path)
    lines = {line.group: line for line in decision_history(entries)}
    words = [(lines[entry.group].what, not lines[entry.group].undone) for entry in entries]
    if as_json:
        about = {"format": JOURNAL_FORMAT, "project": project.name, "exported": utc_now()}
        told = [_json_row(e, what=w, stands=s) for e, (w, s) in zip(entries, words, strict=True)]
        write_json(path, {**about, "entries": told})
    else:
        rows = [_csv_row(e, what=w, stands=s) for e, (w, s) in zip(entries, words, strict=True)]
        write_rows(path, rows, columns=JOURNAL_COLUMNS)
    return len(entries)


def _csv_row(entry: JournalEntry, *, what: str, stands: bool) -> dict[str, Cell]:
    masks = entry.masks
    return {
        **_told(entry, what=what, stands=stands),
        "tags": " ".join(entry.tags),
        "tau_patch": None if masks is None else masks.tau_patch,
        "tau_pixel": None if masks is None else masks.tau_pixel,
        "masks": None if masks is None else masks_as_text(masks),
        "reading": None if entry.reading is None else entry.reading.words,
    }


def _json_row(entry: JournalEntry, *, what: str, stands: bool) -> dict[str, Any]:
    masks = None if entry.masks is None else masks_as_values(entry.masks)
    told = _told(entry, what=what, stands=stands)
    reading = None if entry.reading is None else entry.reading.words
    return {**told, "tags": list(entry.tags), "masks": masks, "reading": reading}


def _told(entry: JournalEntry, *, what: str, stands: bool) -> dict[str, Cell]:
    before, after = entry.before, entry.after
    return {
        **{name: getattr(entry, name) for name in _PLAIN},
        "kind": entry.kind.value,
        "before": None if before is None else before.value,
        "after": None if after is None else after.value,
        "what": what,
        "stands": stands,
    }
