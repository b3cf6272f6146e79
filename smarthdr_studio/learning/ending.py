"""How a run comes to its end: what stopped it is told, and what it has learned is saved."""

from contextlib import suppress
from dataclasses import replace

import torch

from smarthdr_studio.core.errors import OutOfMemory, Remedy, StudioError
from smarthdr_studio.core.events import PhaseChanged, RunFinished, TrainingEvent
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.faults import in_words, let_go
from smarthdr_studio.learning.keeping import has_unsaved_progress
from smarthdr_studio.learning.remedies import remedies
from smarthdr_studio.learning.run import TrainingRun
from smarthdr_studio.learning.run_log import RunLog
from smarthdr_studio.learning.runtime import give_memory_back, pick_precision
from smarthdr_studio.learning.steering import StopAsked, snapshot

_PREDICTING = frozenset({"labelling", "validating"})


class Ending:
    """The last word of a run; stopped by the person, until something else is heard of."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._phase = ""
        self.last = RunFinished(
            run=folder.id,
            outcome="stopped",
            step=0,
            message="stopped by the person; resume to go on",
        )

    def hear(self, event: TrainingEvent) -> None:
        """Every event of the run."""
        if isinstance(event, PhaseChanged):
            self._phase = event.phase
        elif isinstance(event, RunFinished):
            self.last = event

    def of_wish(self, asked: StopAsked) -> None:
        """Somebody wished for the end."""
        self.last = replace(self.last, message=str(asked))

    def of_error(self, error: Exception, run: TrainingRun) -> Exception:
        """What is to be raised for it, the error itself where it is no person's to mend.

        What a failed step holds is given back, so that there is memory to save in.
        """
        known = in_words(
            error, run=self._folder.id, folder=self._folder.path, remedies=self._remedies(run)
        )
        found = known.remedies if isinstance(known, OutOfMemory) else ()
        message = str(known or error)
        self.last = replace(self.last, outcome="failed", message=message, remedies=found)
        let_go(error)
        run.learner.optimiser.zero_grad(set_to_none=True)
        give_memory_back()
        return known or error

    def save_and_say(self, run: TrainingRun, log: RunLog) -> None:
        """Of a run cut short: a checkpoint, and the last word, as far as the disk takes them."""
        if self.last.outcome == "done":
            return
        self.last = replace(self.last, step=run.progress.step)
        last_words: list[TrainingEvent] = []
        try:
            if has_unsaved_progress(run):
                last_words.append(snapshot(run, self._folder))
        except (OSError, RuntimeError, MemoryError, StudioError) as error:
            if self.last.outcome == "stopped":  # else the error that is under way says so
                why = in_words(error, run=self._folder.id, folder=self._folder.path) or error
                message = f"stopped, but the last steps could not be saved: {why}"
                self.last = replace(self.last, message=message)
        with suppress(OSError):  # what was saved is saved, whether the log can still say so or not
            for event in (*last_words, self.last):
                log.write(event)

    def _remedies(self, run: TrainingRun) -> tuple[Remedy, ...]:
        """What would help if memory ran out in this phase."""
        device, precision = run.predictor.device, run.predictor.precision
        return remedies(
            run.plan,
            predicting=self._phase in _PREDICTING,
            could_bfloat16=precision is torch.float32 and pick_precision(device) is torch.bfloat16,
        )
