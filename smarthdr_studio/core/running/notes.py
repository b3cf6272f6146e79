"""What a person writes about a run, kept in its folder."""

from contextlib import suppress
from typing import Final

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.runs import RunFolder

_NAME: Final = "note.txt"


def read_note(run: RunFolder) -> str:
    """The note of a run, "" where nobody wrote one."""
    try:
        return (run.path / _NAME).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def write_note(run: RunFolder, text: str) -> None:
    """Give a run this note in place of its own, durably; "" takes it away.

    Of two processes the later one counts, whole. Raises ProjectError: no such run, or its folder
    cannot be written.
    """
    if not run.path.is_dir():
        raise ProjectError(f"{run.path}: there is no such run; see the runs folder for names")
    path = run.path / _NAME
    try:
        if not text.strip():
            with suppress(FileNotFoundError):
                path.unlink()
            return
        with replacing(path) as draft:
            draft.write_text(text.strip() + "\n", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None
