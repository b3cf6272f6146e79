"""A painted mask as runs of equal pixels: small enough to keep one for every stroke."""

import struct
import zlib
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.brush.ink import Brush

_MAGIC = b"SHDRmask"
_VERSION = 1
_HEADER = struct.Struct("<8sBIII")  # magic, version, height, width, CRC-32 of sizes and runs
_SIZES = struct.Struct("<II")
_LONG = 255  # marks a run whose length follows apart, in four bytes
_LEVEL = 6


def pack(mask: Brush) -> bytes:
    """An H×W mask of −1, 0 and 1 as bytes; the same mask gives the same bytes.

    Raises ValueError: no such mask.
    """
    if mask.ndim != 2 or not mask.size or mask.dtype != np.int8:
        raise ValueError(f"a painted mask is H×W int8, not {mask.shape} {mask.dtype}")
    if mask.min() < -1 or mask.max() > 1:
        raise ValueError("a painted mask holds −1, 0 and 1 alone")
    flat = np.ascontiguousarray(mask).reshape(-1)
    starts = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)
    lengths = np.diff(np.append(starts, flat.size))
    short = np.minimum(lengths, _LONG).astype(np.uint8)
    long = lengths[short == _LONG].astype("<u4")
    # Like lies beside like, so that the pattern of a soft rim packs well.
    runs = flat[starts].tobytes() + short.tobytes() + long.tobytes()
    body = struct.pack("<I", len(starts)) + zlib.compress(runs, _LEVEL)
    height, width = mask.shape
    return _HEADER.pack(_MAGIC, _VERSION, height, width, _checksum(height, width, body)) + body


def unpack(packed: bytes) -> Brush:
    """The H×W mask that `pack` was given. Raises ValueError: foreign, newer or damaged bytes."""
    if len(packed) < _HEADER.size + 4:
        raise ValueError("the runs of a mask end too early")
    magic, version, height, width, checksum = _HEADER.unpack_from(packed)
    if magic != _MAGIC:
        raise ValueError("these bytes are no mask")
    if version != _VERSION:
        raise ValueError(f"a mask of version {version}, but only {_VERSION} can be read")
    body = packed[_HEADER.size :]
    if checksum != _checksum(height, width, body):
        raise ValueError("the runs of a mask do not add up to their checksum")
    values, lengths = _runs(body, pixels=height * width)
    return np.repeat(values, lengths).reshape(height, width)


def fingerprint(packed: bytes) -> str:
    """SHA-256 of a packed mask, hex: the name it is kept under."""
    return sha256(packed).hexdigest()


def _runs(body: bytes, *, pixels: int) -> tuple[Brush, npt.NDArray[np.int64]]:
    (count,) = struct.unpack_from("<I", body)
    try:
        runs = zlib.decompress(body[4:])
    except zlib.error as error:
        raise ValueError(f"the runs of a mask cannot be unpacked ({error})") from None
    if len(runs) < 2 * count or (len(runs) - 2 * count) % 4:
        raise ValueError("the runs of a mask end too early")
    values = np.frombuffer(runs, np.int8, count)
    lengths = np.frombuffer(runs, np.uint8, count, offset=count).astype(np.int64)
    long = np.frombuffer(runs, "<u4", offset=2 * count)
    if int((lengths == _LONG).sum()) != long.size:
        raise ValueError("the runs of a mask contradict each other")
    lengths[lengths == _LONG] = long
    if not count or lengths.sum() != pixels or values.min() < -1 or values.max() > 1:
        raise ValueError("the runs of a mask do not fill its picture")
    return values, lengths


def _checksum(height: int, width: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(_SIZES.pack(height, width)))
