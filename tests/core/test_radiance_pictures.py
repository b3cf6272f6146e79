"""Radiance, PFM and EXR: everything a header says of exposure, axes, windows and primaries."""

import io
import os
import struct
import subprocess
import sys

import cv2
import numpy as np
import OpenEXR
import pytest
from made_pictures import exr, hdr, light, new_rle, of_rgbe, rgbe

from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.imaging import radiance_pictures
from smarthdr_studio.core.imaging.image_files import image_size, read_frame, read_radiance

CODED = rgbe(light())
TRUTH = of_rgbe(CODED)
# Linear sRGB to XYZ under D65 (IEC 61966-2-1).
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


@pytest.fixture
def put(tmp_path):
    def write(raw):
        path = tmp_path / "a.hdr"
        path.write_bytes(raw)
        return path

    return write


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("pack", [None, new_rle])
def test_flat_and_packed_rows_under_any_line_ends(put, end, pack):
    path = put(hdr(CODED, end=end, data=pack and pack(CODED)))
    np.testing.assert_allclose(read_radiance(path), TRUTH, rtol=1e-6)
    assert image_size(path) == (24, 37)


def test_the_old_way_of_packing_repeats_pixels(put):
    row = CODED[0, :3]
    # One pixel, repeated 2 more times; another, repeated 3 + 1 · 256 more times; a last one.
    data = row[0].tobytes() + bytes([1, 1, 1, 2]) + row[1].tobytes()
    data += bytes([1, 1, 1, 3, 1, 1, 1, 1]) + row[2].tobytes()
    width = 3 + 1 + 3 + 256 + 1
    path = put(hdr(np.zeros((1, width, 4), np.uint8), data=data))
    expected = np.repeat(of_rgbe(row[None]), [3, 260, 1], axis=1)
    np.testing.assert_allclose(read_radiance(path), expected, rtol=1e-6)


def test_exposures_multiply_and_are_undone_as_colour_corrections_are(put):
    path = put(hdr(CODED, b"EXPOSURE=2", b"EXPOSURE=  4.0", b"COLORCORR=1 2 .5", b"GAMMA=1"))
    np.testing.assert_allclose(read_radiance(path), TRUTH / 8 / [1, 2, 0.5], rtol=1e-6)


ORDERS = {
    b"-Y 24 +X 37": lambda p: p,
    b"+Y 24 +X 37": np.flipud,
    b"-Y 24 -X 37": np.fliplr,
    b"+Y 24 -X 37": lambda p: np.rot90(p, 2),
    b"+X 24 -Y 37": lambda p: p.swapaxes(0, 1),
    b"+X 24 +Y 37": lambda p: np.flipud(p.swapaxes(0, 1)),
    b"-X 24 -Y 37": lambda p: np.fliplr(p.swapaxes(0, 1)),
    b"-X 24 +Y 37": lambda p: np.rot90(p.swapaxes(0, 1), 2),
}


@pytest.mark.parametrize("size", ORDERS)
@pytest.mark.parametrize("pack", [None, new_rle])
def test_axes_lie_as_the_size_says(put, size, pack):
    path = put(hdr(CODED, size=size, data=pack and pack(CODED)))
    expected = ORDERS[size](TRUTH)
    np.testing.assert_allclose(read_radiance(path), expected, rtol=1e-6)
    assert image_size(path) == expected.shape[:2]


def test_xyze_becomes_rec_709(put):
    coded = rgbe(light() @ XYZ.T)
    path = put(hdr(coded, b"FORMAT=32-bit_rle_xyze"))
    expected = np.maximum(of_rgbe(coded) @ np.linalg.inv(XYZ).T, 0)
    assert np.abs(read_radiance(path) - expected).max() < 2e-3 * expected.max()


@pytest.mark.parametrize(
    "primaries", ["0 0 0 0 0 0 0 0", ".640 .330 .290 .600 .150 .060 .333 .333"]
)
def test_primaries_that_say_nothing_new_change_nothing(put, primaries):
    path = put(hdr(CODED, b"PRIMARIES=" + primaries.encode()))
    np.testing.assert_allclose(read_radiance(path), TRUTH, rtol=1e-6)


def test_another_format_is_named(put):
    with pytest.raises(UnreadableImage, match=r"in the format 64-bit_float; save it as RGBE"):
        read_radiance(put(hdr(CODED, b"FORMAT=64-bit_float")))


@pytest.mark.parametrize("left", [0, 1, 100, 3551])
def test_a_flat_file_that_ends_early_is_damaged(put, left):
    path = put(hdr(CODED)[: len(hdr(CODED)) - CODED.size + left])
    with pytest.raises(UnreadableImage, match="truncated or damaged"):
        read_radiance(path)


