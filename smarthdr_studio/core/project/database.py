"""The project's SQLite file: schema, migrations, durable writing, scenes, masks and figures."""

import json
import math
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.environment import current_user, garbage_collection_paused, utc_now
from smarthdr_studio.core.errors import (
    DamagedProject,
    ProjectError,
    UnwritableProject,
)
from smarthdr_studio.core.files import AnyPath, is_folder, is_inside, shown_name
from smarthdr_studio.core.imaging.bracket import (
    Catalogue,
    ExposedFrame,
    FrameReading,
    Scene,
    Three,
)
from smarthdr_studio.core.project import formats
from smarthdr_studio.core.project.journal import JournalEntry, Kind, Status
from smarthdr_studio.core.project.places import odd_in_entry, odd_in_scene, refuse_odd
from smarthdr_studio.core.records import parse_json
from smarthdr_studio.core.remedies import LOOK_OVER, MEND
from smarthdr_studio.core.trust.masking import masks_as_text, masks_from_text


@contextmanager
def as_project_error(path: AnyPath) -> Iterator[None]:
    """Turn what SQLite complains of into a ProjectError with the path and the remedy."""
    path = Path(path)
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a mistake in this program, such as the wrong thread
    except sqlite3.DatabaseError as error:
        raise _project_error(path, error) from None
    except UnicodeEncodeError:  # of a name or a note, as a shell hands it over
        raise ProjectError(
            f"{path}: what is to be kept holds bytes that are no text in UTF-8; write it otherwise"
        ) from None
    except UnicodeDecodeError as error:  # text that is none, as soon as SQLite hands it over
        raise _damaged(path, error) from None


