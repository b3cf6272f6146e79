"""How long frames and ground truths take to be read, beside OpenCV alone, and how long a header."""

import tempfile
from pathlib import Path

import cv2
import numpy as np
from table import Row, row, show, timed

from smarthdr_studio.core.imaging.image_files import image_size, read_frame, read_radiance

HEIGHT, WIDTH = 1000, 1500  # of Kalantari 2017


def pictures(folder: Path) -> dict[str, Path]:
    """A frame with some structure, as the kinds of files that published brackets are."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    smooth = np.dstack([x / WIDTH, y / HEIGHT, (x + y) / (WIDTH + HEIGHT)])
    noisy = smooth * 0.8 + np.random.default_rng(0).normal(0, 0.01, smooth.shape) + 0.1
    wide = np.round(np.clip(noisy, 0, 1) * 65535).astype(np.uint16)
    narrow = (wide >> 8).astype(np.uint8)
    plain = [cv2.IMWRITE_TIFF_COMPRESSION, 1]
    found = {}
    for name, pixels, suffix, options in (
        ("16-bit TIFF", wide, ".tif", plain),
        ("16-bit TIFF, LZW", wide, ".tif", [cv2.IMWRITE_TIFF_COMPRESSION, 5]),
        ("8-bit TIFF", narrow, ".tif", plain),
        ("16-bit PNG", wide, ".png", []),
        ("JPEG", narrow, ".jpg", []),
    ):
        found[name] = folder / f"{name}{suffix}"
        cv2.imwrite(str(found[name]), pixels, options)
    found["Radiance"] = folder / "truth.hdr"
    cv2.imwrite(str(found["Radiance"]), np.exp2(noisy * 12 - 8).astype(np.float32))
    return found


def by_opencv(path: Path) -> object:
    """The least a reader can do: all bytes, decoded, in RGB order, 16 bits where it is a frame."""
    if path.suffix == ".hdr":
        return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB)
    bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return rgb if rgb.dtype == np.uint16 else np.multiply(rgb, 257, dtype=np.uint16)


def measure(folder: Path) -> list[Row]:
    """For each kind the ratio to OpenCV, call by call in turns, and the header in milliseconds."""
    rows = []
    for name, path in pictures(folder).items():
        ratios, headers = [], []
        read = read_radiance if path.suffix == ".hdr" else read_frame
        for _ in range(7):
            (ours,) = timed(lambda _, path=path, read=read: read(path), times=1, warm_up=1)
            (theirs,) = timed(lambda _, path=path: by_opencv(path), times=1, warm_up=1)
            ratios.append(ours / theirs)
            headers += timed(lambda _, path=path: image_size(path), times=3, warm_up=1)
        rows += [
            row(f"{name} read ÷ OpenCV alone", ratios, unit="×", reach="–", stretch="–"),
            row(f"{name}, size from its header", headers, unit="ms", reach="–", stretch="–"),
        ]
    return rows


def main() -> list[Row]:
    """Two rows per kind of file."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))


if __name__ == "__main__":
    show(main())
