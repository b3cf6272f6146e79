"""How the project stood and was looked at when a run was started, kept in the run's folder.

start.json    last entry of the journal, scenes by their part, thresholds
window.json   a copy of the project's, if it has one
"""

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.runs import RunFolder, new_run
from smarthdr_studio.core.trust_files import masks_as_text
from smarthdr_studio.learning.plan_file import write_plan
from smarthdr_studio.learning.roster import Roster


def begin(plan: TrainingPlan, project: AnyPath, *, roster: Roster) -> RunFolder:
    """A new run's folder with its plan and how the project stands, or none of it.

    Raises ProjectError.
    """
    project = Path(project)
    folder = new_run(project, plan.preset)
    try:
        write_plan(folder.plan_path, plan)
        tell_start(folder, project, roster=roster)
    except ProjectError:
        with suppress(OSError):
            shutil.rmtree(folder.path)
        raise
    return folder


def tell_start(folder: RunFolder, project: AnyPath, *, roster: Roster) -> None:
    """How the project stands, for a run that is at its first step. Raises ProjectError."""
    project = Path(project)
    try:
        with replacing(folder.start_path) as draft:
            draft.write_text(
                json.dumps(_start(roster, project), indent=2, ensure_ascii=False), encoding="utf-8"
            )
        window = project / folder.window_path.name
        if window.is_file():
            with replacing(folder.window_path) as draft:
                shutil.copyfile(window, draft)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{folder.path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None


def _start(roster: Roster, project: Path) -> dict[str, Any]:
    return {
        "journal": roster.journal,
        "labelled": list(roster.labelled),
        "promoted": {
            name: file.path.relative_to(project).as_posix()
            for name, file in sorted(roster.promoted.items())
        },
        "unlabelled": list(roster.unlabelled),
        "held_out": list(roster.held_out),
        "masks": json.loads(masks_as_text(roster.masks)),
    }
