"""Looks a whole project over and says what is wrong; changes nothing."""

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import DamagedProject, ForeignPlace, LabelError, ProjectError
from smarthdr_studio.core.files import (
    TRASH,
    AnyPath,
    file_checksum,
    is_inside,
    outward_links,
    place_in,
    shown_name,
    trashed_copies,
)
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.imaging.image_headers import exr_size, is_whole
from smarthdr_studio.core.project import database
from smarthdr_studio.core.project.backups import list_backups, verified
from smarthdr_studio.core.project.database import read_mask
from smarthdr_studio.core.project.journal import Accounts, JournalEntry, Kind
from smarthdr_studio.core.project.project import (
    DATABASE_NAME,
    OpenedDatabase,
    Project,
    database_loss,
    read_only_copy,
)
from smarthdr_studio.core.project.relocation import missing_dataset
from smarthdr_studio.core.trust.brush import fingerprint, unpack
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.words import counted


class FindingKind(StrEnum):
    """The kinds of things that can be wrong."""

    DATABASE = "database"
    JOURNAL = "journal"
    FILE_IN_USE = "file in use"
    OLDER_VERSION = "older version"
    PAINTING = "painted mask"
    UNACCOUNTED = "unaccounted file"
    LEFTOVER = "leftover"
    PSEUDO_LABEL = "pseudo-label"
    DATASET = "dataset"
    BACKUP = "backup"
    PLACE = "odd place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `what` is a path relative to the project folder, a scene or the hash of a mask; `sentence` says
    what is wrong and `remedy` what a person can do. `mendable` says that a repair can put it right
    without losing anything; `checksum` is what a file should have.
    """

    trouble: FindingKind
    what: str
    sentence: str
    remedy: str
    mendable: bool = False
    checksum: str | None = None


_RESTORE_REMEDY = (
    "close every window on the project, then restore the newest backup with: "
    "smarthdr-studio doctor PROJECT --repair"
)


def lost_database(folder: AnyPath, *, sentence: str) -> Finding:
    """The database cannot be used; it can be restored where a backup opens."""
    folder = Path(folder)
    mendable = newest_good_backup(folder) is not None
    return Finding(
        trouble=FindingKind.DATABASE,
        what=DATABASE_NAME,
        sentence=sentence,
        remedy=_RESTORE_REMEDY if mendable else "restore it from a copy of the project folder",
        mendable=mendable,
    )


def newest_good_backup(folder: AnyPath) -> Path | None:
    """The newest backup that opens, is whole, and whose journal adds up."""
    folder = Path(folder)
    for path in list_backups(folder):
        try:
            verified(path)
            with closing(read_only_copy(path)) as opened, database.as_project_error(path):
                if not _misfit(opened.connection):
                    return path
        except ProjectError:
            continue
    return None


def database_findings(connection: sqlite3.Connection, folder: AnyPath) -> Iterator[Finding]:
    """What is wrong inside a database that opens."""
    folder = Path(folder)
    try:
        complaints = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        complaints = [str(error)]
    if complaints != ["ok"]:
        first = complaints[0].splitlines()[-1]
        yield lost_database(folder, sentence=f"{DATABASE_NAME} is damaged inside ({first})")
        return
    for table, row, _, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(1):
        odd = f"{DATABASE_NAME}: row {row} of {table} speaks of a scene that is not there"
        yield lost_database(folder, sentence=odd)
    for table in _differing_tables(connection):
        yield lost_database(
            folder, sentence=f"{DATABASE_NAME}: its {table} is not what this format has"
        )


_ODD_REMEDY = "do not use it; get a copy from somebody you trust"


def odd_findings(connection: sqlite3.Connection, folder: AnyPath) -> Iterator[Finding]:
    """What of a database leads out of the project, so that the project is not opened."""
    for odd in database.odd_places(connection, seen_from=folder):
        yield Finding(
            trouble=FindingKind.PLACE,
            what=DATABASE_NAME,
            sentence=f"{DATABASE_NAME} leads out of where it belongs: {odd}",
            remedy=_ODD_REMEDY,
        )


def link_findings(folder: AnyPath) -> Iterator[Finding]:
    """Symbolic links in the project folder that lead out of it; nothing behind them is touched."""
    folder = Path(folder)
    for link in outward_links(folder):
        relative = link.relative_to(folder).as_posix()
        yield Finding(
            trouble=FindingKind.PLACE,
            what=relative,
            sentence=f"{shown_name(relative)} is a link that leads out of the project, to "
            f"{shown_name(str(link.readlink()))}",
            remedy="take the link away, and put there what belongs to the project",
        )


def journal_finding(connection: sqlite3.Connection, folder: AnyPath) -> Finding | None:
    """The first entry that does not fit those before it; a backup of the journal may fit."""
    folder = Path(folder)
    sentence = _misfit(connection)
    if not sentence:
        return None
    mendable = newest_good_backup(folder) is not None
    return Finding(
        trouble=FindingKind.JOURNAL,
        what="journal",
        sentence=sentence,
        remedy=_RESTORE_REMEDY if mendable else "restore it from a copy of the project folder",
        mendable=mendable,
    )


def _misfit(connection: sqlite3.Connection) -> str:
    """Where the journal does not add up, "" where it does."""
    accounts, reached = Accounts(), 0
    try:
        for entry in database.each_entry_after(connection, 0):
            accounts.take([entry])
            reached = entry.seq
    except (KeyError, ValueError):
        return f"the entry after {reached} of the journal cannot be read or does not fit"
    scenes = {row[0] for row in connection.execute("SELECT id FROM scenes")}
    missing = scenes - set(accounts.ledger().scenes)
    return f"the journal says nothing of {counted(len(missing), 'scene')}" if missing else ""


def _differing_tables(connection: sqlite3.Connection) -> list[str]:
    """Tables and triggers that are not as a climb of the whole ladder makes them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        for rung in database.MIGRATIONS:
            for statement in rung:
                fresh.execute(statement)
        wanted = _schema(fresh)
    found = _schema(connection)
    return sorted(name for name in wanted if found.get(name) != wanted[name])


