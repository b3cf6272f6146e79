"""How long a camera folder of a thousand brackets takes to be told apart by its headers alone."""

import struct
import sys
import tempfile
import zlib
from pathlib import Path

import cv2
import numpy as np
from table import Row, row, show, timed

sys.path.append(str(Path(__file__).parents[1] / "core"))

from datetime import timedelta

from made_pictures import chunk
from made_shots import START, exif

from smarthdr_studio.core.datasets.proposal import propose
from smarthdr_studio.core.imaging.image_files import image_size

SCENES = 1000
STOPS = (0, -2, 2)


def camera_folder(folder: Path) -> None:
    """Three JPEGs a scene with the EXIF and the embedded preview that cameras write.

    The pictures are small, because nothing but headers is read; a maker's note of 32 KiB stands
    for what lies between the header and the pixels of a large one.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    raw = cv2.imencode(".jpg", pixels)[1].tobytes()
    filling = b"\xff\xed" + struct.pack(">H", 32770) + bytes(32768)
    for scene in range(SCENES):
        for index, stop in enumerate(STOPS):
            at = START + timedelta(seconds=60 * scene + index)
            block = b"Exif\0\0" + exif(at=at, seconds=2.0**stop / 60, bias=stop)
            head = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + filling
            path = folder / f"IMG_{3 * scene + index:05d}.JPG"
            path.write_bytes(raw[:2] + head + raw[2:])


def large_png(folder: Path) -> Path:
    """A 16-bit PNG of 24 megapixels in chunks of 8 KiB, as libpng writes it, without EXIF."""
    noise = np.random.default_rng(0).integers(0, 256, (1000, 36000)).astype(np.uint8)
    lines = np.concatenate([np.zeros((1000, 1), np.uint8), noise], axis=1).tobytes()
    packed = zlib.compress(lines * 4, 0)
    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", 6000, 4000, 16, 2, 0, 0, 0))]
    parts += [chunk(b"IDAT", packed[at : at + 8192]) for at in range(0, len(packed), 8192)]
    path = folder / "large.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))
    return path


def main() -> list[Row]:
    """The scan of a folder in seconds, and the header of a large PNG in milliseconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera_folder(folder)
        found = propose(folder)
        assert len(found.scenes) == SCENES
        scans = [t / 1000 for t in timed(lambda _: propose(folder), times=3, warm_up=0)]
        png = large_png(folder)
        headers = timed(lambda _: image_size(png), times=5, warm_up=1)
    return [
        row(
            f"{SCENES} brackets of three JPEGs, told apart",
            scans,
            unit="s",
            reach="10",
            stretch="5",
        ),
        row("24-megapixel PNG, size from its header", headers, unit="ms", reach="5", stretch="1"),
    ]


if __name__ == "__main__":
    show(main())
