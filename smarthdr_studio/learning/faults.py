"""What stopped a run, in one sentence for a person, with what can be done about it."""

import errno
import re
import traceback
from pathlib import Path
from typing import Final

import torch

from smarthdr_studio.core.errors import OutOfMemory, ProjectError, Remedy, StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.learning.remedies import as_clause

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV})
# Libraries that are not written in Python tell a full disk in their own words only.
_FULL_WORDS: Final = re.compile(r"no space left on device|disk quota|os error (28|112|122)\b", re.I)
_MEMORY_WORDS: Final = re.compile(
    r"out of memory|allocate memory|insufficient memory|ALLOC_FAILED|not enough memory", re.I
)


def in_words(
    error: Exception,
    *,
    run: str | None,
    folder: AnyPath | None = None,
    remedies: tuple[Remedy, ...] = (),
) -> StudioError | None:
    """The sentence for a person; None for what only a programmer can mend.

    `run` is None where none has begun, `folder` what is written into where the error names no
    file, `remedies` what helps where it was memory that ran out.
    """
    folder = None if folder is None else Path(folder)
    again = f"resume {run}" if run else "start again"
    if isinstance(error, StudioError):
        return error
    if _is_memory(error):
        clause = f" with {as_clause(remedies)}" if remedies else " on another device"
        return OutOfMemory(
            f"Out of memory: close other programs, or {again}{clause}", remedies=remedies
        )
    if is_full(error):
        file = getattr(error, "filename", None) or folder
        where = f"{file}: its disk is full" if file else "The disk is full"
        return ProjectError(f"{where}; free some space and {again}")
    if isinstance(error, OSError) and error.filename and error.strerror:
        if error.errno in _GONE:
            return ProjectError(
                f"{error.filename}: is gone; put the project back where it was and {again}"
            )
        return ProjectError(
            f"{error.filename}: cannot be used ({error.strerror}); allow reading and writing there "
            f"and {again}"
        )
    return None


def is_full(error: Exception) -> bool:
    """Whether a disk has no room left, or a person no more of it."""
    code = error.errno if isinstance(error, OSError) else None
    return code in _FULL or _FULL_WORDS.search(str(error)) is not None


def let_go(error: BaseException | None) -> None:
    """Frees what the frames of an error and of its causes hold: the tensors of a failed step.

    Where it stopped a programmer still sees, but for memory that ran out: there frames go as well,
    because a frame keeps what its closures hold.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        if isinstance(error, Exception) and _is_memory(error):
            error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _is_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    told = isinstance(error, RuntimeError) or type(error).__module__.startswith("cv2")
    return told and _MEMORY_WORDS.search(str(error)) is not None
