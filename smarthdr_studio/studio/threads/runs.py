"""The runs of a project, looked at again and again: cheaply, unless something of them is new."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from smarthdr_studio.core.liveness import is_at_work
from smarthdr_studio.core.running.listing import RunRow, row_of
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.tasks import Report

Mark = tuple[object, ...]

_TELLING: Final = ("events.jsonl", "plan.toml", "note.txt", "start.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsSeen:
    """Every run of a folder, the latest first, and by what each is known again."""

    folder: Path | None = None
    rows: tuple[RunRow, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)


def look_at_runs(report: Report, *, runs: Path, known: RunsSeen) -> RunsSeen:
    """The runs in a folder; only those are read of which a file or the lock is otherwise.

    Where nothing is new, `known` itself is the answer.
    """
    marks = {run.id: _mark(run) for run in _folders(runs)}
    if known.folder == runs and marks == known.marks:
        return known
    before = {row.id: row for row in known.rows} if known.folder == runs else {}
    rows = []
    for done, (name, mark) in enumerate(marks.items()):
        report("", done, len(marks))
        same = name in before and known.marks.get(name) == mark
        rows.append(before[name] if same else row_of(RunFolder(runs / name)))
    return RunsSeen(folder=runs, rows=tuple(rows), marks=marks)


def _folders(runs: Path) -> tuple[RunFolder, ...]:
    try:
        found = [path for path in runs.iterdir() if not path.name.startswith(".")]
    except OSError:
        return ()
    found.sort(key=lambda path: path.name, reverse=True)
    return tuple(RunFolder(path) for path in found if path.is_dir())


def _mark(run: RunFolder) -> Mark:
    """What is otherwise as soon as a run has something new to tell."""
    stamps: list[object] = []
    for name in _TELLING:
        try:
            about = (run.path / name).stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((about.st_ino, about.st_size, about.st_mtime_ns))
    return (_is_held(run.path), *stamps)


def _is_held(run: Path) -> bool:
    # Whoever lets go of a run empties the file: most runs need no more than this look.
    try:
        return (run / "at-work.json").stat().st_size > 0 and is_at_work(run)
    except OSError:
        return False
