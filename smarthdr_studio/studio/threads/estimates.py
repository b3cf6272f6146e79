"""Estimating a run on a thread; it holds the device for a few seconds and gives it back."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from smarthdr_studio.core.run_estimate import Estimate
from smarthdr_studio.studio.tasks import Report

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan


def estimate(report: Report, *, plan: "TrainingPlan", project: Path) -> Estimate:
    """What a run would take; `report` says what is measured, and raises to give up between steps.

    Raises StudioError as training does at its start.
    """
    report("loading the training code", 0, 0)
    from smarthdr_studio.learning.estimate import estimate as ask

    with closing(ask(plan, project)) as events:
        for event in events:
            if isinstance(event, Estimate):
                return event
            report(event.text, 0, 0)
    raise RuntimeError("an estimate that ends without one")
