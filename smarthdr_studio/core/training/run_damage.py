"""Which files of a run are not what was written, as far as can be told without reading them all."""

import hashlib
import zipfile
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.records import open_plain, parse_lines, read_json
from smarthdr_studio.core.training.run_folder import (
    CHECKPOINT_ABOUT,
    CHECKPOINT_FILES,
    RunFolder,
    checkpoints_of,
)
from smarthdr_studio.core.training.run_index import digest_anew, lost_of_log, lost_plan

_MOST_SUMMED: Final = 2**26
"""Bytes of a file whose sum is taken; a larger one is told by its shape, and by whoever resumes."""
_LONGEST_HEADER: Final = 2**26
_WITHOUT_CHECKPOINT: Final = "nothing goes on from this checkpoint, or is measured by it"


def damaged_files(run: RunFolder) -> Iterator[tuple[str, str]]:
    """Files of a run that are not what was written, by their path in it, and what is lost so.

    A digest is not among them: it is made anew from the log. Of the newest checkpoint, from which
    a run goes on, files of up to 64 MiB are summed. The folder has to be one that may be looked
    into.
    """
    if lost := lost_plan(run):
        yield run.plan_path.name, f"{lost}; the run cannot be resumed without it"
    found = checkpoints_of(run.path)
    for checkpoint in found:
        for name, why in _damaged_in(checkpoint, summed=checkpoint == found[-1]):
            path = (checkpoint / name).relative_to(run.path)
            yield path.as_posix(), f"{why}; {_WITHOUT_CHECKPOINT}"
    if run.start_path.exists() and _table(run.start_path) is None:
        yield run.start_path.name, "cannot be read; what the run began with is known by its log"
    if lost := lost_of_log(run, digest_anew(run)):
        yield run.events_path.name, lost


def _damaged_in(checkpoint: Path, *, summed: bool) -> Iterator[tuple[str, str]]:
    """The damaged files of a checkpoint, each with what is wrong with it."""
    about = _table(checkpoint / CHECKPOINT_ABOUT)
    if about is None:
        yield CHECKPOINT_ABOUT, "cannot be read"
        return
    hashes = about.get("hashes")
    for name in CHECKPOINT_FILES:
        told = hashes.get(name) if summed and isinstance(hashes, dict) else None
        if why := _wrong_with(checkpoint / name, told=told):
            yield name, why


def _wrong_with(path: Path, *, told: object) -> str:
    """What is wrong with a file of a checkpoint, "" for nothing; `told` is its SHA-256, or None."""
    try:
        with open_plain(path) as file:
            size = file.seek(0, 2)
            whole = _is_zip if path.suffix == ".pt" else _is_safetensors
            if not size or not whole(file, size):
                return "is damaged" if size else "is empty"
            file.seek(0)
            if not isinstance(told, str) or size > _MOST_SUMMED:
                return ""
            same = hashlib.file_digest(file, "sha256").hexdigest() == told
            return "" if same else "is not what was saved (its checksum differs)"
    except FileNotFoundError:  # the run at work has taken the checkpoint away meanwhile
        return ""
    except OSError as error:
        return f"cannot be read ({error.strerror or type(error).__name__})"


def _is_zip(file: BufferedReader, _size: int) -> bool:
    return zipfile.is_zipfile(file)


def _is_safetensors(file: BufferedReader, size: int) -> bool:
    """Whether it is a header of JSON, and as many bytes of numbers as that says."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= min(size - 8, _LONGEST_HEADER):
        return False
    try:
        header = parse_lines(file.read(length))
        ends = [each["data_offsets"][1] for key, each in header.items() if key != "__metadata__"]
        return bool(max(ends, default=0) == size - 8 - length)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False


def _table(path: Path) -> dict[str, Any] | None:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
