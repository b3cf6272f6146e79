"""Reads .npy and .npz of anybody: what an array takes is known before a byte of it is unpacked."""

import io
import math
import zipfile
import zlib
from functools import lru_cache
from typing import IO, Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.environment import main_memory

Array = npt.NDArray[Any]

_DAMAGE: Final = (
    *(EOFError, KeyError, TypeError, AttributeError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, MemoryError, OverflowError),
)
_UNKNOWN_ROOM: Final = 2**32  # bytes, where the system does not tell what is free
_ALWAYS_ROOM: Final = 2**20  # bytes, for which the system is not asked; of ten thousand files
_LONGEST_HEADER: Final = 10_000  # bytes, as numpy has it


def read_arrays(stream: BinaryIO, *names: str) -> dict[str, Array]:
    """Arrays of an .npz by name, of any shape and dtype; of the others nothing is unpacked.

    Raises OSError, and ValueError for whatever else is wrong: no .npz, one that lacks a name or is
    damaged, objects, and arrays that together are larger than half of the memory that is free.
    """
    taken = 0
    try:
        with zipfile.ZipFile(stream) as held:
            found: dict[str, Array] = {}
            for name in names:
                with held.open(f"{name}.npy") as member:
                    found[name] = _unpacked(member, taken=taken)
                taken += found[name].nbytes
            return found
    except _DAMAGE as error:
        raise ValueError(_clause(error)) from None


def read_array(stream: BinaryIO) -> Array:
    """The array of an .npy, of any shape and dtype. Raises likewise."""
    try:
        return _unpacked(stream)
    except _DAMAGE as error:
        raise ValueError(_clause(error)) from None


def _clause(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


def _room() -> int:
    free = main_memory()
    return (_UNKNOWN_ROOM if free is None else free) // 2


def _unpacked(stream: IO[bytes], *, taken: int = 0) -> Array:
    """The next array of a file, of which `taken` bytes are unpacked already."""
    version = np.lib.format.read_magic(stream)
    length = {(1, 0): 2, (2, 0): 4}.get(version)
    if length is None:
        raise ValueError(f"an array of format {version[0]}.{version[1]}")
    told = stream.read(length)
    if int.from_bytes(told, "little") > _LONGEST_HEADER:
        raise ValueError("its header is too long")
    shape, by_columns, kind = _announced(
        version, told + stream.read(int.from_bytes(told, "little"))
    )
    if kind.hasobject:
        raise ValueError("it holds objects, not numbers")
    if min(shape, default=0) < 0:
        raise ValueError("one of its sides is negative")
    size = math.prod(shape) * kind.itemsize
    if taken + size > _ALWAYS_ROOM and size > (room := _room() - taken):
        raise ValueError(f"it unpacks to {size} bytes, and {room} may be taken of what is free")
    data = bytearray()
    while len(data) < size and (read := stream.read(min(size - len(data), 2**24))):
        data += read
    if len(data) < size:
        raise ValueError("it is truncated")
    return np.ndarray(shape, kind, buffer=data, order="F" if by_columns else "C")


@lru_cache(maxsize=256)
def _announced(
    version: tuple[int, int], header: bytes
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and dtype by a header with its length; most files of a pool have the same."""
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, by_columns, kind = read(io.BytesIO(header))
    return shape, by_columns, kind
