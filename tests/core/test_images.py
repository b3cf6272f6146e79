import ctypes
import os
import platform
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest

from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.imaging.image_files import (
    image_size,
    preview,
    read_frame,
    read_radiance,
    write_frame_tiff,
    write_radiance_exr,
    write_radiance_hdr,
)

REAL = Path(
    os.environ.get("SMARTHDR_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "real")
)
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real photographs at {REAL}")


def picture(bits=16, height=24, width=37):
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 2**bits, (height, width, 3))
    return noise.astype(np.uint16 if bits == 16 else np.uint8)


def bgr(rgb):
    return np.ascontiguousarray(rgb[..., ::-1])


def save(path, rgb, *, as_kind, options=()):
    encoded = cv2.imencode(as_kind, bgr(rgb) if rgb.ndim == 3 else rgb, options)[1]
    path.write_bytes(encoded.tobytes())
    return path


def write_exr(path, channels):
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, channels).write(str(path))
    return path


@pytest.mark.parametrize("compression", [1, 5, 8])
def test_a_16_bit_tiff_comes_back_exactly(tmp_path, compression):
    options = (cv2.IMWRITE_TIFF_COMPRESSION, compression)
    path = save(tmp_path / "a.tif", picture(), as_kind=".tif", options=options)
    np.testing.assert_array_equal(read_frame(path), picture())


def test_our_own_tiff_comes_back_exactly(tmp_path):
    write_frame_tiff(tmp_path / "a.tif", picture())
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), picture())


@pytest.mark.parametrize("kind", [".png", ".tif"])
def test_eight_bits_spread_over_sixteen_without_loss(tmp_path, kind):
    frame = read_frame(save(tmp_path / f"a{kind}", picture(8), as_kind=kind))
    assert frame.dtype == np.uint16
    np.testing.assert_array_equal(frame, picture(8).astype(np.uint16) * 257)


@pytest.mark.parametrize("kind", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.hdr", "a"])
def test_the_bytes_decide_and_not_the_suffix(tmp_path, kind, name):
    path = save(tmp_path / name, picture(8), as_kind=kind)
    assert read_frame(path).shape == (24, 37, 3)
    assert image_size(path) == (24, 37)


def test_grey_becomes_rgb_and_alpha_is_dropped(tmp_path):
    grey = read_frame(save(tmp_path / "grey.png", picture()[..., 0], as_kind=".png"))
    np.testing.assert_array_equal(grey, np.repeat(picture()[..., :1], 3, axis=2))
    cv2.imwrite(str(tmp_path / "alpha.png"), np.dstack([bgr(picture()), picture()[..., 0]]))
    np.testing.assert_array_equal(read_frame(tmp_path / "alpha.png"), picture())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", [".tif", ".png", ".jpg"])
def test_a_truncated_frame_is_never_read_as_a_whole_one(tmp_path, kind, share, capfd):
    whole = save(tmp_path / "whole", picture(8), as_kind=kind).read_bytes()
    path = tmp_path / f"cut{kind}"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UnreadableImage, match=r"cut.*copy it again"):
        read_frame(path)
    assert capfd.readouterr() == ("", "")


GLIBC = platform.libc_ver()[0] == "glibc"


def jpeg_with(path, at, put, *, instead=0):
    """A JPEG with bytes put into its scan, at a share of it, in the place of as many others."""
    whole = cv2.imencode(".jpg", picture(8, 200, 300))[1].tobytes()
    scan = whole.index(b"\xff\xda") + 14
    begin = scan + int((len(whole) - scan - 2) * at)
    path.write_bytes(whole[:begin] + put + whole[begin + instead :])
    return path


@pytest.mark.skipif(not GLIBC, reason="only glibc lets what libjpeg prints be heard")
@pytest.mark.parametrize("put", [b"\xff\x55" * 4, b"\xff\xd3", b"\xff\xd9\xff\xd9"])
def test_a_jpeg_whose_scan_is_damaged_is_one_sentence_and_nothing_else_is_printed(
    tmp_path, put, capfd
):
    path = jpeg_with(tmp_path / "a.jpg", 0.5, put, instead=len(put))
    with pytest.raises(UnreadableImage, match=r"a\.jpg: is truncated or damaged; copy it again"):
        read_frame(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not GLIBC, reason="only glibc lets what libjpeg prints be heard")
