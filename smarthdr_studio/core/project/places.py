"""What lies where in a project, what a path of a person means, and which names lead out."""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal

from smarthdr_studio.core.errors import ExportError, ForeignPlace, ProjectError
from smarthdr_studio.core.files import (
    TRASH,
    AnyPath,
    is_inside,
    is_plain_name,
    place_in,
    shown_name,
)
from smarthdr_studio.core.records import parse_json
from smarthdr_studio.core.remedies import LOOK_OVER

MODEL_SUFFIX: Final = ".shdrmodel"
ModelForm = Literal["bundle", "safetensors", "torchscript", "onnx"]
MODEL_SUFFIXES: Final[Mapping[ModelForm, str]] = {
    "bundle": MODEL_SUFFIX,
    "safetensors": ".safetensors",
    "torchscript": ".pt",
    "onnx": ".onnx",
}
"""As what a model leaves, and how its file ends; a bundle alone comes back."""

DATABASE_NAME: Final = "project.sqlite"
SHAKES: Final = "alignment"
DATABASE_FILES: Final = (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm")
"""The database and what SQLite keeps beside it while it is open."""

_Below = Mapping[str, "_Below | None"]
"""What belongs into a folder by its name, in which * stands for any: None is a file."""

_CHECKPOINT: Final[_Below] = {"*.json": None, "*.safetensors": None, "*.pt": None}
_RUN: Final[_Below] = {
    "*.toml": None,
    "*.json": None,
    "*.jsonl": None,
    "*.txt": None,
    "at-work.lease": None,
    "checkpoints": {"step-*": _CHECKPOINT},
    "evaluations": {"*.json": None},
    "history": {"*.npz": None},
    "previews": {"*": {"*.jpg": None}},
    **{name: {} for name in ("faults", "rounds", "stages", "tensorboard", "wishes")},
}
_PLACES: Final[_Below] = {
    **dict.fromkeys(DATABASE_FILES),
    "backups": {"*.sqlite": None},
    "labels": {"*": {"*.exr": None}},
    "pseudo": {"*.exr": None, "*.npz": None},
    "runs": {"*": _RUN},
    SHAKES: {"*.json": None},
    TRASH: {"*": {}},
    "window.json": None,
}
"""What lies where in a project (see DISK.md)."""

PARTS: Final = tuple(name for name in _PLACES if name != DATABASE_NAME)
"""What the program writes in a project, beside its database."""


def misplaced(folder: AnyPath) -> Iterator[tuple[Path, str]]:
    """Every pipe, device or socket in a project, every file in a folder's place and the reverse.

    Each with a clause that says what it is. Links that lead out of the project are told elsewhere
    (see `files.outward_links`), and what is in the trash is nobody's.
    """
    yield from _misplaced_in(Path(folder), _PLACES, project=Path(folder))


def misplaced_in_run(run: AnyPath) -> Iterator[tuple[Path, str]]:
    """The same in the folder of one run: whoever goes on with it would wait for a pipe."""
    yield from _misplaced_in(Path(run), _RUN, project=Path(run))


def _misplaced_in(place: Path, known: _Below, *, project: Path) -> Iterator[tuple[Path, str]]:
    with suppress(OSError):  # of a folder that cannot be read there is another finding
        for path in sorted(map(Path, os.scandir(place))):
            if path.is_symlink() and not is_inside(project, path):
                continue
            found = [below for name, below in known.items() if fnmatchcase(path.name, name)]
            # What is hidden is a draft, or no business of the program.
            belongs = found[:1] if not path.name.startswith(".") else []
            what = _what_it_is(path)
            if what not in (_FILE, _FOLDER):
                yield (
                    path,
                    f"is {what}" + (f" where {_which(belongs[0])} belongs" if belongs else ""),
                )
            elif belongs and what != _which(belongs[0]):
                yield path, f"is {what} where {_which(belongs[0])} belongs"
            elif what == _FOLDER and not path.is_symlink() and place != project / TRASH:
                yield from _misplaced_in(path, (belongs or [{}])[0] or {}, project=project)


_FILE: Final = "a file"
_FOLDER: Final = "a folder"
_ODD_KINDS: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _which(below: _Below | None) -> str:
    return _FILE if below is None else _FOLDER


def _what_it_is(path: Path) -> str:
    """A file, a folder, a pipe …; what cannot be reached passes as a file, which reading tells."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except (OSError, RuntimeError):
        return _FILE
    return _ODD_KINDS.get(kind, _FOLDER if kind == stat.S_IFDIR else _FILE)


def refuse_odd_database(folder: AnyPath) -> None:
    """A database is not opened, nor waited for, where it or what lies beside it is no plain file.

    Raises ProjectError; ForeignPlace where it is a link that leads out of the project.
    """
    folder = Path(folder)
    for name in DATABASE_FILES:
        what = _what_it_is(place_in(folder, name))
        if what != _FILE:
            raise ProjectError(
                f"{folder}: its {name} is {what} where a file belongs; take that away, or see what "
                f"is wrong with: {LOOK_OVER.of(PROJECT=folder)}"
            )


def is_model(path: AnyPath) -> bool:
    """Whether it is a model file by its name."""
    return Path(path).suffix == MODEL_SUFFIX and Path(path).is_file()


def folder_meant(path: AnyPath) -> Path:
    """The folder that a path means; a project's database, which a desktop opens, means its own."""
    path = Path(path)
    return path.parent if path.name == DATABASE_NAME and path.is_file() else path


def refuse_inside(
    folder: AnyPath, path: AnyPath, *, what: Literal["dataset folder", "project"] = "dataset folder"
) -> None:
    """Raises ExportError where a file or folder would lie in a folder that is not to be written.

    Whatever writes where a person said goes through here first: nobody writes into a dataset, nor
    over what a project keeps.
    """
    if is_inside(folder, Path(path).expanduser()):
        raise ExportError(f"{path}: lies in the {what}; choose a place outside it")
    if (project := _project_that_keeps(Path(path).expanduser())) is not None:
        raise ExportError(f"{path}: is kept by the project {project}; choose a place outside it")


def _project_that_keeps(path: Path) -> Path | None:
    """The project among whose own files a path lies, where every link on the way is followed."""
    try:
        path = path.resolve()
        for folder in path.parents:
            first = path.relative_to(folder).parts[0]
            if (first in PARTS or first == DATABASE_NAME) and (folder / DATABASE_NAME).is_file():
                return folder
    except (OSError, ValueError, RuntimeError):  # cannot be reached, has a NUL, goes in circles
        return None
    return None


def odd_in_scene(row: Sequence[Any]) -> str:
    """What of a scene's record leads where it does not belong, in a clause; "" if nothing does.

    A file that lies elsewhere has an absolute path of its own; it is only looked at (see
    `dataset_export.put_file`).
    """
    if not is_plain_name(row[0]):
        return f"the scene id “{shown_name(row[0])}” is no name of a file"
    bracket = _frames_of(row[14])
    if bracket is None:
        return f"the frames of scene {shown_name(row[0])} are no list of paths"
    for told in (*row[1:4], row[10], *bracket):
        if told is None or (isinstance(told, str) and ".." not in told and "\0" not in told):
            continue
        if not isinstance(told, str) or "\0" in told or ".." in re.split(r"[/\\]", told):
            return f"the path “{shown_name(told)}” of scene {shown_name(row[0])} is odd"
    return ""


def _frames_of(told: object) -> list[Any] | None:
    """The paths of a whole bracket, [[path, EV], …]; None where it is none."""
    if told is None:
        return []
    try:
        found = parse_json(told) if isinstance(told, str) else None
        return [path for path, ev in found or () if isinstance(ev, int | float)] if found else None
    except (ValueError, TypeError):
        return None


def odd_in_entry(scene: object, *files: object) -> str:
    """The same of a label and a ground truth of the journal, both `labels/<scene>/<name>`."""
    for told in files:
        if told is not None and not is_label_of(scene, told):
            return f"“{shown_name(told)}” is no label of {shown_name(scene)}"
    return ""


def is_label_of(scene: object, told: object) -> bool:
    """Whether a path as seen from the project is that of a label of this scene."""
    parts = told.split("/") if isinstance(told, str) else []
    return parts[:-1] == ["labels", scene] and is_plain_name(parts[-1])


def refuse_odd(odd: str, *, folder: AnyPath) -> None:
    """Raises ForeignPlace where something is odd about the database of a project."""
    if odd:
        raise ForeignPlace(
            f"{folder}: its database leads out of where it belongs ({odd}); open a copy from "
            f"somebody you trust, or see what is wrong with: {LOOK_OVER.of(PROJECT=folder)}"
        )


def label_file(folder: AnyPath, relative: str, *, scene: str) -> Path:
    """The file of a label or an imported ground truth, by its path as seen from the project.

    Raises ForeignPlace where that is not among the labels of the scene.
    """
    if not is_label_of(scene, relative):
        refuse_odd(odd_in_entry(scene, relative), folder=folder)
    return place_in(folder, *relative.split("/"))
