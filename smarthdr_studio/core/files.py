"""Files written, copied and moved whole or not at all; where a name may lie; a project's trash."""

import errno
import hashlib
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

from smarthdr_studio.core.environment import utc_day
from smarthdr_studio.core.errors import ForeignPlace, LabelError, ProjectError, StudioError
from smarthdr_studio.core.records import NoPlainFile, open_plain

AnyPath = str | os.PathLike[str]
"""What every public function of core and learning takes for a path; it becomes a `Path` there."""


_SEPARATORS: Final = frozenset({"/", "\0", os.sep, os.altsep or os.sep})


def place_in(folder: AnyPath, *names: object) -> Path:
    """Where `names`, one below the other, lie in `folder`: the one place that decides whether.

    Whatever a database, a JSON file, a bundle or a list of somebody says of a file goes through
    here before it is read, written or moved. Each name has to be one plain part of a path, and no
    symbolic link on the way may lead out of the folder; a folder may itself be reached by one.
    Costs one question to the disk for each name. Raises ForeignPlace.
    """
    folder = Path(folder)
    reached = folder
    for name in names:
        if not is_plain_name(name):
            raise ForeignPlace(
                f"{folder}: “{shown_name(name)}” is no name of a file in it; {_DISTRUST}"
            )
        reached /= str(name)
        if _is_link(reached) and not is_inside(folder, reached):
            below = shown_name(reached.relative_to(folder).as_posix())
            raise ForeignPlace(
                f"{folder}: its {below} is a link that leads out of it, to "
                f"{shown_name(str(reached.readlink()))}; {_DISTRUST}"
            )
    return reached


def own_file(folder: AnyPath, path: AnyPath) -> Path:
    """The path itself, where it lies in the folder as `place_in` has it. Raises ForeignPlace."""
    folder, path = Path(folder), Path(path)
    inside = path.is_relative_to(folder)
    return place_in(folder, *(path.relative_to(folder).parts if inside else [str(path)]))


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # whoever uses it hears why it cannot be reached
        return False


_LONGEST: Final = 255  # bytes, what file systems allow
_DISTRUST: Final = "take that out, or get the folder anew from somebody you trust"


def is_plain_name(name: object) -> bool:
    """Whether it is one part of a path, which can lead nowhere but into its own folder."""
    if not isinstance(name, str) or name in ("", ".", "..") or not _SEPARATORS.isdisjoint(name):
        return False
    return len(name.encode(errors="replace")) <= _LONGEST and not (os.name == "nt" and ":" in name)


def shown_name(name: object) -> str:
    """A name from elsewhere, made fit to stand in a sentence of one line."""
    text = name if isinstance(name, str) else repr(name)
    plain = "".join(letter if letter.isprintable() else "�" for letter in text)
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[: _LONGEST_SHOWN - 1]}…"


_LONGEST_SHOWN: Final = 80


def shown_path(path: AnyPath) -> str:
    """A path out of a file in a sentence: of a very long one the middle is left out."""
    text = str(path)
    if len(text) <= _LONGEST_PATH:
        return text
    return f"{text[: _LONGEST_PATH * 2 // 3]}…{text[-_LONGEST_PATH // 3 + 1 :]}"


_LONGEST_PATH: Final = 300


def is_file(path: AnyPath) -> bool:
    """Whether a file is known to lie there: not where that cannot be told, as of an absurd name."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: AnyPath) -> bool:
    """The same of a folder."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def found_in(folder: AnyPath, pattern: str) -> list[Path]:
    """What lies in a folder under names of a pattern, sorted; nothing where it may not be seen."""
    try:
        return sorted(Path(folder).glob(pattern))
    except OSError:
        return []


def is_inside(folder: AnyPath, path: AnyPath) -> bool:
    """Whether a path lies in a folder when every link on the way to both is followed."""
    try:
        return Path(path).resolve().is_relative_to(Path(folder).resolve())
    except (OSError, ValueError, RuntimeError):  # cannot be reached, has a NUL, goes in circles
        return False


def outward_links(folder: AnyPath) -> Iterator[Path]:
    """Every symbolic link in a folder that leads out of it; none of them is followed."""
    folder = Path(folder)
    for place, folders, names in os.walk(folder):
        for name in sorted((*folders, *names)):
            path = Path(place, name)
            if path.is_symlink() and not is_inside(folder, path):
                yield path


@contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """A draft beside `path` to write into; it takes the place of `path` when the block succeeds.

    After an error inside the block `path` is untouched and the draft is gone. The draft keeps the
    suffix of `path`, because some libraries choose the format by it. Raises OSError; a pipe, a
    device and a link that leads to itself are left as they are.
    """
    path = Path(path)
    _refuse_odd(path)
    _make_folder(path.parent)
    draft = path.with_name(_draft_name(path))
    try:
        yield draft
        _flush_to_disk(draft)
        draft.replace(path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(draft)):
            error.filename = str(path)  # a full disk names no file, and nobody knows of the draft
        raise
    flush_folder(path.parent)  # the rename itself is durable only once its folder is


def save_text(path: AnyPath, text: str) -> None:
    """Writes a small file of a project, UTF-8, whole or not at all.

    Raises ProjectError: one sentence that names the file and the remedy.
    """
    path = Path(path)
    try:
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None


