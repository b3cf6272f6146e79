"""The verbs that exchange work: splits, the journal, a dataset folder, a report."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from smarthdr_studio.cli import DONE, PARTLY
from smarthdr_studio.cli.options import refuse_beside
from smarthdr_studio.cli.output import (
    Json,
    left_out_as_json,
    print_json,
    print_left_out,
    print_line,
    print_note,
    print_table,
    progress,
)
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.core.reporting.tables import Progress

ProjectFolder = Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")]
_ONE: Final = {"scenes": "scene", "entries": "entry"}
TableFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where to; ends in .csv or .json.")]


def export_split(project: ProjectFolder, file: TableFile, *, as_json: Json = False) -> None:
    """Write what every scene is, and why.

    One line for each scene: status, label and its checksum, thresholds, run, round, notes, frames.
    """
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.reporting.splits import export_split as export

    with Project.open(project) as opened:
        count = export(opened, file)
    _print_count(file, count, what="scenes", as_json=as_json)


def export_journal(project: ProjectFolder, file: TableFile, *, as_json: Json = False) -> None:
    """Write every decision, in order."""
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.reporting.tables import export_journal as export

    with Project.open(project) as opened:
        count = export(opened, file)
    _print_count(file, count, what="entries", as_json=as_json)


def import_split(
    project: ProjectFolder,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Scene names, or what export-split wrote.")
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why; kept in the project's journal.")] = "",
    as_json: Json = False,
) -> None:
    """Give scenes the statuses a file asks for.

    A file with a scene on each line means: these are labelled, every other training scene is
    unlabelled. "NAME STATUS" on a line changes the named scenes alone. One undo takes all back.
    """
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.reporting.splits import read_split

    refuse_beside("--dry-run", {"--note": bool(note) and dry_run})
    with Project.open(project) as opened:
        wanted, before = read_split(file, opened), opened.statuses()
        changed = {name: to for name, to in wanted.items() if before[name] is not to}
        if not dry_run:
            Decisions(opened).import_split(wanted, note=note or f"from {file.name}")
    rows = [(name, str(before[name]), str(to)) for name, to in changed.items()]
    if as_json:
        told = [{"id": name, "before": was, "after": to} for name, was, to in rows]
        print_json({"changed": told, "dry_run": dry_run})
        return
    if rows:
        print_table(("scene", "was", "is"), rows, title=f"{file}", words=3)
    counts = ", ".join(f"{count} {to}" for to, count in Counter(row[2] for row in rows).items())
    would = "would change" if dry_run else "changed"
    print_line(
        f"{len(rows)} of {counted(len(before), 'scene')} {would}{': ' + counts if counts else ''}"
    )


def export_dataset(
    project: ProjectFolder,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
    *,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the frames, so that the folder stands alone.")
    ] = False,
    labels: Annotated[
        Literal["hdr", "exr"], typer.Option(help="Labels as RGBE or as half floats.")
    ] = "hdr",
    with_unlabelled: Annotated[
        bool, typer.Option("--with-unlabelled", help="Scenes without a label as well.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Write the curated set as a dataset folder.

    It has the layout of Kalantari 2017, with a trust mask beside each promoted label; frames are
    links unless they are copied. A scene whose pictures or label cannot be used is left out and
    told: exit status 6.
    """
    from smarthdr_studio.core.project.journal import Status
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.reporting.dataset_export import CURATED
    from smarthdr_studio.core.reporting.dataset_export import export_dataset as export

    include = CURATED | ({Status.UNLABELLED} if with_unlabelled else set())
    with Project.open(project) as opened, _progress_teller() as tell:
        written = export(
            opened,
            folder,
            frames="copy" if copy else "link",
            labels=labels,
            include=include,
            tell=tell,
        )
    print_left_out(written.left_out)
    if as_json:
        counts = {"scenes": dict(written.scenes), "frames": dict(written.frames)}
        left_out = left_out_as_json(written.left_out)
        print_json({"folder": str(written.folder), **counts, "left_out": left_out})
    else:
        print_line(written.words)
    return PARTLY if written.left_out else DONE


def report(
    project: ProjectFolder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; ends in .html.")],
    *,
    scenes: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only these scenes; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a page to hand on: pictures, figures and decisions.

    One HTML file that needs nothing beside itself. What of a scene cannot be used leaves a sentence
    in the page, and is told here.
    """
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.reporting.report import write_report

    with Project.open(project) as opened, _progress_teller() as tell:
        written = write_report(opened, file, scenes=scenes, tell=tell)
    for sentence in written.problems:
        print_note(sentence)
    if as_json:
        answer = {"scenes": written.scenes, "problems": list(written.problems)}
        print_json({"file": str(file), **answer})
    else:
        _print_count(file, written.scenes, what="scenes", as_json=False)


@contextmanager
def _progress_teller() -> "Iterator[Progress]":
    """A bar that follows what core tells."""
    with progress() as bar:
        task = bar.add_task("", total=None)
        yield lambda text, done, total: bar.update(
            task, description=text, completed=done, total=total or None
        )


def _print_count(file: Path, count: int, *, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(file), what: count})
    else:
        print_line(f"{file}: 1 {_ONE[what]}" if count == 1 else f"{file}: {count} {what}")
