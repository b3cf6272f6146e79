"""What two or more runs differ in: settings, labels, thresholds, and what they came to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smarthdr_studio.core.records import read_json
from smarthdr_studio.core.training.plan import TrainingPlan, load_preset
from smarthdr_studio.core.training.plan_schema import flat
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.core.training.run_start import StartState
from smarthdr_studio.core.trust.masking import MaskSettings


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


def settled_plan(run: RunFolder) -> TrainingPlan:
    """The same, with the precision that the run chose where its plan left that open.

    Two runs of one plan may differ in it, and in all that follows. Raises PlanError.
    """
    plan = read_plan(run)
    try:
        chosen = read_json(run.start_path)["precision"]["precision"]
        return TrainingPlan.model_validate(plan.model_dump() | {"precision": chosen})
    except (OSError, ValueError, KeyError, TypeError):  # of an older version, or spoilt
        return plan


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
        "labels": tuple(row.labels.learned for row in rows),
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
    if stand.material == "no label":
        return {}
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
