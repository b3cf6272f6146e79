"""A split as a table: what every scene is and why, written to a file and read from one."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from smarthdr_studio.core.curation.project_facts import read_scene_facts
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.environment import utc_now
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath, shown_name
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.project.journal import JournalEntry, Kind, SceneState, Status
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.records import parse_json, read_text
from smarthdr_studio.core.reporting.tables import (
    Cell,
    below,
    is_json,
    unguarded,
    write_json,
    write_rows,
)


class SceneNames:
    """The scenes of one project by every name that people give them."""

    def __init__(self, scenes: Iterable[Scene], *, dataset: AnyPath) -> None:
        dataset = Path(dataset)
        self._exact: dict[str, str] = {}
        self._whole: dict[str, list[str]] = {}
        self._last: dict[str, list[str]] = {}
        for scene in scenes:
            self._exact[scene.id] = scene.id
            folder = _folder(scene, dataset)
            for whole in {scene.id, *folder}:
                self._whole.setdefault(whole.casefold(), []).append(scene.id)
            lasts = {scene.id.rpartition("-")[2], *(each.rpartition("/")[2] for each in folder)}
            for last in lasts:
                self._last.setdefault(last.casefold(), []).append(scene.id)

    def meant_by(self, name: str) -> tuple[str, ...]:
        r"""The ids that a name may mean: none, one, or several where it is not enough.

        An id counts before a folder, a whole name before the last part of one; separators of
        folders may be / or \, and case matters only where it tells two scenes apart.
        """
        if name in self._exact:
            return (name,)
        known = name.replace("\\", "/").strip("/").casefold()
        return tuple(self._whole.get(known) or self._last.get(known) or ())


def _folder(scene: Scene, dataset: Path) -> tuple[str, ...]:
    """The scene's folder as seen from the dataset, and every shorter end of that path."""
    home = scene.frames[1].parent
    if not home.is_relative_to(dataset):
        return (home.name,)
    parts = home.relative_to(dataset).parts
    return tuple("/".join(parts[start:]) for start in range(len(parts)))


FORMAT: Final = 1

