"""A project folder: its scenes, where their files lie, and the journal of decisions."""

import shutil
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from smarthdr_studio.core import database, side_tables, trash
from smarthdr_studio.core.bracket import Catalogue, Scene
from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.brush.runs import unpack
from smarthdr_studio.core.errors import LostPainting, ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.first_entries import fill
from smarthdr_studio.core.journal import Accounts, JournalEntry, Ledger, SceneState, Status
from smarthdr_studio.core.labelled import labelled_by_default, read_labelled, refuse_unusable
from smarthdr_studio.core.many import many_objects
from smarthdr_studio.core.opened import DATABASE, OpenedDatabase, open_database
from smarthdr_studio.core.scene_table import find_dataset, read_scenes, remember_dataset

__all__ = ["Project", "labelled_by_default", "read_labelled"]


class Project:
    """An open project. Belongs to the thread that opened it; opening another one is cheap.

    `read_only` says why nothing can be decided, "" where it can; such a project is as it was when
    it was opened. `warnings` are sentences about its opening, such as a backup that failed.
    """

    def __init__(self, folder: AnyPath, opened: OpenedDatabase) -> None:
        self.folder = Path(folder)
        self.read_only, self.warnings = opened.read_only, opened.warnings
        self._opened, self._connection = opened, opened.connection
        self._entries: list[JournalEntry] = []
        self._accounts = Accounts()
        self._masks: tuple[str, Brush] | None = None  # the mask unpacked last, by its hash
        self._find_scenes()

    @classmethod
    def create(cls, folder: AnyPath, catalogue: Catalogue, *, labelled: Collection[str]) -> Self:
        """A new project over a dataset; `labelled` scenes start with their ground truth.

        Raises ProjectError: the folder is not empty or not writable, or a labelled id is
        unknown, a test scene or without ground truth.
        """
        folder = Path(folder).expanduser().resolve()
        refuse_unusable(catalogue, labelled)
        draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise ProjectError(f"{folder}: exists and is not empty; choose another name")
            draft.mkdir(parents=True)
            fill(draft / DATABASE, folder, catalogue, labelled)
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
    def open(cls, folder: AnyPath) -> Self:
        """An existing project, with today's backup made; the dataset is not looked at.

        One that cannot be written opens to be looked at (`read_only`). Raises ProjectError.
        """
        folder = Path(folder).expanduser().resolve()
        opened = open_database(folder)
        try:
            with database.told(folder):
                return cls(folder, opened)
        except BaseException:
            opened.close()
            raise

    def close(self) -> None:
        """Let go of the file; the project can be opened again."""
        self._opened.close()

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

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Every scene sorted by id; a ground truth that was brought stands for the dataset's."""
        return tuple(self._known().values())

    def scene(self, scene_id: str) -> Scene:
        """One scene by its id. Raises ProjectError."""
        scene = self._known().get(scene_id)
        if scene is None:
            raise ProjectError(f"{scene_id}: no such scene in {self.folder}; check the id")
        return scene

    def statuses(self) -> dict[str, Status]:
        """Every scene's status by id, in the order of `scenes`."""
        states = self.ledger().scenes
        return {name: states[name].status for name in self._by_id}

    def state(self, scene_id: str) -> SceneState:
        """Everything the journal says of a scene. Raises ProjectError."""
        return self.ledger().scenes[self.scene(scene_id).id]

    def pseudo_path(self, scene_id: str) -> Path:
        """Where the scene's latest pseudo-label lies, or will."""
        return self.folder / "pseudo" / f"{self.scene(scene_id).id}.exr"

    def statistics_path(self, scene_id: str) -> Path:
        """Where the statistics of that pseudo-label lie, or will."""
        return self.pseudo_path(scene_id).with_suffix(".npz")

    def label_path(self, scene_id: str) -> Path | None:
        """The label file of a promoted scene; None for any other."""
        label = self.state(scene_id).label
        return None if label is None else self.folder / label

    def labels_folder(self, scene_id: str) -> Path:
        """Where the scene's promoted labels lie, all that ever were."""
        return self.folder / "labels" / self.scene(scene_id).id

    def person(self, scene_id: str) -> Brush | None:
        """What a person painted on the scene: H×W, 1 trust, −1 distrust; None with nothing.

        Raises LostPainting where the painted mask is lost or damaged.
        """
        name = self.state(scene_id).person
        if name is None:
            return None
        if self._masks is None or self._masks[0] != name:
            self._masks = name, self._unpacked(name, scene_id)
        return self._masks[1]

    def figures(self, kind: str) -> dict[str, side_tables.Figure]:
        """Figures of one kind that were found before: by scene, their stamp and bytes."""
        with database.told(self.folder):
            return side_tables.read_figures(self._connection, kind)

    def keep_figures(self, kind: str, figures: Mapping[str, side_tables.Figure]) -> None:
        """Keep figures that take a while to find; nothing is kept of a project only looked at."""
        if self.read_only:
            return
        with database.writing(self._connection, self.folder):
            side_tables.write_figures(self._connection, kind, figures)

    def reviewed(self) -> dict[str, str]:
        """When a person looked at each scene last; scenes nobody looked at are not in it."""
        with database.told(self.folder):
            return side_tables.read_reviews(self._connection)

    def mark_reviewed(self, ids: Iterable[str]) -> None:
        """A person has looked at these scenes; forgotten by a project only looked at."""
        if self.read_only:
            return
        with database.writing(self._connection, self.folder):
            side_tables.write_reviews(self._connection, [self.scene(name).id for name in ids])

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
        new = self._added_up(last)
        if new:
            self._entries = [*self._entries, *new]
            self._overlay({entry.scene for entry in new if entry.scene is not None})
        return self._entries

    def accounts(self) -> Accounts:
        """The journal on disk, added up to now."""
        self.entries()
        return self._accounts

    def ledger(self) -> Ledger:
        """What the journal on disk adds up to now."""
        return self.accounts().ledger()

    def record(
        self,
        decide: Callable[[Ledger], Sequence[JournalEntry]],
        *,
        painted: Callable[[], Mapping[str, bytes]] = dict,
    ) -> None:
        """Append what `decide` answers to the ledger of this moment; nobody writes in between.

        `painted` is asked afterwards for the masks, by hash, that the new entries speak of. On
        return the entries outlive a kill and a power cut; an error leaves none of them.
        """
        self.refuse_read_only()
        with many_objects(), database.writing(self._connection, self.folder):
            database.append(self._connection, decide(self.ledger()))
            for name, runs in painted().items():
                side_tables.write_mask(self._connection, name, runs)
        self.entries()

    def refuse_read_only(self) -> None:
        """Raises ProjectError where the project is only looked at."""
        if self.read_only:
            room = "free some space, or " if "full" in self.read_only else ""
            raise ProjectError(
                f"{self.folder}: {self.read_only}, so nothing can be decided; {room}copy the "
                "project to a place you may write to and open it there"
            )

    def move_dataset(self, root: AnyPath) -> None:
        """The dataset lies at `root` from now on, also for those who open the project later.

        No decision about scenes, so no entry of the journal and nothing to undo; a project that is
        only looked at remembers it until it is closed. Raises ProjectError.
        """
        root = Path(root)
        with database.writing(self._connection, self.folder):
            remember_dataset(self._connection, root, seen_from=self.folder)
        self._find_scenes()

    def fetch(self, files: Mapping[str, str | None]) -> None:
        """Bring files back from the trash where need be, by path and checksum; see `trash.fetch`.

        Raises LabelError.
        """
        trash.fetch(self.folder, files)

    def _known(self) -> dict[str, Scene]:
        if not self._entries:
            self.entries()  # which of them were brought a ground truth
        return self._by_id

    def _find_scenes(self) -> None:
        self.dataset = find_dataset(self._connection, seen_from=self.folder)
        self._plain = {s.id: s for s in read_scenes(self._connection, self.dataset)}
        self._by_id = dict(self._plain)
        self._overlay(self._accounts.ledger().scenes)

    def _added_up(self, last: int) -> list[JournalEntry]:
        """The entries behind `last`, added up."""
        try:
            with database.told(self.folder), many_objects():
                new = database.entries_after(self._connection, last)
                self._accounts.take(new)
                return new
        except (KeyError, ValueError):
            raise ProjectError(
                f"{self.folder}: its journal does not add up; look at it with: smarthdr-studio "
                f"doctor {self.folder} --repair"
            ) from None

    def _overlay(self, ids: Collection[str]) -> None:
        """Ground truths that were brought take the place of the dataset's."""
        states = self._accounts.ledger().scenes
        for name in ids:
            plain, truth = self._plain[name], states[name].truth
            self._by_id[name] = plain if truth is None else self._with_truth(plain, truth)

    def _with_truth(self, scene: Scene, truth: str) -> Scene:
        return replace(scene, ground_truth=self.folder / truth, ground_truth_gain=1.0)

    def _unpacked(self, name: str, scene_id: str) -> Brush:
        lost = f"{self.folder}: what was painted on {scene_id} is damaged; undo it or paint anew"
        with database.told(self.folder):
            runs = side_tables.read_mask(self._connection, name)
        try:
            mask = unpack(runs or b"")
        except ValueError:
            raise LostPainting(lost) from None
        scene = self.scene(scene_id)
        if mask.shape != (scene.height, scene.width):
            raise LostPainting(lost)
        return mask
