"""What can still be read of a damaged database, row by row, when no backup is good."""

import shutil
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from smarthdr_studio.core.environment import current_user, utc_now
from smarthdr_studio.core.files import AnyPath, is_plain_name
from smarthdr_studio.core.project import database, formats
from smarthdr_studio.core.project.journal import Accounts, JournalEntry, Kind, Status
from smarthdr_studio.core.project.places import odd_in_entry, odd_in_scene
from smarthdr_studio.core.project.stamps import Stamp, is_stamp, write_stamps
from smarthdr_studio.core.remedies import FIND_DATASET
from smarthdr_studio.core.trust.brush import fingerprint, unpack
from smarthdr_studio.core.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvage:
    """The rows that are left, as they fit together; `missing` says in clauses what is lost.

    `dataset` are the facts about its place, empty where they are lost. `begun` of the entries are
    scenes that begin anew; `highest` is the number of the last entry there ever was, None where
    that is not known.
    """

    scenes: tuple[tuple[Any, ...], ...]
    entries: tuple[JournalEntry, ...]
    masks: tuple[tuple[str, bytes], ...]
    reviews: tuple[tuple[Any, ...], ...]
    dataset: tuple[tuple[str, str], ...]
    stamps: tuple[tuple[Any, ...], ...]
    missing: tuple[str, ...]
    begun: int = 0
    highest: int | None = None


DAMAGE: Final = (sqlite3.Error, OSError, ValueError, KeyError, TypeError, IndexError)
"""What reading a damaged database may raise; names in its schema may be no text."""


def can_be_salvaged(path: AnyPath) -> bool:
    """Whether a scene can still be read of the database at `path`; nothing is written there."""
    try:
        with TemporaryDirectory(prefix="smarthdr-studio-") as place:
            copied = Path(place) / "copy.sqlite"
            shutil.copyfile(path, copied)
            mend_schema(copied)
            with closing(_opened(copied)) as connection:
                return bool(_scenes([connection]))
    except DAMAGE:
        return False


def mend_schema(path: AnyPath) -> None:
    """Write how tables and triggers are made anew where a damaged text says it, of a copy."""
    with suppress(*DAMAGE), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # So SQLite passes over what it does not understand, and lets it be mended.
        connection.execute("PRAGMA writable_schema = ON")
        connection.text_factory = _text
        wanted = _texts_of_schema()
        for row, name, text in connection.execute(_SCHEMA_ROWS).fetchall():
            if isinstance(text, str) and wanted.get(name) == text:
                continue
            if name not in wanted:  # its name is damaged too, or the word for what it is
                name = _most_alike(text, wanted)
            if name:
                kind, table = wanted[name].split()[1].lower(), _table_of(wanted[name], name)
                connection.execute(
                    "UPDATE sqlite_master SET type = ?, name = ?, tbl_name = ?, sql = ? "
                    "WHERE rowid = ?",
                    (kind, name, table, wanted[name], row),
                )


_SCHEMA_ROWS: Final = "SELECT rowid, name, sql FROM sqlite_master WHERE sql IS NOT NULL"


