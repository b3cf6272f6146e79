"""What a person does about a fault, by two names: a command of the window, or a verb of the shell.

A sentence that names a remedy takes it from here, so that no window ever names an option and no
shell a button. Which of the two is said is a matter of the process: `speak_in_window` is called
once, by whoever shows a window.
"""

import shlex
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class _Speaker:
    has_window: bool = False


_SPEAKER: Final = _Speaker()


def speak_in_window(*, on: bool = True) -> None:
    """From now on remedies are told as commands of the window, or again as verbs of the shell."""
    _SPEAKER.has_window = on


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One remedy; it becomes words only when a sentence is made of it.

    Words in capitals stand for what `of` puts in their place. In `window` a command is named as it
    stands in the menus: "Menu ▸ Command", or by its button or box in “quotes”.
    """

    window: str
    shell: str

    def __str__(self) -> str:
        return self.window if _SPEAKER.has_window else self.shell

    def of(self, **facts: object) -> str:
        """The words with facts in the place of capitals, quoted where a shell needs it."""
        words = str(self)
        for name, value in facts.items():
            words = words.replace(name, shlex.quote(str(value)))
        return words


MEND: Final = Way(window="File ▸ Mend a project…", shell="smarthdr-studio doctor PROJECT --repair")
LOOK_OVER: Final = Way(window="File ▸ Mend a project…", shell="smarthdr-studio doctor PROJECT")
LABEL: Final = Way(
    window="Training ▸ Models ▸ Use the starter model", shell="smarthdr-studio label PROJECT"
)
LABEL_ANEW: Final = Way(
    window="make it anew with: Training ▸ Models ▸ Use the starter model",
    shell="make it anew with: smarthdr-studio label",
)
RESTORE_LABEL: Final = Way(
    window=f"restore it from a copy, or {LABEL_ANEW.window}",
    shell=f"restore it from a copy, or {LABEL_ANEW.shell}",
)
MAKE_PROJECT: Final = Way(
    window="File ▸ Open dataset folder…", shell="smarthdr-studio new PROJECT DATASET"
)
FIND_DATASET: Final = Way(
    window="File ▸ Where is the dataset?", shell="smarthdr-studio relocate PROJECT FOLDER"
)
ACCEPT_PICTURES: Final = Way(
    window="File ▸ Accept changed pictures…", shell="smarthdr-studio accept PROJECT"
)
TAKE_PART: Final = Way(
    window="“A part of the scenes is enough”", shell="smarthdr-studio relocate … --partly"
)
IMPORT_TRUTH: Final = Way(
    window="Scene ▸ Import ground truth…", shell="smarthdr-studio truth PROJECT SCENE FILE"
)
IMPORT_FIXED_TRUTH: Final = Way(
    window="Scene ▸ Import ground truth…, which offers to fix it",
    shell="smarthdr-studio truth PROJECT SCENE FILE --fix",
)
STOP_RUN: Final = Way(
    window="Training ▸ Stop (keep)", shell="smarthdr-studio runs stop PROJECT RUN"
)
LIST_DISCARDED: Final = Way(
    window="Training ▸ Chosen run ▸ Restore a discarded run…",
    shell="smarthdr-studio runs list PROJECT --discarded",
)
GIVE_EXPOSURES: Final = Way(
    window="write one EV for each frame, one a line, in the order of the frames' names",
    shell="write one EV for each frame, one a line, in the order of the frames' names (merge and "
    "truth also take --evs, new takes --step)",
)
MEASURE_CURVE: Final = Way(
    window="measure the curve with: File ▸ How frames are read ▸ Camera curve…",
    shell="measure the curve with: smarthdr-studio response PROJECT --use measured",
)
NEW_CURVE: Final = Way(
    window="choose “Measured curve (solid)” beside the exposures of File ▸ Import brackets…",
    shell="read them under the curve they show with: smarthdr-studio new PROJECT DATASET "
    "--response measured",
)
MERGE_CURVE: Final = Way(
    window="choose a curve with: File ▸ How frames are read ▸ Camera curve…",
    shell="give the camera's curve with: smarthdr-studio merge --response FILE",
)
READ_STATIC: Final = Way(
    window="import them with File ▸ Import brackets…, which measures the curve",
    shell="measure the curve with: smarthdr-studio sample DIR --from-static BRACKETS "
    "--response measured",
)
CHOOSE_CURVE: Final = Way(
    window="File ▸ How frames are read ▸ Camera curve…",
    shell="smarthdr-studio response PROJECT --use FILE",
)
CHOOSE_FRAMES: Final = Way(
    window="Scene ▸ Choose frames…", shell="smarthdr-studio frames PROJECT SCENE --use auto"
)
FIRST_LABEL: Final = Way(
    window="import one with Scene ▸ Import ground truth…, promote a scene, hold none out, or use "
    "Training ▸ Train without labels",
    shell="make the project with --labelled, promote a scene, hold none out, or train with "
    "quick-selfhdr, which needs no label",
)
FIRST_ROUND: Final = Way(
    window="make them with: Training ▸ Train, or Training ▸ Models ▸ Use the starter model",
    shell="make them with: smarthdr-studio train PROJECT",
)
SEE_NAMES: Final = Way(
    window="View ▸ In the middle ▸ Table of scenes", shell="smarthdr-studio scenes PROJECT"
)
