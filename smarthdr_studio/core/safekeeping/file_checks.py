"""Is every label file that the journal speaks of there and whole, and is none unaccounted for?"""

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.exr import read_layers
from smarthdr_studio.core.file_checksum import file_checksum
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.image_headers import measure
from smarthdr_studio.core.journal import JournalEntry, Kind
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.safekeeping.findings import Finding, Trouble
from smarthdr_studio.core.trash import TRASH, copies

QUIET_SECONDS: Final = 600.0
"""A file younger than this may be in the making."""

_DRAFT: Final = re.compile(r"\..+\.[0-9a-f]{32}(\.[\w-]+)?|draft-[0-9a-f]{32}\.exr")
_REPAIR: Final = "smarthdr-studio doctor PROJECT --repair"


def files_in_use(project: Project) -> dict[str, tuple[str, str | None]]:
    """The scene and the checksum of every file that the present ledger needs, by its path."""
    return {
        relative: (scene, checksum)
        for scene, state in project.ledger().scenes.items()
        for relative, checksum in state.files().items()
    }


def files_ever(entries: Sequence[JournalEntry]) -> dict[str, str | None]:
    """The checksum of every file the journal ever spoke of, by its path."""
    known: dict[str, str | None] = {}
    for entry in entries:
        for relative, kind in ((entry.label, Kind.PROMOTE), (entry.truth, Kind.BRING_TRUTH)):
            if relative is not None:
                known.setdefault(relative, None)
                if entry.kind is kind:
                    known[relative] = entry.checksum
    return known


def label_findings(project: Project) -> Iterator[Finding]:
    """Files in use that are missing or damaged, and older versions that are damaged."""
    in_use = files_in_use(project)
    truths = {state.truth for state in project.ledger().scenes.values()}
    for relative, (scene, checksum) in in_use.items():
        sentence = _wrong(project, relative, checksum, scene=scene)
        if sentence:
            mendable = bool(_identical(project, relative, checksum))
            again = "bring its ground truth" if relative in truths else f"promote {scene}"
            yield Finding(
                trouble=Trouble.FILE_IN_USE,
                what=relative,
                sentence=f"{sentence}, and {scene} needs it",
                remedy=f"bring back the copy in the trash with: {_REPAIR}"
                if mendable
                else f"{again} again, or undo; until then it is not trained on",
                mendable=mendable,
                checksum=checksum,
            )
    for relative, checksum in files_ever(project.entries()).items():
        if relative not in in_use and checksum and (project.folder / relative).is_file():
            sentence = _wrong(project, relative, checksum)
            if sentence:
                yield Finding(
                    trouble=Trouble.OLDER_VERSION,
                    what=relative,
                    sentence=f"{sentence}; no scene uses it now",
                    remedy=f"move it to the trash with: {_REPAIR}",
                    mendable=True,
                    checksum=checksum,
                )


def unaccounted(project: Project, *, quiet: float = QUIET_SECONDS) -> Iterator[Finding]:
    """Files among the labels that no entry of the journal speaks of, and drafts anywhere.

    Neither is looked at while it is younger than `quiet` seconds.
    """
    known = files_ever(project.entries())
    for path in _files(project.folder):
        relative = path.relative_to(project.folder).as_posix()
        draft = bool(_DRAFT.fullmatch(path.name))
        if not draft and (not relative.startswith("labels/") or relative in known):
            continue
        if is_quiet(path, quiet):
            yield Finding(
                trouble=Trouble.LEFTOVER if draft else Trouble.UNACCOUNTED,
                what=relative,
                sentence=f"{relative} was begun and never finished"
                if draft
                else f"{relative} is not in the journal",
                remedy=f"move it to the trash with: {_REPAIR}",
                mendable=True,
            )


def is_quiet(path: AnyPath, seconds: float) -> bool:
    """Whether a file is there and nobody has written to it for so long."""
    path = Path(path)
    try:
        return time.time() - path.stat().st_mtime >= seconds
    except OSError:
        return False


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.relative_to(folder).parts[0] != TRASH and path.is_file():
            yield path


def _wrong(project: Project, relative: str, checksum: str | None, *, scene: str = "") -> str:
    """What is wrong with a label file, "" if nothing is."""
    path = project.folder / relative
    try:
        if checksum is not None and file_checksum(path) != checksum:
            return f"{relative} is not what was frozen (its checksum differs)"
        if checksum is None:
            read_layers(path)
        with path.open("rb") as stream:
            size = measure(stream, kind="exr")
    except FileNotFoundError:
        return f"{relative} is missing"
    except OSError as error:
        return f"{relative} cannot be read ({error.strerror or type(error).__name__})"
    except (LabelError, ValueError):
        return f"{relative} is missing" if not path.exists() else f"{relative} is damaged"
    if scene and size != (project.scene(scene).height, project.scene(scene).width):
        return f"{relative} is of another size than its scene"
    return ""


def _identical(project: Project, relative: str, checksum: str | None) -> list[Path]:
    found = copies(project.folder, relative)
    return [path for path in found if checksum is None or file_checksum(path) == checksum]
