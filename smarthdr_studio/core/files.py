"""Files written, copied and moved whole or not at all; checksums, stamps, and a project's trash."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

from smarthdr_studio.core.environment import utc_day
from smarthdr_studio.core.errors import LabelError

AnyPath = str | os.PathLike[str]
"""What every public function of core and learning takes for a path; it becomes a `Path` there."""


@contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """A draft beside `path` to write into; it takes the place of `path` when the block succeeds.

    After an error inside the block `path` is untouched and the draft is gone. The draft keeps the
    suffix of `path`, because some libraries choose the format by it.
    """
    path = Path(path)
    _make_folder(path.parent)
    draft = path.with_name(f".{path.stem}.{uuid.uuid4().hex}{path.suffix}")
    try:
        yield draft
        _flush_to_disk(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    # The rename itself is durable only once its folder is; not every system can open a folder.
    with suppress(OSError):
        _flush_to_disk(path.parent)


def move(path: AnyPath, target: AnyPath) -> None:
    """Give a whole file another place on the same disk, at once and durably. Raises OSError."""
    path = Path(path)
    target = Path(target)
    _make_folder(target.parent)
    path.replace(target)
    for folder in {path.parent, target.parent}:
        with suppress(OSError):
            _flush_to_disk(folder)


def copy(path: AnyPath, target: AnyPath) -> None:
    """A copy of a whole file, whole or not at all, durably. Raises OSError."""
    path = Path(path)
    target = Path(target)
    with replacing(target) as draft:
        shutil.copyfile(path, draft)


def _make_folder(folder: Path) -> None:
    """A folder with those around it, durably: what lies in it is only as safe as its own name."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in reversed(new):
        with suppress(OSError):
            _flush_to_disk(each.parent)


def _flush_to_disk(path: Path) -> None:
    # Windows flushes only handles opened for writing, and no system opens folders that way.
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_checksum(path: AnyPath) -> str:
    """The SHA-256 of a file, hex. Raises OSError."""
    path = Path(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


FileStamp = tuple[int, ...]


def file_stamp(path: AnyPath) -> FileStamp:
    """Another one when the file is written, replaced or lost, in the same second too; () without.

    Only asks what the file system says of it.
    """
    path = Path(path)
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


TRASH: Final = "trash"


def move_to_trash(project: AnyPath, path: AnyPath) -> Path:
    """Move a file of the project into its trash, below the day; answers where it is now.

    Raises OSError.
    """
    project = Path(project)
    path = Path(path)
    below = path.relative_to(project)
    target = next(place for place in _trash_places(project, below) if not place.exists())
    move(path, target)
    return target


def restore_from_trash(project: AnyPath, relative: str, checksum: str | None) -> bool:
    """Bring a file back from the trash to where it was; whether an identical one was there.

    Without a checksum the newest of that name serves. Raises OSError.
    """
    project = Path(project)
    for found in trashed_copies(project, relative):
        if checksum is None or file_checksum(found) == checksum:
            move(found, project / relative)
            return True
    return False


def restore_missing(project: AnyPath, files: Mapping[str, str | None]) -> None:
    """See to it that files are there, given by path and checksum; the trash gives them back.

    Raises LabelError: one of them was tidied away for good.
    """
    project = Path(project)
    for relative, checksum in files.items():
        path = project / relative
        try:
            there = path.is_file() or restore_from_trash(project, relative, checksum)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LabelError(
                f"{path}: cannot be brought back from the trash ({reason}); free some space or "
                "allow writing there"
            ) from None
        if not there:
            raise LabelError(
                f"{path}: was tidied away for good, so the scene cannot become what it was; "
                "promote it again, or import its ground truth again"
            )


def trashed_copies(project: AnyPath, relative: str) -> tuple[Path, ...]:
    """Every file in the trash that once lay at `relative`, newest first."""
    return tuple(sorted((Path(project) / TRASH).glob(f"*/{relative}"), reverse=True))


def trash_contents(project: AnyPath) -> tuple[Path, ...]:
    """Every file in the trash."""
    return tuple(sorted(path for path in (Path(project) / TRASH).rglob("*") if path.is_file()))


def _trash_places(project: Path, below: Path) -> Iterator[Path]:
    yield project / TRASH / utc_day() / below
    for number in count(2):
        yield project / TRASH / f"{utc_day()}-{number}" / below
