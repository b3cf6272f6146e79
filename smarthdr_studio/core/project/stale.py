"""What was made under another response curve than frames are read under now: it holds other light.

Pseudo-labels, promoted labels and ground truths merged from a bracket stay as they are where a
person chooses another curve; that they are stale is told by the window, by doctor, and before
training. A scene's own ground truth file is none of a camera's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.imaging.bracket import curve_in_words
from smarthdr_studio.core.imaging.image_files import read_plain_header
from smarthdr_studio.core.project.journal import JournalEntry, Kind
from smarthdr_studio.core.project.places import label_file
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.remedies import CHOOSE_CURVE, LABEL
from smarthdr_studio.core.trust.pseudo_label import read_provenance
from smarthdr_studio.core.words import counted

PSEUDO_LABEL: Final = "pseudo-label"
PROMOTED_LABEL: Final = "promoted label"
MERGED_TRUTH: Final = "merged ground truth"
_KINDS: Final = (PSEUDO_LABEL, PROMOTED_LABEL, MERGED_TRUTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleLabel:
    """One file that a scene has and that was made under the curve of this short name.

    `what` is one of the three words above.
    """

    scene: str
    what: str
    curve: str

    @property
    def words(self) -> str:
        """That it is stale, as a scene's card has it."""
        return f"its {self.what} is of frames read {curve_in_words(self.curve)}"


def stale_labels(project: Project, *, of: Sequence[str] | None = None) -> tuple[StaleLabel, ...]:
    """Every stale label of these scenes, else of all.

    Headers of labels are read where the project was ever told how to read frames, else nothing is.
    A label that cannot be read is the doctor's.
    """
    entries = project.entries()
    if all(entry.reading is None for entry in entries):
        return ()
    now, names = project.reading.curve, [scene.id for scene in project.scenes] if of is None else of
    merged_under = _curves_of_truths(entries)
    return tuple(
        label
        for name in names
        for label in _labels_of(project, name, merged_under)
        if label.curve != now
    )


def stale_in_words(stale: Sequence[StaleLabel], *, runs: Sequence[str] = ()) -> str:
    """All of it in one sentence with the remedies, "" where nothing is stale."""
    counts = {what: sum(each.what == what for each in stale) for what in _KINDS}
    parts = [counted(count, what) for what, count in counts.items() if count]
    parts += [counted(len(runs), "run")] if runs else []
    if not parts:
        return ""
    return (
        f"{', '.join(parts[:-1])}{' and ' if parts[1:] else ''}{parts[-1]} "
        f"{'was' if len(stale) + len(runs) == 1 else 'were'} made under another response curve "
        f"than frames are read under now, so that light differs; make pseudo-labels anew with: "
        f"{LABEL}, and promote or merge again, or go back to that curve with: {CHOOSE_CURVE}"
    )


def _curves_of_truths(entries: Sequence[JournalEntry]) -> dict[str, str]:
    """Under which curve frames were read when each ground truth was imported, by its path."""
    found, curve = {}, ""
    for entry in entries:
        if entry.scene is None and entry.reading is not None:
            curve = entry.reading.curve
        elif entry.kind is Kind.IMPORT_TRUTH and entry.truth is not None:
            found[entry.truth] = curve
    return found


def _labels_of(
    project: Project, scene: str, merged_under: Mapping[str, str]
) -> Iterator[StaleLabel]:
    """What a scene has of labels, whether it is stale or not."""
    state, pseudo = project.state(scene), project.pseudo_path(scene)
    with suppress(LabelError):
        if pseudo.is_file():
            yield StaleLabel(scene=scene, what=PSEUDO_LABEL, curve=read_provenance(pseudo).curve)
    with suppress(LabelError):
        if state.label is not None:
            path = label_file(project.folder, state.label, scene=scene)
            yield StaleLabel(scene=scene, what=PROMOTED_LABEL, curve=read_provenance(path).curve)
    with suppress(LabelError):
        if state.truth is not None:
            path = label_file(project.folder, state.truth, scene=scene)
            # Of a single file it is what somebody else made of light.
            if "," in str(read_plain_header(path).get("smarthdr.source_sha256", "")):
                curve = merged_under.get(state.truth, "")
                yield StaleLabel(scene=scene, what=MERGED_TRUTH, curve=curve)