@pytest.mark.parametrize(("scale", "order"), [("-1.0", "<"), ("1.0", ">"), ("-0.5", "<")])
@pytest.mark.parametrize("kind", ["PF", "Pf"])
def test_float_maps_lie_upside_down_in_either_byte_order(put, scale, order, kind):
    values = light() if kind == "PF" else light()[..., :1]
    body = values[::-1].astype(order + "f4").tobytes()
    path = put(f"{kind}\n37 24\n{scale}\n".encode() + body)
    np.testing.assert_array_equal(read_radiance(path), np.broadcast_to(values, (24, 37, 3)))
    assert image_size(path) == (24, 37)
    with pytest.raises(UnreadableImage, match="holds radiance, not a camera frame"):
        read_frame(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UnreadableImage, match="truncated or damaged"):
        read_radiance(path)


def rgb(pixels, **more):
    return {name: (pixels[..., i], 1) for i, name in enumerate("RGB")} | more


def test_a_data_window_is_put_where_the_display_window_shows_it(put):
    truth = light()
    inner = truth[2:20, 3:30]
    path = put(exr(rgb(inner), data=(3, 2, 29, 19), display=(0, 0, 36, 23)))
    expected = np.zeros_like(truth)
    expected[2:20, 3:30] = inner
    np.testing.assert_array_equal(read_radiance(path), expected)
    assert image_size(path) == (24, 37)


def test_overscan_is_cut_off(put):
    truth = light(44, 57)
    path = put(exr(rgb(truth), data=(-10, -10, 46, 33), display=(0, 0, 36, 23)))
    np.testing.assert_array_equal(read_radiance(path), truth[10:34, 10:47])
    assert image_size(path) == (24, 37)


def test_a_window_that_does_not_begin_at_zero_is_no_shift(put):
    path = put(exr(rgb(light()), data=(100, -7, 136, 16), display=(100, -7, 136, 16)))
    np.testing.assert_array_equal(read_radiance(path), light())


def chromaticities(*numbers):
    return b"chromaticities", b"chromaticities", struct.pack("<8f", *numbers)


def test_measured_colours_become_rec_709(put):
    said = chromaticities(1, 0, 0, 1, 0, 0, 1 / 3, 1 / 3)
    path = put(
        exr(rgb(light() @ XYZ.T), data=(0, 0, 36, 23), display=(0, 0, 36, 23), attributes=[said])
    )
    assert np.abs(read_radiance(path) - light()).max() < 1e-3 * light().max()


