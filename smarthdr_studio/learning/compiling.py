"""The network compiled before the first step, or the run going on without, said in words."""

from collections.abc import Generator

from smarthdr_studio.core.events import PhaseChanged, Steered
from smarthdr_studio.learning.run import TrainingRun


def compiled(run: TrainingRun) -> Generator[PhaseChanged | Steered, None, None]:
    """Compiles the student where the plan asks for it; it can take minutes."""
    computation, at = run.learner.computation, run.progress
    if not computation.compiles:
        return
    yield PhaseChanged(phase="preparing", text="compiling the network", step=at.step)
    run.ranks.told(None)
    if complaint := computation.compiled():
        yield Steered(step=at.step, epoch=at.epoch, text=complaint)