def test_nor_is_there_a_preview_of_it_or_a_word_beside_the_sentence(tmp_path, capfd):
    damaged = jpeg_with(tmp_path / "a.jpg", 0.5, b"\xff\x55" * 4, instead=8)
    with pytest.raises(UnreadableImage, match=r"a\.jpg: is truncated or damaged"):
        preview(damaged, side=20)
    assert max(preview(jpeg_with(tmp_path / "b.jpg", 1, b"\0" * 6), side=20).shape) == 20
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not GLIBC, reason="only glibc lets what libjpeg prints be heard")
def test_bytes_that_a_camera_left_before_a_marker_cost_no_picture_and_no_word(tmp_path, capfd):
    path = jpeg_with(tmp_path / "a.jpg", 1, b"\0" * 6)
    np.testing.assert_array_equal(read_frame(path), read_frame(jpeg_with(tmp_path / "b", 1, b"")))
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not GLIBC, reason="only glibc lets what libjpeg prints be heard")
def test_of_many_jpegs_read_at_once_each_has_its_own_verdict(tmp_path, capfd):
    put = b"\xff\x55" * 4
    paths = [
        jpeg_with(tmp_path / f"{k}.jpg", 0.5, put if k % 3 else b"", instead=len(put) * (k % 3 > 0))
        for k in range(24)
    ]

    def verdict(path):
        try:
            return read_frame(path).shape
        except UnreadableImage as error:
            return str(error).startswith(str(path))

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(verdict, paths))
    assert found == [True if k % 3 else (200, 300, 3) for k in range(24)]
    assert capfd.readouterr() == ("", "")
    # What other libraries print afterwards is printed.
    ctypes.CDLL(None).perror(b"said by C")
    assert "said by C" in capfd.readouterr().err


@pytest.mark.skipif(not GLIBC, reason="only glibc lets what libjpeg prints be heard")
def test_a_process_that_was_forked_off_amid_a_decode_hears_for_itself(tmp_path):
    """As the child stands, the lock of the decoding is held by a thread that it does not have."""
    path = jpeg_with(tmp_path / "a.jpg", 0.5, b"\xff\x55" * 4, instead=8)
    told = subprocess.run(
        [sys.executable, "-c", FORKED, str(path)], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout) == (0, "damaged\n")
    assert told.stderr.startswith("said by C")


FORKED = """
import ctypes, os, sys
from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.imaging import printed
from smarthdr_studio.core.imaging.image_files import read_frame
with printed.heard(alone=True):
    child = os.fork()
    if not child:
        try:
            read_frame(sys.argv[1])
        except UnreadableImage:
            print("damaged", flush=True)
        ctypes.CDLL(None).perror(b"said by C")
        os._exit(0)
    _, status = os.waitpid(child, 0)
sys.exit(status)
"""


def test_a_tiff_with_its_directory_first_is_checked_for_its_strips(tmp_path):
    # Such a file opens even when its pixels are cut off: the directory is intact.
    strips = struct.pack("<HHII", 0x0111, 4, 1, 200) + struct.pack("<HHII", 0x0117, 4, 1, 24 * 37)
    sizes = struct.pack("<HHII", 0x0100, 4, 1, 37) + struct.pack("<HHII", 0x0101, 4, 1, 24)
    head = b"II*\0" + struct.pack("<IH", 8, 4) + sizes + strips + b"\0" * 4
    path = tmp_path / "a.tif"
    path.write_bytes(head.ljust(200, b"\0") + b"\x7f" * 400)
    assert image_size(path) == (24, 37)
    with pytest.raises(UnreadableImage, match="truncated"):
        read_frame(path)


def test_a_damaged_png_is_told_by_its_checksum(tmp_path):
    raw = bytearray(save(tmp_path / "a.png", picture(), as_kind=".png").read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(raw)
    with pytest.raises(UnreadableImage, match="damaged"):
        read_frame(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"II*\0", b"not an image", b"\x89PNG", b"\xff\xd8\xff"])
def test_what_is_no_image_is_named_in_one_sentence(tmp_path, content):
    path = tmp_path / "input_1.tif"
    path.write_bytes(content)
    for read in (read_frame, read_radiance, image_size):
        with pytest.raises(UnreadableImage, match=r"input_1\.tif: .*\.$"):
            read(path)


def test_a_missing_file_is_named(tmp_path):
    for read in (read_frame, read_radiance, image_size):
        with pytest.raises(UnreadableImage, match=r"gone\.png: cannot be opened"):
            read(tmp_path / "gone.png")


def test_radiance_is_no_frame_and_8_bits_are_no_radiance(tmp_path):
    write_radiance_hdr(tmp_path / "a.tif", np.ones((8, 8, 3), np.float32))
    with pytest.raises(UnreadableImage, match="holds radiance"):
        read_frame(tmp_path / "a.tif")
    with pytest.raises(UnreadableImage, match="no radiance"):
        read_radiance(save(tmp_path / "gt.png", picture(8), as_kind=".png"))
    floats = picture().astype(np.float32)
    with pytest.raises(UnreadableImage, match="8 or 16 bits"):
        read_frame(save(tmp_path / "float.tif", floats, as_kind=".tif"))


def radiance(height=24, width=37):
    rng = np.random.default_rng(3)
    return np.exp(rng.normal(0, 2, (height, width, 3))).astype(np.float32)