def _refuse_odd(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise NoPlainFile(errno.EINVAL, "it is no plain file", str(path))


_FAILING: Final = frozenset({errno.EIO, errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def flush_folder(folder: AnyPath) -> None:
    """Make durable which names a folder holds, where the system can open folders at all.

    Raises OSError where the disk fails, as what was written there may be lost.
    """
    try:
        _flush_to_disk(Path(folder))
    except OSError as error:
        if error.errno in _FAILING:
            raise


def disk_time(folder: AnyPath) -> float:
    """The time in s by the clock that dates what is written into a folder.

    On a server that is another machine's, and may differ from this one's by hours; this one's where
    nothing can be written there. The file it is read off is gone afterwards.
    """
    draft = Path(folder, f".clock.{uuid.uuid4().hex}")
    try:
        with draft.open("xb") as written:
            return os.fstat(written.fileno()).st_mtime
    except OSError:
        return time.time()
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _draft_name(path: Path) -> str:
    """The name of a draft, no longer than file systems allow, whatever its own name takes."""
    rest = f".{uuid.uuid4().hex}{path.suffix}"
    room = _LONGEST - len(os.fsencode(rest)) - 1
    return f".{os.fsencode(path.stem)[:room].decode(errors='ignore')}{rest}"


def move(path: AnyPath, target: AnyPath) -> None:
    """Give a whole file another place on the same disk, at once and durably. Raises OSError."""
    path = Path(path)
    target = Path(target)
    _make_folder(target.parent)
    path.replace(target)
    for folder in {path.parent, target.parent}:
        flush_folder(folder)


def copy(path: AnyPath, target: AnyPath) -> None:
    """A copy of a whole file, whole or not at all, durably. Raises OSError."""
    path = Path(path)
    target = Path(target)
    with replacing(target) as draft:
        copy_bytes(path, draft)


def copy_bytes(path: AnyPath, target: AnyPath) -> None:
    """A copy of what a file holds. Raises OSError, which names the target where that has no room.

    Python names the file that was read.
    """
    try:
        shutil.copyfile(path, target)
    except OSError as error:
        if error.errno in _FULL:
            error.filename, error.filename2 = str(target), None
        raise


@contextmanager
def drafted(draft: AnyPath, *, of: AnyPath) -> Iterator[None]:
    """Within, errors about a draft of something speak of that: of the draft nobody knows."""
    hidden, known = str(draft), str(of)
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, str | Path):
            error.filename = str(error.filename).replace(hidden, known)
        raise
    except StudioError as error:
        error.args = (str(error).replace(hidden, known),)
        raise


def _make_folder(folder: Path) -> None:
    """A folder with those around it, durably: what lies in it is only as safe as its own name."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in reversed(new):
        flush_folder(each.parent)


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
    with open_plain(path) as stream:
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

    Raises OSError, and ForeignPlace where the file or the trash lies outside the project.
    """
    project = Path(project)
    path = own_file(project, path)
    below = path.relative_to(project).parts
    target = next(place for place in _trash_places(project, below) if not place.exists())
    move(path, target)
    return target


def restore_from_trash(project: AnyPath, relative: str, checksum: str | None) -> bool:
    """Bring a file back from the trash to where it was; whether an identical one was there.

    Without a checksum the newest of that name serves. Raises OSError and ForeignPlace.
    """
    project = Path(project)
    target = place_in(project, *relative.split("/"))
    for found in filter(is_file, trashed_copies(project, relative)):
        if checksum is None or file_checksum(found) == checksum:
            move(found, target)
            return True
    return False


def restore_missing(project: AnyPath, files: Mapping[str, str | None]) -> None:
    """See to it that files are there, given by path and checksum; the trash gives them back.

    Raises LabelError: one of them was tidied away for good.
    """
    project = Path(project)
    for relative, checksum in files.items():
        path = place_in(project, *relative.split("/"))
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
    """Everything in the trash that once lay at `relative`, newest first.

    Raises ForeignPlace where one of them, or the trash, lies outside the project.
    """
    days = sorted(place_in(project, TRASH).glob("*"), reverse=True)
    copies = (place_in(project, TRASH, day.name, *relative.split("/")) for day in days)
    return tuple(path for path in copies if path.exists())


def trash_contents(project: AnyPath) -> tuple[Path, ...]:
    """Every file in the trash."""
    return tuple(sorted(path for path in (Path(project) / TRASH).rglob("*") if path.is_file()))


def _trash_places(project: Path, below: Sequence[str]) -> Iterator[Path]:
    yield place_in(project, TRASH, utc_day(), *below)
    for number in count(2):
        yield place_in(project, TRASH, f"{utc_day()}-{number}", *below)


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Libraries that are not written in Python tell a full disk in their own words only.
_FULL_WORDS: Final = re.compile(r"no space left on device|disk quota|os error (28|112|122)\b", re.I)


def is_disk_full(error: Exception) -> bool:
    """Whether a disk has no room left, or a person no more of it."""
    code = error.errno if isinstance(error, OSError) else None
    return code in _FULL or _FULL_WORDS.search(str(error)) is not None
