"""One cell of a benchmark: trained or gone on with, evaluated on the test scenes, written down."""

import json
import os
import platform
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import torch

from smarthdr_studio import __version__
from smarthdr_studio.core.errors import BadScene, ProjectError
from smarthdr_studio.core.files import save_text
from smarthdr_studio.core.records import read_json
from smarthdr_studio.core.training.benchmark import BenchmarkData, Cell
from smarthdr_studio.core.training.benchmark_results import (
    BenchmarkFolder,
    CellResult,
    learning_mark,
    read_result,
    rounded,
    write_result,
)
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.core.training.round_files import drop_rounds
from smarthdr_studio.core.training.run_folder import (
    RunFolder,
    checkpoints_of,
    run_of,
    started_at,
    write_note,
)
from smarthdr_studio.core.training.run_index import read_digest
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.training.run_log import rare_events
from smarthdr_studio.learning.checkpoints import drop_checkpoints, read_info
from smarthdr_studio.learning.compute import pick_device
from smarthdr_studio.learning.evaluation import Evaluation, evaluate
from smarthdr_studio.learning.trainer import train

_RUN = "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellProgress:
    """How far a cell is: `step` of `total` steps, what it is doing, and what is left of training.

    `seconds_left` is None where that is not known.
    """

    step: int
    total: int
    text: str
    seconds_left: float | None = None


