"""A project folder: its scenes, where their files lie, and the journal of decisions."""

import shutil
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from smarthdr_studio.core import files as core_files
from smarthdr_studio.core.datasets.scan import refuse_unusable
from smarthdr_studio.core.environment import garbage_collection_paused
from smarthdr_studio.core.errors import (
    BadScene,
    DamagedProject,
    LostPainting,
    ProjectError,
    UnwritableProject,
)
from smarthdr_studio.core.files import AnyPath, drafted, flush_folder, place_in, shown_name
from smarthdr_studio.core.imaging.bracket import (
    Catalogue,
    FrameReading,
    Scene,
    Three,
    refuse_three,
    with_imported_truth,
    with_three,
)
from smarthdr_studio.core.project import backups, database, stamps
from smarthdr_studio.core.project.database import (
    fill_new_project,
    find_dataset,
    read_scenes,
    remember_dataset,
)
from smarthdr_studio.core.project.debris import sweep
from smarthdr_studio.core.project.journal import Accounts, JournalEntry, Ledger, SceneState, Status
from smarthdr_studio.core.project.places import (
    DATABASE_NAME,
    PARTS,
    SHAKES,
    label_file,
    odd_in_entry,
    refuse_odd,
    refuse_odd_database,
)
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.remedies import MAKE_PROJECT, MEND
from smarthdr_studio.core.trust.brush import Brush, unpack