def primary_code(error: sqlite3.Error) -> int:
    """The primary code of an error; extended ones add details above it."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _damaged(path: Path, error: Exception) -> DamagedProject:
    reason = " ".join(str(error).split())
    return DamagedProject(f"{path}: damaged or not a project ({reason}); mend it with: {MEND}")


def _project_error(path: Path, error: sqlite3.DatabaseError) -> ProjectError:
    """What SQLite complains of, with the path and the remedy."""
    match primary_code(error):
        case sqlite3.SQLITE_FULL:
            why, remedy = "its disk is full", "free some space and try again"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            why = "it cannot be written"
            remedy = "allow writing there or copy the project elsewhere"
        case sqlite3.SQLITE_IOERR:
            why = "its disk fails or is full"
            remedy = "see to the disk, then open the project again to see what was kept"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ProjectError(f"{path}: another program is writing to it; try again in a moment")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return _damaged(path, error)
        case _ if "decode to UTF-8" in str(error):
            return _damaged(path, error)
        case _:
            return ProjectError(f"{path}: cannot be used ({error}); look at it with: {LOOK_OVER}")
    sentence = f"{path}: {why} ({error}); {remedy}"
    return UnwritableProject(
        sentence, why=why, doubtful=primary_code(error) == sqlite3.SQLITE_IOERR
    )


_PATIENCE_SECONDS: Final = 30.0

# Asked ten thousand times at a time, where calling the enumeration would take twice as long.
_KINDS: Final = {kind.value: kind for kind in Kind}
_STATUSES: Final = {status.value: status for status in Status}
_COLUMNS: Final = (
    "action, at, who, kind, scene, before, after, masks, run, round, checkpoint, label, note, "
    "undoes, whole, checksum, truth, person, tags, reading"
)


_BeforeMigration = Callable[[sqlite3.Connection, int], None]


def create(path: AnyPath) -> sqlite3.Connection:
    """A new, empty project file; the caller closes the connection. Raises ProjectError."""
    path = Path(path)
    with as_project_error(path):
        connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    return _prepared(connection, path, new=True)


def connect(path: AnyPath, *, before_climb: _BeforeMigration | None = None) -> sqlite3.Connection:
    """An existing project file, brought up to this program's version.

    `before_climb` is called with the connection and the version to be reached, if that is higher.
    Raises ProjectError: no project, a foreign or damaged file, a newer version; UnwritableProject:
    nothing can be written there.
    """
    path = Path(path)
    with as_project_error(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_PATIENCE_SECONDS,
            isolation_level=None,
        )
    return _prepared(connection, path, new=False, before_climb=before_climb)


def adopt(connection: sqlite3.Connection, path: AnyPath) -> sqlite3.Connection:
    """A connection to a copy of the project file at `path`, brought up to this program's version.

    Raises ProjectError as `connect` does; the connection is closed then.
    """
    return _prepared(connection, Path(path), new=False)


@contextmanager
def writing(connection: sqlite3.Connection, path: AnyPath) -> Iterator[None]:
    """One transaction that alone may write; durable when the block has ended, else undone."""
    path = Path(path)
    with as_project_error(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def append(connection: sqlite3.Connection, entries: Iterable[JournalEntry]) -> None:
    """Write entries at the end of the journal, in their order; inside `writing`.

    An entry that has a number already keeps it, as where a journal is copied.
    """
    marks = ", ".join("?" * (_COLUMNS.count(",") + 2))
    connection.executemany(
        f"INSERT INTO journal (seq, {_COLUMNS}) VALUES ({marks})",
        [
            (
                e.seq or None,
                *(e.group, e.at, e.who, e.kind, e.scene, e.before, e.after),
                None if e.masks is None else _masks_as_text(e.masks),
                *(e.run, e.round, e.checkpoint, e.label, e.note, e.undoes),
                *(int(e.whole), e.checksum, e.truth, e.person, _tags_as_text(e.tags)),
                _reading_as_text(e),
            )
            for e in entries
        ],
    )


def entries_after(connection: sqlite3.Connection, seq: int) -> list[JournalEntry]:
    """The journal behind entry `seq`, oldest first."""
    with garbage_collection_paused():
        return list(each_entry_after(connection, seq))


# By name, because in a damaged file a table may have lost one.
SCENE_ROWS: Final = (
    "SELECT id, under, reference, over, ev_under, ev_reference, ev_over, height, width, split, "
    "ground_truth, ground_truth_gain, layout, ground_truth_gamma, bracket FROM scenes"
)
"""Asks for every column of the scenes, in the order in which they are written."""

JOURNAL_ROWS: Final = f"SELECT seq, {_COLUMNS} FROM journal"
"""Asks for rows as `entry_in` reads them."""


def each_entry_after(connection: sqlite3.Connection, seq: int) -> Iterator[JournalEntry]:
    """The same, one by one, as far as a damaged file can be read."""
    rows = connection.execute(f"{JOURNAL_ROWS} WHERE seq > ? ORDER BY seq", (seq,))
    return map(entry_in, rows)


_PLACES: Final = frozenset({12, 17})  # label and ground truth, which are refused as places


def entry_in(row: Sequence[Any]) -> JournalEntry:
    """The entry of a row of `JOURNAL_ROWS`. Raises KeyError, TypeError or ValueError."""
    if any(isinstance(value, bytes) for at, value in enumerate(row) if at not in _PLACES):
        raise TypeError("a text of the journal is none")
    return JournalEntry(
        seq=row[0],
        group=row[1],
        at=row[2],
        who=row[3],
        kind=_KINDS[row[4]],
        scene=row[5],
        before=None if row[6] is None else _STATUSES[row[6]],
        after=None if row[7] is None else _STATUSES[row[7]],
        masks=None if row[8] is None else _masks(row[8]),
        run=row[9],
        round=row[10],
        checkpoint=row[11],
        label=row[12],
        note=row[13],
        undoes=row[14],
        whole=bool(row[15]),
        checksum=row[16],
        truth=row[17],
        person=row[18],
        tags=_tags_from_text(row[19]),
        reading=None if row[20] is None or row[5] is not None else FrameReading.from_text(row[20]),
        three=None if row[20] is None or row[5] is None else _three_from_text(row[20]),
    )


def _reading_as_text(entry: JournalEntry) -> str | None:
    """Of all scenes how frames are read, of one which of them; both stand in one column."""
    if entry.three is not None:
        return json.dumps({"three": entry.three}, separators=(",", ":"))
    return None if entry.reading is None else entry.reading.as_text()


def _three_from_text(text: str) -> Three:
    under, reference, over = parse_json(text)["three"]
    return int(under), int(reference), int(over)


_masks = lru_cache(maxsize=256)(masks_from_text)
_masks_as_text = lru_cache(maxsize=256)(masks_as_text)


@lru_cache(maxsize=256)
def _tags_as_text(tags: tuple[str, ...]) -> str:
    return json.dumps(list(tags), ensure_ascii=False)


@lru_cache(maxsize=256)
def _tags_from_text(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(parse_json(text))


def _prepared(
    connection: sqlite3.Connection,
    path: Path,
    *,
    new: bool,
    before_climb: _BeforeMigration | None = None,
) -> sqlite3.Connection:
    try:
        with as_project_error(path):
            if not new:
                _refuse_foreign(connection, path)
                _refuse_unwritable(connection)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache
            connection.execute("PRAGMA foreign_keys = ON")
            if before_climb is not None and version_of(connection) < len(formats.MIGRATIONS):
                before_climb(connection, len(formats.MIGRATIONS))
            bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def bring_up_to_date(connection: sqlite3.Connection, path: AnyPath) -> None:
    """Climb from an older format to this program's; a database at `path` that is there already."""
    if version_of(connection) == len(formats.MIGRATIONS):
        return
    with writing(connection, path):
        # Asked again now that nobody else can be climbing.
        reached = version_of(connection)
        for version, rung in enumerate(formats.MIGRATIONS[reached:], reached + 1):
            for statement in rung:
                _take_step(connection, statement, path=Path(path), version=version - 1)
            connection.execute(f"PRAGMA user_version = {version}")


