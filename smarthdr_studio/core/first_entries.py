"""What a new project knows: its scenes, the place of its dataset, and the first entries."""

import uuid
from collections.abc import Collection
from pathlib import Path

from smarthdr_studio.core import database
from smarthdr_studio.core.authorship import now, person
from smarthdr_studio.core.bracket import Catalogue, Scene
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.journal import JournalEntry, Kind, Status
from smarthdr_studio.core.scene_table import remember_dataset, write_scenes


def fill(path: AnyPath, folder: AnyPath, catalogue: Catalogue, labelled: Collection[str]) -> None:
    """Write everything a new project knows; `folder` is where it will stand."""
    path = Path(path)
    folder = Path(folder)
    connection = database.create(path)
    try:
        with database.writing(connection, path):
            remember_dataset(connection, catalogue.root, seen_from=folder)
            write_scenes(connection, catalogue)
            database.append(connection, _first_entries(catalogue, labelled))
    finally:
        connection.close()


def _first_entries(catalogue: Catalogue, labelled: Collection[str]) -> list[JournalEntry]:
    group, at, who = uuid.uuid4().hex, now(), person()
    return [
        JournalEntry(
            group=group,
            at=at,
            who=who,
            kind=Kind.CREATED,
            scene=scene.id,
            after=_first_status(scene, labelled),
        )
        for scene in sorted(catalogue.scenes, key=lambda scene: scene.id)
    ]


def _first_status(scene: Scene, labelled: Collection[str]) -> Status:
    if scene.split == "test":
        return Status.TEST
    return Status.GROUND_TRUTH if scene.id in labelled else Status.UNLABELLED