def _schema(connection: sqlite3.Connection) -> dict[str, object]:
    rows = connection.execute("SELECT name, type FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        name: connection.execute(f"SELECT name, type FROM pragma_table_info('{name}')").fetchall()
        if kind == "table"
        else kind
        for name, kind in rows.fetchall()
    }


QUIET_SECONDS: Final = 600.0
"""A file younger than this may be in the making."""

_DRAFT: Final = re.compile(r"\..+\.[0-9a-f]{32}(\.[\w-]+)?|draft-[0-9a-f]{32}\.exr")
_REPAIR_REMEDY: Final = "smarthdr-studio doctor PROJECT --repair"


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
        for relative, kind in ((entry.label, Kind.PROMOTE), (entry.truth, Kind.IMPORT_TRUTH)):
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
        sentence = _wrong_with_file(project, relative, checksum, scene=scene)
        if sentence:
            mendable = bool(_identical(project, relative, checksum))
            again = "import its ground truth" if relative in truths else f"promote {scene}"
            yield Finding(
                trouble=FindingKind.FILE_IN_USE,
                what=relative,
                sentence=f"{sentence}, and {scene} needs it",
                remedy=f"bring back the copy in the trash with: {_REPAIR_REMEDY}"
                if mendable
                else f"{again} again, or undo; until then it is not trained on",
                mendable=mendable,
                checksum=checksum,
            )
    for relative, checksum in files_ever(project.entries()).items():
        if relative not in in_use and checksum and (project.folder / relative).is_file():
            sentence = _wrong_with_file(project, relative, checksum)
            if sentence:
                yield Finding(
                    trouble=FindingKind.OLDER_VERSION,
                    what=relative,
                    sentence=f"{sentence}; no scene uses it now",
                    remedy=f"move it to the trash with: {_REPAIR_REMEDY}",
                    mendable=True,
                    checksum=checksum,
                )


def unaccounted(project: Project, *, quiet: float = QUIET_SECONDS) -> Iterator[Finding]:
    """Files among the labels that no entry of the journal speaks of, and drafts anywhere.

    Neither is looked at while it is younger than `quiet` seconds.
    """
    known = files_ever(project.entries())
    for path in _label_files(project.folder):
        relative = path.relative_to(project.folder).as_posix()
        draft = bool(_DRAFT.fullmatch(path.name))
        if not draft and (not relative.startswith("labels/") or relative in known):
            continue
        if is_quiet(path, quiet):
            yield Finding(
                trouble=FindingKind.LEFTOVER if draft else FindingKind.UNACCOUNTED,
                what=relative,
                sentence=f"{relative} was begun and never finished"
                if draft
                else f"{relative} is not in the journal",
                remedy=f"move it to the trash with: {_REPAIR_REMEDY}",
                mendable=True,
            )


