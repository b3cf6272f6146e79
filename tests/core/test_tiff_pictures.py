"""TIFF by its tags: what is kept how, and read right or refused by name."""

import builtins
import importlib.util
import io
import struct
import zlib

import numpy as np
import pytest
from made_pictures import curv, icc, lzw, noise, plain_tiff, planar_tiff, tiff

from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.imaging import tiff_pictures
from smarthdr_studio.core.imaging.image_files import image_size, read_frame, read_radiance


@pytest.fixture
def put(tmp_path):
    def write(raw):
        path = tmp_path / "a.tif"
        path.write_bytes(raw)
        return path

    return write


@pytest.fixture
def without_imagecodecs(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        tiff_pictures, "find_spec", lambda name: None if name == "imagecodecs" else real(name)
    )


PACKINGS = {
    "none": (bytes, []),
    "deflate": (zlib.compress, [(259, 3, [8])]),
    "lzw": (lzw, [(259, 3, [5])]),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("bits", [8, 16])
def test_channels_kept_one_after_the_other_are_read_as_those_kept_together(
    put, order, packing, bits
):
    pack, tags = PACKINGS[packing]
    expected = noise(bits) if bits == 16 else noise(8).astype(np.uint16) * 257
    for write in (plain_tiff, planar_tiff):
        path = put(write(noise(bits), order=order, pack=pack, tags=tags))
        np.testing.assert_array_equal(read_frame(path), expected)
        assert image_size(path) == (24, 37)


@pytest.mark.parametrize("write", [plain_tiff, planar_tiff])
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_of_every_width_are_radiance(put, write, packing, kind):
    pack, tags = PACKINGS[packing]
    values = (noise() / 65535).astype(kind)
    path = put(write(values, pack=pack, tags=tags))
    np.testing.assert_array_equal(read_radiance(path), values.astype(np.float32))


def test_tiles_of_one_channel_each_are_put_in_their_places(put):
    pixels = noise(16, 32, 48)
    tiles = [
        lzw(pixels[y : y + 16, x : x + 16, channel].astype("<u2").tobytes())
        for channel in range(3)
        for y in (0, 16)
        for x in (0, 16, 32)
    ]
    raw = bytearray(tiff(tiles, height=32, width=48, dtype=np.uint16, tags=[
        (259, 3, [5]), (284, 3, [2]), (322, 3, [16]), (323, 3, [16]),
        (324, 4, [0] * len(tiles)), (325, 4, [len(each) for each in tiles]),
    ]))  # fmt: skip
    at = struct.unpack_from("<I", raw, 4)[0]
    entries = {
        struct.unpack_from("<H", raw, at + 2 + 12 * k)[0]: at + 2 + 12 * k for k in range(14)
    }
    raw[entries[324] + 8 : entries[324] + 12] = raw[entries[273] + 8 : entries[273] + 12]
    raw[entries[273] : entries[273] + 2] = struct.pack("<H", 270)  # strips there are none
    raw[entries[279] : entries[279] + 2] = struct.pack("<H", 271)
    np.testing.assert_array_equal(read_frame(put(bytes(raw))), pixels)


def test_a_horizontal_predictor_is_undone(put):
    pixels = noise()
    steps = pixels.copy()
    steps[:, 1:] -= pixels[:, :-1]
    for write in (plain_tiff, planar_tiff):
        path = put(write(steps, pack=lzw, tags=[(259, 3, [5]), (317, 3, [2])]))
        np.testing.assert_array_equal(read_frame(path), pixels)


@pytest.mark.parametrize("bits", [8, 16])
def test_where_white_is_zero_the_values_are_turned_round(put, bits):
    grey = noise(bits, channels=1)
    expected = (2**bits - 1 - grey.astype(np.uint16)) * (257 if bits == 8 else 1)
    path = put(plain_tiff(grey, tags=[(262, 3, [0])]))
    np.testing.assert_array_equal(read_frame(path), np.repeat(expected, 3, axis=2))


def test_unsigned_values_of_32_bits_are_rounded_to_16(put):
    values = noise(32)
    expected = np.round(values.astype(np.float64) / (2**32 - 1) * 65535).astype(np.uint16)
    assert np.abs(read_frame(put(plain_tiff(values))).astype(int) - expected.astype(int)).max() == 0
    radiance = read_radiance(put(plain_tiff(values)))
    np.testing.assert_allclose(radiance, values / (2**32 - 1), rtol=1e-6)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_signed_and_float_frames_are_refused_by_name(put, kind):
    with pytest.raises(UnreadableImage, match=rf"a\.tif: holds {np.dtype(kind)} values.*8 or 16"):
        read_frame(put(plain_tiff((noise() // 2).astype(kind))))


def test_a_float_frame_whose_profile_says_linear_becomes_camera_values(put):
    values = (noise() / 65535).astype(np.float32)
    path = put(plain_tiff(values, tags=[(34675, 7, icc(curv()))]))
    expected = values.astype(np.float64) ** (1 / 2.2) * 65535
    assert np.abs(read_frame(path) - expected).max() <= 0.51


@pytest.mark.parametrize("bits", [8, 16])
def test_lab_becomes_the_rgb_of_the_same_colours(put, bits):
    # Neutral greys, and the sRGB red, green and blue by their published Lab (D50, rounded).
    lab = [(0, 0, 0), (100, 0, 0), (53.585, 0, 0), (54.29, 80.80, 69.89), (87.82, -79.27, 80.99)]
    srgb = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 0, 0), (0, 255, 0)]
    unit = 1 if bits == 8 else 256
    top = 2**bits - 1
    rows = [
        [round(first / 100 * top), *(round(v * unit) % 2**bits for v in tints)]
        for first, *tints in lab
    ]
    pixels = np.array([rows] * 2, np.uint8 if bits == 8 else np.uint16)
    found = read_frame(put(plain_tiff(pixels, tags=[(262, 3, [8])])))[0] / 257
    assert np.abs(found - np.array(srgb)).max() <= (10 if bits == 8 else 1)


def test_packed_values_of_12_bits_fill_all_16(put):
    values = np.random.default_rng(1).integers(0, 4096, (24, 36, 3))
    values[0, 0, 0] = 4095
    bits = "".join(f"{value:012b}" for value in values.ravel())
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    path = put(tiff([raw], height=24, width=36, dtype=np.uint16, tags=[(258, 3, [12] * 3)]))
    np.testing.assert_array_equal(read_frame(path), np.round(values * (65535 / 4095)))


def test_a_tag_that_says_4095_is_the_most_is_believed_when_nothing_is_more(put):
    values = noise() >> 4
    path = put(plain_tiff(values, tags=[(281, 3, [4095] * 3)]))
    np.testing.assert_array_equal(read_frame(path), np.round(values * (65535 / 4095)))
    path = put(plain_tiff(noise(), tags=[(281, 3, [4095] * 3)]))
    np.testing.assert_array_equal(read_frame(path), noise())


def test_premultiplied_colours_are_divided_and_straight_ones_taken(put):
    pixels = noise(channels=4)
    pixels[..., 3] = np.maximum(pixels[..., 3], 20_000)
    straight = put(plain_tiff(pixels, tags=[(338, 3, [2])]))
    np.testing.assert_array_equal(read_frame(straight), pixels[..., :3])
    share = pixels[..., 3:] / 65535
    multiplied = np.dstack([np.round(pixels[..., :3] * share), pixels[..., 3]]).astype(np.uint16)
    found = read_frame(put(plain_tiff(multiplied, tags=[(338, 3, [1])])))
    assert np.abs(found.astype(int) - pixels[..., :3]).max() <= 2


def test_a_masked_frame_says_how_much_of_it_is_hidden(put):
    pixels = noise(channels=4)
    pixels[..., 3] = 65535
    pixels[:6, :, 3] = 0
    with pytest.raises(UnreadableImage, match=r"25\.00% transparent pixels.*without transparency"):
        read_frame(put(plain_tiff(pixels, tags=[(338, 3, [2])])))


def test_two_pictures_in_one_file_are_not_guessed_between(put):
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(noise(), photometric="rgb")
        writer.write(noise(), photometric="rgb")
    with pytest.raises(UnreadableImage, match="holds 2 pictures of one size; save each"):
        read_frame(put(buffer.getvalue()))


def test_a_thumbnail_before_the_picture_is_passed_over(put):
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(noise(8, 6, 9), photometric="rgb", subfiletype=1)
        writer.write(noise(), photometric="rgb")
    path = put(buffer.getvalue())
    assert image_size(path) == (24, 37)
    np.testing.assert_array_equal(read_frame(path), noise())


@pytest.mark.parametrize(
    ("number", "name"), [(34712, "JPEG 2000"), (50000, "Zstandard"), (50001, "WebP")]
)
def test_a_rare_compression_names_itself_and_what_it_needs(put, without_imagecodecs, number, name):
    path = put(plain_tiff(noise(), tags=[(259, 3, [number])]))
    sentence = rf"a\.tif: holds {name} inside TIFF, .*pip install 'smarthdr-studio\[formats\]'.*\.$"
    for read in (read_frame, read_radiance, image_size):
        with pytest.raises(UnreadableImage, match=sentence):
            read(path)


def test_lzma_needs_nothing(put, without_imagecodecs):
    import lzma

    values = (noise() / 65535).astype(np.float32)
    path = put(plain_tiff(values, pack=lzma.compress, tags=[(259, 3, [34925])]))
    np.testing.assert_array_equal(read_radiance(path), values)


@pytest.mark.parametrize("codec", ["zstd", "jpeg2000", "webp"])
def test_rare_compressions_are_read_where_the_library_is(put, codec):
    pytest.importorskip("imagecodecs")
    tifffile = pytest.importorskip("tifffile")
    pixels = noise(8)
    arguments = {"lossless": True} if codec == "webp" else {}
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, pixels, photometric="rgb", compression=codec, compressionargs=arguments
    )
    expected = pixels.astype(np.uint16) * 257
    np.testing.assert_array_equal(read_frame(put(buffer.getvalue())), expected)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ((262, 3, [10]), "ITU Lab"),
        ((262, 3, [32845]), "LogLuv"),
        ((258, 3, [16, 16, 8]), "different depths"),
        ((339, 3, [6, 6, 6]), "complex"),
    ],
)
def test_what_is_whole_but_not_read_is_never_called_damaged(put, tag, words):
    with pytest.raises(UnreadableImage, match=words) as caught:
        read_frame(put(plain_tiff(noise(), tags=[tag])))
    assert "damaged" not in str(caught.value)


def test_a_picture_that_says_it_is_enormous_is_refused_before_anything_is_allocated(
    put, monkeypatch
):
    raw = tiff([b"\0" * 64], height=60_000, width=60_000, dtype=np.uint16)
    path = put(raw)
    opened = []
    monkeypatch.setattr(builtins, "print", opened.append)
    for read in (read_frame, read_radiance, image_size):
        with pytest.raises(UnreadableImage, match=r"60000×60000, and more than 400 megapixels"):
            read(path)


def test_a_picture_larger_than_the_free_memory_is_refused_in_words(put, monkeypatch):
    monkeypatch.setattr("smarthdr_studio.core.imaging.room.main_memory", lambda: 100 * 10**6)
    raw = tiff([b"\0" * 64], height=5000, width=4000, dtype=np.uint16)
    with pytest.raises(UnreadableImage, match=r"takes 0\.4 GB of memory, but 0\.1 GB are free"):
        read_frame(put(raw))
