"""Scenes and the place of their dataset, as the project's file keeps them."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smarthdr_studio.core.bracket import Catalogue, Scene
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.many import many_objects

_ABSOLUTE = "dataset"
_BESIDE = "dataset_from_project"
_FORMER = "dataset_before"


def remember_dataset(connection: sqlite3.Connection, root: AnyPath, *, seen_from: AnyPath) -> None:
    """Keep where the dataset is; also as seen from the project if it lies beside it.

    The places it was at before are kept as well: a project that goes to and fro between two
    machines is asked once on each. Inside `database.writing`.
    """
    root = Path(root)
    seen_from = Path(seen_from)
    root = root.expanduser().resolve()
    known = _facts(connection)
    places = [known[_ABSOLUTE], *_former(known)] if _ABSOLUTE in known else []
    facts = {_ABSOLUTE: root.as_posix()}
    facts[_FORMER] = json.dumps([place for place in places if place != root.as_posix()])
    if root.is_relative_to(seen_from.parent):
        facts[_BESIDE] = (Path("..") / root.relative_to(seen_from.parent)).as_posix()
    connection.execute("DELETE FROM facts WHERE name = ?", (_BESIDE,))
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


def find_dataset(connection: sqlite3.Connection, *, seen_from: AnyPath) -> Path:
    """Where the dataset is now: beside the project if both moved together, else where it was.

    Where it is gone from there, the newest of its former places that still exists.
    """
    seen_from = Path(seen_from)
    facts = _facts(connection)
    if _BESIDE in facts and (seen_from / facts[_BESIDE]).is_dir():
        return (seen_from / facts[_BESIDE]).resolve()
    places = [Path(facts[_ABSOLUTE]), *map(Path, _former(facts))]
    return next((place for place in places if place.is_dir()), places[0])


def write_scenes(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    """Keep every scene, its files as seen from the dataset."""
    root = catalogue.root.expanduser().absolute()
    connection.executemany(
        "INSERT INTO scenes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_row(scene, root) for scene in catalogue.scenes],
    )


def read_scenes(connection: sqlite3.Connection, root: AnyPath) -> tuple[Scene, ...]:
    """Every scene sorted by id, its files below `root`; nothing is looked for on disk."""
    root = Path(root)
    with many_objects():
        rows = connection.execute("SELECT * FROM scenes ORDER BY id")
        return tuple(_scene(row, root) for row in rows)


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
    )


def _facts(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM facts").fetchall())


def _former(facts: dict[str, str]) -> list[str]:
    return list(json.loads(facts.get(_FORMER, "[]")))


def _row(scene: Scene, root: Path) -> tuple[Any, ...]:
    truth = scene.ground_truth
    return (
        *(scene.id, *(_below(root, frame) for frame in scene.frames), *scene.evs),
        *(scene.height, scene.width, scene.split),
        *(None if truth is None else _below(root, truth), scene.ground_truth_gain, scene.layout),
    )


def _below(root: Path, path: Path) -> str:
    # A file elsewhere keeps its absolute path, which `root / path` then answers unchanged.
    path = path.expanduser().absolute()
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
