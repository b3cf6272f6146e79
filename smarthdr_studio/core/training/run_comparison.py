"""How a project stood when a run was started, what differs now or in others, and the way back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC
from typing import Any

from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import (
    Change,
    ChangeKind,
    Ledger,
    ledger_at,
    ledger_differences,
)
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.records import read_json
from smarthdr_studio.core.training.events import RunStarted, values_in
from smarthdr_studio.core.training.plan import TrainingPlan, load_preset
from smarthdr_studio.core.training.plan_schema import flat
from smarthdr_studio.core.training.run_folder import RunFolder, started_at
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.core.training.run_log import TimedEvent, timed
from smarthdr_studio.core.trust.masking import MaskSettings, masks_from_text

_HEAD_BYTES = 2**20  # of a log, in which the start of a run stands
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
    )


def ledger_at_start(project: Project, stand: StartState) -> Ledger:
    """What the journal added up to when the run was started; at the earliest, the new project."""
    entries = project.entries()
    then = ledger_at(entries, stand.moment)
    return then if then.scenes or not entries else ledger_at(entries, entries[0].seq)


def changes_since_start(project: Project, run: RunFolder) -> tuple[Change, ...]:
    """What of labels, brush and thresholds is otherwise now than when the run was started."""
    then = ledger_at_start(project, read_start_state(run))
    found = ledger_differences(then, project.ledger())
    return tuple(change for change in found if change.matter in _ABOUT_LABELS)


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
    )


def _first_start(run: RunFolder) -> TimedEvent | None:
    try:
        with run.events_path.open("rb") as log:
            head = log.read(_HEAD_BYTES)
    except OSError:
        return None
    events = timed(values_in(head))
    return next((each for each in events if isinstance(each.event, RunStarted)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDifference:
    """What two runs learned from differently, scene by scene, sorted.

    `changed` scenes are labelled in both, with another label: of another version, or promoted in
    one and a ground truth in the other.
    """

    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    changed: tuple[str, ...]
    held_out_first: tuple[str, ...]
    held_out_second: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both learned from the same labels."""
        return not any(asdict(self).values())


def read_plan(run: RunFolder) -> TrainingPlan:
    """The plan a run was started with. Raises PlanError."""
    return load_preset(str(run.plan_path))


def plan_differences(plans: Sequence[TrainingPlan]) -> dict[str, tuple[Any, ...]]:
    """The settings that are not the same in all plans: by dotted key, each plan's value."""
    return _differing([flat(plan) for plan in plans])


def label_differences(first: StartState, second: StartState) -> LabelDifference:
    """What the second run learned from that the first did not, and the other way round."""
    one, two = _labels(first), _labels(second)
    return LabelDifference(
        only_first=tuple(sorted(one.keys() - two.keys())),
        only_second=tuple(sorted(two.keys() - one.keys())),
        changed=tuple(sorted(name for name in one.keys() & two.keys() if one[name] != two[name])),
        held_out_first=tuple(sorted(set(first.held_out) - set(second.held_out))),
        held_out_second=tuple(sorted(set(second.held_out) - set(first.held_out))),
    )


def mask_differences(masks: Sequence[MaskSettings | None]) -> dict[str, tuple[Any, ...]]:
    """The settings of the masks that are not the same in all runs, by dotted key.

    None is a run of which they are not known.
    """
    return _differing([{} if each is None else _flat(asdict(each)) for each in masks])


def figures(rows: Sequence[RunRow]) -> dict[str, tuple[Any, ...]]:
    """What runs came to, side by side: by name of the figure, each run's value; None unknown."""
    return {
        "status": tuple(row.status for row in rows),
        "preset": tuple(row.preset for row in rows),
        "labels": tuple(row.labels.labelled + row.labels.promoted for row in rows),
        "steps": tuple(row.step for row in rows),
        "epochs": tuple(row.epoch for row in rows),
        "rounds": tuple(row.rounds for row in rows),
        "seconds": tuple(row.seconds for row in rows),
        "best_psnr_mu": tuple(row.best and row.best.psnr_mu for row in rows),
        "best_psnr_l": tuple(row.best and row.best.psnr_l for row in rows),
        "best_ssim_mu": tuple(row.best and row.best.ssim_mu for row in rows),
        "best_at_step": tuple(row.best and row.best.step for row in rows),
        "last_psnr_mu": tuple(row.last_psnr_mu for row in rows),
        "retained": tuple(row.retained for row in rows),
        "disk_bytes": tuple(row.disk_bytes for row in rows),
    }


def _labels(stand: StartState) -> dict[str, str | None]:
    """What each labelled scene is learned from: the file of a promoted label, else its truth."""
    return {**dict.fromkeys(stand.labelled), **stand.promoted}


def _differing(told: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """The keys that do not have the same value everywhere, with each value; None is not there."""
    keys = dict.fromkeys(key for settings in told for key in settings)
    values = {key: tuple(settings.get(key) for settings in told) for key in keys}
    return {key: each for key, each in values.items() if any(v != each[0] for v in each)}


def _flat(values: Mapping[str, Any], *, below: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, below=f"{below}{key}.")
        else:
            found[f"{below}{key}"] = value
    return found
