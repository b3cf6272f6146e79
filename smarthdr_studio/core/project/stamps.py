"""Whether the pictures of a dataset are still those the project knows, by stamps it keeps of them.

A stamp is size, time and a quick checksum. Size and time are asked first; a picture is read, and
only three parts of it, where one of them differs. A file of the same size and time counts as the
same file.
"""

import hashlib
import os
import sqlite3
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.core.remedies import ACCEPT_PICTURES, FIND_DATASET

# By their names in the dataset.
STAMPS_TABLE: Final = """CREATE TABLE stamps (
        path TEXT PRIMARY KEY,
        size INTEGER NOT NULL, modified INTEGER NOT NULL, checksum TEXT NOT NULL
    ) WITHOUT ROWID"""
CHANGED_TAG: Final = "pictures-changed"
"""What a scene with a label of its own is tagged when its pictures are others and accepted."""

_PART: Final = 2**16  # bytes of the beginning, the middle and the end of a file
_READERS: Final = 8
_MOST_NAMED: Final = 3


class Stamp(NamedTuple):
    """What is known of a file: bytes, time of its last change in ns, and the quick checksum."""

    size: int
    modified: int
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What comparing the pictures of a project with its stamps has found.

    `changed` gives each scene with other pictures their names as the project has them. `fresh` are
    stamps to be kept: of pictures seen for the first time, and of those that only got another time;
    `accepted` those that would be, if a person said so. `first` scenes were never seen before.
    `marks` differ, in this process, for a scene whose pictures are others now than at another time.
    `gone` gives each scene that lacks pictures their names: no file is there, or it is a pipe.
    """

    root: Path
    scenes: int
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fresh: Mapping[str, Stamp] = field(default_factory=dict)
    accepted: Mapping[str, Stamp] = field(default_factory=dict)
    first: int = 0
    marks: Mapping[str, int] = field(default_factory=dict)
    gone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def only(self, ids: Collection[str]) -> "Comparison":
        """The same of these scenes."""
        changed = {name: files for name, files in self.changed.items() if name in ids}
        return replace(self, changed=changed)

    @property
    def sentence(self) -> str:
        """What has changed, and both remedies; "" where nothing has."""
        if not self.changed:
            return ""
        return (
            f"{self.root}: holds other pictures than the project knows of {self._which}; say where "
            f"the right ones are with: {FIND_DATASET}, or take these with: {ACCEPT_PICTURES}"
        )

    def refuse(self) -> None:
        """Raises ProjectError where pictures are others; asked before anything is made of them."""
        if self.changed:
            raise ProjectError(self.sentence)

    @property
    def lost(self) -> str:
        """That many scenes lack pictures, and what to do."""
        return (
            f"{self.root}: {len(self.gone):,} of {self.scenes:,} scenes lack pictures "
            f"({_few(self.gone)}); put them back, or say where the dataset is with: {FIND_DATASET}"
        )

    def lost_of(self, name: str) -> str:
        """Which pictures one of the scenes that lack some lacks, and what to do."""
        return (
            f"{self.root}: {name} lacks {_few(self.gone[name])}; put that back, or say where the "
            f"dataset is with: {FIND_DATASET}"
        )

    def of_scene(self, name: str) -> str:
        """The same of one of the changed scenes."""
        return (
            f"{self.root}: the pictures of {name} are not those the project knows "
            f"({_few(self.changed[name])}); say where the right ones are with: {FIND_DATASET}, or "
            f"take these with: {ACCEPT_PICTURES}"
        )

    @property
    def _which(self) -> str:
        if len(self.changed) == self.scenes > 1:
            return f"all {self.scenes:,} scenes"
        return f"{len(self.changed):,} of {self.scenes:,} scenes ({_few(self.changed)})"


def _few(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_MOST_NAMED])
    return f"{shown}, …" if len(names) > _MOST_NAMED else shown


def compare(scenes: Iterable[Scene], known: Mapping[str, Stamp], *, dataset: AnyPath) -> Comparison:
    """Hold the pictures of scenes, as they lie in `dataset`, against stamps by their names.

    A picture that cannot be read is nobody's here. Costs one question to the disk for each picture,
    and reads 192 KiB of those that are new or differ.
    """
    dataset = Path(dataset)
    names = {scene.id: [*_pictures(scene, dataset)] for scene in scenes}
    files = {key: path for each in names.values() for key, path in each}
    sizes = {key: _size_and_time(path) for key, path in files.items()}
    now = _looked_at(files, sizes, known)
    other = {
        key: stamp
        for key, stamp in now.items()
        if key in known and stamp.checksum != known[key].checksum
    }
    sums = {key: stamp.checksum for key, stamp in {**known, **now}.items()}
    found = {name: tuple(key for key, _ in each if key in other) for name, each in names.items()}
    lost = {
        name: tuple(key for key, _ in each if sizes[key] is None) for name, each in names.items()
    }
    return Comparison(
        root=dataset,
        scenes=len(names),
        changed={name: keys for name, keys in found.items() if keys},
        fresh={key: stamp for key, stamp in now.items() if key not in other},
        accepted=other,
        marks={name: hash(tuple(sums.get(key) for key, _ in each)) for name, each in names.items()},
        first=sum(any(key in now and key not in known for key, _ in e) for e in names.values()),
        gone={name: keys for name, keys in lost.items() if keys},
    )


def _pictures(scene: Scene, dataset: Path) -> Iterator[tuple[str, Path]]:
    """Frames and the dataset's ground truth of a scene, each with its name in the dataset."""
    inside = f"{dataset}{os.sep}"
    truth = [] if scene.ground_truth is None else [scene.ground_truth]
    for path in dict.fromkeys((*(frame.path for frame in scene.whole_bracket), *truth)):
        yield str(path).removeprefix(inside).replace(os.sep, "/"), path


