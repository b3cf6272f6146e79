"""Every curve of a run read back from its log, however long it is."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.event_lines import values_in
from smarthdr_studio.core.many import many_objects
from smarthdr_studio.core.running.scanning import chunks
from smarthdr_studio.core.runs import RunFolder

Doubles = npt.NDArray[np.float64]
Curve = tuple[Doubles, Doubles]

_OF_STEPS: Final = {
    "distance": "distance",
    "learning_rate": "learning_rate",
    "gradient_norm": "gradient_norm",
    "images_per_second": "images_per_second",
    "memory_bytes": "memory_bytes",
}
_OF_ROUNDS: Final = ("retained", "patches_retained", "gates_retained", "sigma_mean")
_OF_CHECKS: Final = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l", "ause")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunCurves:
    """The curves of a run by name, each x (the step) and y as float64 of one length.

    Names: every loss term ("total", "labelled_reconstruction" …); psnr_mu, psnr_l (dB), ssim_mu,
    ssim_l, ause of checks; retained, patches_retained, gates_retained (shares in [0, 1]) and
    sigma_mean of rounds; distance, learning_rate, gradient_norm, images_per_second, memory_bytes
    of steps; skipped, how many steps were skipped until then. A curve nobody measured is not
    there. `read_to` is the byte from which a `RunTail` goes on.
    """

    run: str
    series: Mapping[str, Curve]
    read_to: int


def read_curves(
    run: RunFolder,
    *,
    known: RunCurves | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> RunCurves:
    """Every curve, x rising; values that are no finite numbers are left out.

    What came after the checkpoint a run was resumed from is not part of it. A log that is not
    there, or cannot be read to its end, has the curves found so far.

    Args:
        run: the run's folder; nothing need be in it.
        known: what was read of it before, so that only what is new is read.
        tell: hears now and then how many bytes of how many are read; it may raise to give up.
    """
    sessions = [_Session(from_step=0)]
    read_to = 0
    try:
        size = run.events_path.stat().st_size
        if known is not None and known.read_to <= size:
            read_to = known.read_to
            sessions[0].parts = {name: [curve] for name, curve in known.series.items()}
        for lines in chunks(run.events_path, start=read_to):
            with many_objects():
                _take(values_of(lines), sessions)
            read_to += len(lines)
            if tell is not None:
                tell(read_to, size)
    except OSError:
        pass
    return RunCurves(run=run.id, series=_joined(sessions), read_to=read_to)


def values_of(lines: bytes) -> Sequence[Mapping[str, Any]]:
    """Whole lines as plain values, all decoded at once; one by one where any is damaged."""
    try:
        found = json.loads(b"[" + lines.rstrip(b"\n").replace(b"\n", b",") + b"]")
    except ValueError:
        return tuple(values_in(lines))
    return [values for values in found if isinstance(values, dict) and "event" in values]


class _Session:
    """What one process said of a run, from `from_step` on."""

    def __init__(self, *, from_step: int) -> None:
        self.from_step = from_step
        self.parts: dict[str, list[Curve]] = {}

    def add(self, name: str, steps: Sequence[Any], values: Iterable[Any]) -> None:
        """Append to a curve; what is no finite number is left out."""
        x, y = np.array(steps, np.float64), np.array(list(values), np.float64)
        known = np.isfinite(y)
        if known.any():
            self.parts.setdefault(name, []).append((x[known], y[known]))


def _take(lines: Sequence[Mapping[str, Any]], sessions: list[_Session]) -> None:
    """Adds lines to the sessions; every start of a run begins another."""
    begun = 0
    for at, line in enumerate(lines):
        if line["event"] == "RunStarted":
            _add(lines[begun:at], sessions[-1])
            sessions.append(_Session(from_step=int(line.get("step", 0))))
            begun = at + 1
    _add(lines[begun:], sessions[-1])


def _add(lines: Sequence[Mapping[str, Any]], session: _Session) -> None:
    _add_steps([line for line in lines if line["event"] == "StepReported"], session)
    for kind, names in (("RoundFinished", _OF_ROUNDS), ("Validated", _OF_CHECKS)):
        found = [line for line in lines if line["event"] == kind]
        for name in names:
            session.add(name, _steps(found), [line.get(name) for line in found])
    skipped = [line for line in lines if line["event"] == "StepSkipped"]
    session.add("skipped", _steps(skipped), [line.get("count") for line in skipped])


def _add_steps(lines: Sequence[Mapping[str, Any]], session: _Session) -> None:
    if not lines:
        return
    steps, losses = _steps(lines), [line.get("losses") or {} for line in lines]
    # Terms come and go where rounds begin and end; within some thousand lines they seldom do.
    for term in dict.fromkeys(name for terms in losses for name in terms):
        session.add(term, steps, [terms.get(term) for terms in losses])
    for name, key in _OF_STEPS.items():
        session.add(name, steps, [line.get(key) for line in lines])


def _steps(lines: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [line.get("step", 0) for line in lines]


def _joined(sessions: Sequence[_Session]) -> dict[str, Curve]:
    """One curve of each name; a later session replaces what came after its first step."""
    parts: dict[str, list[Curve]] = {}
    end = np.inf
    for session in reversed(sessions):
        for name, curves in session.parts.items():
            x = np.concatenate([x for x, _ in curves])
            y = np.concatenate([y for _, y in curves])
            later = parts.setdefault(name, [])
            kept = (x <= end) & (x < (later[-1][0][0] if later else np.inf))
            if kept.any():
                later.append((x[kept], y[kept]))
        end = min(end, session.from_step)
    return {
        name: (
            np.concatenate([x for x, _ in reversed(curves)]),
            np.concatenate([y for _, y in reversed(curves)]),
        )
        for name, curves in parts.items()
        if curves
    }
