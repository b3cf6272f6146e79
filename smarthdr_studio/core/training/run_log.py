"""The log of a run: what was appended since the last reading, and every curve read back from it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.environment import garbage_collection_paused, moment_in
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.records import open_plain, parse_lines
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    StepReported,
    TrainingEvent,
    event_of,
    values_in,
)
from smarthdr_studio.core.training.run_folder import RunFolder

Bytes = npt.NDArray[np.uint8]

CHUNK: Final = 2**24  # bytes that are looked through at a time

# Every line of a log begins like this, so that what it is about stands at a known place.
_HEAD: Final = len('{"time": "2026-01-31T12:00:00.000+00:00", "event": "')
_QUOTE, _COLON = ord('"'), ord(":")


def chunks(path: AnyPath, *, start: int = 0, size: int = CHUNK) -> Iterator[bytes]:
    """A log from a byte on, some whole lines at a time; a last line without an end is left out.

    Raises OSError.
    """
    path = Path(path)
    with open_plain(path) as log:
        log.seek(start)
        while read := log.read(size):
            end = read.rfind(b"\n") + 1
            if end:
                start += end
                yield read[:end]
                log.seek(start)  # where the next line begins
            elif len(read) < size:
                return
            else:
                size *= 2  # a line longer than all that was read
                log.seek(start)


def rare_lines(lines: bytes) -> list[bytes]:
    """All of some whole lines but steps and phases; before a start, also the line before it.

    The latter says until when the session before was heard. A line of another shape is kept:
    whoever reads it finds out what it is.
    """
    data = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if not len(ends):
        return []
    starts = np.concatenate(([0], ends[:-1] + 1))
    last = len(data) - 1

    def letter(offset: int) -> Bytes:
        found: Bytes = data[np.minimum(starts + offset, last)]
        return found

    first, fourth, fifth = letter(_HEAD), letter(_HEAD + 3), letter(_HEAD + 4)
    usual = (letter(_HEAD - 1) == _QUOTE) & (letter(_HEAD - 3) == _COLON)
    step = (first == ord("S")) & (fifth == ord("R"))  # StepReported
    phase = first == ord("P")  # PhaseChanged
    begun = usual & (first == ord("R")) & (fourth == ord("S"))  # RunStarted
    wanted = ~(usual & (step | phase))
    wanted[:-1] |= begun[1:]
    return [lines[starts[at] : ends[at]] for at in np.flatnonzero(wanted)]


_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedEvent:
    """An event, and when it was said (UTC); a line without a time has that of the one before."""

    time: datetime
    event: TrainingEvent


class RunTail:
    """Reads a log as it grows, whoever writes it; `start` is the byte to begin at.

    Begin at 0 to hear everything, or where something else has read to (`RunCurves.read_to`). It is
    cheap to ask often: where nothing is new the file is not even opened.
    """

    def __init__(self, run: RunFolder, *, start: int = 0) -> None:
        self._path = run.events_path
        self._at = start
        self._seen: tuple[int, int] | None = None  # which file, and how long it was
        self._time = _LONG_AGO

    @property
    def read_to(self) -> int:
        """The byte behind the last whole line that was read."""
        return self._at

    def read(self) -> tuple[TimedEvent, ...]:
        """The events appended since the last call, oldest first.

        A last line that is not whole yet is kept for later; a log that was cut or replaced is read
        from its beginning; one that is not there, or cannot be read now, has nothing to say.
        """
        try:
            about = self._path.stat()
            if (about.st_ino, about.st_size) == self._seen:
                return ()
            other = self._seen is not None and about.st_ino != self._seen[0]
            if other or about.st_size < self._at:
                self._at, self._time = 0, _LONG_AGO
            with open_plain(self._path) as log:
                log.seek(self._at)
                read = log.read()
        except OSError:
            return ()
        whole = read.rfind(b"\n") + 1
        self._seen = (about.st_ino, self._at + len(read))
        self._at += whole
        found = tuple(timed(values_in(read[:whole]), since=self._time))
        if found:
            self._time = found[-1].time
        return found


def rare_events(run: RunFolder, *, start: int = 0) -> tuple[TimedEvent, ...]:
    """Everything a run has said but for steps and phases, in a fraction of a second.

    Of a log that is not there, or cannot be read, nothing.
    """
    try:
        lines = b"\n".join(b"\n".join(rare_lines(c)) for c in chunks(run.events_path, start=start))
    except OSError:
        return ()
    return tuple(
        each
        for each in timed(values_in(lines))
        if not isinstance(each.event, StepReported | PhaseChanged)
    )


def timed(
    lines: Iterable[Mapping[str, Any]], *, since: datetime = _LONG_AGO
) -> Iterator[TimedEvent]:
    """The events of some lines of a log; one of an unknown kind is passed over."""
    for values in lines:
        since = _time(values, otherwise=since)
        if (event := event_of(values)) is not None:
            yield TimedEvent(time=since, event=event)


def _time(values: Mapping[str, Any], *, otherwise: datetime) -> datetime:
    return moment_in(str(values.get("time"))) or otherwise


Doubles = npt.NDArray[np.float64]
Curve = tuple[Doubles, Doubles]

_OF_STEPS: Final = {
    "distance": "distance",
    "learning_rate": "learning_rate",
    "gradient_norm": "gradient_norm",
    "images_per_second": "images_per_second",
    "memory_bytes": "memory_bytes",
}
_OF_ROUNDS: Final = ("retained", "patches_retained", "gates_retained", "sigma_mean", "gap")
_OF_CHECKS: Final = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l", "ause", "calibration")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunCurves:
    """The curves of a run by name, each x (the step) and y as float64 of one length.

    Names: every loss term ("total", "labelled_reconstruction" …); psnr_mu, psnr_l (dB), ssim_mu,
    ssim_l, ause, calibration of checks; retained, patches_retained, gates_retained (shares in
    [0, 1]), sigma_mean and gap of rounds; distance, learning_rate, gradient_norm,
    images_per_second, memory_bytes of steps; skipped, how many steps were skipped until then. A
    curve nobody measured is not there. `read_to` is the byte from which a `RunTail` goes on.
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
            with garbage_collection_paused():
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
        found = parse_lines(b"[" + lines.rstrip(b"\n").replace(b"\n", b",") + b"]")
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
        x, y = _doubles(steps), _doubles(list(values))
        known = np.isfinite(x) & np.isfinite(y)
        if known.any():
            self.parts.setdefault(name, []).append((x[known], y[known]))


def _doubles(values: Sequence[Any]) -> Doubles:
    """The values as float64, NaN for what is no number."""
    try:
        return np.array(values, np.float64)
    except (ValueError, TypeError):
        return np.array([v if isinstance(v, int | float) else np.nan for v in values], np.float64)


def _take(lines: Sequence[Mapping[str, Any]], sessions: list[_Session]) -> None:
    """Adds lines to the sessions; every start of a run begins another."""
    begun = 0
    for at, line in enumerate(lines):
        if line["event"] == "RunStarted" and isinstance(step := line.get("step", 0), int):
            _add(lines[begun:at], sessions[-1])
            sessions.append(_Session(from_step=step))
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
    told = [line.get("losses") for line in lines]
    steps, losses = _steps(lines), [each if isinstance(each, dict) else {} for each in told]
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
