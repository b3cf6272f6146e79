"""What makes a run need less memory, the change that costs least first."""

from collections.abc import Iterator

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.plan import TrainingPlan

_LEAST_TILE = 64


def remedies(plan: TrainingPlan, *, predicting: bool, could_bfloat16: bool) -> tuple[Remedy, ...]:
    """What fits the plan, best first.

    `predicting` says that memory ran out while whole scenes were predicted, not inside a step;
    `could_bfloat16` that the run computes in float32 on a device that has bfloat16.
    """
    found = list(_of_predicting(plan) if predicting else _of_steps(plan))
    if could_bfloat16:
        half = Remedy(text="Compute in bfloat16", changes={"precision": "bfloat16"})
        # Smaller batches change what is learned, so that they come last.
        found.insert(len(found) if predicting else _before_batches(found), half)
    return tuple(found)


def as_clause(found: tuple[Remedy, ...]) -> str:
    """The changes as they are typed after --set; "" for none."""
    return ", or ".join(
        " and ".join(f"{key}={_typed(value)}" for key, value in remedy.changes.items())
        for remedy in found
    )


def _of_predicting(plan: TrainingPlan) -> Iterator[Remedy]:
    tile = plan.tile // 2 // 8 * 8
    if tile >= _LEAST_TILE:
        yield Remedy(text=f"Predict in tiles of {tile} pixels", changes={"tile": tile})


def _of_steps(plan: TrainingPlan) -> Iterator[Remedy]:
    compute, batch = plan.compute, plan.batch
    parts = min(2 * compute.accumulate, max(batch.labelled, batch.unlabelled))
    if parts > compute.accumulate:
        yield Remedy(
            text=f"Cut each batch into {parts} parts", changes={"compute.accumulate": parts}
        )
    if not compute.checkpointing:
        yield Remedy(
            text="Compute activations twice instead of keeping them",
            changes={"compute.checkpointing": True},
        )
    if batch.labelled > 1 or batch.unlabelled > 1:
        labelled, unlabelled = max(batch.labelled // 2, 1), (batch.unlabelled + 1) // 2
        yield Remedy(
            text=f"Learn from batches of {labelled} + {unlabelled} crops",
            changes={"batch.labelled": labelled, "batch.unlabelled": unlabelled},
        )


def _before_batches(found: list[Remedy]) -> int:
    return next(
        (i for i, remedy in enumerate(found) if "batch.labelled" in remedy.changes), len(found)
    )


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
