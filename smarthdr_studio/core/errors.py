"""The errors a person can mend; every message names the file and the remedy.

StudioError
├── UnreadableImage    an image file that cannot be decoded
├── BadScene           a bracket that cannot be used as it lies on disk
├── BadDataset         a folder in which no scene was found
├── ProjectError       a project that cannot be opened or written
│   ├── DamagedProject      its database is damaged
│   ├── ForeignPlace        a name in it leads out of where it belongs
│   ├── LostPainting        what was painted on a scene is lost or damaged
│   ├── LostRun             a run that another process has gone on with
│   └── UnwritableProject   its disk is full, fails or may not be written
├── LabelError         a pseudo-label or label file that cannot be used
├── BrushError         a fill that begins where it has nothing to fill
├── PlanError          a training setting that is not allowed
├── CheckpointError    weights or a checkpoint that cannot be loaded
├── ExportError        a picture that cannot be exported
├── QueryError         a query line that was not understood
└── DeviceError        a device or a resource that is not there
    └── OutOfMemory         a device or the system has no memory left for a run
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_LONGEST: Final = 1000  # letters; names on disk may be long, what a file holds longer
_TURNERS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str) -> str:
    """A text of anybody as one line that neither a terminal nor a label takes for more than text.

    Control characters, half letters and what turns the direction of writing become �, and line
    breaks blanks; of what is very long the middle is left out.
    """
    if not text.isprintable():
        text = "".join(map(_shown, text))
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST * 2 // 3]} … {text[-_LONGEST // 3 :]}"
    return text


def _shown(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    hidden = unicodedata.category(letter) in ("Cc", "Cs") or letter in _TURNERS
    return "\ufffd" if hidden else letter


class StudioError(Exception):
    """Something a person can mend. `str(error)` is one sentence for the screen.

    `remedies` are changes of a run's plan of which any one mends it.
    """

    remedies: tuple["Remedy", ...] = ()

    def __init__(self, sentence: str = "", *, remedies: tuple["Remedy", ...] = ()) -> None:
        super().__init__(harmless(sentence))
        self.remedies = remedies


class UnreadableImage(StudioError):
    """An image file is missing, truncated or of an unknown kind."""


class BadScene(StudioError):
    """The files of one scene contradict each other or are incomplete."""


class BadDataset(StudioError):
    """No scene was found where a dataset was expected."""


class ProjectError(StudioError):
    """A project folder is missing, foreign, too new or not writable."""


class DamagedProject(ProjectError):
    """The database of a project is damaged, or no database at all."""


class ForeignPlace(ProjectError):
    """A name in a project, run or dataset leads out of the folder in which it has to lie."""


class LostPainting(ProjectError):
    """What a person painted on a scene is lost or damaged."""


class LostRun(ProjectError):
    """A run that this process held belongs to another by now, or may."""


class UnwritableProject(ProjectError):
    """A project can be looked at, not changed; `why` is a clause, such as "its disk is full".

    `doubtful` says that the disk failed while something was made durable: whether it was kept
    shows when the project is opened again.
    """

    def __init__(self, sentence: str, *, why: str, doubtful: bool = False) -> None:
        super().__init__(sentence)
        self.why, self.doubtful = why, doubtful


class LabelError(StudioError):
    """A pseudo-label or label file is missing, damaged or of another size."""


class BrushError(StudioError):
    """A fill begins where it has nothing to fill."""


class PlanError(StudioError):
    """A training setting is unknown or outside what is allowed."""


class CheckpointError(StudioError):
    """Weights or a checkpoint cannot be loaded."""


class ExportError(StudioError):
    """A layer has nothing to export, or the file cannot be written."""


class QueryError(StudioError):
    """A query line holds something that is no field, value or number."""


class DeviceError(StudioError):
    """A device, a driver or a resource a run needs is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Changes of a plan, by dotted key, with which a run can go on; `text` is for a button."""

    text: str
    changes: Mapping[str, Any]


class OutOfMemory(DeviceError):
    """A run needs more memory than there is; with any of its remedies it needs less."""
