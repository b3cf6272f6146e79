"""What stopped a run, in one sentence for a person, with what can be done about it."""

import errno

import torch

from smarthdr_studio.core.errors import DeviceError, ProjectError, StudioError


def in_words(error: Exception, *, run: str) -> StudioError | None:
    """The sentence for a person; None for what only a programmer can mend."""
    text = str(error)
    if isinstance(error, StudioError):
        return error
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text:
        return DeviceError(
            "Out of memory: choose a smaller batch.labelled, batch.unlabelled, batch.crop or tile, "
            f"close other programs, and resume {run}"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ProjectError(f"The disk is full: free some space and resume {run}")
    if isinstance(error, OSError) and error.filename and error.strerror:
        return ProjectError(
            f"{error.filename}: cannot be used ({error.strerror}); allow reading and writing there "
            f"and resume {run}"
        )
    return None