def _take_step(connection: sqlite3.Connection, statement: str, *, path: Path, version: int) -> None:
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        if "duplicate column" in str(error) or "already exists" in str(error):
            raise _of_wrong_format(path, version) from None
        raise


def _of_wrong_format(path: Path, version: int) -> DamagedProject:
    what = f"says it is of format {version}, but holds the tables of a later one"
    return DamagedProject(f"{path}: {what}; mend it with: {MEND}")


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != formats.APPLICATION:
        if formats.holds_our_tables(connection):
            raise DamagedProject(f"{path}: has another program's mark; mend it with: {MEND}")
        raise ProjectError(f"{path}: not a SmartHDR Studio project; choose a project folder")
    version = version_of(connection)
    if version > len(formats.MIGRATIONS):
        raise ProjectError(
            f"{path}: made by a newer version (format {version}, this one reads up to "
            f"{len(formats.MIGRATIONS)}); update SmartHDR Studio"
        )
    if version < 1:
        raise _of_wrong_format(path, version)


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the format that a project file has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_unwritable(connection: sqlite3.Connection) -> None:
    # SQLite opens what it may not write all the same, and says so only when asked to write.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_BUSY:  # somebody is writing, so it can be written
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(_PATIENCE_SECONDS * 1000)}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and a writer at once; the file remembers it, but a restored backup has none."""
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY:  # the next one to open it will
                raise


_ABSOLUTE = "dataset"
_BESIDE = "dataset_from_project"
_FORMER = "dataset_before"


def remember_dataset(connection: sqlite3.Connection, root: AnyPath, *, seen_from: AnyPath) -> None:
    """Keep where the dataset is; also as seen from the project if it lies beside it.

    The places it was at before are kept as well: a project that goes to and fro between two
    machines is asked once on each. Inside `database.writing`.
    """
    root, seen_from = Path(root).expanduser().resolve(), Path(seen_from)
    known = _facts(connection)
    places = [known[_ABSOLUTE], *_former(known)] if _ABSOLUTE in known else []
    others = [place for place in places if place != root.as_posix()]
    facts = {_ABSOLUTE: root.as_posix(), _FORMER: json.dumps(others)}
    if root.is_relative_to(seen_from.parent):
        facts[_BESIDE] = (Path("..") / root.relative_to(seen_from.parent)).as_posix()
    connection.execute("DELETE FROM facts WHERE name = ?", (_BESIDE,))
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


def find_dataset(connection: sqlite3.Connection, *, seen_from: AnyPath) -> Path:
    """Where the dataset is now: beside the project if both moved together, else where it was.

    Where it is gone from there, the newest of its former places that still exists. Raises
    DamagedProject: the database says nothing of it.
    """
    seen_from = Path(seen_from)
    facts = _facts(connection)
    beside = facts.get(_BESIDE)
    if (
        isinstance(beside, str)
        and _may_be_beside(seen_from, beside)
        and is_folder(seen_from / beside)
    ):
        return (seen_from / beside).resolve()
    if not isinstance(facts.get(_ABSOLUTE), str):
        raise DamagedProject(
            f"{seen_from}: its database does not say where its dataset is; mend it with: {MEND}"
        )
    places = [Path(facts[_ABSOLUTE]), *map(Path, _former(facts))]
    return next((place for place in places if is_folder(place)), places[0])


def _may_be_beside(project: Path, told: str) -> bool:
    """Whether a place as seen from the project lies in the folder that the project lies in."""
    return is_inside(project.resolve().parent, project / told)


def write_scenes(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    """Keep every scene, its files as seen from the dataset."""
    root = catalogue.root.expanduser().absolute()
    connection.executemany(
        "INSERT INTO scenes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_row(scene, root) for scene in catalogue.scenes],
    )


def read_scenes(
    connection: sqlite3.Connection, root: AnyPath, *, seen_from: AnyPath
) -> tuple[Scene, ...]:
    """Every scene sorted by id, its files below `root`; nothing is looked for on disk.

    `seen_from` is the project, for the sentence of an error.
    Raises ForeignPlace where an id is no plain name or a file's way leads up, DamagedProject where
    an exposure, a size or a scale is no number that it could be.
    """
    root = Path(root)
    with garbage_collection_paused():
        rows = connection.execute(f"{SCENE_ROWS} ORDER BY id").fetchall()
        refuse_odd(next(filter(None, map(odd_in_scene, rows)), ""), folder=seen_from)
        if wrong := next(filter(None, map(impossible_in_scene, rows)), ""):
            raise DamagedProject(
                f"{seen_from}: its database is damaged, {wrong}; mend it with: "
                f"{MEND.of(PROJECT=seen_from)}"
            )
        return tuple(_scene(row, root) for row in rows)


def impossible_in_scene(row: Sequence[Any]) -> str:
    """What of the numbers of a row of `SCENE_ROWS` cannot be, in a clause; "" if all can."""
    evs, sizes, scales, name = row[4:7], row[7:9], (row[11], row[13]), shown_name(row[0])
    if not all(map(_is_finite, evs)) or not evs[0] <= evs[1] <= evs[2]:
        told = ", ".join(shown_name(str(ev)) for ev in evs)
        return f"the exposures of scene {name} are {told} EV"
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        return f"the size of scene {name} is none"
    if not all(_is_finite(scale) and scale > 0 for scale in scales):
        return f"the scale of the ground truth of scene {name} is none"
    if not all(_is_finite(ev) for _, ev in parse_json(row[14] or "[]")):
        return f"an exposure of a frame of scene {name} is none"
    return ""


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def odd_places(connection: sqlite3.Connection, *, seen_from: AnyPath) -> Iterator[str]:
    """Every record that leads where it does not belong, in a clause; for the doctor."""
    yield from filter(None, map(odd_in_scene, connection.execute(SCENE_ROWS)))
    rows = connection.execute("SELECT seq, scene, label, truth FROM journal ORDER BY seq")
    for seq, *told in rows:
        if odd := odd_in_entry(*told):
            yield f"in entry {seq} of the journal {odd}"
    beside = _facts(connection).get(_BESIDE)
    if isinstance(beside, str) and not _may_be_beside(Path(seen_from), beside):
        yield f"the dataset “{shown_name(beside)}” is not around, beside or below the project"


def _scene(row: Sequence[Any], root: Path) -> Scene:
    under = root / row[1]
    folder = row[1].rpartition("/")[0]

    def path(relative: str) -> Path:
        # Ten thousand scenes at a time: a neighbour's path is made in half the time of a new one.
        place, _, name = relative.rpartition("/")
        return under.with_name(name) if place == folder else root / relative

    return Scene(
        id=row[0],
        frames=(under, path(row[2]), path(row[3])),
        evs=(row[4], row[5], row[6]),
        height=row[7],
        width=row[8],
        split=row[9],
        ground_truth=None if row[10] is None else path(row[10]),
        ground_truth_gain=row[11],
        layout=row[12],
        ground_truth_gamma=row[13],
        every=tuple(ExposedFrame(path(told), ev) for told, ev in parse_json(row[14] or "[]")),
    )


def knows_dataset(connection: sqlite3.Connection) -> bool:
    """Whether a database says where its dataset is."""
    return isinstance(_facts(connection).get(_ABSOLUTE), str)


def _facts(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM facts").fetchall())


def _former(facts: dict[str, str]) -> list[str]:
    try:
        told = parse_json(facts.get(_FORMER, "[]"))
    except (ValueError, TypeError):
        return []
    return [place for place in told if isinstance(place, str)] if isinstance(told, list) else []


def _row(scene: Scene, root: Path) -> tuple[Any, ...]:
    truth = scene.ground_truth
    return (
        *(scene.id, *(_below(root, frame) for frame in scene.frames), *scene.evs),
        *(scene.height, scene.width, scene.split),
        *(None if truth is None else _below(root, truth), scene.ground_truth_gain, scene.layout),
        scene.ground_truth_gamma,
        json.dumps([[_below(root, path), ev] for path, ev in scene.every]) if scene.every else None,
    )


def _below(root: Path, path: Path) -> str:
    # A file elsewhere keeps its absolute path, which `root / path` then answers unchanged.
    path = path.expanduser().absolute()
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


Figure = tuple[str, bytes]
"""The stamp of the files a figure was found in, and the figure itself."""


def write_mask(connection: sqlite3.Connection, name: str, runs: bytes) -> None:
    """Keep the runs of a painted mask under their hash; inside `database.writing`."""
    connection.execute("INSERT OR REPLACE INTO person_masks VALUES (?, ?)", (name, runs))


def read_mask(connection: sqlite3.Connection, name: str) -> bytes | None:
    """The runs of a painted mask, None where they are not there."""
    row = connection.execute("SELECT runs FROM person_masks WHERE hash = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def write_figures(connection: sqlite3.Connection, kind: str, figures: Mapping[str, Figure]) -> None:
    """Keep figures of scenes, newer ones in place of older; inside `database.writing`."""
    connection.executemany(
        "INSERT OR REPLACE INTO figures VALUES (?, ?, ?, ?)",
        [(kind, scene, stamp, data) for scene, (stamp, data) in figures.items()],
    )


def read_figures(connection: sqlite3.Connection, kind: str) -> dict[str, Figure]:
    """Every figure of one kind, by scene."""
    rows = connection.execute("SELECT scene, stamp, data FROM figures WHERE kind = ?", (kind,))
    return {scene: (stamp, bytes(data)) for scene, stamp, data in rows}


def write_reviews(connection: sqlite3.Connection, scenes: Iterable[str]) -> None:
    """Remember that a person has looked at scenes; inside `database.writing`."""
    at, who = utc_now(), current_user()
    connection.executemany(
        "INSERT OR REPLACE INTO reviews VALUES (?, ?, ?)", [(scene, at, who) for scene in scenes]
    )


def read_reviews(connection: sqlite3.Connection) -> dict[str, str]:
    """When each scene was looked at last, UTC."""
    rows = connection.execute("SELECT scene, at FROM reviews").fetchall()
    return {scene: at if isinstance(at, str) else "" for scene, at in rows}


def fill_new_project(
    path: AnyPath, folder: AnyPath, catalogue: Catalogue, labelled: Collection[str]
) -> None:
    """Write everything a new project knows; `folder` is where it will stand."""
    path = Path(path)
    folder = Path(folder)
    connection = create(path)
    try:
        with writing(connection, path):
            remember_dataset(connection, catalogue.root, seen_from=folder)
            write_scenes(connection, catalogue)
            append(connection, _first_entries(catalogue, labelled))
    finally:
        connection.close()


def _first_entries(catalogue: Catalogue, labelled: Collection[str]) -> list[JournalEntry]:
    group, at, who = uuid.uuid4().hex, utc_now(), current_user()
    notes: dict[str, list[str]] = {}
    for note in catalogue.notes:
        notes.setdefault(note.scene, []).append(note.text)
    return [
        JournalEntry(
            group=group,
            at=at,
            who=who,
            kind=Kind.CREATED,
            scene=scene.id,
            after=_first_status(scene, labelled),
            note=" ".join(notes.get(scene.id, ())),
        )
        for scene in sorted(catalogue.scenes, key=lambda scene: scene.id)
    ]


def _first_status(scene: Scene, labelled: Collection[str]) -> Status:
    if scene.split == "test":
        return Status.TEST
    return Status.GROUND_TRUTH if scene.id in labelled else Status.UNLABELLED
