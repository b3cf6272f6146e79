"""What a run computes on: device, precision, and how memory is asked for."""

import ctypes
import gc
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.processes import ALONE, Place

_PRECISIONS: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}

# From malloc.h of glibc.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDescription:
    """A device one can choose; bytes are None where the system does not tell."""

    id: str
    title: str
    free_bytes: int | None
    total_bytes: int | None


def pick_device(wish: str = "auto", *, place: Place = ALONE) -> torch.device:
    """The device for a wish: "auto" (cuda, else mps, else cpu), "cpu", "cuda", "cuda:1", "mps".

    Of several processes that train together each has a GPU of its own, or all have the CPU.

    Raises:
        DeviceError: the wish is no device, or that device is not there.
    """
    if place.size > 1:
        wish = _own_device(wish, place)
    if wish == "auto":
        return torch.device(_best())
    kind, _, number = wish.partition(":")
    if kind not in {"cpu", "cuda", "mps"} or (number and not number.isdecimal()):
        raise DeviceError(f"{wish!r} names no device. Choose auto, cpu, cuda, cuda:N or mps.")
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.mps.is_available())}
    if int(number or 0) >= there[kind]:
        raise DeviceError(
            f"The device {wish!r} is not there: torch {torch.__version__} finds {there[kind]} of "
            f"that kind. Choose auto or cpu, or install the driver and a torch built for it."
        )
    return torch.device(wish)


def _own_device(wish: str, place: Place) -> str:
    """The wish of one process of several. Raises DeviceError where they would share a GPU."""
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    if wish == "cuda":
        return f"cuda:{place.local_rank}"
    if wish != "cpu":
        raise DeviceError(
            f"{place.size} processes cannot share the device {wish!r}: choose auto, cuda or cpu, "
            "with as many processes on each machine as it has GPUs"
        )
    return wish


def pick_precision(device: torch.device, wish: str = "auto") -> torch.dtype:
    """What convolutions and attention compute in: bfloat16 under autocast, or float32.

    "auto" is bfloat16 on a CUDA device that has it in hardware. On a CPU it is float32: few have
    bfloat16 arithmetic, and a resumed run must equal an uninterrupted one bit for bit.

    Raises:
        DeviceError: the wish is unknown, or the device cannot do it.
    """
    if wish == "auto":
        good = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if good else torch.float32
    if wish not in _PRECISIONS:
        raise DeviceError(f"{wish!r} is no precision. Choose auto, float32 or bfloat16.")
    if wish == "bfloat16" and device.type == "mps":
        raise DeviceError("Precision bfloat16 is not used on mps. Choose auto or float32.")
    return _PRECISIONS[wish]


def describe_devices() -> tuple[DeviceDescription, ...]:
    """Every device a run can be given, the one "auto" picks first."""
    found = [_describe_cuda(number) for number in range(torch.cuda.device_count())]
    if torch.mps.is_available():
        found.append(_describe_mps())
    return (*found, _describe_cpu())


def use_memory_kindly() -> bool:
    """Let glibc keep freed memory for the next tile; True where that could be arranged.

    Otherwise every large tensor is mapped afresh and each of its pages faults on first use, which
    can double the time of a step. One arena, because the heaps of further arenas are too small
    for a tensor: call it before the thread that trains is started. Elsewhere than on Linux with
    glibc, nothing is done. Calling it again changes nothing.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    wishes = (
        (_MMAP_THRESHOLD, 1 << 30),
        (_TRIM_THRESHOLD, (1 << 31) - 1),
        (_TOP_PAD, 64 << 20),
        (_ARENA_MAX, 1),
    )
    answers = [mallopt(option, value) for option, value in wishes]
    return all(answer == 1 for answer in answers)


def give_memory_back() -> None:
    """After a run: return what caches hold, to the device and to the system."""
    gc.collect()  # tensors in circles of references would keep their memory
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def memory_held(device: torch.device) -> int | None:
    """Bytes that this process holds on the device: of main memory for a CPU; None if not known."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.mps.is_available() else "cpu"


def _describe_cuda(number: int) -> DeviceDescription:
    free, total = torch.cuda.mem_get_info(number)
    name = torch.cuda.get_device_name(number)
    return DeviceDescription(id=f"cuda:{number}", title=name, free_bytes=free, total_bytes=total)


def _describe_mps() -> DeviceDescription:
    total = torch.mps.recommended_max_memory()
    free = total - torch.mps.current_allocated_memory()
    return DeviceDescription(id="mps", title="Apple GPU", free_bytes=free, total_bytes=total)


def _describe_cpu() -> DeviceDescription:
    threads = torch.get_num_threads()
    many = "1 thread" if threads == 1 else f"{threads} threads"
    return DeviceDescription(
        id="cpu",
        title=f"CPU {platform.machine()}, {many}",
        free_bytes=_memory("SC_AVPHYS_PAGES"),
        total_bytes=_memory("SC_PHYS_PAGES"),
    )


def _memory(pages: str) -> int | None:
    """Bytes of main memory by the name of a count of pages, where the system keeps that count."""
    if not hasattr(os, "sysconf") or pages not in os.sysconf_names:
        return None
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")
