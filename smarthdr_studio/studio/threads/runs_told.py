"""What is told of one run, or of several held against each other, read from their folders."""

from collections.abc import Sequence
from pathlib import Path

from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.diary import diary_of
from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.core.running.log import rare_events
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.state import RunsTold
from smarthdr_studio.studio.threads.runs_figures import checkpoints_of, facts_of, figures_of
from smarthdr_studio.studio.threads.runs_labels import checked_alike, label_contrasts, label_lists


def tell_of_runs(*, folder: Path, rows: Sequence[RunRow]) -> RunsTold:
    """Everything worth telling of these runs."""
    from smarthdr_studio.studio.threads.runs_plans import (  # the schema of plans takes a while
        against_preset,
        plan_contrasts,
    )

    runs = tuple(row.id for row in rows)
    with Project.open(folder) as project:
        if len(rows) > 1:
            plans, plan_words = plan_contrasts(rows)
            labels, label_words = label_contrasts(project, rows)
            return RunsTold(
                runs=runs,
                figures=figures_of(rows),
                figure_words=checked_alike(project, rows),
                plans=plans,
                plan_words=plan_words,
                labels=labels,
                label_words=label_words,
            )
        row = rows[0]
        plans, plan_words = against_preset(row)
        labels, label_words = label_lists(project, row)
    return RunsTold(
        runs=runs,
        facts=facts_of(row),
        checkpoints=checkpoints_of(row),
        plans=plans,
        plan_words=plan_words,
        labels=labels,
        label_words=label_words,
        diary=diary_of(rare_events(RunFolder(row.folder))),
    )
