"""What a run will take, as far as it can be told before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Times in seconds, sizes in bytes; None is not known, or does not happen in this run.

    Of `disk_bytes` the parts are named in words. `measured` says in words what was timed,
    and `warnings` what will not go well; each is a sentence.
    """

    device: str
    precision: str
    steps: int
    epochs: int
    rounds: int
    validations: int
    warmup_epoch_seconds: float | None
    learning_epoch_seconds: float | None
    round_seconds: float | None
    total_seconds: float
    peak_memory_bytes: int | None
    free_memory_bytes: int | None
    disk_bytes: Mapping[str, int]
    free_disk_bytes: int | None
    probe_seconds: float
    measured: str
    warnings: tuple[str, ...] = ()

    @property
    def all_disk_bytes(self) -> int:
        """What the run will have on the disk at its end."""
        return sum(self.disk_bytes.values())


def size_in_words(count: int) -> str:
    """Bytes as a person reads them."""
    if count < 2**20:
        return f"{max(1, round(count / 2**10))} KiB" if count else "0"
    if count < 100 * 2**20:
        return f"{count / 2**20:.2g} MiB" if count < 10 * 2**20 else f"{count / 2**20:.0f} MiB"
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def memory_warning(needed: int | None, free: int | None, *, device: str) -> str:
    """Why the memory will not do; "" where it will, or where it is not known."""
    if needed is None or free is None or needed <= free:
        return ""
    return (
        f"Needs about {size_in_words(needed)} of memory, but {device} has {size_in_words(free)} "
        "free: take smaller crops or batches, or compute.accumulate or compute.checkpointing."
    )


def disk_warning(needed: int, free: int | None) -> str:
    """Why the disk will not do; "" where it will, or where it is not known."""
    if free is None or needed <= free:
        return ""
    return (
        f"Writes about {size_in_words(needed)}, but the project's disk has {size_in_words(free)} "
        "free: lower keep_rounds_mib or free some space."
    )
