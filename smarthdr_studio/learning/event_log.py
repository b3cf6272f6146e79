"""What a run says of itself, and where: events.jsonl in its folder, and curves for TensorBoard."""

import errno
import json
import os
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from smarthdr_studio.core.files import AnyPath, file_checksum
from smarthdr_studio.core.records import open_plain, open_to_append
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    Steered,
    StepReported,
    StepSkipped,
    TrainingEvent,
    Validated,
    as_logged,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.starter import meant_model
from smarthdr_studio.core.words import counted
from smarthdr_studio.learning.compute import precision_name
from smarthdr_studio.learning.estimate import short_epochs
from smarthdr_studio.learning.label_set import stale_sentence
from smarthdr_studio.learning.methods import StagedMethod
from smarthdr_studio.learning.train_state import TrainingRun


def run_started(run: TrainingRun, folder: RunFolder) -> RunStarted:
    """The first event of a run, new or resumed."""
    return RunStarted(
        run=folder.id,
        folder=str(folder.path),
        device=str(run.predictor.device),
        network=run.plan.network.name,
        total_steps=run.total_steps,
        total_epochs=run.plan.schedule.epochs,
        step=run.progress.step,
        labelled=tuple(sorted({*run.label_set.labelled, *run.label_set.promoted})),
        unlabelled=run.label_set.unlabelled,
        held_out=run.label_set.held_out,
        precision=precision_name(run.predictor.precision),
        processes=run.ranks.size,
        precision_why=run.precision_why,
        material=run.plan.material,
        short_epochs=short_epochs(run),
        rounds_left=run.rounds_left,
        changes_wait=run.changes_wait,
        at_epoch=run.progress.epoch or None,
    )


def begun_from(run: TrainingRun) -> Steered | None:
    """Whose weights a run begins with; None where it begins anew, or goes on."""
    weights, at = run.plan.network.start_from, run.progress
    if weights is None or at.step:
        return None
    text = f"begins with the weights of {weights} ({file_checksum(meant_model(weights))[:8]})"
    return Steered(step=at.step, epoch=at.epoch, text=text)


def stale_told(run: TrainingRun, folder: RunFolder) -> Steered | None:
    """That the run learns from what was made under another response curve; None where it does not.

    Of a run that is gone on with, also that it began under another one.
    """
    at = run.progress
    text = stale_sentence(run.project, run.label_set, run=folder.id)
    return Steered(step=at.step, epoch=at.epoch, text=text) if text else None


def learning_phase(run: TrainingRun) -> PhaseChanged:
    """Which epoch is going on, and what it learns from."""
    at, epochs = run.progress, run.plan.schedule.epochs
    if run.method is not None:
        return _stage_phase(run, run.method)
    warming_up = run.learns_from_pseudo_labels and not at.round
    what = "labels only" if run.in_warm_up else "labels and pseudo-labels"
    return PhaseChanged(
        phase="warm-up" if warming_up else "learning",
        text=f"epoch {at.epoch + 1} of {epochs}: learning from {what}",
        step=at.step,
        done=at.epoch,
        total=epochs,
    )


def _stage_phase(run: TrainingRun, method: StagedMethod) -> PhaseChanged:
    """Which epoch is going on, of which stage."""
    at, epochs, stages = run.progress, run.plan.schedule.epochs, method.stages
    return PhaseChanged(
        phase="learning",
        text=f"epoch {at.epoch + 1} of {epochs}: stage {at.stage} of {len(stages)}, "
        f"{stages[at.stage - 1].name}",
        step=at.step,
        done=at.epoch,
        total=epochs,
    )


def run_finished(run: TrainingRun, folder: RunFolder) -> RunFinished:
    """The last event of a run that came to its end, by its plan or because it stood still."""
    best, at = run.best, run.progress
    message = "trained"
    if at.epoch < run.plan.schedule.epochs:
        message = f"stopped early after epoch {at.epoch}: no better PSNR-μ in "
        message += counted(best.behind, "check")
        if best.psnr_mu is not None:
            message += f"; the best was epoch {best.epoch + 1} ({best.psnr_mu:.2f} dB)"
    return RunFinished(run=folder.id, outcome="done", step=at.step, message=message)


def plan_changed(run: TrainingRun) -> Steered:
    """What a resumed run does otherwise than before, by setting."""
    at = run.progress
    changes = ", ".join(run.plan_changes)
    return Steered(step=at.step, epoch=at.epoch, text=f"resumed with {changes}")


