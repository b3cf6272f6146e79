"""How a run stands, in words: its phase, how far it is, and what else there is to know of it."""

from datetime import UTC, datetime

from smarthdr_studio.studio.panels.parts import duration
from smarthdr_studio.studio.state import Activity, TrainingState
from smarthdr_studio.studio.state.training import GO_ON, PAUSE


def phase_in_words(run: TrainingState) -> str:
    """What the run is doing, from its first second to its last word."""
    if run.silent:
        return f"no event for 60 s; last: {run.phase or 'starting'}"
    words = _activity(run)
    if run.past and run.run:
        return f"last run, {name_of(run.run)}: {words}"
    return f"elsewhere: {words}" if run.elsewhere else words


def progress_in_words(run: TrainingState) -> str:
    """Epoch, quality and time left, as far as they are known."""
    parts = []
    if run.total_epochs and not (run.busy and run.phase.startswith("epoch ")):
        parts.append(f"epoch {min(run.epoch + 1, run.total_epochs)} of {run.total_epochs}")
    if run.psnr_mu is not None:
        parts.append(f"PSNR-μ {run.psnr_mu:.2f} dB")
    if run.activity is Activity.RUNNING and run.seconds_left:
        parts.append(f"{duration(run.seconds_left)} left")
    elif run.activity is Activity.RUNNING and run.step:
        parts.append("time left: estimating")
    return " · ".join(parts)


def notes_in_words(run: TrainingState) -> str:
    """What was asked of the run and waits for its time, and what went wrong without ending it."""
    notes = []
    if run.asked and run.busy and run.asked not in (PAUSE, GO_ON):
        notes.append(f"asked to {run.asked}, heard after this step")
    if run.told and run.busy:
        notes.append(run.told)
    notes.extend(each.text for each in run.waiting)
    if run.busy and run.changes_wait:
        notes.append(f"what you changed takes effect in {run.changes_in}")
    if run.skipped:
        steps = "1 step was" if run.skipped == 1 else f"{run.skipped} steps were"
        notes.append(f"{steps} skipped: {run.skipped_why}")
    return " · ".join(notes)


def name_of(run: str) -> str:
    """A run as a person knows it: its preset, and when it was started on the local clock."""
    try:
        begun = datetime.strptime(run[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        begun = begun.astimezone()
    except ValueError:  # renamed by hand
        return run
    return f"{run[16:].replace('_', '-')} of {begun.day} {begun:%b %H:%M}"


def _activity(run: TrainingState) -> str:
    begin = "no run yet: pick a preset and press Train"
    go_on = "no run at work: press Train, or Resume to go on with the last one"
    where = f" at step {run.step}" if run.step else ""
    words = {
        Activity.IDLE: go_on if run.resumable else begin,
        Activity.STARTING: "starting: loading the training code",
        Activity.RUNNING: _running(run),
        Activity.PAUSED: f"pausing: {run.phase}" if run.asked == PAUSE else f"paused: {run.phase}",
        Activity.STOPPING: "stopping: finishing the step and saving a checkpoint",
        Activity.INTERRUPTED: f"interrupted{where}, its process ended without a word; Resume "
        "goes on from its last checkpoint",
    }
    return words.get(run.activity, run.message)


def _running(run: TrainingState) -> str:
    if run.asked == PAUSE:
        return f"asked to pause: {run.phase}"
    return f"asked to go on: {run.phase}" if run.asked == GO_ON else run.phase
