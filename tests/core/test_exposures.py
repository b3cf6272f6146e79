import struct

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.imaging.exposure import evs_from_exif, read_exposures


@pytest.mark.parametrize(
    "text", ["0 3 6", "0.0\n3.0\n6.0\n", "0, 3, 6", "\ufeff0\r\n3\r\n6\r\n\r\n"]
)
def test_evs_may_be_written_in_any_plain_way(tmp_path, text):
    (tmp_path / "exposure.txt").write_text(text, encoding="utf-8", newline="")
    assert read_exposures(tmp_path / "exposure.txt").readings[0] == (0, 3, 6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds 0"),
        ("0 two 4", "no number"),
        ("0 nan 4", "not finite"),
        ("0 0 4", "same exposure"),
        ("0 1/0 4", "no number"),
        ("1/8 0s 2", "not above 0"),
    ],
)
def test_exposures_that_cannot_be_evs_are_told(tmp_path, text, told):
    (tmp_path / "exposure.txt").write_text(text)
    with pytest.raises(BadScene, match=rf"exposure\.txt: .*{told}.*\.$"):
        read_exposures(tmp_path / "exposure.txt")


def exif_jpeg(path, ev, *, seconds, order="<", f_number=None, iso=None):
    """A JPEG whose EXIF directory lies behind a pointer, as cameras write it."""
    ratios = [(0x829A, seconds)] + ([(0x829D, f_number)] if f_number else [])
    count = len(ratios) + (iso is not None)
    after = 26 + 2 + 12 * count + 4
    entries, data = b"", b""
    for tag, (above, below) in ratios:
        entries += struct.pack(order + "HHII", tag, 5, 1, after + len(data))
        data += struct.pack(order + "II", above, below)
    if iso is not None:
        entries += struct.pack(order + "HHIHxx", 0x8827, 3, 1, iso)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    pointer = struct.pack(order + "HHHII", 1, 0x8769, 4, 1, 26) + b"\0" * 4
    tiff = head + pointer + struct.pack(order + "H", count) + entries + b"\0" * 4 + data
    segment = b"Exif\0\0" + tiff
    raw = cv2.imencode(".jpg", np.full((16, 24, 3), 20 + 40 * ev, np.uint8))[1].tobytes()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(
        raw[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + raw[2:]
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_gives_the_exposures_where_no_file_does(tmp_path, order):
    # Twice the stops by shutter, one back by aperture, one more by sensitivity.
    exif_jpeg(tmp_path / "s" / "1.jpg", 0, seconds=(1, 64), f_number=(4, 1), iso=100, order=order)
    exif_jpeg(tmp_path / "s" / "2.jpg", 2, seconds=(1, 16), f_number=(4, 1), iso=100, order=order)
    exif_jpeg(tmp_path / "s" / "3.jpg", 4, seconds=(1, 16), f_number=(4, 1), iso=400, order=order)
    (scene,) = find_scenes(tmp_path).scenes
    assert scene.stops == (0, 2, 4)
    assert scene.evs[0] == -10


def test_exif_of_a_manual_lens_needs_only_the_shutter(tmp_path):
    paths = [tmp_path / f"{k}.jpg" for k in range(3)]
    for k, path in enumerate(paths):
        exif_jpeg(path, 2 * k, seconds=(4**k, 1000))
    evs = evs_from_exif(paths)
    assert np.diff(evs) == pytest.approx([2, 2], abs=1e-3)