def test_radiance_written_is_radiance_read(tmp_path):
    truth = radiance()
    write_radiance_exr(tmp_path / "a.exr", truth)
    np.testing.assert_allclose(read_radiance(tmp_path / "a.exr"), truth, rtol=1e-3)
    write_radiance_hdr(tmp_path / "a.hdr", truth)
    error = np.abs(read_radiance(tmp_path / "a.hdr") - truth)
    assert (error <= truth.max(axis=-1, keepdims=True) / 128).all()
    assert image_size(tmp_path / "a.exr") == image_size(tmp_path / "a.hdr") == (24, 37)


def test_an_exr_is_read_by_its_channel_names_and_not_their_order(tmp_path):
    planes = {
        name: np.full((4, 5), value, np.float32)
        for name, value in zip("GRBA", range(4), strict=True)
    }
    pixels = read_radiance(write_exr(tmp_path / "a.exr", planes))
    np.testing.assert_array_equal(pixels[0, 0], [1, 0, 2])


def test_an_exr_without_rgb_says_what_it_has_instead(tmp_path):
    path = write_exr(tmp_path / "a.exr", {"Y": np.ones((4, 5), np.float32)})
    with pytest.raises(UnreadableImage, match=r"no R, G and B channels \(found: Y\); export"):
        read_radiance(path)


@pytest.mark.parametrize(
    ("value", "told"), [(np.nan, "3 NaN"), (np.inf, "3 infinite"), (-0.5, "3 negative")]
)
def test_impossible_radiance_is_counted_and_refused(tmp_path, value, told):
    planes = {name: np.ones((4, 5), np.float32) for name in "RGB"}
    planes["G"][1, 1:4] = value
    path = write_exr(tmp_path / "gt.exr", planes)
    with pytest.raises(UnreadableImage, match=rf"gt\.exr: has {told} pixels; replace"):
        read_radiance(path)


def test_colours_a_hair_outside_the_gamut_become_black(tmp_path):
    planes = {name: np.full((4, 5), 100.0, np.float32) for name in "RGB"}
    planes["G"][1, 1] = -0.005
    assert read_radiance(write_exr(tmp_path / "gt.exr", planes)).min() == 0


def test_sixteen_bit_png_is_radiance_in_the_unit_range(tmp_path):
    path = save(tmp_path / "gt.png", picture(), as_kind=".png")
    np.testing.assert_allclose(read_radiance(path), picture() / 65535, rtol=1e-6)


@pytest.mark.parametrize("share", [0.3, 0.95])
@pytest.mark.parametrize("write", [write_radiance_exr, write_radiance_hdr])
def test_truncated_radiance_is_refused(tmp_path, write, share, capfd):
    write(tmp_path / "whole", radiance(200, 300))
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UnreadableImage, match=r"cut: is truncated"):
        read_radiance(tmp_path / "cut")
    assert capfd.readouterr().out == ""


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as draft:
            draft.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


@needs_real
def test_a_jpeg_named_tif_opens_as_the_photograph_it_is():
    path = REAL / "kalantari_test_002" / "input_2_aligned.tif"
    frame = read_frame(path)
    assert frame.shape == (1000, 1500, 3)
    assert image_size(path) == (1000, 1500)
    assert not (frame % 257).any()


@needs_real
def test_real_radiance_maps_open_as_ground_truth():
    paths = [*(REAL / "radiance").glob("*.hdr"), *(REAL / "radiance").glob("*.exr")]
    assert paths
    for path in paths:
        pixels = read_radiance(path)
        assert pixels.shape == (*image_size(path), 3)
        assert pixels.min() >= 0
        assert np.isfinite(pixels).all()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_what_a_png_says_beside_its_pixels_is_neither_unpacked_nor_complained_of(tmp_path, capfd):
    path = save(tmp_path / "a.png", picture(), as_kind=".png")
    raw, bomb = path.read_bytes(), b"x\0\0" + zlib.compress(b"a" * 20_000_000)
    begin = 8 + 25  # after the signature and IHDR
    said = (chunk(b"zTXt", bomb), chunk(b"iCCP", bomb), chunk(b"tEXt", b"no zero in it"))
    path.write_bytes(raw[:begin] + b"".join(said) + raw[begin:])
    np.testing.assert_array_equal(read_frame(path), picture())
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="only there is stderr of C kept")
def test_importing_the_readers_opens_no_file_of_their_own():
    """What decoders print is kept in a file in memory, which only who decodes needs."""
    asked = (
        "from pathlib import Path\n"
        "from smarthdr_studio.core.imaging import coded_pictures, printed\n"
        "def kept():\n"
        "    for each in sorted(Path('/proc/self/fd').iterdir()):\n"
        "        if each.is_symlink() and 'stderr of C' in str(each.readlink()):\n"
        "            return True\n"
        "    return False\n"
        "print(kept())\n"
        "with printed.heard():\n"
        "    pass\n"
        "print(kept())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=False
    )
    assert answer.stdout.split() == ["False", "True"], answer.stderr
