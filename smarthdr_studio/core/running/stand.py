"""How the project stood when a run was started, what differs now, and the way back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from smarthdr_studio.core.curation.moments import Change, Matter, as_it_was, differences
from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.event_lines import values_in
from smarthdr_studio.core.events import RunStarted
from smarthdr_studio.core.journal import Ledger
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.log import TimedEvent, timed
from smarthdr_studio.core.runs import RunFolder, started_at
from smarthdr_studio.core.trust_files import masks_from_text

_HEAD_BYTES = 2**20  # of a log, in which the start of a run stands
_ABOUT_LABELS = frozenset(Matter) - {Matter.NOTE, Matter.TAGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What a run learned from when it was started.

    `labelled` scenes have their ground truth, `promoted` ones the label file of that time, by
    scene, relative to the project. `moment` is the point of the journal for `as_it_was`: the
    number of an entry, or of an older run, the time it was started. `masks` are None where they
    are not known. Of an older run, `labelled` has its promoted scenes as well.
    """

    moment: int | str
    labelled: tuple[str, ...] = ()
    promoted: Mapping[str, str] = field(default_factory=dict)
    unlabelled: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    masks: MaskSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneBack:
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


def read_stand(run: RunFolder) -> Stand:
    """How the project stood when the run was started; of an older run as far as it is known."""
    try:
        told = json.loads(run.start_path.read_text(encoding="utf-8"))
        return Stand(
            moment=int(told["journal"]),
            labelled=tuple(told["labelled"]),
            promoted={name: str(label) for name, label in told["promoted"].items()},
            unlabelled=tuple(told["unlabelled"]),
            held_out=tuple(told["held_out"]),
            masks=masks_from_text(json.dumps(told["masks"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _from_log(run)


def stand_in(project: Project, run: RunFolder) -> Stand:
    """The same; what an older run does not say itself is looked up in the journal."""
    stand = read_stand(run)
    if isinstance(stand.moment, int):
        return stand
    then = then_of(project, stand)
    promoted = {
        name: state.label
        for name in stand.labelled
        if (state := then.scenes.get(name)) is not None and state.label is not None
    }
    truths = tuple(name for name in stand.labelled if name not in promoted)
    return Stand(
        moment=stand.moment,
        labelled=truths,
        promoted=promoted,
        unlabelled=stand.unlabelled,
        held_out=stand.held_out,
        masks=then.masks,
    )


def then_of(project: Project, stand: Stand) -> Ledger:
    """What the journal added up to when the run was started; at the earliest, the new project."""
    entries = project.entries()
    then = as_it_was(entries, stand.moment)
    return then if then.scenes or not entries else as_it_was(entries, entries[0].seq)


def changes_since(project: Project, run: RunFolder) -> tuple[Change, ...]:
    """What of labels, brush and thresholds is otherwise now than when the run was started."""
    then = then_of(project, read_stand(run))
    found = differences(then, project.ledger())
    return tuple(change for change in found if change.matter in _ABOUT_LABELS)


def layout_of(run: RunFolder) -> Mapping[str, Any] | None:
    """How the project was looked at when the run was started, None where it was not kept."""
    try:
        found = json.loads(run.window_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def go_back(
    decisions: Decisions, run: RunFolder, *, note: str = "", who: str | None = None
) -> GoneBack:
    """Statuses, labels, brush and thresholds become again what they were when the run was started.

    One decision, which one undo takes back; notes and tags of scenes stay. Labels are brought back
    from the trash where need be. The layout is left to the caller. Raises ProjectError;
    LabelError: a label of that time was tidied away for good.
    """
    why = note or f"back to the start of {run.id}"
    scenes, thresholds = decisions.go_back(read_stand(run).moment, note=why, who=who)
    return GoneBack(scenes=scenes, thresholds=thresholds, layout=layout_of(run))


def _from_log(run: RunFolder) -> Stand:
    begun = _first_start(run)
    at = started_at(run) if begun is None else begun.time
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
    if begun is None or not isinstance(begun.event, RunStarted):
        return Stand(moment=moment)
    event = begun.event
    return Stand(
        moment=moment,
        labelled=event.labelled,
        unlabelled=event.unlabelled,
        held_out=event.held_out,
    )


def _first_start(run: RunFolder) -> TimedEvent | None:
    try:
        with run.events_path.open("rb") as log:
            head = log.read(_HEAD_BYTES)
    except OSError:
        return None
    events = timed(values_in(head))
    return next((each for each in events if isinstance(each.event, RunStarted)), None)