def is_quiet(path: AnyPath, seconds: float) -> bool:
    """Whether a file is there and nobody has written to it for so long."""
    path = Path(path)
    try:
        return time.time() - path.stat().st_mtime >= seconds
    except OSError:
        return False


def _label_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        outward = path.is_symlink() and not is_inside(folder, path)
        if path.relative_to(folder).parts[0] != TRASH and not outward and path.is_file():
            yield path


def _wrong_with_file(
    project: Project, relative: str, checksum: str | None, *, scene: str = ""
) -> str:
    """What is wrong with a label file, "" if nothing is."""
    path = place_in(project.folder, *relative.split("/"))
    try:
        if checksum is not None and file_checksum(path) != checksum:
            return f"{relative} is not what was frozen (its checksum differs)"
        if checksum is None:
            read_layers(path)
        with path.open("rb") as stream:
            size = exr_size(stream)
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
    found = trashed_copies(project.folder, relative)
    return [path for path in found if checksum is None or file_checksum(path) == checksum]


def painting_findings(project: Project, connection: sqlite3.Connection) -> Iterator[Finding]:
    """Masks the journal speaks of that are lost or damaged; those in use are named first."""
    in_use = {state.person: name for name, state in project.ledger().scenes.items() if state.person}
    ever = {e.person: str(e.scene) for e in project.entries() if e.person} | in_use
    for name, scene in sorted(ever.items(), key=lambda item: item[0] not in in_use):
        if not is_painting_whole(read_mask(connection, name), name):
            mendable = mask_in_backups(project.folder, name) is not None
            sentence = f"what was painted on {scene} is lost or damaged"
            yield Finding(
                trouble=FindingKind.PAINTING,
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
    for path in list_backups(folder):
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as backup:
                runs = read_mask(backup, name)
        except sqlite3.DatabaseError:
            continue
        if is_painting_whole(runs, name):
            return runs
    return None


def is_painting_whole(runs: bytes | None, name: str) -> bool:
    """Whether these are the runs that were kept under that hash, and unpack to a mask."""
    if runs is None or fingerprint(runs) != name:
        return False
    try:
        unpack(runs)
    except ValueError:
        return False
    return True


def pseudo_findings(project: Project) -> Iterator[Finding]:
    """Pseudo-labels that cannot be used or have no statistics; they can always be made anew."""
    for scene in project.scenes:
        label, statistics = project.pseudo_path(scene.id), project.statistics_path(scene.id)
        sentence = _wrong_with_pseudo_label(label, statistics, scene)
        if sentence:
            yield Finding(
                trouble=FindingKind.PSEUDO_LABEL,
                what=label.relative_to(project.folder).as_posix(),
                sentence=sentence,
                remedy="make it anew with: smarthdr-studio label PROJECT",
            )


def _wrong_with_pseudo_label(label: Path, statistics: Path, scene: Scene) -> str:
    if not label.is_file():
        lonely = statistics.is_file()
        return f"the statistics of {scene.id} have lost their pseudo-label" if lonely else ""
    sentence = _wrong_with_label(label, scene)
    if sentence or not statistics.is_file():
        return sentence or f"the pseudo-label of {scene.id} has no statistics"
    try:
        SceneStatistics.load(statistics)
    except LabelError:
        return f"the statistics of {scene.id} are damaged"
    return ""


def _wrong_with_label(label: Path, scene: Scene) -> str:
    try:
        with label.open("rb") as stream:
            if not is_whole(stream, kind="exr"):
                return f"the pseudo-label of {scene.id} is truncated or damaged"
            if exr_size(stream) != (scene.height, scene.width):
                return f"the pseudo-label of {scene.id} is of another size than its scene"
    except (OSError, ValueError):
        return f"the pseudo-label of {scene.id} cannot be read"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup of the database; `entries` is None where it does not open."""

    path: Path
    entries: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What was found; `entries` and `scenes` are 0 where the database does not open."""

    findings: tuple[Finding, ...]
    backups: tuple[Backup, ...]
    entries: int = 0
    scenes: int = 0


def check_up(folder: AnyPath, *, quiet: float = QUIET_SECONDS) -> Checkup:
    """Everything that is wrong with the project in `folder`.

    Looks at a copy of the database, so that a project on a read-only disk, of an older format or
    in use by a window can be looked over as well. Files younger than `quiet` seconds that nothing
    speaks of may be in the making and are left out. Raises ProjectError: no project at all.
    """
    folder = Path(folder).expanduser().resolve()
    findings = [*link_findings(folder)]
    kept = tuple(Backup(path=path, entries=_entries(path)) for path in list_backups(folder))
    findings += [_bad_backup(folder, each.path) for each in kept if each.entries is None]
    lost_how = database_loss(folder)
    if lost_how:
        if not kept:
            raise ProjectError(
                f"{folder}: not a project ({DATABASE_NAME} {lost_how}); choose a project folder"
            )
        gone = lost_database(folder, sentence=f"{DATABASE_NAME} {lost_how}")
        return Checkup(findings=(gone, *findings), backups=kept)
    path = folder / DATABASE_NAME
    try:
        with closing(read_only_copy(path)) as opened, database.as_project_error(path):
            return _inside(folder, opened, findings=findings, kept=kept, quiet=quiet)
    except DamagedProject as error:
        lost = lost_database(folder, sentence=str(error).partition(";")[0])
        return Checkup(findings=(lost, *findings), backups=kept)


def _inside(
    folder: Path,
    opened: OpenedDatabase,
    *,
    findings: Sequence[Finding],
    kept: tuple[Backup, ...],
    quiet: float,
) -> Checkup:
    """What is wrong where the database opens: first in itself, then with the files."""
    inside = [*database_findings(opened.connection, folder)]
    if not inside:
        inside = [*odd_findings(opened.connection, folder)]
    if not inside:
        inside = [*filter(None, [journal_finding(opened.connection, folder)])]
    if inside:
        return Checkup(findings=(*inside, *findings), backups=kept)
    project = Project(folder, opened)
    return Checkup(
        findings=(*_of_files(project, opened, quiet=quiet), *findings),
        backups=kept,
        entries=len(project.entries()),
        scenes=len(project.scenes),
    )


def _of_files(project: Project, opened: OpenedDatabase, *, quiet: float) -> Iterator[Finding]:
    """What is wrong with the files of a project whose database is well."""
    yield from painting_findings(project, opened.connection)
    for each in (label_findings(project), unaccounted(project, quiet=quiet)):
        yield from _up_to_a_link(each)
    yield from _up_to_a_link(pseudo_findings(project))
    for scene in project.scenes:
        if not all(path.is_relative_to(project.dataset) for path in _of_dataset(project, scene)):
            yield Finding(
                trouble=FindingKind.DATASET,
                what=scene.id,
                sentence=f"a picture of {scene.id} lies outside the dataset",
                remedy="neither copies nor reports carry it; put it into the dataset",
            )
    missing = missing_dataset(project)
    if missing is not None:
        what, _, remedy = missing.sentence.partition("; ")
        yield Finding(
            trouble=FindingKind.DATASET, what=str(missing.root), sentence=what, remedy=remedy
        )


def _of_dataset(project: Project, scene: Scene) -> tuple[Path, ...]:
    own = scene.ground_truth is not None and project.state(scene.id).truth is None
    return (*scene.frames, *([scene.ground_truth] if own and scene.ground_truth else []))


def _up_to_a_link(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings before a link that leads out of the project, which is a finding of its own."""
    with suppress(ForeignPlace):
        yield from findings


def _entries(path: Path) -> int | None:
    try:
        return verified(path)
    except ProjectError:
        return None


def _bad_backup(folder: Path, path: Path) -> Finding:
    relative = path.relative_to(folder).as_posix()
    return Finding(
        trouble=FindingKind.BACKUP,
        what=relative,
        sentence=f"{relative} does not open",
        remedy="move it to the trash with: smarthdr-studio doctor PROJECT --repair",
        mendable=True,
    )
