"""How the project stood when a run was started, what differs now, and the way back."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, get_args

from smarthdr_studio.core.imaging.bracket import Three
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import Finding, FindingKind, can_be_looked_into
from smarthdr_studio.core.project.journal import (
    Change,
    ChangeKind,
    Ledger,
    ledger_at,
    ledger_differences,
)
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.stale import StaleRun
from smarthdr_studio.core.records import error_of, open_plain, read_json
from smarthdr_studio.core.training.events import Material, RunStarted, values_in
from smarthdr_studio.core.training.run_damage import damaged_files
from smarthdr_studio.core.training.run_folder import RunFolder, run_folders, started_at
from smarthdr_studio.core.training.run_log import TimedEvent, timed
from smarthdr_studio.core.trust.masking import MaskSettings, masks_from_text

_HEAD_BYTES = 2**20  # of a log, in which the start of a run stands
# What a run does not learn from is not told.
_ABOUT_LABELS = frozenset(ChangeKind) - {ChangeKind.NOTE, ChangeKind.TAGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartState:
    """What a run learned from when it was started.

    `labelled` scenes have their ground truth, `promoted` ones the label file of that time, by
    scene, relative to the project. `moment` is the point of the journal for `ledger_at`: the
    number of an entry, or of an older run, the time it was started. `masks` are None where they
    are not known. Of an older run, `labelled` has its promoted scenes as well.
    """

    moment: int | str
    labelled: tuple[str, ...] = ()
    promoted: Mapping[str, str] = field(default_factory=dict)
    unlabelled: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    masks: MaskSettings | None = None
    material: Material = "labels and others"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBackResult:
    """What going back came to: scenes and thresholds that changed, and the layout of that time.

    `layout` is the window.json of then, None where it was not kept.
    """

    scenes: tuple[str, ...]
    thresholds: bool
    layout: Mapping[str, Any] | None

    @property
    def changed(self) -> bool:
        """Whether anything was decided; else there is nothing to undo."""
        return bool(self.scenes) or self.thresholds


def read_start_state(run: RunFolder) -> StartState:
    """How the project stood when the run was started; of an older run as far as it is known."""
    try:
        told = read_json(run.start_path)
        return StartState(
            moment=int(told["journal"]),
            labelled=tuple(told["labelled"]),
            promoted={name: str(label) for name, label in told["promoted"].items()},
            unlabelled=tuple(told["unlabelled"]),
            held_out=tuple(told["held_out"]),
            masks=masks_from_text(json.dumps(told["masks"])),
            material=_material(told.get("material")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _from_log(run)


def start_state_in(project: Project, run: RunFolder) -> StartState:
    """The same; what an older run does not say itself is looked up in the journal."""
    stand = read_start_state(run)
    if isinstance(stand.moment, int):
        return stand
    then = ledger_at_start(project, stand)
    promoted = {
        name: state.label
        for name in stand.labelled
        if (state := then.scenes.get(name)) is not None and state.label is not None
    }
    truths = tuple(name for name in stand.labelled if name not in promoted)
    return StartState(
        moment=stand.moment,
        labelled=truths,
        promoted=promoted,
        unlabelled=stand.unlabelled,
        held_out=stand.held_out,
        masks=then.masks,
        material=stand.material,
    )


def ledger_at_start(project: Project, stand: StartState) -> Ledger:
    """What the journal added up to when the run was started; at the earliest, the new project."""
    entries = project.entries()
    then = ledger_at(entries, stand.moment)
    return then if then.scenes or not entries else ledger_at(entries, entries[0].seq)


def changes_since_start(project: Project, run: RunFolder) -> tuple[Change, ...]:
    """What is otherwise now than when the run was started: of labels, brush and thresholds.

    How frames are read is told too, although going back leaves it as it is.
    """
    then = ledger_at_start(project, read_start_state(run))
    found = ledger_differences(then, project.ledger())
    return tuple(change for change in found if change.matter in _ABOUT_LABELS)


def runs_read_otherwise(project: Project) -> tuple[StaleRun, ...]:
    """The runs that began with frames read under another curve, or with others of a bracket."""
    if all(entry.reading is None and entry.three is None for entry in project.entries()):
        return ()

    def three(ledger: Ledger) -> dict[str, Three | None]:
        return {name: state.three for name, state in ledger.scenes.items()}

    now, found = project.ledger(), []
    for run in run_folders(project.folder):
        then = ledger_at_start(project, read_start_state(run))
        curve, frames = then.reading.curve != now.reading.curve, three(then) != three(now)
        if curve or frames:
            found.append(StaleRun(run=run.id, curve=curve, frames=frames))
    return tuple(found)


def run_findings(project: Project) -> Iterator[Finding]:
    """What the doctor says of runs: damaged files, and frames read otherwise; see `check_up`."""
    for run in run_folders(project.folder):
        for name, lost in damaged_files(run) if can_be_looked_into(run.path) else ():
            shut = isinstance(error_of(run.path / name), PermissionError)
            yield Finding(
                trouble=FindingKind.RUN,
                what=f"runs/{run.id}/{name}",
                sentence=f"{name} of run {run.id} {lost}",
                remedy=f"allow reading it with: chmod u+r {shlex.quote(str(run.path / name))}"
                if shut
                else "bring it back from a copy of the project folder",
            )
    for each in runs_read_otherwise(project):
        yield Finding(
            trouble=FindingKind.STALE_RUN,
            what=f"runs/{each.run}",
            sentence=each.words,
            remedy=each.remedy,
        )


def layout_at_start(run: RunFolder) -> Mapping[str, Any] | None:
    """How the project was looked at when the run was started, None where it was not kept."""
    try:
        found = read_json(run.window_path)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def go_back_to_start(
    decisions: Decisions, run: RunFolder, *, note: str = "", who: str | None = None
) -> GoBackResult:
    """Statuses, labels, brush and thresholds become again what they were when the run was started.

    One decision, which one undo takes back; notes and tags of scenes stay. Labels are brought back
    from the trash where need be. The layout is left to the caller. Raises ProjectError;
    LabelError: a label of that time was tidied away for good.
    """
    why = note or f"back to the start of {run.id}"
    scenes, thresholds = decisions.go_back(read_start_state(run).moment, note=why, who=who)
    return GoBackResult(scenes=scenes, thresholds=thresholds, layout=layout_at_start(run))


def _from_log(run: RunFolder) -> StartState:
    begun = _first_start(run)
    at = started_at(run) if begun is None else begun.time
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
    if begun is None or not isinstance(begun.event, RunStarted):
        return StartState(moment=moment)
    event = begun.event
    return StartState(
        moment=moment,
        labelled=event.labelled,
        unlabelled=event.unlabelled,
        held_out=event.held_out,
        material=event.material,
    )


def _material(told: object) -> Material:
    """As it was told; an older run does not say it."""
    return next((each for each in get_args(Material) if each == told), "labels and others")


def _first_start(run: RunFolder) -> TimedEvent | None:
    try:
        with open_plain(run.events_path) as log:
            head = log.read(_HEAD_BYTES)
    except OSError:
        return None
    events = timed(values_in(head))
    return next((each for each in events if isinstance(each.event, RunStarted)), None)
