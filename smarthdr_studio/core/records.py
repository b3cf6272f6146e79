"""Reads files that somebody else may have written: bounded, and never for ever.

The one place where a file is opened to be read, and where JSON and TOML are decoded
(tests/house/test_files.py). What cannot be used raises ValueError with a clause that holds nothing
of the file; whoever asked knows the file and the remedy.
"""

import errno
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_type_hints

MOST_BYTES: Final = 64 * 2**20
"""A larger file is no description of anything, and would fill the memory as plain values."""
DEEPEST: Final = 64
LARGEST: Final = 2**63
"""Whole numbers stay below it, so that whatever reads them can hold them."""
_LONG_NUMBER: Final = re.compile(rb"\d{19}")


def read_json(path: str | os.PathLike[str], *, most: int = MOST_BYTES) -> Any:  # noqa: ANN401 - JSON
    """The plain values of a JSON file. Raises OSError, and ValueError as `parse_json`."""
    return parse_json(read_bytes(path, most=most))


def read_toml(path: str | os.PathLike[str], *, most: int = MOST_BYTES) -> dict[str, Any]:
    """The plain values of a TOML file. Raises OSError, and ValueError as `parse_toml`."""
    return parse_toml(read_text(path, most=most))


def read_bytes(path: str | os.PathLike[str], *, most: int = MOST_BYTES) -> bytes:
    """A whole plain file; a pipe or a device is not waited for.

    Raises OSError, and ValueError: no plain file, or of more than `most` bytes.
    """
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise ValueError(f"it has {size} bytes, more than the {most} that are read")
            return file.read(most + 1)[:most]
    except NoPlainFile as error:
        raise ValueError(str(error.strerror)) from None


def read_text(path: str | os.PathLike[str], *, most: int = MOST_BYTES) -> str:
    """The same as text in UTF-8, with or without a byte order mark. Raises likewise."""
    with _in_our_words():
        return read_bytes(path, most=most).decode("utf-8-sig")


class NoPlainFile(OSError):
    """A pipe, a device or a folder where a file should be."""


def open_plain(path: str | os.PathLike[str]) -> BufferedReader:
    """A file opened to be read; a pipe is not waited for, and of a device nothing is read.

    Raises OSError, NoPlainFile among them.
    """
    path = Path(path)
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NoPlainFile(errno.EINVAL, "it is no plain file", str(path))
    return os.fdopen(handle, "rb")


def error_of(path: str | os.PathLike[str]) -> OSError | None:
    """What keeps a file that is there from being read; None where nothing does, or it is gone."""
    try:
        open_plain(path).close()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error
    return None


def why_shut(path: str | os.PathLike[str]) -> str:
    """The same in words of the system, "" for nothing."""
    error = error_of(path)
    return "" if error is None else error.strerror or type(error).__name__


def open_to_append(path: str | os.PathLike[str]) -> FileIO:
    """A file, made where there is none, to write at its end; no reader of a pipe is waited for.

    Raises OSError, NoPlainFile among them.
    """
    path = Path(path)
    if path.is_fifo():
        raise NoPlainFile(errno.EINVAL, "it is no plain file", str(path))
    return FileIO(path, "ab", opener=_without_waiting)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """The plain values of JSON.

    Raises ValueError: no JSON, no UTF-8, nested more than `DEEPEST` deep, or with a whole number
    beyond 64 bits.
    """
    with _in_our_words():
        return _modest(json.loads(text), longest=_longest(text))


def parse_lines(text: bytes) -> Any:  # noqa: ANN401 - JSON
    """The same of a log, of which only what would break the reading is refused: it is long."""
    with _in_our_words():
        return json.loads(text)


def parse_toml(text: str) -> dict[str, Any]:
    """The plain values of TOML. Raises ValueError likewise."""
    with _in_our_words():
        values = tomllib.loads(text)
    _modest(values, longest=_longest(text))
    return values


@contextmanager
def _in_our_words() -> Iterator[None]:
    """What Python says of a text is for programmers."""
    try:
        yield
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"it is no JSON from {where} on") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text in UTF-8 from byte {error.start} on") from None
    except ValueError as error:
        if "set_int_max_str_digits" in str(error):
            raise ValueError(_TOO_LARGE) from None
        raise


_TOO_LARGE: Final = "it holds a whole number that is far too large"
_TOO_DEEP: Final = f"it is nested more than {DEEPEST} deep"


def _longest(text: str | bytes) -> bool:
    """Whether a number may be too large; most files hold none and need no second look."""
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    return _LONG_NUMBER.search(raw) is not None


def _modest(values: Any, *, longest: bool) -> Any:  # noqa: ANN401 - JSON
    """The values, once it is known that nothing that walks through them can break."""
    level = [values]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
            elif longest and isinstance(each, int) and not -LARGEST <= each < LARGEST:
                raise ValueError(_TOO_LARGE)
        if not below:
            return values
        level = below
    raise ValueError(_TOO_DEEP)


def is_of_its_types(record: Any) -> bool:  # noqa: ANN401 - any dataclass
    """Whether plain fields of a record that came out of a file are of the types they should be.

    Looked at are numbers, texts, yes or no and None; where a number belongs a whole one will do.
    """
    kind = type(record)
    if kind not in _PLAIN_FIELDS:
        _PLAIN_FIELDS[kind] = _plain_fields(kind)
    plain = _PLAIN_FIELDS[kind]
    return all(isinstance(getattr(record, name), kinds) for name, kinds in plain.items())


_PLAIN_FIELDS: Final[dict[type, dict[str, tuple[type, ...]]]] = {}  # as asked for every event


def _plain_fields(record: type) -> dict[str, tuple[type, ...]]:
    found = {}
    for name, hint in get_type_hints(record).items():
        parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        if all(part in (int, float, str, bool, NoneType) for part in parts):
            found[name] = (*parts, int) if float in parts else parts
    return found
