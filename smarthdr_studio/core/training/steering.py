"""What a person asks of a run while it goes; handed over in memory, or left in the run's folder."""

import json
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, get_args

from smarthdr_studio.core.errors import ForeignPlace, ProjectError
from smarthdr_studio.core.files import AnyPath, place_in, replacing
from smarthdr_studio.core.records import read_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A checkpoint is written before the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRound:
    """The epoch ends before the next step, and the next one begins with a new round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRate:
    """From the next epoch on the schedule starts from this rate; halving and decay still apply."""

    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshEvery:
    """From the next epoch on, so many epochs lie between two rounds."""

    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No step is taken until GoOn or Stop; memory is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """The end of a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The run saves and ends; it can be resumed."""


Wish = Snapshot | NextRound | LearningRate | RefreshEvery | Pause | GoOn | Stop

_KINDS: Final = {kind.__name__: kind for kind in get_args(Wish)}
_FOLDER: Final = "wishes"
_LONGEST: Final = 4096  # bytes


class Wishes:
    """Wishes of this process, from any thread; the run takes them between two steps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[Wish] = []

    def ask(self, wish: Wish) -> None:
        """Wish for something; it is heard before the next step."""
        with self._lock:
            self._held.append(wish)

    def take(self) -> tuple[Wish, ...]:
        """All that was wished for since the last time."""
        if not self._held:  # asked before every step: a lock is not worth it
            return ()
        with self._lock:
            held, self._held = tuple(self._held), []
        return held


def leave_wish(run: AnyPath, wish: Wish) -> None:
    """Leave a wish in the folder of a run that another process is training.

    Raises ProjectError where there is no such run, or its folder cannot be written to or is a link
    that leads out of the run.
    """
    run = Path(run)
    if not run.is_dir():  # never made anew where a run was discarded meanwhile
        raise ProjectError(f"{run}: there is no such run; see the runs folder for names")
    path = place_in(run, _FOLDER) / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.json"
    try:
        with replacing(path) as draft:
            text = json.dumps({"wish": type(wish).__name__, **asdict(wish)})
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path.parent}: cannot be written ({reason}); allow writing there, or steer the run "
            "where it was started"
        ) from None


def take_wishes(run: AnyPath) -> tuple[Wish, ...]:
    """The wishes left in a run's folder, oldest first; they are gone afterwards.

    None where their folder is a link that leads out of the run: what lies there is no wish.
    """
    found: list[Wish] = []
    try:
        folder = place_in(run, _FOLDER)
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (OSError, ForeignPlace):
        return ()
    for path in paths:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            found.append(_read(read_json(path, most=_LONGEST)))
        with suppress(OSError):
            path.unlink()
    return tuple(found)


def _read(values: dict[str, Any]) -> Wish:
    wish: Wish = _KINDS[values.pop("wish")](**values)
    return wish