COLUMNS: Final = (
    *("id", "status", "label", "version", "whole", "label_sha256", "ground_truth"),
    *("ground_truth_sha256", "tau_patch", "tau_pixel", "run", "round", "checkpoint"),
    *("decided_at", "decided_by", "reason", "note", "tags", "retained", "sigma_mean"),
    *("under", "reference", "over", "ev_under", "ev_reference", "ev_over", "width", "height"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the journal says of one scene: the decisions that gave it its status and its label."""

    state: SceneState
    decision: JournalEntry | None
    promotion: JournalEntry | None


def export_split(project: Project, path: AnyPath) -> int:
    """Write every scene's line as CSV or JSON, by the suffix; the answer is how many.

    Labels and imported ground truths are relative to the project, frames and the dataset's ground
    truths to the dataset. `retained` and `sigma_mean` are of the latest pseudo-label with the
    thresholds of now, `tau_patch` and `tau_pixel` those a label was frozen
    with. Raises ExportError.
    """
    path = Path(path)
    as_json = is_json(path)
    refuse_inside(project.dataset, path)
    rows = split_rows(project)
    if as_json:
        masks = project.ledger().masks
        about = {
            "format": FORMAT,
            "project": project.name,
            "dataset": str(project.dataset),
            "exported": utc_now(),
            "tau_patch": masks.tau_patch,
            "tau_pixel": masks.tau_pixel,
        }
        write_json(path, {**about, "scenes": rows})
    else:
        write_rows(path, [_flat(row) for row in rows], columns=COLUMNS)
    return len(rows)


def split_rows(project: Project) -> list[dict[str, Any]]:
    """One line for every scene, in the order of `project.scenes`; keys are `COLUMNS`."""
    facts = {each.id: each for each in read_scene_facts(project)}
    decisions, promotions = _latest(project.entries())
    states, rows = project.ledger().scenes, []
    for scene in project.scenes:
        state = states[scene.id]
        promotion = promotions.get((scene.id, state.label)) if state.label else None
        known = _Known(state=state, decision=decisions.get(scene.id), promotion=promotion)
        rows.append(_row(scene, known, facts[scene.id], dataset=project.dataset))
    return rows


def label_version(label: str | None) -> int | None:
    """The version a label file is of, by its name."""
    stem = PurePosixPath(label or "").stem
    return int(stem) if stem.isdecimal() else None


def _row(scene: Scene, known: _Known, facts: SceneFacts, *, dataset: Path) -> dict[str, Any]:
    state, decision = known.state, known.decision
    own_truth = None if scene.ground_truth is None else below(dataset, scene.ground_truth)
    return {
        "id": scene.id,
        "status": str(state.status),
        "label": state.label,
        "version": label_version(state.label),
        "whole": state.whole if state.label else None,
        "label_sha256": state.checksum,
        "ground_truth": state.truth or own_truth,
        "ground_truth_sha256": state.truth_checksum,
        **_made_with(known.promotion),
        "decided_at": decision.at if decision else None,
        "decided_by": decision.who if decision else None,
        "reason": decision.note if decision else "",
        "note": state.note,
        "tags": list(state.tags),
        "retained": facts.retained,
        "sigma_mean": facts.sigma_mean,
        **dict(
            zip(
                ("under", "reference", "over"),
                (below(dataset, frame) for frame in scene.frames),
                strict=True,
            )
        ),
        **dict(zip(("ev_under", "ev_reference", "ev_over"), scene.evs, strict=True)),
        "width": scene.width,
        "height": scene.height,
    }


def _made_with(promotion: JournalEntry | None) -> dict[str, Cell]:
    masks = promotion.masks if promotion else None
    return {
        "tau_patch": masks.tau_patch if masks else None,
        "tau_pixel": masks.tau_pixel if masks else None,
        "run": promotion.run if promotion else None,
        "round": promotion.round if promotion else None,
        "checkpoint": promotion.checkpoint if promotion else None,
    }


def _latest(
    entries: Iterable[JournalEntry],
) -> tuple[dict[str, JournalEntry], dict[tuple[str, str], JournalEntry]]:
    """By scene, the entry that gave it its status; by scene and label, the one that froze it."""
    decisions: dict[str, JournalEntry] = {}
    promotions: dict[tuple[str, str], JournalEntry] = {}
    for entry in entries:
        if entry.scene is None:
            continue
        if entry.before is not entry.after or entry.kind in (Kind.PROMOTE, Kind.IMPORT_TRUTH):
            decisions[entry.scene] = entry
        if entry.kind is Kind.PROMOTE and entry.label is not None:
            promotions[entry.scene, entry.label] = entry
    return decisions, promotions


def _flat(row: Mapping[str, Any]) -> dict[str, Cell]:
    """A line whose cells hold plain values."""
    return {**row, "tags": " ".join(row["tags"])}


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
        raise ProjectError(f"{where}: “{shown_name(word)}” is no status; write {_TELLABLE}")


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
        raise ProjectError(
            f"{path}, line {reader.line_num}: no table ({shown_name(str(error))})"
        ) from None


def _of_json(path: Path, text: str, names: SceneNames) -> Iterator[_Line]:
    try:
        value = parse_json(text)
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
        raise ProjectError(f"{where}: “{shown_name(word)}” is no status; write {_TELLABLE}")
    return _Line(where, scene, _WORDS[_key(word)])


def _one(name: str, names: SceneNames, *, where: str) -> str:
    """The one scene a name means."""
    match names.meant_by(name):
        case (scene,):
            return scene
        case ():
            raise ProjectError(
                f"{where}: “{shown_name(name)}” is no scene of this project; write its id, or id "
                "and status"
            )
        case several:
            shown = ", ".join(several[:5]) + (" …" if len(several) > 5 else "")
            raise ProjectError(f"{where}: “{shown_name(name)}” may be {shown}; write the whole id")


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
            f"{line.where}: {line.scene} has no ground truth file; import one, or leave it "
            "unlabelled"
        )


def _key(word: str) -> str:
    return " ".join(word.strip().strip('"').casefold().replace("_", " ").replace("-", " ").split())


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{path}: cannot be read ({reason}); give a list of scenes") from None
    except ValueError:
        raise ProjectError(f"{path}: not a text file; give one scene a line in UTF-8") from None
