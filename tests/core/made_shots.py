"""Pictures straight off a camera: JPEG and PNG with EXIF written by hand, from known radiance."""

import io
import struct
from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest

START = datetime(2026, 5, 1, 12, 0, 0)


def exif(*, at=None, seconds=None, iso=100, f_number=8, bias=None, model=b"Camera X"):
    """A TIFF block as cameras write it: model, then the EXIF directory behind a pointer."""
    numbers = [(0x829A, 5, (1, round(1 / seconds)) if seconds < 0.4 else (round(seconds * 10), 10))]
    numbers += [(0x829D, 5, (f_number, 1)), (0x8827, 3, iso)]
    if at is not None:
        whole = at.strftime("%Y:%m:%d %H:%M:%S").encode() + b"\0"
        part = f"{at.microsecond // 10000:02d}".encode() + b"\0"
        numbers += [(0x9003, 2, whole), (0x9291, 2, part)]
    if bias is not None:
        numbers.append((0x9204, 10, (round(bias * 3), 3)))
    main = 8 + 2 + 2 * 12 + 4
    first = main + len(model) + 1
    entries, data = b"", b""
    after = first + 2 + 12 * len(numbers) + 4
    for tag, kind, value in sorted(numbers):
        if kind == 3:
            entries += struct.pack("<HHIHxx", tag, 3, 1, value)
        elif kind == 2 and len(value) <= 4:
            entries += struct.pack("<HHI", tag, 2, len(value)) + value.ljust(4, b"\0")
        else:
            count = len(value) if kind == 2 else 1
            entries += struct.pack("<HHII", tag, kind, count, after + len(data))
            data += value if kind == 2 else struct.pack("<ii", *value)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2)
    head += struct.pack("<HHII", 0x0110, 2, len(model) + 1, main)
    head += struct.pack("<HHII", 0x8769, 4, 1, first) + b"\0" * 4
    return head + model + b"\0" + struct.pack("<H", len(numbers)) + entries + b"\0" * 4 + data


def camera_values(radiance, stops):
    return np.rint(np.clip(radiance * 2.0**stops, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


def put_jpeg(path, radiance, stops, *, camera=camera_values, **facts):
    """What a camera makes of it, `stops` above the exposure at which 1 clips; EXIF from facts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = np.ascontiguousarray(camera(radiance, stops)[..., ::-1])
    fine = [cv2.IMWRITE_JPEG_QUALITY, 99, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    raw = cv2.imencode(".jpg", bgr, fine)[1].tobytes()
    segment = b"Exif\0\0" + exif(**facts)
    path.write_bytes(
        raw[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + raw[2:]
    )


def put_brackets(
    folder, views, *, stops=(2, 0, 4), pause=30.0, metering=None, first=1, bias=True, at=START,
    camera=camera_values,
):  # fmt: skip
    """A bracket of every view: the metered frame, then darker, then brighter; a second apart.

    `metering` are the shutter times of the metered frames; the files are IMG_0001.JPG and so on.
    A view is light, or one light for each shot. `camera` makes 8-bit values of light and stops.
    """
    number, paths = first, []
    for index, radiance in enumerate(views):
        seconds = (metering or [1 / 60] * len(views))[index]
        for k, shot in enumerate(stops):
            off = shot - stops[0]
            paths.append(folder / f"IMG_{number:04d}.JPG")
            put_jpeg(
                paths[-1], radiance[k] if isinstance(radiance, list) else radiance, shot,
                camera=camera, at=at, seconds=seconds * 2.0**off,
                bias=off if bias else None,
            )  # fmt: skip
            at += timedelta(seconds=0.4 + seconds)
            number += 1
        at += timedelta(seconds=pause)
    return paths


def put_png(path, radiance, stops):
    """The same without a word about its exposure, in 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.clip(radiance * 2.0**stops, 0, 1) ** (1 / 2.2) * 65535
    cv2.imwrite(str(path), np.rint(values).astype(np.uint16)[..., ::-1])


def dng(levels, *, seconds=(1, 4), orientation=1):
    """A DNG of an H×W mosaic (RGGB) above black 1000, white 61000; its camera sees sRGB colours."""
    tifffile = pytest.importorskip("tifffile")
    matrix = [32405, 10000, -15371, 10000, -4985, 10000, -9693, 10000, 18760, 10000, 416, 10000]
    matrix += [556, 10000, -2040, 10000, 10572, 10000]
    tags = [
        (50706, 1, 4, bytes([1, 4, 0, 0]), True),
        (50708, 2, 5, b"Mine\0", True),
        (271, 2, 5, b"Mine\0", True),
        (272, 2, 5, b"Mine\0", True),
        (274, 3, 1, orientation, True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes([0, 1, 1, 2]), True),
        (50721, 10, 9, tuple(matrix), True),
        (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),
        (50714, 4, 1, 1000, True),
        (50717, 4, 1, 61000, True),
        (50778, 3, 1, 21, True),
        (33434, 5, 1, seconds, True),
    ]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, (1000 + levels).astype(np.uint16), photometric=32803, extratags=tags)
    return buffer.getvalue()


def mosaic(light, stops):
    """What the sensor of such a DNG counts of H×W×3 linear light: one colour a pixel, no noise."""
    counts = np.rint(np.clip(light * 2.0**stops, 0, 1) * 60000)
    mixed = counts[..., 1].copy()
    mixed[0::2, 0::2] = counts[0::2, 0::2, 0]
    mixed[1::2, 1::2] = counts[1::2, 1::2, 2]
    return mixed
