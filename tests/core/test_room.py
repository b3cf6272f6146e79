"""Memory known from headers: small files that claim to be huge are refused before decoding."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from made_pictures import chunk, exr, tiff
from typer.testing import CliRunner

from smarthdr_studio.cli.app import build, run
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import DeviceError, LabelError, UnreadableImage
from smarthdr_studio.core.imaging import image_files, room
from smarthdr_studio.core.imaging.image_files import (
    examine,
    image_size,
    preview,
    read_bracket_frames,
    read_frame,
    read_layers,
    read_radiance,
    write_frame_tiff,
)
from smarthdr_studio.core.imaging.room import SHARE, Announced, share_in_percent

HEIGHT, WIDTH = 10_000, 20_000
PIXELS = 200_000_000  # of 20000 × 10000


def huge_png():
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 64)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def huge_jpeg():
    _, coded = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))
    raw = bytearray(coded.tobytes())
    at = raw.index(b"\xff\xc0") + 5
    raw[at : at + 4] = struct.pack(">HH", HEIGHT, WIDTH)
    return bytes(raw)


def huge_exr(height=HEIGHT, width=WIDTH):
    plane = np.zeros((4, 4), np.float32)
    small = (0, 0, 3, 3)
    raw = bytearray(exr(dict.fromkeys("RGBZ", (plane, 1)), data=small, display=small))
    for which in (b"dataWindow", b"displayWindow"):
        at = raw.index(which + b"\0box2i\0") + len(which) + 7 + 4
        raw[at : at + 16] = struct.pack("<4i", 0, 0, width - 1, height - 1)
    return bytes(raw)


def huge_hdr():
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 10000 +X 20000\n" + b"\2\2\x4e\x20" * 9


def huge_tiff(height=HEIGHT, width=WIDTH):
    return tiff([b"\0" * 64], height=height, width=width, dtype=np.uint16)


# Worked out by hand: twice what is unpacked, and three channels of 2 or 4 bytes made of it.
HUGE = {
    "a.png": (huge_png, (2 * 3 * 2 + 3 * 2) * PIXELS),
    "a.tif": (huge_tiff, (2 * 3 * 2 + 3 * 2) * PIXELS),
    "a.jpg": (huge_jpeg, (2 * 3 * 1 + 3 * 2) * PIXELS),
    "a.exr": (huge_exr, (2 * 4 * 4 + 3 * 4) * PIXELS),  # Z is unpacked too
    "a.hdr": (huge_hdr, (2 * 3 * 4 + 3 * 4) * PIXELS),
}


@pytest.fixture
def free(monkeypatch):
    """Says how much memory is free, and that no decoder may be asked for anything."""

    def says(amount):
        monkeypatch.setattr(room, "main_memory", lambda: amount)

    monkeypatch.delenv(SHARE, raising=False)
    return says


def put(tmp_path, name):
    write, expected = HUGE[name]
    path = tmp_path / name
    path.write_bytes(write())
    assert path.stat().st_size < 2000
    return path, expected + path.stat().st_size


def without_decoders(monkeypatch):
    def decoder(*_):
        raise AssertionError("a decoder was asked")

    kinds = dict.fromkeys(("tiff", "png", "jpeg", "hdr", "pfm"), decoder)
    monkeypatch.setattr(image_files, "_DECODERS", kinds)
    monkeypatch.setattr(image_files, "decode_exr", decoder)


@pytest.mark.parametrize("name", HUGE)
def test_what_a_picture_takes_is_known_from_its_header(tmp_path, name):
    path, expected = put(tmp_path, name)
    _, header = examine(path)
    assert Announced(path, header, path.stat().st_size).bytes_to_decode == expected


@pytest.mark.parametrize("name", HUGE)
def test_a_picture_that_takes_more_than_its_share_is_refused_before_it_is_decoded(
    tmp_path, monkeypatch, free, name
):
    path, expected = put(tmp_path, name)
    free(expected * 10 // 8 - 100)  # a hair too little, at 80 percent
    without_decoders(monkeypatch)
    read = read_radiance if name in ("a.exr", "a.hdr") else read_frame
    with pytest.raises(UnreadableImage) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: is 20000×10000 pixels and takes {expected / 1e9:.1f} GB of memory, but "
        f"{expected / 0.8e9:.1f} GB are free and 80 % of that may be taken; close other programs, "
        "scale it, or set SMARTHDR_MEMORY_SHARE to more percent."
    )
    assert image_size(path) == (HEIGHT, WIDTH)  # which takes no memory to speak of
    free(expected * 10 // 8 + 100)
    with pytest.raises((AssertionError, UnreadableImage)) as caught:
        read(path)
    assert "GB" not in str(caught.value)


def test_the_share_is_set_in_percent(tmp_path, monkeypatch, free):
    path = tmp_path / "a.tif"
    write_frame_tiff(path, np.zeros((100, 100, 3), np.uint16))
    needed = 18 * 10_000 + path.stat().st_size
    free(2 * needed)
    monkeypatch.setenv(SHARE, "51%")
    assert read_frame(path).shape == (100, 100, 3)
    monkeypatch.setenv(SHARE, "49")
    with pytest.raises(UnreadableImage, match="49 % of that may be taken"):
        read_frame(path)


@pytest.mark.parametrize("said", ["half", "0", "-5", "0.5", "1001", "9" * 5000, "٥٠"])
def test_a_share_that_is_no_percentage_is_told(said):
    with pytest.raises(DeviceError, match="give how many percent of the free memory"):
        share_in_percent({SHARE: said})


def test_without_a_word_it_is_most_of_what_is_free():
    assert share_in_percent({}) == share_in_percent({SHARE: " "}) == 80


def test_nothing_is_refused_where_the_system_does_not_tell_what_is_free(tmp_path, free):
    free(None)
    path = tmp_path / "a.tif"
    write_frame_tiff(path, np.zeros((10, 10, 3), np.uint16))
    assert read_frame(path).shape == (10, 10, 3)


def three(folder, size=(40, 60)):
    folder.mkdir(parents=True)
    light = np.random.default_rng(1).random((*size, 3))
    paths = []
    for index, stops in enumerate((-2, 0, 2)):
        path = folder / f"frame_{index}.tif"
        values = np.clip(light / 4 * 2.0**stops, 0, 1) ** (1 / 2.2) * 65535
        write_frame_tiff(path, values.astype(np.uint16))
        paths.append(path)
    (folder / "exposure.txt").write_text("-2\n0\n2\n")
    return paths


def test_frames_decoded_at_once_are_counted_together(tmp_path, free):
    paths = three(tmp_path / "scene")
    needed = sum(18 * 40 * 60 + path.stat().st_size for path in paths)
    free(needed * 10 // 8 + 100)
    assert len(read_bracket_frames(paths)) == 3
    free(needed * 10 // 8 - 100)
    with pytest.raises(UnreadableImage, match="is 60×40 pixels and takes, with 2 frames more, "):
        read_bracket_frames(paths)


def test_a_merge_counts_all_its_frames_and_what_it_works_with(tmp_path, free, capsys):
    paths = [str(path) for path in three(tmp_path / "scene", size=(400, 600))]
    out = tmp_path / "merged.exr"
    words = ["merge", *paths, "-o", str(out), "--evs=-2,0,2"]
    needed = 240_000 * (3 * 6 + 100)  # three frames held, and 100 bytes a pixel beside them
    free(needed * 10 // 8 - 100)
    assert run(words) == 2
    told = capsys.readouterr().err
    assert f"{paths[0]}: is 600×400 pixels and takes, with 2 frames more, 28.3 MB" in told
    assert not out.exists()
    free(needed * 10 // 8 + 100)
    assert run(words) == 0
    assert out.is_file()


def test_a_scan_leaves_a_scene_out_that_memory_is_short_for_and_loses_nothing_else(
    tmp_path, monkeypatch, free
):
    three(tmp_path / "small")
    for path in three(tmp_path / "vast"):
        path.write_bytes(huge_tiff(6000, 8000))
    real, read = image_files._DECODERS["tiff"], []

    def decoder(raw):
        read.append(len(raw))
        return real(raw)

    monkeypatch.setattr(image_files, "_DECODERS", {"tiff": decoder})
    free(2 * 10**9)
    catalogue = find_scenes(tmp_path)
    assert [scene.id for scene in catalogue.scenes] == ["small"]
    (skipped,) = catalogue.skipped
    assert skipped.path == tmp_path / "vast"
    assert "is 8000×6000 pixels and takes, with 2 frames more, 2.6 GB" in skipped.reason
    assert min(read) > 40 * 60 * 6  # nothing but the small ones


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((HEIGHT, WIDTH), "is 20000×10000 pixels and takes 7.6 GB of memory"),
        ((30_000, 30_000), "says that it is 30000×30000, and more than 400 megapixels"),
    ],
)
def test_layers_that_memory_is_short_for_are_refused_before_they_are_unpacked(
    tmp_path, monkeypatch, free, size, words
):
    path = tmp_path / "label.exr"
    path.write_bytes(huge_exr(*size))
    monkeypatch.setattr(image_files, "is_whole", lambda *_, **__: True)
    monkeypatch.setattr(image_files.OpenEXR, "File", None)
    free(9 * 10**9)  # twice 4 × 4 bytes, and 6 beside them, of 200 megapixels are 7.6 GB
    with pytest.raises(LabelError, match=words):
        read_layers(path, only=("Z",))


def test_a_preview_of_a_jpeg_is_refused_likewise(tmp_path, monkeypatch, free):
    path, expected = put(tmp_path, "a.jpg")
    free(expected)
    monkeypatch.setattr(image_files.cv2, "imdecode", None)
    with pytest.raises(UnreadableImage, match=r"is 20000×10000 pixels and takes 2\.4 GB"):
        preview(path, side=256)


def test_an_odd_share_is_a_sentence_for_the_verb_too(tmp_path, monkeypatch):
    paths = [str(path) for path in three(tmp_path / "scene")]
    monkeypatch.setenv(SHARE, "lots")
    answer = CliRunner().invoke(build(), ["merge", *paths, "-o", str(tmp_path / "a.exr")])
    assert isinstance(answer.exception, DeviceError)
    assert "SMARTHDR_MEMORY_SHARE is 'lots'" in str(answer.exception)
