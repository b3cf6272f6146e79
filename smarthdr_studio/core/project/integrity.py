"""Looks a whole project over and says what is wrong; changes nothing."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Final

from smarthdr_studio.core.environment import moment_in
from smarthdr_studio.core.errors import DamagedProject, ForeignPlace, LabelError, ProjectError
from smarthdr_studio.core.files import (
    AnyPath,
    file_checksum,
    is_file,
    place_in,
    shown_name,
    trashed_copies,
)
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.imaging.image_headers import exr_size, is_whole
from smarthdr_studio.core.project import database
from smarthdr_studio.core.project.backups import (
    list_backups,
    some_are_to_come,
    verified,
    what_does_not_fit,
)
from smarthdr_studio.core.project.database import read_mask
from smarthdr_studio.core.project.debris import (
    QUIET_SECONDS,
    drafts_beside,
    drafts_left,
    files_of,
    is_draft,
    left_alone,
)
from smarthdr_studio.core.project.findings import (
    Finding,
    FindingKind,
    link_findings,
    misplaced_findings,
    odd_findings,
    unreadable,
)
from smarthdr_studio.core.project.journal import JournalEntry, Kind
from smarthdr_studio.core.project.places import DATABASE_FILES, DATABASE_NAME
from smarthdr_studio.core.project.project import (
    OpenedDatabase,
    Project,
    database_loss,
    read_only_copy,
    refuse_without_project,
)
from smarthdr_studio.core.project.relocation import missing_dataset
from smarthdr_studio.core.project.salvage import (
    can_be_salvaged,
    differing_tables,
    is_painting_whole,
)
from smarthdr_studio.core.project.stale import stale_in_words, stale_labels
from smarthdr_studio.core.project.stamps import Comparison
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.remedies import LABEL, MEND
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.words import counted

_RESTORE = "close every window on the project, then restore the newest backup with: "
_SALVAGE = (
    "no backup is good; close every window on the project, then save row by row what can be read, "
    "and be told what is missing, with: "
)


def lost_database(folder: AnyPath, *, sentence: str) -> Finding:
    """The database cannot be used; a backup can be restored, or what is left of it saved."""
    remedy = _way_back(Path(folder))
    return Finding(
        trouble=FindingKind.DATABASE,
        what=DATABASE_NAME,
        sentence=sentence,
        remedy=remedy or "restore it from a copy of the project folder",
        mendable=bool(remedy),
    )


def _way_back(folder: Path) -> str:
    """How a database that is damaged can be mended, "" where it cannot."""
    if newest_good_backup(folder) is not None:
        return f"{_RESTORE}{MEND}"
    return f"{_SALVAGE}{MEND}" if can_be_salvaged(folder / DATABASE_NAME) else ""


def newest_good_backup(folder: AnyPath) -> Path | None:
    """The newest backup that is whole and whose journal adds up.

    Where a clock was wrong, so that some are of days to come, it is the one that knows most.
    """
    read = ((path, _entries(path)) for path in list_backups(folder))
    good = ((path, entries) for path, entries in read if entries is not None)
    if some_are_to_come(folder):
        return max(good, key=itemgetter(1), default=(None, 0))[0]
    return next(good, (None, 0))[0]


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
    differing = differing_tables(connection)
    if not differing and not database.knows_dataset(connection):
        yield lost_database(folder, sentence=f"{DATABASE_NAME} does not say where its dataset is")
    for table in differing:
        yield lost_database(
            folder, sentence=f"{DATABASE_NAME}: its {table} is not what this format has"
        )


def journal_finding(connection: sqlite3.Connection, folder: AnyPath) -> Finding | None:
    """The first entry that does not fit those before it; a backup of the journal may fit."""
    folder = Path(folder)
    sentence = what_does_not_fit(connection)
    if not sentence:
        return None
    remedy = _way_back(folder)
    return Finding(
        trouble=FindingKind.JOURNAL,
        what="journal",
        sentence=sentence,
        remedy=remedy or "restore it from a copy of the project folder",
        mendable=bool(remedy),
    )


def date_findings(project: Project) -> Iterator[Finding]:
    """Entries and reviews whose date is none; what was decided counts all the same."""
    told = [(f"entry {entry.seq} of the journal", entry.at) for entry in project.entries()]
    told += [(f"the review of {scene}", at) for scene, at in project.reviewed().items()]
    undated = [(what, at) for what, at in told if moment_in(at) is None]
    more = len(undated) - 1 if len(undated) > _MOST_TOLD else 0
    for what, at in undated[:1] if more else undated:
        says = f"says “{shown_name(at)}”" if at else "says nothing"
        others = f", and so {counted(more, 'more', more='more')}" if more else ""
        yield Finding(
            trouble=FindingKind.DATE,
            what=what,
            sentence=f"{what} {says} where its date belongs{others}",
            remedy="its order counts, not its date: nothing else is lost; whoever wants the date "
            "back takes the database from a copy of the project folder",
        )


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
                remedy=f"bring back the copy in the trash with: {MEND}"
                if mendable
                else f"{again} again, or undo; until then it is not trained on",
                mendable=mendable,
                checksum=checksum,
            )
    for relative, checksum in files_ever(project.entries()).items():
        if relative not in in_use and checksum and is_file(project.folder / relative):
            sentence = _wrong_with_file(project, relative, checksum)
            if sentence:
                yield Finding(
                    trouble=FindingKind.OLDER_VERSION,
                    what=relative,
                    sentence=f"{sentence}; no scene uses it now",
                    remedy=f"move it to the trash with: {MEND}",
                    mendable=True,
                    checksum=checksum,
                )


def unaccounted(project: Project, *, quiet: float = QUIET_SECONDS) -> Iterator[Finding]:
    """Files among the labels that no entry of the journal speaks of, and drafts anywhere.

    Neither is looked at while it is younger than `quiet` seconds.
    """
    known = files_ever(project.entries())
    files = {path.relative_to(project.folder).as_posix(): path for path in files_of(project.folder)}
    of_labels = (
        path
        for relative, path in files.items()
        if relative.startswith("labels/") and relative not in known and not is_draft(path)
    )
    strays = {*left_alone(of_labels, seconds=quiet)}
    left = {*strays, *drafts_left(files.values(), quiet=quiet)}
    for relative, path in files.items():
        if path in left:
            stray = path in strays
            yield Finding(
                trouble=FindingKind.UNACCOUNTED if stray else FindingKind.LEFTOVER,
                what=relative,
                sentence=f"{relative} is not in the journal"
                if stray
                else f"{relative} was begun and never finished",
                remedy=f"move it to the trash with: {MEND}",
                mendable=True,
            )
    for path in drafts_beside(project.folder, quiet=quiet):
        yield Finding(
            trouble=FindingKind.LEFTOVER,
            what=str(path),
            sentence=f"{path.name} beside the project was begun and never finished",
            remedy=f"move it to the trash with: {MEND}",
            mendable=True,
        )


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
        with open_plain(path) as stream:
            size = exr_size(stream)
    except FileNotFoundError:
        return f"{relative} is missing"
    except OSError as error:
        return f"{relative} cannot be read ({error.strerror or type(error).__name__})"
    except (LabelError, ValueError):
        return f"{relative} is damaged" if os.access(path, os.F_OK) else f"{relative} is missing"
    if scene and size != (project.scene(scene).height, project.scene(scene).width):
        return f"{relative} is of another size than its scene"
    return ""


def _identical(project: Project, relative: str, checksum: str | None) -> list[Path]:
    found = filter(is_file, trashed_copies(project.folder, relative))
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
                remedy=f"bring it back from a backup with: {MEND}"
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
                remedy=f"make it anew with: {LABEL}",
            )


def _wrong_with_pseudo_label(label: Path, statistics: Path, scene: Scene) -> str:
    try:
        there, lonely = label.is_file(), statistics.is_file()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return f"the pseudo-label of {scene.id} cannot be read ({reason})"
    if not there:
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
        with open_plain(label) as stream:
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


def check_up(
    folder: AnyPath,
    *,
    quiet: float = QUIET_SECONDS,
    also: Callable[[Project], Iterable[Finding]] = lambda _: (),
) -> Checkup:
    """Everything that is wrong with the project in `folder`.

    `also` looks at what the project itself does not know, such as what its runs learned from
    (`run_start.run_findings`), where the database is well.

    Looks at a copy of the database, so that a project on a read-only disk, of an older format or
    in use by a window can be looked over as well. Files younger than `quiet` seconds that nothing
    speaks of may be in the making and are left out. Raises ProjectError: no project at all.
    """
    folder = Path(folder).expanduser().resolve()
    findings = [*link_findings(folder), *misplaced_findings(folder)]
    kept = tuple(Backup(path=path, entries=_entries(path)) for path in list_backups(folder))
    findings += [_bad_backup(folder, each.path) for each in kept if each.entries is None]
    lost_how = database_loss(folder)
    if lost_how:
        if not kept:
            refuse_without_project(folder)
        gone = lost_database(folder, sentence=f"{DATABASE_NAME} {lost_how}")
        return Checkup(findings=(gone, *findings), backups=kept)
    if {each.what for each in findings}.intersection(DATABASE_FILES):
        return Checkup(findings=tuple(findings), backups=kept)
    path = folder / DATABASE_NAME
    try:
        with closing(read_only_copy(path)) as opened, database.as_project_error(path):
            return _inside(folder, opened, findings=findings, kept=kept, quiet=quiet, also=also)
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
    also: Callable[[Project], Iterable[Finding]],
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
        findings=(
            *_of_files(project, opened, told=findings, quiet=quiet),
            *also(project),
            *findings,
        ),
        backups=kept,
        entries=len(project.entries()),
        scenes=len(project.scenes),
    )


def _of_files(
    project: Project, opened: OpenedDatabase, *, told: Sequence[Finding], quiet: float
) -> Iterator[Finding]:
    """What is wrong with the files of a project whose database is well, beside what was told."""
    shut = [*unreadable(project.folder)]
    yield from shut
    yield from date_findings(project)
    yield from painting_findings(project, opened.connection)
    for place, findings in (
        ("labels", label_findings(project)),
        ("", unaccounted(project, quiet=quiet)),
        ("pseudo", pseudo_findings(project)),
    ):
        # Of a folder that is shut, or is none, one finding says more than one of each of its files.
        if place not in {each.what for each in (*shut, *told)}:
            yield from _up_to_a_link(findings)
    for scene in project.scenes:
        if not all(path.is_relative_to(project.dataset) for path in _of_dataset(project, scene)):
            yield Finding(
                trouble=FindingKind.DATASET,
                what=scene.id,
                sentence=f"a picture of {scene.id} lies outside the dataset",
                remedy="neither copies nor reports carry it; put it into the dataset",
            )
    yield from stale_findings(project)
    yield from dataset_findings(project)


def dataset_findings(project: Project) -> Iterator[Finding]:
    """Pictures that are others than the project knows, or not where it knows them."""
    pictures = project.compare_pictures()
    yield from picture_findings(project, pictures)
    missing = missing_dataset(project)
    if missing is not None:
        what, _, remedy = missing.sentence.partition("; ")
        yield Finding(
            trouble=FindingKind.DATASET, what=str(missing.root), sentence=what, remedy=remedy
        )
        return
    yield from lost_findings(pictures)


_MOST_TOLD: Final = 20  # scenes, one by one


def picture_findings(project: Project, found: Comparison) -> Iterator[Finding]:
    """Scenes whose pictures are not those the project knows; nothing is kept of what is seen."""
    if len(found.changed) > _MOST_TOLD:
        what, _, remedy = found.sentence.partition("; ")
        yield Finding(
            trouble=FindingKind.DATASET, what=str(found.root), sentence=what, remedy=remedy
        )
        return
    for name in found.changed:
        what, _, remedy = found.of_scene(name).partition("; ")
        label = project.state(name).label
        yield Finding(
            trouble=FindingKind.DATASET,
            what=name,
            sentence=f"{what}, and its promoted label was made of the earlier ones"
            if label is not None
            else what,
            remedy=remedy,
        )


def lost_findings(found: Comparison) -> Iterator[Finding]:
    """Scenes that lack a picture, in a dataset that is there."""
    if len(found.gone) > _MOST_TOLD:
        what, _, remedy = found.lost.partition("; ")
        yield Finding(
            trouble=FindingKind.DATASET, what=str(found.root), sentence=what, remedy=remedy
        )
        return
    for name in found.gone:
        what, _, remedy = found.lost_of(name).partition("; ")
        yield Finding(trouble=FindingKind.DATASET, what=name, sentence=what, remedy=remedy)


def stale_findings(project: Project) -> Iterator[Finding]:
    """Labels made of frames that are read otherwise now, or of other frames of their bracket."""
    found = stale_labels(project)
    groups = [(each.scene, [each]) for each in found]
    for what, told in groups if len(found) <= _MOST_TOLD else [("labels", list(found))]:
        sentence, _, remedy = stale_in_words(told).partition("; ")
        about = f"{what}: {sentence}" if len(told) == 1 else sentence
        yield Finding(trouble=FindingKind.STALE, what=what, sentence=about, remedy=remedy)


def _of_dataset(project: Project, scene: Scene) -> tuple[Path, ...]:
    own = scene.ground_truth is not None and project.state(scene.id).truth is None
    frames = (frame.path for frame in scene.whole_bracket)
    return (*frames, *([scene.ground_truth] if own and scene.ground_truth else []))


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
        remedy=f"move it to the trash with: {MEND}",
        mendable=True,
    )
