"""Are the masks that people painted there and whole, and if not, does a backup have them?"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from smarthdr_studio.core.backups import backups
from smarthdr_studio.core.brush.runs import fingerprint, unpack
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.safekeeping.findings import Finding, Trouble
from smarthdr_studio.core.side_tables import read_mask


def painting_findings(project: Project, connection: sqlite3.Connection) -> Iterator[Finding]:
    """Masks the journal speaks of that are lost or damaged; those in use are named first."""
    in_use = {state.person: name for name, state in project.ledger().scenes.items() if state.person}
    ever = {e.person: str(e.scene) for e in project.entries() if e.person} | in_use
    for name, scene in sorted(ever.items(), key=lambda item: item[0] not in in_use):
        if not is_whole(read_mask(connection, name), name):
            mendable = mask_in_backups(project.folder, name) is not None
            sentence = f"what was painted on {scene} is lost or damaged"
            yield Finding(
                trouble=Trouble.PAINTING,
                what=name,
                sentence=sentence if name in in_use else f"{sentence}; it is not in use now",
                remedy="bring it back from a backup with: smarthdr-studio doctor PROJECT --repair"
                if mendable
                else f"paint {scene} anew, or undo",
                mendable=mendable,
            )


def mask_in_backups(folder: AnyPath, name: str) -> bytes | None:
    """The runs of a mask as the newest backup that has them whole keeps them."""
    folder = Path(folder)
    for path in backups(folder):
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as backup:
                runs = read_mask(backup, name)
        except sqlite3.DatabaseError:
            continue
        if is_whole(runs, name):
            return runs
    return None


def is_whole(runs: bytes | None, name: str) -> bool:
    """Whether these are the runs that were kept under that hash, and unpack to a mask."""
    if runs is None or fingerprint(runs) != name:
        return False
    try:
        unpack(runs)
    except ValueError:
        return False
    return True
