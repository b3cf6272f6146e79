"""The whole journal as a table: every decision about every scene, in order, in readable words."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.authorship import now
from smarthdr_studio.core.curation.moments import story
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.handover.tables import (
    Cell,
    is_json,
    refuse_inside,
    write_json,
    write_rows,
)
from smarthdr_studio.core.journal import JournalEntry
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.trust_files import masks_as_text

FORMAT: Final = 1

COLUMNS: Final = (
    *("seq", "at", "who", "what", "kind", "scene", "before", "after", "note", "tags"),
    *("tau_patch", "tau_pixel", "masks", "run", "round", "checkpoint", "label", "whole"),
    *("checksum", "truth", "person", "group", "undoes", "stands"),
)
_PLAIN: Final = (
    *("seq", "at", "who", "scene", "note", "run", "round", "checkpoint", "label", "whole"),
    *("checksum", "truth", "person", "group", "undoes"),
)


def export_journal(project: Project, path: AnyPath) -> int:
    """Write every entry as CSV or JSON, by the suffix; the answer is how many.

    Entries of one `group` were decided in one go; `stands` says whether the decision is in force
    or was undone. `masks` holds every setting in force after the entry. Raises ExportError.
    """
    path = Path(path)
    as_json, entries = is_json(path), project.entries()
    refuse_inside(project.dataset, path, what="dataset folder")
    lines = {line.group: line for line in story(entries)}
    words = [(lines[entry.group].what, not lines[entry.group].undone) for entry in entries]
    if as_json:
        about = {"format": FORMAT, "project": project.name, "exported": now()}
        told = [_whole(e, what=w, stands=s) for e, (w, s) in zip(entries, words, strict=True)]
        write_json(path, {**about, "entries": told})
    else:
        rows = [_row(e, what=w, stands=s) for e, (w, s) in zip(entries, words, strict=True)]
        write_rows(path, rows, columns=COLUMNS)
    return len(entries)


def _row(entry: JournalEntry, *, what: str, stands: bool) -> dict[str, Cell]:
    masks = entry.masks
    return {
        **_told(entry, what=what, stands=stands),
        "tags": " ".join(entry.tags),
        "tau_patch": None if masks is None else masks.tau_patch,
        "tau_pixel": None if masks is None else masks.tau_pixel,
        "masks": None if masks is None else masks_as_text(masks),
    }


def _whole(entry: JournalEntry, *, what: str, stands: bool) -> dict[str, Any]:
    masks = None if entry.masks is None else asdict(entry.masks)
    told = _told(entry, what=what, stands=stands)
    return {**told, "tags": list(entry.tags), "masks": masks}


def _told(entry: JournalEntry, *, what: str, stands: bool) -> dict[str, Cell]:
    before, after = entry.before, entry.after
    return {
        **{name: getattr(entry, name) for name in _PLAIN},
        "kind": entry.kind.value,
        "before": None if before is None else before.value,
        "after": None if after is None else after.value,
        "what": what,
        "stands": stands,
    }
