"""What was made of frames that are read otherwise now, so that it may hold other light.

Pseudo-labels, promoted labels and ground truths merged from a bracket stay as they are where a
person chooses another response curve, or other frames of a bracket; that they are stale is told by
the window, by doctor, and before training. A scene's own ground truth file is none of a camera's
business.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath, is_file
from smarthdr_studio.core.imaging.bracket import Three
from smarthdr_studio.core.imaging.image_files import read_plain_header
from smarthdr_studio.core.project.journal import Accounts, JournalEntry, Kind
from smarthdr_studio.core.project.places import label_file
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.remedies import CHOOSE_CURVE, CHOOSE_FRAMES, LABEL
from smarthdr_studio.core.trust.pseudo_label import read_provenance
from smarthdr_studio.core.words import counted

PSEUDO_LABEL: Final = "pseudo-label"
PROMOTED_LABEL: Final = "promoted label"
MERGED_TRUTH: Final = "merged ground truth"
_KINDS: Final = (PSEUDO_LABEL, PROMOTED_LABEL, MERGED_TRUTH)
_CURVE: Final = "under another response curve than frames are read under now"
_FRAMES: Final = "of other frames of the bracket than are chosen now"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleLabel:
    """One file that a scene has and that was made of frames that are read otherwise now.

    `what` is one of the three words above; `curve` says that it is another response, `frames` that
    they are other frames of the bracket; one of both is so.
    """

    scene: str
    what: str
    curve: bool = False
    frames: bool = False

    @property
    def words(self) -> str:
        """That it is stale and why, as a scene's card has it."""
        return f"its {self.what} was made {_why(curve=self.curve, frames=self.frames)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleRun:
    """A run that began with frames under another response, with others of a bracket, or both."""

    run: str
    curve: bool = False
    frames: bool = False

    @property
    def words(self) -> str:
        """That it is stale and why."""
        return f"{self.run} learned {_learned(curve=self.curve, frames=self.frames)}"

    @property
    def remedy(self) -> str:
        """What a person can do."""
        return f"train anew, or go back with: {_way_back(curve=self.curve, frames=self.frames)}"


def _learned(*, curve: bool, frames: bool) -> str:
    return _why(curve=curve, frames=frames).replace("of other", "from other")


def _why(*, curve: bool, frames: bool) -> str:
    return " and ".join(([_CURVE] if curve else []) + ([_FRAMES] if frames else []))


def _way_back(*, curve: bool, frames: bool) -> str:
    """With what frames are read again as they were."""
    ways = ([CHOOSE_CURVE] if curve else []) + ([CHOOSE_FRAMES] if frames else [])
    return " and ".join(map(str, ways))


class _MadeOf(NamedTuple):
    """How frames were read when something was made of them."""

    curve: str = ""
    three: Three | None = None


def stale_labels(project: Project, *, of: Sequence[str] | None = None) -> tuple[StaleLabel, ...]:
    """Every stale label of these scenes, else of all.

    Headers of labels are read where a person ever said how frames are read, else nothing is. A
    label that cannot be read is the doctor's.
    """
    entries = project.entries()
    if all(entry.reading is None and entry.three is None for entry in entries):
        return ()
    scenes = project.scenes if of is None else [project.scene(name) for name in of]
    merged = _truths_made_of(entries)
    found = []
    for scene in scenes:
        now = _MadeOf(scene.reading.curve, scene.chosen)
        for what, made in _labels_of(project, scene.id, merged):
            if made != now:
                curve, frames = made.curve != now.curve, made.three != now.three
                found.append(StaleLabel(scene=scene.id, what=what, curve=curve, frames=frames))
    return tuple(found)


def stale_in_words(stale: Sequence[StaleLabel], *, runs: Sequence[StaleRun] = ()) -> str:
    """All of it in one sentence with the remedies, "" where nothing is stale."""
    counts = {what: sum(each.what == what for each in stale) for what in _KINDS}
    parts = [counted(count, what) for what, count in counts.items() if count]
    parts += [counted(len(runs), "run")] if runs else []
    if not parts:
        return ""
    whys = {(each.curve, each.frames) for each in stale} | {(r.curve, r.frames) for r in runs}
    curve, frames = any(why[0] for why in whys), any(why[1] for why in whys)
    why = _why(curve=curve, frames=frames)
    if len(whys) > 1:  # some of them for one of both, others for the other
        why = f"{_CURVE} or {_FRAMES}"
    return (
        f"{', '.join(parts[:-1])}{' and ' if parts[1:] else ''}{parts[-1]} "
        f"{'was' if len(stale) + len(runs) == 1 else 'were'} made {why}, so that light differs; "
        f"make pseudo-labels anew with: {LABEL}, and promote or merge again, or go back with: "
        f"{_way_back(curve=curve, frames=frames)}"
    )


def _truths_made_of(entries: Sequence[JournalEntry]) -> dict[str, _MadeOf]:
    """How frames were read when each ground truth was imported, by its path."""
    found: dict[str, _MadeOf] = {}
    accounts = Accounts()
    for entry in entries:
        accounts.take([entry])
        if entry.kind is Kind.IMPORT_TRUTH and entry.truth is not None and entry.scene is not None:
            three = accounts.state(entry.scene).three
            found[entry.truth] = _MadeOf(accounts.reading.curve, three)
    return found


def _labels_of(
    project: Project, scene: str, merged: Mapping[str, _MadeOf]
) -> Iterator[tuple[str, _MadeOf]]:
    """What a scene has of labels, stale or not, and of what it was made."""
    state, pseudo = project.state(scene), project.pseudo_path(scene)
    with suppress(LabelError):
        if is_file(pseudo):
            yield PSEUDO_LABEL, _of_header(pseudo)
    with suppress(LabelError):
        if state.label is not None:
            yield PROMOTED_LABEL, _of_header(label_file(project.folder, state.label, scene=scene))
    with suppress(LabelError):
        if state.truth is not None:
            path = label_file(project.folder, state.truth, scene=scene)
            # Of a single file it is what somebody else made of light.
            if "," in str(read_plain_header(path).get("smarthdr.source_sha256", "")):
                yield MERGED_TRUTH, merged.get(state.truth, _MadeOf())


def _of_header(label: AnyPath) -> _MadeOf:
    """Raises LabelError."""
    of = read_provenance(label)
    return _MadeOf(of.curve, of.three)