_SUFFIX: Final = ".shdr"
_OTHERWISE: Final = {"is gone": f"no {DATABASE_NAME}", "is empty": f"its {DATABASE_NAME} is empty"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDatabase:
    """A connection, and what is to be known of it.

    `read_only` says why nothing can be decided ("" where it can); the connection is then to a
    copy, and nobody sees what is written to it. `warnings` are sentences. `journal` is what was
    read for a backup, None where none was made.
    """

    connection: sqlite3.Connection
    read_only: str = ""
    warnings: tuple[str, ...] = ()
    journal: backups.KnownJournal | None = None
    copy: "TemporaryDirectory[str] | None" = None

    def close(self) -> None:
        """Let go of the file, and remove a copy."""
        self.connection.close()
        if self.copy is not None:
            self.copy.cleanup()


def open_database(folder: AnyPath) -> OpenedDatabase:
    """The database of the project in `folder`, backed up; where it cannot be written, a copy.

    Raises ProjectError: no project, foreign, damaged or too new.
    """
    folder = Path(folder)
    refuse_odd_database(folder)
    path = folder / DATABASE_NAME
    for name in PARTS:  # a link at one of them that leads out of the project is refused at once
        place_in(folder, name)
    lost = database_loss(folder)
    if lost:
        raise ProjectError(_missing(folder, lost))
    warnings: list[str] = []
    try:
        connection = database.connect(
            path,
            before_climb=lambda old, target: warnings.append(
                backups.before_migration(old, path, target=target)
            ),
        )
    except UnwritableProject as error:
        return read_only_copy(path, refused=error)
    if backups.is_due(path):  # not at every opening: names of ten thousand files are looked through
        sweep(connection, folder)
    backup = backups.refresh(connection, path)
    told = tuple(filter(None, (*warnings, backup.warning)))
    return OpenedDatabase(connection=connection, warnings=told, journal=backup.journal)


def read_only_copy(path: AnyPath, *, refused: UnwritableProject | None = None) -> OpenedDatabase:
    """A copy of the database at `path` as it is now, brought up to this program's version.

    Nothing is written beside it; where there is no room for a copy on disk, it is one in memory.
    `refused` says why it could not be opened itself. Raises ProjectError: damaged, foreign, too
    new or not readable.
    """
    path = Path(path)
    why = "it is only looked at" if refused is None else refused.why
    try:
        copy = TemporaryDirectory(prefix="smarthdr-studio-", ignore_cleanup_errors=True)
    except OSError:
        return OpenedDatabase(connection=_in_memory(path, refused), read_only=why)
    try:
        connection = database.connect(backups.copy_of_now(path, copy.name))
    except (OSError, UnwritableProject):
        copy.cleanup()
        return OpenedDatabase(connection=_in_memory(path, refused), read_only=why)
    except ProjectError as error:
        copy.cleanup()
        raise _about(error, copy.name, path) from None
    except BaseException:
        copy.cleanup()
        raise
    return OpenedDatabase(connection=connection, read_only=why, copy=copy)


def _in_memory(path: Path, refused: UnwritableProject | None) -> sqlite3.Connection:
    """The database as it is at one moment, in memory."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with open_plain(path):  # says better than SQLite why it cannot be read
            pass
        with database.as_project_error(path), closing(_looked_at(path)) as live:
            live.backup(memory)
    except OSError as error:
        memory.close()
        told = None if isinstance(error, PermissionError) else refused
        raise told or _unreadable(path, error) from None
    except BaseException:
        memory.close()
        raise
    return database.adopt(memory, path)


def _looked_at(path: Path) -> sqlite3.Connection:
    log = path.with_name(f"{path.name}-wal")
    rest = not (log.exists() and log.stat().st_size)
    how = "mode=ro&immutable=1" if rest else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)


def _about(error: ProjectError, place: str, path: Path) -> ProjectError:
    """The same sentence about the file itself, not about its copy."""
    return type(error)(str(error).replace(f"{place}/", f"{path.parent}/"))


def _unreadable(path: Path, error: OSError) -> ProjectError:
    reason = error.strerror or type(error).__name__
    return ProjectError(f"{path}: cannot be read ({reason}); allow reading it")


def database_loss(folder: AnyPath) -> str:
    """Whether the database in `folder` "is gone" or "is empty"; "" where it is neither."""
    folder = Path(folder)
    path = folder / DATABASE_NAME
    if not path.is_file():
        return "is gone"
    log = path.with_name(f"{path.name}-wal")
    written = path.stat().st_size or (log.is_file() and log.stat().st_size)
    return "" if written else "is empty"


def refuse_without_project(folder: AnyPath) -> None:
    """Raise ProjectError, with the remedy, where there is no project at all."""
    folder = Path(folder).expanduser().resolve()
    if lost := database_loss(folder):
        raise ProjectError(_missing(folder, lost))


def _missing(folder: Path, lost: str) -> str:
    if backups.list_backups(folder):
        return (
            f"{folder}: its {DATABASE_NAME} {lost}; bring it back from the backups with: "
            f"{MEND.of(PROJECT=folder)}"
        )
    if folder.is_file():
        return f"{folder}: is a file, not a project; name the folder of one, NAME{_SUFFIX}"
    makes = MAKE_PROJECT.of(PROJECT=folder)
    if folder.is_dir() and folder.suffix != _SUFFIX:  # by its name it is rather a dataset
        makes = MAKE_PROJECT.of(PROJECT=folder.with_name(folder.name + _SUFFIX), DATASET=folder)
    return f"{folder}: not a project ({_OTHERWISE[lost]}); create one with: {makes}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JournalReading:
    """All that a journal says at one moment, to be handed on; nothing of it is to be changed.

    `statuses` are those of every scene, in the order of the project; `reviewed` says when a person
    looked at a scene last, UTC.
    """

    entries: Sequence[JournalEntry]
    accounts: Accounts
    statuses: Mapping[str, Status]
    reviewed: Mapping[str, str]

    @property
    def ledger(self) -> Ledger:
        """What the entries add up to."""
        return self.accounts.ledger()


class Project:
    """An open project. Belongs to the thread that opened it; opening another one is cheap.

    `read_only` says why nothing can be decided, "" where it can; such a project is as it was when
    it was opened. `warnings` are sentences about its opening, such as a backup that failed.
    """

    def __init__(self, folder: AnyPath, opened: OpenedDatabase) -> None:
        self.folder = Path(folder)
        self.read_only, self.warnings = opened.read_only, opened.warnings
        self._opened, self._connection = opened, opened.connection
        self._entries, self._accounts = opened.journal or ([], Accounts())
        self._refuse_odd(self._entries)
        self._read_at: int | None = None  # data_version of the journal in memory; None is stale
        self._reviews: tuple[int, dict[str, str]] | None = None  # with the same of those
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
            with drafted(draft, of=folder):
                draft.mkdir(parents=True)
                fill_new_project(draft / DATABASE_NAME, folder, catalogue, labelled)
            if folder.exists():
                folder.rmdir()
            draft.replace(folder)
            flush_folder(folder.parent)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ProjectError(
                f"{folder}: cannot be made ({reason}); choose a folder you may write to"
            ) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        made = cls.open(folder)
        made.compare_pictures()
        return made

    @classmethod
    def open(cls, folder: AnyPath) -> Self:
        """An existing project, with today's backup made; the dataset is not looked at.

        One that cannot be written opens to be looked at (`read_only`). Raises ProjectError.
        """
        folder = Path(folder).expanduser().resolve()
        opened = open_database(folder)
        try:
            with database.as_project_error(folder):
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
        return self.folder.name.removesuffix(_SUFFIX)

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Every scene sorted by id; an imported ground truth stands for the dataset's."""
        return tuple(self._known().values())

    def scene(self, scene_id: str) -> Scene:
        """One scene by its id. Raises ProjectError."""
        scene = self._known().get(scene_id)
        if scene is None:
            raise ProjectError(f"{scene_id}: no such scene in {self.folder}; check the id")
        return scene

    def scene_with(self, scene_id: str, three: Three | None) -> Scene:
        """The scene if a person had chosen these frames of it, or none. Raises BadScene too."""
        plain = self._plain[self.scene(scene_id).id]
        if three is None:
            return plain
        refuse_three(plain, three)
        return with_three(plain, three)

    def statuses(self) -> dict[str, Status]:
        """Every scene's status by id, in the order of `scenes`."""
        states = self.ledger().scenes
        return {name: states[name].status for name in self._by_id}

    def state(self, scene_id: str) -> SceneState:
        """Everything the journal says of a scene. Raises ProjectError."""
        return self.ledger().scenes[self.scene(scene_id).id]

    def pseudo_path(self, scene_id: str) -> Path:
        """Where the scene's latest pseudo-label lies, or will."""
        return place_in(self.folder, "pseudo", f"{self.scene(scene_id).id}.exr")

    def statistics_path(self, scene_id: str) -> Path:
        """Where the statistics of that pseudo-label lie, or will."""
        return place_in(self.folder, "pseudo", f"{self.scene(scene_id).id}.npz")

    def label_path(self, scene_id: str) -> Path | None:
        """The label file of a promoted scene; None for any other."""
        label = self.state(scene_id).label
        return None if label is None else label_file(self.folder, label, scene=scene_id)

    def labels_folder(self, scene_id: str) -> Path:
        """Where the scene's promoted labels lie, all that ever were."""
        return place_in(self.folder, "labels", self.scene(scene_id).id)

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

    def figures(self, kind: str) -> dict[str, database.Figure]:
        """Figures of one kind that were found before: by scene, their stamp and bytes."""
        with database.as_project_error(self.folder):
            return database.read_figures(self._connection, kind)

    def keep_figures(self, kind: str, figures: Mapping[str, database.Figure]) -> None:
        """Keep figures that take a while to find; nothing is kept of a project only looked at."""
        if self.read_only:
            return
        with database.writing(self._connection, self.folder):
            database.write_figures(self._connection, kind, figures)

    def compare_pictures(self, ids: Collection[str] | None = None) -> stamps.Comparison:
        """Whether the dataset's pictures are those the project knows; see `stamps.compare`.

        Only those of `ids` are looked at where some are given. Those seen for the first time are
        known from now on, unless nothing can be written.
        """
        scenes = self._plain.values() if ids is None else [self._plain[name] for name in ids]
        with database.as_project_error(self.folder):
            known = stamps.read_stamps(self._connection)
        found = stamps.compare(scenes, known, dataset=self.dataset)
        if found.fresh and not self.read_only:
            with suppress(UnwritableProject):  # on a full disk it is done when it is asked again
                self._keep_stamps(found.fresh)
        return replace(found, scenes=len(self._plain))

    def accept_pictures(self, found: stamps.Comparison) -> None:
        """Know the pictures by what a comparison has found; see `Decisions.accept_pictures`."""
        self.refuse_read_only()
        keys = {key for files in found.changed.values() for key in files}
        self._keep_stamps({key: found.accepted[key] for key in keys})

    def _keep_stamps(self, fresh: Mapping[str, stamps.Stamp]) -> None:
        with database.writing(self._connection, self.folder):
            stamps.write_stamps(self._connection, fresh)

    def reviewed(self) -> dict[str, str]:
        """When a person looked at each scene last; scenes nobody looked at are not in it."""
        version = self.data_version()
        if self._reviews is None or self._reviews[0] != version:
            with database.as_project_error(self.folder):
                self._reviews = version, database.read_reviews(self._connection)
        return dict(self._reviews[1])

    def mark_reviewed(self, ids: Iterable[str]) -> None:
        """A person has looked at these scenes; forgotten by a project only looked at."""
        if self.read_only:
            return
        self._reviews = None
        with database.writing(self._connection, self.folder):
            database.write_reviews(self._connection, [self.scene(name).id for name in ids])

    @property
    def reading(self) -> FrameReading:
        """How the frames of every scene are read, by the journal on disk now."""
        return self.ledger().reading

    @property
    def runs_folder(self) -> Path:
        """Where the training runs lie."""
        return place_in(self.folder, "runs")

    def data_version(self) -> int:
        """A number that changes when another process or thread has written, not this project."""
        with database.as_project_error(self.folder):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def entries(self) -> Sequence[JournalEntry]:
        """The whole journal as it is on disk now, oldest first.

        Only what is new is read, and only where somebody has written since.
        """
        # Asked before the journal is read: what is written in between is read once more.
        version = self.data_version()
        if version != self._read_at:
            last = self._entries[-1].seq if self._entries else 0
            new = self._added_up(last)
            if new:
                self._entries = [*self._entries, *new]
                if self._accounts.ledger().reading != self._read_as:
                    self._find_scenes()
                self._overlay({entry.scene for entry in new if entry.scene is not None})
            self._read_at = version
        return self._entries

    def accounts(self) -> Accounts:
        """The journal on disk, added up to now."""
        self.entries()
        return self._accounts

    def ledger(self) -> Ledger:
        """What the journal on disk adds up to now."""
        return self.accounts().ledger()

    def read_journal(self) -> JournalReading:
        """The journal on disk as it is now, whole."""
        return JournalReading(
            entries=self.entries(),
            accounts=self._accounts,
            statuses=self.statuses(),
            reviewed=self.reviewed(),
        )

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
        try:
            with garbage_collection_paused(), database.writing(self._connection, self.folder):
                database.append(self._connection, decide(self.ledger()))
                for name, runs in painted().items():
                    database.write_mask(self._connection, name, runs)
        finally:
            self._read_at = None  # what one writes oneself does not show in the version
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
        """Bring files back from the trash where need be, by path and checksum.

        See `files.restore_from_trash`. Raises LabelError.
        """
        core_files.restore_missing(self.folder, files)

    def _known(self) -> dict[str, Scene]:
        if not self._entries:
            self.entries()  # for which of them a ground truth was imported
        return self._by_id

    def _find_scenes(self) -> None:
        self.dataset = find_dataset(self._connection, seen_from=self.folder)
        scenes = read_scenes(self._connection, self.dataset, seen_from=self.folder)
        ledger = self._accounts.ledger()
        self._read_as = ledger.reading
        if self._read_as != FrameReading():
            scenes = tuple(self._read_so(scene) for scene in scenes)
        self._plain = {scene.id: scene for scene in scenes}
        self._by_id = dict(self._plain)
        self._overlay(ledger.scenes)

    def _read_so(self, scene: Scene) -> Scene:
        """The scene with how it is read; and, where it is aligned, with what keeps how it lies."""
        reading = self._read_as
        kept = place_in(self.folder, SHAKES, f"{scene.id}.json") if reading.aligned else None
        return replace(scene, reading=reading, shakes=kept)

    def _added_up(self, last: int) -> list[JournalEntry]:
        """The entries behind `last`, added up."""
        try:
            with database.as_project_error(self.folder), garbage_collection_paused():
                new = database.entries_after(self._connection, last)
                self._refuse_odd(new)
                self._accounts.take(new)
                return new
        except (KeyError, ValueError, TypeError, AttributeError):
            raise ProjectError(
                f"{self.folder}: its journal does not add up; look at it with: "
                f"{MEND.of(PROJECT=self.folder)}"
            ) from None

    def _refuse_odd(self, entries: Sequence[JournalEntry]) -> None:
        for entry in entries:
            refuse_odd(odd_in_entry(entry.scene, entry.label, entry.truth), folder=self.folder)

    def _overlay(self, ids: Collection[str]) -> None:
        """Imported ground truths take the place of the dataset's."""
        states = self._accounts.ledger().scenes
        if unknown := next((name for name in ids if name not in self._plain), None):
            raise DamagedProject(
                f"{self.folder}: its journal speaks of {shown_name(unknown)}, which is no scene of "
                f"it; mend it with: {MEND.of(PROJECT=self.folder)}"
            )
        for name in ids:
            scene, state = self._with_frames(self._plain[name], states[name].three), states[name]
            truth = state.truth
            self._by_id[name] = scene if truth is None else self._with_truth(scene, truth)

    def _with_frames(self, scene: Scene, three: Three | None) -> Scene:
        """The scene with the frames a person chose. Raises DamagedProject: there are none such."""
        if three is None:
            return scene
        try:
            refuse_three(scene, three)
        except BadScene:
            raise DamagedProject(
                f"{self.folder}: its journal speaks of frames that {scene.id} has not; mend it "
                f"with: {MEND.of(PROJECT=self.folder)}"
            ) from None
        return with_three(scene, three)

    def _with_truth(self, scene: Scene, truth: str) -> Scene:
        file = label_file(self.folder, truth, scene=scene.id)
        return with_imported_truth(scene, file)

    def _unpacked(self, name: str, scene_id: str) -> Brush:
        lost = f"{self.folder}: what was painted on {scene_id} is damaged; undo it or paint anew"
        with database.as_project_error(self.folder):
            runs = database.read_mask(self._connection, name)
        try:
            mask = unpack(runs or b"")
        except ValueError:
            raise LostPainting(lost) from None
        scene = self.scene(scene_id)
        if mask.shape != (scene.height, scene.width):
            raise LostPainting(lost)
        return mask
