"""Which devices can train; asking loads torch, so it is asked on a thread."""

from importlib import import_module

from smarthdr_studio.studio.threads.task import Tell

Devices = tuple[tuple[str, str], ...]


def find_devices(tell: Tell) -> Devices:
    """(name in a plan, words for the person) of every device; memory is set up for training.

    Before a thread trains, not on it: glibc gives a thread its arena when it starts.
    """
    tell("", 0, 0)
    # Loaded beside torch, so that the click on Train waits for neither.
    import_module("smarthdr_studio.core.plan")
    from smarthdr_studio.learning.runtime import describe_devices, use_memory_kindly

    use_memory_kindly()
    return tuple(
        (device.id, _in_words(device.title, device.free_bytes)) for device in describe_devices()
    )


def _in_words(title: str, free_bytes: int | None) -> str:
    return title if free_bytes is None else f"{title} · {free_bytes / 2**30:.0f} GiB free"
