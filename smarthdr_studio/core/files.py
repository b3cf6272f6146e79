"""Writing a file whole or not at all, and moving it durably."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft beside `path` to write into; it takes the place of `path` when the block succeeds.

    After an error inside the block `path` is untouched and the draft is gone. The draft keeps the
    suffix of `path`, because some libraries choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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


def move(path: Path, target: Path) -> None:
    """Give a whole file another place on the same disk, at once and durably. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    for folder in {path.parent, target.parent}:
        with suppress(OSError):
            _flush_to_disk(folder)


def _flush_to_disk(path: Path) -> None:
    # Windows flushes only handles opened for writing, and no system opens folders that way.
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
