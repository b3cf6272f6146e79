"""Tables and plain values as files for spreadsheets and scripts, written whole or not at all."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath, replacing

Cell = str | int | float | bool | None
Tell = Callable[[str, int, int], None]
"""Hears what is being done and how many of how many are done; it may raise to stop."""

# A spreadsheet would run a cell that begins so as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_APOSTROPHE: Final = "'"


def silent(_text: str, _done: int, _total: int) -> None:
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


def write_json(path: AnyPath, value: Mapping[str, Any]) -> None:
    """Write one JSON object, indented for people. Raises ExportError."""
    path = Path(path)
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_text(path: AnyPath, text: str, *, encoding: str = "utf-8") -> None:
    """Write a text file whole, then replace what was there. Raises ExportError."""
    path = Path(path)
    try:
        with replacing(path) as draft:
            draft.write_bytes(text.encode(encoding, errors="replace"))
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


def refuse_inside(folder: AnyPath, path: AnyPath, *, what: str) -> None:
    """Raises ExportError where a file or folder would lie in a folder that is not to be written."""
    folder = Path(folder)
    path = Path(path)
    if path.expanduser().resolve().is_relative_to(folder.resolve()):
        raise ExportError(f"{path}: lies in the {what}; choose a place outside it")


def below(folder: AnyPath, path: AnyPath) -> str:
    """A path as seen from a folder; one that lies elsewhere stays whole."""
    folder = Path(folder)
    path = Path(path)
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def unguarded(cell: str) -> str:
    """A cell of `write_rows` as it was given."""
    guarded = cell.startswith(_APOSTROPHE) and cell[1:].startswith(_FORMULA)
    return cell[1:] if guarded else cell


def _cell(value: Cell) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str() if value.startswith(_FORMULA):
            return f"{_APOSTROPHE}{value}"
    return value