@lru_cache
def _texts_of_schema() -> dict[str, str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        _climb(fresh)
        return dict(
            fresh.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        )


def _most_alike(text: str | bytes, wanted: Mapping[str, str]) -> str:
    """The name of what has that text but for a few letters; "" for nothing of ours."""
    raw = text if isinstance(text, bytes) else text.encode()
    for name, ours in wanted.items():
        good = ours.encode()
        if len(good) == len(raw) and sum(a != b for a, b in zip(good, raw, strict=True)) <= _FEW:
            return name
    return ""


_FEW: Final = 8  # bytes


def _table_of(text: str, name: str) -> str:
    """The table that a trigger watches; of a table itself."""
    words = text.split()
    return words[words.index("ON") + 1] if words[1] == "TRIGGER" else name


def salvage(path: AnyPath, *, also: AnyPath | None = None) -> Salvage:
    """All that is left of the database at `path`, which is changed: give a copy.

    `also` is a good backup of it, whose rows count where both have one.
    Raises one of `DAMAGE`: it cannot be opened.
    """
    mend_schema(path)
    with ExitStack() as open_ones:
        own = open_ones.enter_context(closing(_opened(Path(path))))
        sources = [own]
        own_told = _rows([own], database.JOURNAL_ROWS, key="seq")
        if also is not None:
            older = open_ones.enter_context(closing(_opened(Path(also))))
            if not _of_one_life(own_told, _rows([older], database.JOURNAL_ROWS, key="seq")):
                raise ValueError("another history")
            sources.insert(0, older)
        scenes = _scenes(sources[::-1])
        names = {scene[0] for scene in scenes}
        told = _rows(sources, database.JOURNAL_ROWS, key="seq")
        entries = _fitting(_decoded(told), names)
        masks = [
            (name, runs)
            for name, runs in _rows(sources, _all_of("person_masks"), key="hash")
            if isinstance(name, str) and isinstance(runs, bytes) and is_painting_whole(runs, name)
        ]
        newest = sources[::-1]  # of what is changed in its place the later word counts
        facts = [row for row in _rows(newest, _all_of("facts"), key="name") if _is_text(row)]
        reviews = [r for r in _rows(newest, _all_of("reviews"), key="scene") if r[0] in names]
        stamps = [r for r in _rows(newest, _all_of("stamps"), key="path") if is_stamp(r)]
        last = _last_number(own)
        highest = max([0, *(entry.seq for entry in entries), *last])
    told_of = {entry.scene for entry in entries}
    begun = _begun_anew([s for s in scenes if s[0] not in told_of], number=highest)
    return Salvage(
        scenes=tuple(scenes),
        entries=(*entries, *begun),
        masks=tuple(masks),
        reviews=tuple(r for r in reviews if _is_text(r)),
        dataset=tuple((name, value) for name, value in facts),
        stamps=tuple(stamps),
        missing=tuple(_missing(entries, begun, masks, highest=highest, facts=facts, told=told)),
        begun=len(begun),
        highest=highest if own_told and last else None,
    )


def _opened(path: Path) -> sqlite3.Connection:
    # Of a log that a kill has left nothing is read here: a copy is opened with it before.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    # What is no text stays bytes, so that one byte does not cost the rows behind it.
    connection.text_factory = _text
    return connection


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _of_one_life(told: Sequence[Sequence[Any]], older: Sequence[Sequence[Any]]) -> bool:
    """Whether the rows of two journals go on from one another: they agree where both have one."""
    known = {row[0]: row[1] for row in older}
    same = [known[row[0]] == row[1] for row in told if row[0] in known]
    return not same or sum(same) > len(same) / 2  # a row may be damaged


def _rows(sources: Iterable[sqlite3.Connection], ask: str, *, key: str) -> list[tuple[Any, ...]]:
    """The rows of a table from both ends, up to where pages are damaged; sorted by the first.

    Of several databases the first that has a row counts.
    """
    found: dict[Any, tuple[Any, ...]] = {}
    for connection in sources:
        for order in ("ASC", "DESC"):
            with suppress(*DAMAGE):
                for row in connection.execute(f"{ask} ORDER BY {key} {order}"):
                    found.setdefault(row[0], row)
    return [found[name] for name in sorted(found, key=lambda name: (str(type(name)), name))]


@lru_cache
def _all_of(table: str) -> str:
    """Asks for every column of a table as this format has it, by name."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        _climb(fresh)
        rows = fresh.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchall()
    return f"SELECT {', '.join(row[0] for row in rows)} FROM {table}"


def _climb(fresh: sqlite3.Connection) -> None:
    for rung in formats.MIGRATIONS:
        for statement in rung:
            fresh.execute(statement)


def _scenes(sources: Iterable[sqlite3.Connection]) -> list[tuple[Any, ...]]:
    """The scenes whose record is whole and leads nowhere else, by the first that has it so."""
    found: dict[str, tuple[Any, ...]] = {}
    for each in sources:
        for row in _rows([each], database.SCENE_ROWS, key="id"):
            if (
                not odd_in_scene(row)
                and not any(isinstance(value, bytes) for value in row)
                and not database.impossible_in_scene(row)
                and row[9] in ("train", "test")
            ):
                found.setdefault(row[0], row)
    return [found[name] for name in sorted(found)]


def _is_text(row: Sequence[Any]) -> bool:
    return all(isinstance(value, str) for value in row)


_TOLD: Final = frozenset({2, 3, 13})  # columns that only people read: when, who, and the note


def _decoded(rows: Iterable[Sequence[Any]]) -> Iterator[JournalEntry]:
    """The entries of rows that can be read; a date, name or note that is no text is mended."""
    for row in rows:
        values = [
            value.decode(errors="replace") if at in _TOLD and isinstance(value, bytes) else value
            for at, value in enumerate(row)
        ]
        plain = not any(isinstance(value, bytes) for value in values)
        with suppress(KeyError, ValueError, TypeError, AttributeError):
            entry = database.entry_in(values)
            if plain and not odd_in_entry(entry.scene, entry.label, entry.truth):
                yield entry


def _fitting(entries: Iterable[JournalEntry], scenes: set[str]) -> list[JournalEntry]:
    """Those that fit the ones before them; an undo of what is lost does not."""
    kept: list[JournalEntry] = []
    accounts = Accounts()
    for entry in entries:
        if entry.scene is not None and entry.scene not in scenes:
            continue
        try:
            accounts.take([entry])
        except (KeyError, ValueError, TypeError, AttributeError):
            accounts = Accounts(kept)  # what was half taken is forgotten
            continue
        kept.append(entry)
    return kept


def _last_number(connection: sqlite3.Connection) -> list[int]:
    """The number the journal gave last, where that is still known."""
    with suppress(*DAMAGE):
        found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
        return [int(row[0]) for row in found if isinstance(row[0], int)]
    return []


def _begun_anew(scenes: Iterable[Sequence[Any]], *, number: int) -> list[JournalEntry]:
    """Scenes of which the journal has lost every word begin anew: unlabelled, or for testing."""
    group, at, who = uuid.uuid4().hex, utc_now(), current_user()
    return [
        JournalEntry(
            group=group,
            at=at,
            who=who,
            kind=Kind.CREATED,
            scene=scene[0],
            after=Status.TEST if scene[9] == "test" else Status.UNLABELLED,
            note="what was decided before is lost",
            seq=seq,
        )
        for seq, scene in zip(count(number + 1), scenes, strict=False)
    ]


def _missing(
    entries: Sequence[JournalEntry],
    begun: Sequence[JournalEntry],
    masks: Iterable[tuple[str, bytes]],
    *,
    highest: int,
    facts: Sequence[Sequence[Any]],
    told: Iterable[Sequence[Any]],
) -> Iterator[str]:
    lost = highest - len(entries)
    if lost > 0:
        known = {entry.seq for entry in entries}
        gaps = [number for number in range(1, highest + 1) if number not in known]
        about = {row[0]: f" about {row[5]}" for row in told if is_plain_name(row[5])}
        numbers = (f"{number}{about.get(number, '')}" for number in gaps[:5])
        shown = ", ".join(numbers) + (" …" if len(gaps) > 5 else "")
        entries_lost = counted(lost, "entry", more="entries")
        yield f"{entries_lost} of the journal ({shown})"
    if begun:
        shown = ", ".join(str(entry.scene) for entry in begun[:5])
        more = " …" if len(begun) > 5 else ""
        yield f"all that was decided about {shown}{more}, which begin anew without a label"
    there = {name for name, _ in masks}
    unpainted = {entry.person for entry in entries if entry.person} - there
    if unpainted:
        yield counted(len(unpainted), "painted mask")
    if "dataset" not in {row[0] for row in facts}:
        yield f"where the dataset is (say so with: {FIND_DATASET})"


def write_salvage(path: AnyPath, found: Salvage, *, beside: AnyPath) -> None:
    """A new database at `path` of what was found; a dataset that is lost is taken to be `beside`.

    Raises ProjectError or sqlite3.Error.
    """
    path = Path(path)
    with closing(database.create(path)) as connection, database.writing(connection, path):
        facts = dict(found.dataset)
        facts.setdefault("dataset", Path(beside).as_posix())
        connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
        marks = ", ".join("?" * len(found.scenes[0]))
        connection.executemany(f"INSERT INTO scenes VALUES ({marks})", found.scenes)
        database.append(connection, found.entries)
        for name, runs in found.masks:
            database.write_mask(connection, name, runs)
        write_beside(connection, found)


def write_beside(connection: sqlite3.Connection, found: Salvage) -> None:
    """What stands beside the journal: who looked at which scene, and as what pictures are known."""
    here = {row[0] for row in connection.execute("SELECT id FROM scenes")}
    reviews = [row for row in found.reviews if row[0] in here]
    connection.executemany("INSERT OR REPLACE INTO reviews VALUES (?, ?, ?)", reviews)
    write_stamps(connection, {path: Stamp(*rest) for path, *rest in found.stamps})


def differing_tables(connection: sqlite3.Connection) -> list[str]:
    """Tables and triggers that are not as a climb of the whole ladder makes them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        _climb(fresh)
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


def is_painting_whole(runs: bytes | None, name: str) -> bool:
    """Whether these are the runs that were kept under that hash, and unpack to a mask."""
    if runs is None or fingerprint(runs) != name:
        return False
    try:
        unpack(runs)
    except ValueError:
        return False
    return True