class TensorboardLog:
    """One event file per start of a run; a resumed run adds another, hiding what it repeats.

    Written at once, without a thread: what cannot be written is told where it happens.
    """

    def __init__(self, folder: AnyPath, *, step: int) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        seconds, rest = divmod(time.time_ns(), 10**9)
        origin = f"{socket.gethostname()}.{os.getpid()}.{rest:09d}"
        path = folder / f"events.out.tfevents.{seconds:010d}.{origin}"
        self._file = open_to_append(path)
        self._records = RecordWriter(self._file)
        self._write(event_pb2.Event(file_version="brain.Event:2"))
        if step:
            # Steps after `step` that an interrupted run already wrote are purged from the display.
            begun = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._write(event_pb2.Event(step=step + 1, session_log=begun))

    def write(self, event: TrainingEvent) -> None:
        """Adds the numbers of an event; events without numbers add nothing. Raises OSError."""
        curves = _curves(event)
        if curves:
            values = [
                summary_pb2.Summary.Value(tag=name, simple_value=value)
                for name, value in curves.items()
            ]
            summary = summary_pb2.Summary(value=values)
            self._write(event_pb2.Event(step=_step(event), summary=summary))

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _write(self, event: "event_pb2.Event") -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())


def _curves(event: TrainingEvent) -> dict[str, float]:
    match event:
        case StepReported():
            curves = {f"loss/{name}": value for name, value in event.losses.items()}
            curves["speed/images_per_second"] = event.images_per_second
            return curves | _known_curves(
                {
                    "learning_rate": event.learning_rate,
                    "gradient_norm": event.gradient_norm,
                    "student_teacher_distance": event.distance,
                    "speed/data_share": event.data_share,
                    "memory_bytes": event.memory_bytes,
                }
            )
        case StepSkipped():
            return {"skipped_steps": float(event.count)}
        case Validated():
            return _known_curves(
                {
                    "validation/psnr_mu": event.psnr_mu,
                    "validation/psnr_l": event.psnr_l,
                    "validation/ssim_mu": event.ssim_mu,
                    "validation/ssim_l": event.ssim_l,
                    "validation/ause": event.ause,
                    "validation/calibration": event.calibration,
                }
            )
        case RoundFinished():
            return _known_curves(
                {
                    "round/retained": event.retained,
                    "round/patches_retained": event.patches_retained,
                    "round/sigma_mean": event.sigma_mean,
                    "round/gap": event.gap,
                }
            )
        case RunStarted() | PhaseChanged() | Steered() | CheckpointSaved() | RunFinished():
            return {}
        case _:
            assert_never(event)


def _known_curves(curves: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in curves.items() if value is not None}


def _step(event: TrainingEvent) -> int:
    return event.step


class RunLog:
    """events.jsonl, one event a line with its time, and TensorBoard's files beside it."""

    def __init__(self, folder: AnyPath, *, step: int) -> None:
        folder = Path(folder)
        self._path = folder / "events.jsonl"
        self._lines = open_to_append(self._path)
        self._phase: PhaseChanged | None = None
        try:
            self._end_cut_line()
            self._curves = TensorboardLog(folder / "tensorboard", step=step)
        except BaseException:
            self._lines.close()
            raise

    def write(self, event: TrainingEvent) -> None:
        """Appends at once, so that a killed run has told everything it knew.

        What a pause says again and again is told once. Raises OSError where the disk is full, and
        where the folder has been taken away.
        """
        if isinstance(event, PhaseChanged):
            if event == self._phase:
                return
            self._phase = event
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **as_logged(event)}
        self._refuse_if_gone()
        self._append((json.dumps(entry, ensure_ascii=False) + "\n").encode())
        self._curves.write(event)

    def close(self) -> None:
        """Lets go of the files."""
        self._lines.close()
        self._curves.close()

    def _append(self, line: bytes) -> None:
        """The whole line or nothing of it."""
        before = os.fstat(self._lines.fileno()).st_size
        written = self._lines.write(line)
        if written != len(line):
            self._lines.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def _refuse_if_gone(self) -> None:
        """Most systems let one go on writing into a file that nobody will ever find again."""
        there, held = self._path.stat(), os.fstat(self._lines.fileno())
        if (there.st_ino, there.st_dev) != (held.st_ino, held.st_dev):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._path))

    def _end_cut_line(self) -> None:
        """A kill may have cut the last line; what follows begins one of its own."""
        if not self._path.stat().st_size:
            return
        with open_plain(self._path) as written:
            written.seek(-1, os.SEEK_END)
            whole = written.read() == b"\n"
        if not whole:
            self._append(b"\n")
