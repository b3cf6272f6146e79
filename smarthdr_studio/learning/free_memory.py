"""How much memory a run could have: what is free, and what the system would give up for it."""

from pathlib import Path

import torch

from smarthdr_studio.learning.runtime import DeviceDescription, describe_devices


def devices_with_memory() -> tuple[DeviceDescription, ...]:
    """Every device, the one "auto" picks first; caches of files count as free main memory."""
    return tuple(
        DeviceDescription(
            id=device.id,
            title=device.title,
            free_bytes=main_memory() or device.free_bytes,
            total_bytes=device.total_bytes,
        )
        if device.id == "cpu"
        else device
        for device in describe_devices()
    )


def free_memory(device: torch.device) -> int | None:
    """Bytes free on a device; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    name = {"mps": "mps", "cpu": "cpu"}[device.type]
    found = (each.free_bytes for each in devices_with_memory() if each.id == name)
    return next(found, None)


def main_memory() -> int | None:
    """Bytes of main memory that programs can still get; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kib = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return min(int(kib[0]) * 1024, _limit_of_group()) if kib else None


def _limit_of_group() -> int:
    """What is left of the memory that a container or a job is allowed."""
    group = Path("/sys/fs/cgroup")
    try:
        most = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
        files = (group / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 2**63
    cached = [int(line.split()[1]) for line in files if line.startswith("inactive_file ")]
    return 2**63 if most == "max" else max(0, int(most) - used + sum(cached))
