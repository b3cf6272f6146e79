"""The trash of a project: what was tidied away or taken out of use, and can be brought back."""

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Final

from smarthdr_studio.core.authorship import today
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.file_checksum import file_checksum
from smarthdr_studio.core.files import AnyPath, move

TRASH: Final = "trash"


def put_away(project: AnyPath, path: AnyPath) -> Path:
    """Move a file of the project into its trash, below the day; answers where it is now.

    Raises OSError.
    """
    project = Path(project)
    path = Path(path)
    below = path.relative_to(project)
    target = next(place for place in _places(project, below) if not place.exists())
    move(path, target)
    return target


def bring_back(project: AnyPath, relative: str, checksum: str | None) -> bool:
    """Bring a file back from the trash to where it was; whether an identical one was there.

    Without a checksum the newest of that name serves. Raises OSError.
    """
    project = Path(project)
    for found in copies(project, relative):
        if checksum is None or file_checksum(found) == checksum:
            move(found, project / relative)
            return True
    return False


def fetch(project: AnyPath, files: Mapping[str, str | None]) -> None:
    """See to it that files are there, given by path and checksum; the trash gives them back.

    Raises LabelError: one of them was tidied away for good.
    """
    project = Path(project)
    for relative, checksum in files.items():
        path = project / relative
        try:
            there = path.is_file() or bring_back(project, relative, checksum)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LabelError(
                f"{path}: cannot be brought back from the trash ({reason}); free some space or "
                "allow writing there"
            ) from None
        if not there:
            raise LabelError(
                f"{path}: was tidied away for good, so the scene cannot become what it was; "
                "promote it again, or bring its ground truth again"
            )


def copies(project: AnyPath, relative: str) -> tuple[Path, ...]:
    """Every file in the trash that once lay at `relative`, newest first."""
    return tuple(sorted((Path(project) / TRASH).glob(f"*/{relative}"), reverse=True))


def contents(project: AnyPath) -> tuple[Path, ...]:
    """Every file in the trash."""
    return tuple(sorted(path for path in (Path(project) / TRASH).rglob("*") if path.is_file()))


def _places(project: Path, below: Path) -> Iterator[Path]:
    yield project / TRASH / today() / below
    for number in count(2):
        yield project / TRASH / f"{today()}-{number}" / below