def use_threads(count: int) -> None:
    """How many threads torch and OpenCV may use in this process."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def run_cell(
    cell: Cell, folder: BenchmarkFolder, data: BenchmarkData, *, keep_runs: bool = False
) -> Generator[CellProgress, None, CellResult]:
    """Measures one cell, saying how far it is; what it returns is in its file by then.

    A cell that is measured is not measured again; one that was interrupted goes on where its run
    was saved. Closing the generator saves the run. Its project has to be there.

    Args:
        cell: what is trained from which labels.
        folder: where the project, the run and the result lie.
        data: the dataset, for what the result says of it.
        keep_runs: keep every checkpoint and round, not only the last and the best checkpoint.

    Raises:
        StudioError: one sentence; another process measures it among them.
    """
    place = folder.cell(cell.identity)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"{place}: cannot be made ({error.strerror}); allow writing there"
        ) from None
    with run_lock(place) as hold:
        known = read_result(folder.result(cell.identity))
        if known is not None:
            return known
        project = folder.project(cell, data)
        run = yield from _trained(cell, project, place)
        begun = time.monotonic()
        checkpoint = checkpoints_of(run.path)[-1]
        evaluation = yield from _evaluated(cell, project, checkpoint)
        result = _result(
            cell,
            data,
            run,
            place=place,
            evaluation=evaluation,
            evaluated_s=time.monotonic() - begun,
        )
        hold.refuse_lost()
        write_result(folder.result(cell.identity), result)
        if not keep_runs:
            drop_checkpoints(run.path, keep=1)
            drop_rounds(run.path, needed_from=len(result.rounds) + 1, keep_bytes=0)
        return result


def _trained(cell: Cell, project: Path, place: Path) -> Generator[CellProgress, None, RunFolder]:
    """The run of a cell at its end."""
    run = _begun_run(project, place)
    if run is not None and read_digest(run).outcome == "done" and checkpoints_of(run.path):
        return run
    ended: RunFinished | None = None
    total = 0
    with closing(train(cell.plan, project, resume=None if run is None else run.id)) as events:
        for event in events:
            if isinstance(event, RunStarted):
                run, total = run_of(project, event.run), event.total_steps
                _remember_run(cell, run, place)
            elif isinstance(event, RunFinished):
                ended = event
            if (told := _progress(event, total)) is not None:
                yield told
    if run is None or ended is None or ended.outcome != "done":
        where = project if run is None else run.path
        raise ProjectError(f"{where}: was stopped before its end; call the benchmark again")
    return run


def _begun_run(project: Path, place: Path) -> RunFolder | None:
    """The run a cell was begun with, if it can be gone on with."""
    try:
        name = read_json(place / _RUN)["run"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    run = run_of(project, name)
    return run if run.plan_path.is_file() else None


def _marks_in(place: Path, *, of: str = "") -> tuple[str, ...]:
    """What learned in the sessions of the run of a cell, and what learns now.

    `of` is the run that is meant; of another one nothing counts.
    """
    try:
        about = read_json(place / _RUN)
        before = about["learning"] if of in ("", about["run"]) else []
    except (OSError, ValueError, KeyError, TypeError):
        before = []
    return tuple(dict.fromkeys([*map(str, before), learning_mark() or "unknown"]))


def _remember_run(cell: Cell, run: RunFolder, place: Path) -> None:
    about = {
        "row": cell.row,
        "seed": cell.seed,
        "run": run.id,
        "learning": _marks_in(place, of=run.id),
    }
    save_text(place / _RUN, json.dumps(about, ensure_ascii=False))
    write_note(run, cell.title)


def _progress(event: TrainingEvent, total: int) -> CellProgress | None:
    match event:
        case StepReported(step=step, losses=losses, seconds_left=left):
            text = f"loss {losses['total']:.4f}"
            return CellProgress(step=step, total=total, text=text, seconds_left=left)
        case RunStarted(step=step):
            return CellProgress(step=step, total=total, text="begun" if step == 0 else "goes on")
        case PhaseChanged(step=step, text=text):
            return CellProgress(step=step, total=total, text=text)
        case _:
            return None


def _evaluated(
    cell: Cell, project: Path, checkpoint: Path
) -> Generator[CellProgress, None, Evaluation]:
    found: Evaluation | None = None
    for event in evaluate(project, model=checkpoint, split="test", device=cell.plan.device):
        if isinstance(event, PhaseChanged):
            yield CellProgress(step=event.step, total=event.step, text=event.text)
        else:
            found = event
    assert found is not None
    if found.problems:
        raise BadScene(found.problems[0])
    return found


def _result(
    cell: Cell,
    data: BenchmarkData,
    run: RunFolder,
    *,
    place: Path,
    evaluation: Evaluation,
    evaluated_s: float,
) -> CellResult:
    parts = {f"psnr_mu_{name}": part.psnr_mu for name, part in evaluation.parts.items()}
    teacher = {
        **asdict(evaluation.mean),
        "psnr_pu": evaluation.others["psnr_pu"],
        **parts,
        **asdict(evaluation.reliability),
    }
    scenes = tuple(_of_scene(each.id, asdict(each.teacher), data) for each in evaluation.scenes)
    events = [each.event for each in rare_events(run)]
    return CellResult(
        identity=cell.identity,
        row=cell.row,
        seed=cell.seed,
        labels=cell.labels,
        plan={"preset": cell.plan.preset, "set": dict(cell.settings)},
        dataset={"name": data.name, "fingerprint": data.fingerprint, "scenes": data.scenes},
        machine=_machine(cell, events),
        started=started_at(run).isoformat(timespec="seconds"),
        seconds=round(read_digest(run).seconds_of_work + evaluated_s, 1),
        steps=read_info(evaluation.checkpoint).step,
        teacher={name: _figure(name, value) for name, value in teacher.items()},
        merge={
            name: _figure(name, value)
            for name, value in asdict(evaluation.merge).items()
            if name.startswith("psnr")
        },
        scenes=scenes,
        kinds=_by_kind(scenes),
        rounds=_rounds(events),
        checks=_checks(events),
        program={"version": __version__, "learning": "+".join(_marks_in(place))},
        note=next((e.short_epochs for e in reversed(events) if isinstance(e, RunStarted)), ""),
    )


def _figure(name: str, value: float) -> float | None:
    return rounded(value, decibels=name.startswith("psnr"))


def _of_scene(name: str, figures: Mapping[str, float], data: BenchmarkData) -> dict[str, Any]:
    told = {key: _figure(key, figures[key]) for key in ("psnr_mu", "psnr_l")}
    kind = data.kinds.get(name)
    return {"id": name, **({} if kind is None else {"kind": kind}), **told}


def _by_kind(scenes: tuple[Mapping[str, Any], ...]) -> dict[str, dict[str, Any]]:
    """Means over the scenes of each kind, in the order of their names."""
    found: dict[str, dict[str, Any]] = {}
    for kind in sorted({each["kind"] for each in scenes if "kind" in each}):
        those = [each for each in scenes if each.get("kind") == kind]
        found[kind] = {"scenes": len(those)}
        for name in ("psnr_mu", "psnr_l"):
            values = [each[name] for each in those if each[name] is not None]
            found[kind][name] = _figure(name, fmean(values)) if values else None
    return found


def _rounds(events: list[TrainingEvent]) -> tuple[dict[str, Any], ...]:
    """Every round once: a resumed run says again what came after its checkpoint."""
    found = {event.round: event for event in events if isinstance(event, RoundFinished)}
    return tuple(
        {
            "round": number,
            "step": found[number].step,
            "retained": rounded(found[number].retained),
            "patches_retained": rounded(found[number].patches_retained),
            "sigma_mean": rounded(found[number].sigma_mean),
        }
        for number in sorted(found)
    )


def _checks(events: list[TrainingEvent]) -> tuple[dict[str, Any], ...]:
    found = {event.step: event for event in events if isinstance(event, Validated)}
    return tuple(
        {
            "step": step,
            "psnr_mu": rounded(found[step].psnr_mu, decibels=True),
            "psnr_l": rounded(found[step].psnr_l, decibels=True),
        }
        for step in sorted(found)
    )


def _machine(cell: Cell, events: list[TrainingEvent]) -> dict[str, Any]:
    device = pick_device(cell.plan.device)
    precisions = [event.precision for event in events if isinstance(event, RunStarted)]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": name,
        "precision": precisions[-1] if precisions else None,
    }


def _processor() -> str:
    """The name of the processor as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
