"""The verbs `runs list` and `runs show`: how runs stand, and what became of one."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.decide import ProjectFolder
from smarthdr_studio.cli.output import Json, print_json, print_table, say
from smarthdr_studio.cli.runs_words import (
    COLUMNS,
    WORDS,
    RunName,
    as_cells,
    facts_of,
    opened,
    row_as_json,
)

if TYPE_CHECKING:
    from smarthdr_studio.core.running.diary import DiaryLine


def list_(
    project: ProjectFolder,
    *,
    discarded: Annotated[
        bool, typer.Option("--discarded", help="Those in the trash instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the runs, the latest first.

    A run is running, paused, interrupted (its process died), stopped, failed or done.
    """
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.running.discarded import discarded_runs
    from smarthdr_studio.core.running.listing import list_rows, row_of
    from smarthdr_studio.core.runs import RunFolder

    with Project.open(project) as found:
        if discarded:
            rows = tuple(row_of(RunFolder(run.folder)) for run in discarded_runs(found))
        else:
            rows = list_rows(found)
    if as_json:
        print_json({"runs": [row_as_json(row) for row in rows]})
        return
    where = "in the trash" if discarded else f"of {project}"
    counted = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
    print_table(COLUMNS, map(as_cells, rows), title=f"{counted} {where}", words=WORDS)


def show(
    project: ProjectFolder,
    run: RunName = "last",
    *,
    lines: Annotated[int, typer.Option(min=0, help="How many lines of its diary.")] = 20,
    as_json: Json = False,
) -> None:
    """Say how a run stands, with its diary.

    And what of labels and thresholds is otherwise now than when it was started.
    """
    from smarthdr_studio.core.running.diary import diary_of
    from smarthdr_studio.core.running.listing import row_of
    from smarthdr_studio.core.running.log import rare_events
    from smarthdr_studio.core.running.stand import changes_since

    with opened(project, run) as (found, folder):
        row, diary = row_of(folder), diary_of(rare_events(folder))
        changes = [change.words for change in changes_since(found, folder)]
    told = diary[-lines:] if lines else ()
    if as_json:
        print_json({"run": row_as_json(row), "diary": [*map(_as_json, told)], "since": changes})
        return
    print_table(("run", row.id), facts_of(row), title="How it stands", words=2)
    rows = [(f"{each.time:%m-%d %H:%M}", each.text, str(each.step)) for each in told]
    print_table(("UTC", "what happened", "step"), rows, title="Diary", words=2)
    for change in changes:
        say(f"since then: {change}")


def _as_json(line: "DiaryLine") -> dict[str, object]:
    return {**asdict(line), "time": line.time.isoformat(timespec="milliseconds")}
