"""A split from a file: a list of scene names, names with statuses, or what was exported."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.handover.scene_names import SceneNames
from smarthdr_studio.core.handover.tables import unguarded
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.project import Project

_WORDS: Final[Mapping[str, Status]] = {
    **{status.value: status for status in Status},
    "gt": Status.GROUND_TRUTH,
    "labelled": Status.GROUND_TRUTH,
    "labeled": Status.GROUND_TRUTH,
    "unlabeled": Status.UNLABELLED,
    "exclude": Status.EXCLUDED,
    "testing": Status.TEST,
}
_TELLABLE: Final = "ground truth, unlabelled, excluded or test"
_DELIMITERS: Final = ",;\t"


class _Line(NamedTuple):
    """One scene of a file: where it stands, its id, and the status it is to have, if any."""

    where: str
    scene: str
    status: Status | None


def read_split(path: AnyPath, project: Project) -> dict[str, Status]:
    """The status each scene is to have, for `Decisions.import_split`.

    A plain list of names means: these are labelled with their ground truth, every other training
    scene is unlabelled, and the test stays. Lines `name status` or `name,status`, and the CSV or
    JSON that was exported, speak of the scenes they name alone; a promoted scene may stay so. #
    begins a comment. Raises ProjectError naming file and line: no such file, an unknown or
    ambiguous name or status, a scene named twice, or one that lacks what it is to have.
    """
    path = Path(path)
    names = SceneNames(project.scenes, dataset=project.dataset)
    lines = _once(tuple(_lines(path, _text(path), names)), path)
    statuses = project.statuses()
    if all(line.status is None for line in lines.values()):
        return _from_list(lines, project, statuses)
    wanted: dict[str, Status] = {}
    for name, line in lines.items():
        if line.status is None:
            raise ProjectError(f"{line.where}: says no status for {name}; write {_TELLABLE}")
        if line.status is Status.PROMOTED:
            _refuse_promotion(line, statuses)
            continue
        _refuse_without_truth(line, project)
        wanted[name] = line.status
    return wanted


def _from_list(
    lines: Mapping[str, _Line], project: Project, statuses: Mapping[str, Status]
) -> dict[str, Status]:
    """What a plain list of labelled scenes means."""
    wanted = {
        name: Status.UNLABELLED for name, status in statuses.items() if status is not Status.TEST
    }
    for name, line in lines.items():
        if name not in wanted:
            raise ProjectError(
                f"{line.where}: {name} is a test scene; take it out of the list, or write "
                f"“{name} ground truth” to train with it"
            )
        wanted[name] = Status.GROUND_TRUTH
        _refuse_without_truth(line._replace(status=Status.GROUND_TRUTH), project)
    return wanted


def _lines(path: Path, text: str, names: SceneNames) -> Iterator[_Line]:
    if path.suffix.casefold() == ".json":
        yield from _of_json(path, text, names)
        return
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    columns = [cell.strip().strip('"').casefold() for cell in header.split(delimiter)]
    if {"id", "status"} <= set(columns):
        yield from _of_table(path, text, names, delimiter=delimiter)
    else:
        yield from _of_list(path, text, names)


def _of_list(path: Path, text: str, names: SceneNames) -> Iterator[_Line]:
    for number, line in enumerate(text.splitlines(), 1):
        told = line.partition("#")[0].strip()
        if not told:
            continue
        where = f"{path}, line {number}"
        name, status = told, None
        if not names.meant_by(told):  # a folder may be called "crash test"
            name, status = _parted(told)
            _refuse_unknown_status(name, names, where=where)
        yield _Line(where, _one(name, names, where=where), status)


def _refuse_unknown_status(told: str, names: SceneNames, *, where: str) -> None:
    """Raises ProjectError where the line is a scene and one word that is no status."""
    name, _, word = told.replace(",", " ").replace(";", " ").rpartition(" ")
    if name.strip() and names.meant_by(name.strip()) and not names.meant_by(told):
        raise ProjectError(f"{where}: “{word}” is no status; write {_TELLABLE}")


def _parted(told: str) -> tuple[str, Status | None]:
    """A line as a name and a status; all of it is the name where no status ends it."""
    for delimiter in _DELIMITERS:
        name, found, word = told.rpartition(delimiter)
        if found and _key(word) in _WORDS:
            return name.strip(), _WORDS[_key(word)]
    words = told.split()
    for count in (2, 1):
        key = _key(" ".join(words[-count:]))
        if len(words) > count and key in _WORDS:
            return told.rsplit(maxsplit=count)[0], _WORDS[key]
    return told, None


def _of_table(path: Path, text: str, names: SceneNames, *, delimiter: str) -> Iterator[_Line]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    reader.fieldnames = [name.strip().casefold() for name in reader.fieldnames or ()]
    try:
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            name, word = ((row[key] or "").strip() for key in ("id", "status"))
            if name or word:
                yield _told(unguarded(name), word, names, where=where)
    except csv.Error as error:
        raise ProjectError(f"{path}, line {reader.line_num}: no table ({error})") from None


def _of_json(path: Path, text: str, names: SceneNames) -> Iterator[_Line]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ProjectError(f"{path}: not JSON ({error}); export the split again") from None
    held = value.get("scenes", value) if isinstance(value, dict) else value
    if isinstance(held, dict):
        held = [{"id": name, "status": word} for name, word in held.items()]
    if not isinstance(held, list):
        raise ProjectError(f"{path}: holds no scenes; give a list of names, or export a split")
    for number, entry in enumerate(held, 1):
        where = f"{path}, scene {number}"
        if isinstance(entry, str):
            yield _Line(where, _one(entry, names, where=where), None)
        else:
            yield _told(*_id_and_status(entry, where=where), names, where=where)


def _id_and_status(entry: object, *, where: str) -> tuple[str, str]:
    match entry:
        case {"id": str(name), "status": str(word)}:
            return name, word
        case _:
            raise ProjectError(f"{where}: says no id and status; export the split again")


def _told(name: str, word: str, names: SceneNames, *, where: str) -> _Line:
    scene = _one(name, names, where=where)
    if _key(word) not in _WORDS:
        raise ProjectError(f"{where}: “{word}” is no status; write {_TELLABLE}")
    return _Line(where, scene, _WORDS[_key(word)])


def _one(name: str, names: SceneNames, *, where: str) -> str:
    """The one scene a name means."""
    match names.meant_by(name):
        case (scene,):
            return scene
        case ():
            raise ProjectError(
                f"{where}: “{name}” is no scene of this project; write its id, or id and status"
            )
        case several:
            shown = ", ".join(several[:5]) + (" …" if len(several) > 5 else "")
            raise ProjectError(f"{where}: “{name}” may be {shown}; write the whole id")


def _once(lines: tuple[_Line, ...], path: Path) -> dict[str, _Line]:
    """Every scene's line; the same said twice is said once."""
    if not lines:
        raise ProjectError(f"{path}: names no scene; write one scene id a line")
    found: dict[str, _Line] = {}
    for line in lines:
        first = found.setdefault(line.scene, line)
        if first.status is not line.status:
            raise ProjectError(
                f"{line.where}: {line.scene} was another thing before ({first.where}); keep one"
            )
    return found


def _refuse_promotion(line: _Line, statuses: Mapping[str, Status]) -> None:
    if statuses[line.scene] is not Status.PROMOTED:
        raise ProjectError(
            f"{line.where}: {line.scene} is not promoted here, and a split cannot promote it; "
            f"promote it first, or write {_TELLABLE}"
        )


def _refuse_without_truth(line: _Line, project: Project) -> None:
    lacks = project.scene(line.scene).ground_truth is None
    if lacks and line.status is Status.GROUND_TRUTH:
        raise ProjectError(
            f"{line.where}: {line.scene} has no ground truth file; bring one, or leave it "
            "unlabelled"
        )


def _key(word: str) -> str:
    return " ".join(word.strip().strip('"').casefold().replace("_", " ").replace("-", " ").split())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{path}: cannot be read ({reason}); give a list of scenes") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{path}: not a text file; give one scene a line in UTF-8") from None