def _looked_at(
    files: Mapping[str, Path],
    found: Mapping[str, tuple[int, int] | None],
    known: Mapping[str, Stamp],
) -> dict[str, Stamp]:
    """The stamps, as they are now, of files that are new or have another size or time."""
    sizes = {
        key: size
        for key, size in found.items()
        if size is not None and size != (known.get(key) or ())[:2]
    }
    if not sizes:
        return {}
    with ThreadPoolExecutor(max_workers=min(_READERS, len(sizes))) as pool:
        sums = pool.map(quick_checksum, [files[key] for key in sizes])
        return {
            key: Stamp(*size, checksum)
            for (key, size), checksum in zip(sizes.items(), sums, strict=True)
            if checksum
        }


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def quick_checksum(path: AnyPath) -> str:
    """The SHA-256, hex, of a file's size, beginning, middle and end; "" where it cannot be read."""
    try:
        with open_plain(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            told = hashlib.sha256(str(size).encode())
            for begin in sorted({0, max(size // 2 - _PART // 2, 0), max(size - _PART, 0)}):
                stream.seek(begin)
                told.update(stream.read(_PART))
    except OSError:
        return ""
    return told.hexdigest()


def read_stamps(connection: sqlite3.Connection) -> dict[str, Stamp]:
    """Every stamp that is kept, by the name of its picture."""
    rows = connection.execute("SELECT path, size, modified, checksum FROM stamps")
    return {row[0]: Stamp(*row[1:]) for row in rows}


def is_stamp(row: Sequence[object]) -> bool:
    """Whether a row of a damaged table still is the name of a picture and its stamp."""
    kinds = (str, int, int, str)
    return len(row) == len(kinds) and all(map(isinstance, row, kinds))


def write_stamps(connection: sqlite3.Connection, stamps: Mapping[str, Stamp]) -> None:
    """Keep stamps, newer ones in place of older; inside `database.writing`."""
    connection.executemany(
        "INSERT OR REPLACE INTO stamps VALUES (?, ?, ?, ?)",
        [(path, *stamp) for path, stamp in stamps.items()],
    )
