"""What a run will take, as a person reads it."""

from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.core.run_estimate import Estimate, size_in_words
from smarthdr_studio.studio.panels.parts import duration
from smarthdr_studio.studio.state import DeviceLine


def estimate_in_facts(found: Estimate) -> tuple[Fact, ...]:
    """The whole time first, then its parts, then memory and disk with what is free."""
    facts = [
        _fact("All of it", long_duration(found.total_seconds)),
        _fact("Steps", f"{found.steps:,}".replace(",", " "), _rounds(found)),
    ]
    for name, seconds in (
        ("Warm-up epoch", found.warmup_epoch_seconds),
        ("Later epoch", found.learning_epoch_seconds),
        ("One round", found.round_seconds),
    ):
        if seconds is not None:
            facts.append(_fact(name, long_duration(seconds)))
    memory, free = found.peak_memory_bytes, found.free_memory_bytes
    if memory is not None:
        facts.append(_fact("Memory", size_in_words(memory), _free(free)))
    disk = size_in_words(found.all_disk_bytes)
    facts.append(_fact("Disk", disk, _free(found.free_disk_bytes)))
    return tuple(facts)


def disk_in_words(found: Estimate) -> str:
    """What is written, part by part."""
    parts = [f"{name} {size_in_words(size)}" for name, size in found.disk_bytes.items() if size]
    return "On the disk: " + ", ".join(parts)


def device_in_words(line: DeviceLine) -> str:
    """A device and the memory that is free on it."""
    if line.free_bytes is None:
        return f"{line.id} · {line.title}"
    total = "" if line.total_bytes is None else f" of {size_in_words(line.total_bytes)}"
    return f"{line.title}\n{size_in_words(line.free_bytes)} free{total}"


def long_duration(seconds: float) -> str:
    """How long; a run may take days, and a step less than a second."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    hours = seconds / 3600
    return duration(seconds) if hours < 48 else f"{hours / 24:.1f} days"


def _fact(name: str, value: str, beside: str = "") -> Fact:
    return Fact(name=name, value=value, beside=beside)


def _rounds(found: Estimate) -> str:
    epochs = "1 epoch" if found.epochs == 1 else f"{found.epochs} epochs"
    rounds = "1 round" if found.rounds == 1 else f"{found.rounds} rounds"
    return f"in {epochs}, {rounds}"


def _free(count: int | None) -> str:
    return "" if count is None else f"of {size_in_words(count)} free"
