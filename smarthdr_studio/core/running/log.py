"""The log of a run while it grows: what was appended since one looked last, each event timed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from smarthdr_studio.core.event_lines import event_of, values_in
from smarthdr_studio.core.events import PhaseChanged, StepReported, TrainingEvent
from smarthdr_studio.core.running.scanning import chunks, rare_lines
from smarthdr_studio.core.runs import RunFolder

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
            with self._path.open("rb") as log:
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
    try:
        found = datetime.fromisoformat(str(values.get("time")))
    except ValueError:
        return otherwise
    return found if found.tzinfo else found.replace(tzinfo=UTC)
