"""Which devices can train; asking loads torch, so it is asked on a thread."""

from importlib import import_module

from smarthdr_studio.core.run_estimate import size_in_words
from smarthdr_studio.studio.state.planning import DeviceLine

Devices = tuple[tuple[str, str], ...]


def find_devices() -> Devices:
    """(name in a plan, words for the person) of every device; memory is set up for training.

    Before a thread trains, not on it: glibc gives a thread its arena when it starts.
    """
    return tuple((line.id, _in_words(line)) for line in list_devices())


def list_devices() -> tuple[DeviceLine, ...]:
    """The same devices with the memory that is free on each now."""
    # Loaded beside torch, so that the click on Train waits for neither.
    import_module("smarthdr_studio.core.plan")
    from smarthdr_studio.learning.free_memory import devices_with_memory
    from smarthdr_studio.learning.runtime import use_memory_kindly

    use_memory_kindly()
    return tuple(
        DeviceLine(
            id=device.id,
            title=device.title,
            free_bytes=device.free_bytes,
            total_bytes=device.total_bytes,
        )
        for device in devices_with_memory()
    )


def _in_words(line: DeviceLine) -> str:
    if line.free_bytes is None:
        return line.title
    return f"{line.title} · {size_in_words(line.free_bytes)} free"
