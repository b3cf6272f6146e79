"""Writing, copying and moving a file whole or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