def test_wide_primaries_become_rec_709(put):
    # Rec. 2020 to Rec. 709 (ITU-R BT.2087).
    matrix = np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    )
    said = chromaticities(0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
    path = put(exr(rgb(light()), data=(0, 0, 36, 23), display=(0, 0, 36, 23), attributes=[said]))
    expected = np.maximum(light() @ matrix.T, 0)
    assert np.abs(read_radiance(path) - expected).max() < 1e-3 * expected.max()


def test_a_white_of_another_colour_stays_white(put):
    aces = chromaticities(0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    grey = np.full((24, 37, 3), 0.18, np.float32)
    path = put(exr(rgb(grey), data=(0, 0, 36, 23), display=(0, 0, 36, 23), attributes=[aces]))
    np.testing.assert_allclose(read_radiance(path), grey, rtol=1e-3)


def test_luminance_and_coarse_chroma_become_rgb(put):
    # Chroma that rises evenly is told exactly by every other sample.
    height, width = 24, 36
    y = light(height, width)[..., 0]
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    ry, by = across / 100 - 0.1, 0.2 - down / 100
    channels = {"Y": (y, 1), "RY": (ry[::2, ::2], 2), "BY": (by[::2, ::2], 2)}
    window = (0, 0, width - 1, height - 1)
    path = put(exr(channels, data=window, display=window))
    red, blue = (ry + 1) * y, (by + 1) * y
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    found = read_radiance(path)[:-1, :-1]  # nothing is known beyond the last sample
    expected = np.stack([red, green, blue], axis=-1)[:-1, :-1]
    assert np.abs(found - expected).max() < 2e-3 * expected.max()


def test_the_first_part_with_colours_is_the_picture(put):
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    depth = OpenEXR.Part({**header}, {"Z": np.ones((24, 37), np.float32)}, "depth")
    colour = OpenEXR.Part(
        {**header}, {n: np.ascontiguousarray(light()[..., i]) for i, n in enumerate("RGB")}, "rgb"
    )
    path = put(b"")
    OpenEXR.File([depth, colour]).write(str(path))
    np.testing.assert_array_equal(read_radiance(path), light())
    assert image_size(path) == (24, 37)


def test_a_deep_picture_is_refused_by_name(put):
    raw = exr(rgb(light()), data=(0, 0, 36, 23), display=(0, 0, 36, 23), flags=0x800)
    for read in (read_radiance, image_size):
        with pytest.raises(UnreadableImage, match=r"is a deep EXR.*flatten it"):
            read(put(raw))


def test_a_cover_below_one_is_divided_out_and_a_hole_told(put):
    cover = np.full((24, 37), 0.5, np.float32)
    window = {"data": (0, 0, 36, 23), "display": (0, 0, 36, 23)}
    path = put(exr(rgb(light() / 2, A=(cover, 1)), **window))
    np.testing.assert_allclose(read_radiance(path), light(), rtol=1e-6)
    holed, truth = cover.copy(), light() / 2
    holed[:6], truth[:6] = 0, 0
    with pytest.raises(UnreadableImage, match=r"25\.00% transparent"):
        read_radiance(put(exr(rgb(truth, A=(holed, 1)), **window)))


@pytest.mark.parametrize("read", [image_size, read_radiance])
@pytest.mark.parametrize("which", ["data", "display"])
def test_an_enormous_window_is_refused_before_it_is_allocated(put, read, which):
    windows = {"data": (0, 0, 36, 23), "display": (0, 0, 36, 23)}
    raw = bytearray(exr(rgb(light()), **windows))
    at = raw.index(which.encode() + b"Window\0box2i\0") + len(which) + 6 + 7 + 4
    raw[at : at + 16] = struct.pack("<4i", 0, 0, 99_999, 99_999)
    with pytest.raises(UnreadableImage, match="more than 400 megapixels"):
        read(put(bytes(raw)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-1],
        lambda packed: packed[:4] + b"\0" * 40,  # stretches of nothing
        lambda packed: packed[:4] + b"\xff" * 2 * 40 + packed[4:],  # runs beyond the row
        lambda packed: packed[:4],
    ],
)
def test_packed_rows_that_end_early_or_run_over_are_damaged(put, spoil):
    path = put(hdr(CODED, data=spoil(new_rle(CODED))))
    with pytest.raises(UnreadableImage, match="is truncated or damaged"):
        read_radiance(path)


def test_runs_are_repeated(put):
    row = np.full((3, 40, 4), (10, 20, 30, 128), np.uint8)
    packed = b"".join(
        bytes((2, 2, 0, 40)) + b"".join(bytes((128 + 40, value)) for value in (10, 20, 30, 128))
        for _ in range(3)
    )
    found = read_radiance(put(hdr(row, data=packed)))
    np.testing.assert_array_equal(found, of_rgbe(row))


def test_flat_rows_may_follow_packed_ones(put):
    packed = new_rle(CODED[:2]) + CODED[2:].tobytes()
    np.testing.assert_array_equal(read_radiance(put(hdr(CODED, data=packed))), TRUTH)


@pytest.mark.parametrize("seed", range(3))
def test_opencv_unpacks_the_same_to_the_last_bit(put, monkeypatch, seed):
    dice = np.random.default_rng(seed)
    lit = np.exp2(dice.uniform(-20, 12, (60, 90, 3))).astype(np.float32)
    lit[dice.random((60, 90)) < 0.3] = lit[0, 0]  # some of it in runs
    lit[10:20] = 0
    lit[20:25] = 2.0 ** dice.integers(-9, 9, (5, 90, 1))  # greys of which no bit but one is set
    path = put(b"")
    assert cv2.imwrite(str(path), lit)
    header = radiance_pictures._read_rgbe_header(io.BytesIO(path.read_bytes()))
    quick = radiance_pictures._by_opencv(path.read_bytes(), header)
    assert quick is not None
    monkeypatch.setattr(radiance_pictures, "_by_opencv", lambda *_: None)
    np.testing.assert_array_equal(read_radiance(path), quick)


def test_what_opencv_would_take_for_pixels_is_unpacked_without_it(put):
    packed = new_rle(CODED[:2])
    row = CODED[2, 0].tobytes() + bytes([1, 1, 1, CODED.shape[1] - 1])
    raw = hdr(CODED[:3], data=packed + row)
    expected = np.concatenate([TRUTH[:2], np.repeat(of_rgbe(CODED[2:3, :1]), 37, axis=1)])
    np.testing.assert_array_equal(read_radiance(put(raw)), expected)


def test_without_files_in_memory_it_is_unpacked_all_the_same(put, monkeypatch):
    path = put(hdr(CODED, data=new_rle(CODED)))
    monkeypatch.delattr("os.memfd_create")
    np.testing.assert_array_equal(read_radiance(path), TRUTH)


def test_no_copy_of_a_picture_is_put_into_the_temporary_folder(tmp_path):
    """OpenCV writes one for some kinds, and calls them damaged where it cannot."""
    kinds = {
        "a.hdr": hdr(CODED, data=new_rle(CODED)),
        "b.hdr": hdr(CODED),
        "c.png": cv2.imencode(".png", np.zeros((20, 30, 3), np.uint16))[1].tobytes(),
        "d.tif": cv2.imencode(".tif", np.zeros((20, 30, 3), np.uint16))[1].tobytes(),
        "e.pfm": cv2.imencode(".pfm", np.zeros((20, 30, 3), np.float32))[1].tobytes(),
    }
    for name, raw in kinds.items():
        (tmp_path / name).write_bytes(raw)
    read = (
        "import sys\nfrom smarthdr_studio.core.imaging.image_files import read_radiance\n"
        "for path in sys.argv[1:]: print(read_radiance(path).shape)"
    )
    full = {"OPENCV_TEMP_PATH": str(tmp_path / "none"), "TMPDIR": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "-c", read, *(str(tmp_path / name) for name in kinds)],
        env={**os.environ, **full},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(kinds)
