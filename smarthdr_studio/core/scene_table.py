"""Scenes and the place of their dataset, as the project's file keeps them."""

import sqlite3
from pathlib import Path
from typing import Any

from smarthdr_studio.core.bracket import Catalogue, Scene

_ABSOLUTE = "dataset"
_BESIDE = "dataset_from_project"


def remember_dataset(connection: sqlite3.Connection, root: Path, *, seen_from: Path) -> None:
    """Keep where the dataset is; also as seen from the project if it lies beside it."""
    root = root.expanduser().resolve()
    facts = {_ABSOLUTE: root.as_posix()}
    if root.is_relative_to(seen_from.parent):
        facts[_BESIDE] = (Path("..") / root.relative_to(seen_from.parent)).as_posix()
    connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())


def find_dataset(connection: sqlite3.Connection, *, seen_from: Path) -> Path:
    """Where the dataset is now: beside the project if both moved together, else where it was."""
    facts: dict[str, str] = dict(connection.execute("SELECT name, value FROM facts"))
    if _BESIDE in facts and (seen_from / facts[_BESIDE]).is_dir():
        return (seen_from / facts[_BESIDE]).resolve()
    return Path(facts[_ABSOLUTE])


def write_scenes(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    """Keep every scene, its files as seen from the dataset."""
    root = catalogue.root.expanduser().absolute()
    connection.executemany(
        "INSERT INTO scenes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_row(scene, root) for scene in catalogue.scenes],
    )


def read_scenes(connection: sqlite3.Connection, root: Path) -> tuple[Scene, ...]:
    """Every scene sorted by id, its files below `root`; nothing is looked for on disk."""
    return tuple(
        Scene(
            id=row[0],
            frames=(root / row[1], root / row[2], root / row[3]),
            evs=(row[4], row[5], row[6]),
            height=row[7],
            width=row[8],
            split=row[9],
            ground_truth=None if row[10] is None else root / row[10],
            ground_truth_gain=row[11],
            layout=row[12],
        )
        for row in connection.execute("SELECT * FROM scenes ORDER BY id")
    )


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
