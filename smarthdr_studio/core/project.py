"""A project folder: its scenes, where their files lie, and the journal of decisions."""

import shutil
import sqlite3
import uuid
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from smarthdr_studio.core import database
from smarthdr_studio.core.authorship import now, person
from smarthdr_studio.core.bracket import Catalogue, Scene
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.journal import JournalEntry, Kind, Ledger, Status, add_up
from smarthdr_studio.core.labelled import labelled_by_default, read_labelled, refuse_unusable
from smarthdr_studio.core.scene_table import (
    find_dataset,
    read_scenes,
    remember_dataset,
    write_scenes,
)

__all__ = ["Project", "labelled_by_default", "read_labelled"]

_DATABASE: Final = "project.sqlite"


class Project:
    """An open project. Belongs to the thread that opened it; opening another one is cheap."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._connection = connection
        self.dataset = find_dataset(connection, seen_from=folder)
        self.scenes = read_scenes(connection, self.dataset)
        self._by_id = {scene.id: scene for scene in self.scenes}
        self._entries: list[JournalEntry] = []
        self._ledger = add_up(())

    @classmethod
    def create(cls, folder: Path, catalogue: Catalogue, *, labelled: Collection[str]) -> Self:
        """A new project over a dataset; `labelled` scenes start with their ground truth.

        Raises ProjectError: the folder is not empty or not writable, or a labelled id is
        unknown, a test scene or without ground truth.
        """
        folder = folder.expanduser().resolve()
        refuse_unusable(catalogue, labelled)
        draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise ProjectError(f"{folder}: exists and is not empty; choose another name")
            draft.mkdir(parents=True)
            _fill(draft / _DATABASE, folder, catalogue, labelled)
            if folder.exists():
                folder.rmdir()
            draft.replace(folder)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ProjectError(
                f"{folder}: cannot be made ({reason}); choose a folder you may write to"
            ) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """An existing project; the dataset is not looked at. Raises ProjectError."""
        folder = folder.expanduser().resolve()
        if not (folder / _DATABASE).is_file():
            raise ProjectError(
                f"{folder}: not a project (no {_DATABASE}); create one with: "
                f"smarthdr-studio new {folder} DATASET"
            )
        connection = database.connect(folder / _DATABASE)
        try:
            with database.told(folder):
                return cls(folder, connection)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Let go of the file; the project can be opened again."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """What a person calls the project: the folder's name without .shdr."""
        return self.folder.name.removesuffix(".shdr")

    def scene(self, scene_id: str) -> Scene:
        """One scene by its id. Raises ProjectError."""
        if scene_id not in self._by_id:
            raise ProjectError(f"{scene_id}: no such scene in {self.folder}; check the id")
        return self._by_id[scene_id]

    def statuses(self) -> dict[str, Status]:
        """Every scene's status by id, in the order of `scenes`."""
        states = self.ledger().scenes
        return {scene.id: states[scene.id].status for scene in self.scenes}

    def pseudo_path(self, scene_id: str) -> Path:
        """Where the scene's latest pseudo-label lies, or will."""
        return self.folder / "pseudo" / f"{self.scene(scene_id).id}.exr"

    def statistics_path(self, scene_id: str) -> Path:
        """Where the statistics of that pseudo-label lie, or will."""
        return self.pseudo_path(scene_id).with_suffix(".npz")

    def label_path(self, scene_id: str) -> Path | None:
        """The label file of a promoted scene; None for any other."""
        label = self.ledger().scenes[self.scene(scene_id).id].label
        return None if label is None else self.folder / label

    def labels_folder(self, scene_id: str) -> Path:
        """Where the scene's promoted labels lie, all that ever were."""
        return self.folder / "labels" / self.scene(scene_id).id

    @property
    def runs_folder(self) -> Path:
        """Where the training runs lie."""
        return self.folder / "runs"

    def data_version(self) -> int:
        """A number that changes when another process or thread has written."""
        with database.told(self.folder):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def entries(self) -> Sequence[JournalEntry]:
        """The whole journal as it is on disk now, oldest first."""
        last = self._entries[-1].seq if self._entries else 0
        with database.told(self.folder):
            new = database.entries_after(self._connection, last)
        if new:
            self._entries = [*self._entries, *new]
            self._ledger = add_up(self._entries)
        return self._entries

    def ledger(self) -> Ledger:
        """What the journal on disk adds up to now."""
        self.entries()
        return self._ledger

    def record(self, decide: Callable[[Ledger], Sequence[JournalEntry]]) -> None:
        """Append what `decide` answers to the ledger of this moment; nobody writes in between.

        On return the entries outlive a kill and a power cut; an error leaves none of them.
        """
        with database.writing(self._connection, self.folder):
            database.append(self._connection, decide(self.ledger()))


def _fill(path: Path, folder: Path, catalogue: Catalogue, labelled: Collection[str]) -> None:
    """Write everything a new project knows; `folder` is where it will stand."""
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
