"""RAW, HEIC, AVIF and JPEG XL: named where their library lacks, read where it is there."""

import types

import numpy as np
import pytest
from made_pictures import noise
from made_shots import dng

from smarthdr_studio.core.datasets.layouts import frame_files, ground_truth_files
from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.imaging import extra_pictures
from smarthdr_studio.core.imaging.exposure import evs_from_exif
from smarthdr_studio.core.imaging.image_files import image_size, read_frame
from smarthdr_studio.core.imaging.image_headers import sniff
from smarthdr_studio.core.imaging.radiometry import linear_radiance, unit_ldr

STARTS = {
    "raw": b"FUJIFILMCCD-RAW 0201",
    "cr2": b"II*\0\x10\0\0\0CR\2\0",
    "cr3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "heif": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "heif of no codec": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "avif of no codec": b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf",
    "jxl": b"\xff\x0a\xfa\x7f\x81\x80\x08\x08",
    "jxl in a box": b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a",
}
NEEDS = {
    "raw": r"RAW and DNG pictures needs rawpy: .* -m pip install 'smarthdr-studio\[raw\]'",
    "cr2": r"RAW and DNG pictures needs rawpy: .* -m pip install 'smarthdr-studio\[raw\]'",
    "cr3": r"RAW and DNG pictures needs rawpy: .* -m pip install 'smarthdr-studio\[raw\]'",
    "heif": r"HEIC pictures needs pi-heif: .* -m pip install 'smarthdr-studio\[heic\]'",
    "avif": r"AVIF pictures needs imagecodecs: .* -m pip install 'smarthdr-studio\[formats\]'",
    "jxl": r"JPEG XL pictures needs imagecodecs: .* -m pip install 'smarthdr-studio\[formats\]'",
}


@pytest.fixture
def put(tmp_path):
    def write(raw, name="a"):
        path = tmp_path / name
        path.write_bytes(raw)
        return path

    return write


@pytest.mark.parametrize("kind", STARTS)
def test_without_its_library_a_kind_says_what_it_needs(put, monkeypatch, kind):
    def lacking(name):
        raise ImportError(name)

    monkeypatch.setattr(extra_pictures, "import_module", lacking)
    path = put(STARTS[kind].ljust(64, b"\0"))
    for read in (read_frame, image_size):
        with pytest.raises(UnreadableImage, match=rf"a: reading {NEEDS[kind.split(' ')[0]]}.*\.$"):
            read(path)


def test_raw_frames_beside_jpegs_are_let_be_and_alone_are_the_frames(tmp_path):
    raws = [tmp_path / f"IMG_{n}.CR3" for n in (9, 10, 11)]
    jpegs = [path.with_suffix(".JPG") for path in raws]
    assert frame_files([*raws, *jpegs]) == tuple(jpegs)
    assert frame_files(raws) == tuple(raws)
    assert ground_truth_files([*raws, tmp_path / "HDRImg.pfm"]) == (tmp_path / "HDRImg.pfm",)


def test_raw_frames_are_linear_and_on_one_scale(put):
    pytest.importorskip("rawpy")
    paths = [
        put(dng(np.full((64, 96), 3000 * 4**k), seconds=(4**k, 64)), f"{k}.dng") for k in range(3)
    ]
    with paths[0].open("rb") as stream:
        assert sniff(stream) == "raw"
    assert image_size(paths[0]) == (64, 96)
    frames = [read_frame(path) for path in paths]
    lights = [linear_radiance(unit_ldr(frame), stops=0)[20:40, 20:40].mean() for frame in frames]
    assert frames[0].shape == (64, 96, 3)
    np.testing.assert_allclose(lights, [0.05, 0.2, 0.8], rtol=0.01)
    assert evs_from_exif(paths) == (-6.0, -4.0, -2.0)


def test_a_raw_frame_is_turned_by_its_header(put):
    pytest.importorskip("rawpy")
    path = put(dng(np.full((64, 96), 3000), orientation=6), "a.dng")
    assert image_size(path) == read_frame(path).shape[:2] == (96, 64)


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_jpeg_xl_is_read_with_its_library(put, bits):
    imagecodecs = pytest.importorskip("imagecodecs")
    pixels = noise(8 if bits == 8 else 16) if bits != 10 else noise() >> 6
    raw = imagecodecs.jpegxl_encode(pixels, lossless=True, bitspersample=bits)
    path = put(raw)
    unit = np.round(pixels.astype(np.float64) * (65535 / (2**bits - 1))) / 65535
    # This encoder writes into the file that more than 8 bits are linear.
    expected = (unit if bits == 8 else unit ** (1 / 2.2)) * 65535
    assert np.abs(read_frame(path) - expected).max() <= 0.51
    assert image_size(path) == (24, 37)


@pytest.mark.parametrize("size", [(24, 37), (64, 96), (256, 256), (8, 1040)])
def test_the_size_of_jpeg_xl_is_read_from_its_first_bytes(put, monkeypatch, size):
    imagecodecs = pytest.importorskip("imagecodecs")
    path = put(imagecodecs.jpegxl_encode(np.zeros((*size, 3), np.uint8)))
    monkeypatch.setattr(imagecodecs, "jpegxl_decode", None)
    assert image_size(path) == size


@pytest.mark.parametrize("bits", [8, 10])
def test_avif_is_read_with_its_library(put, bits):
    imagecodecs = pytest.importorskip("imagecodecs")
    ramp = np.linspace(0, 2**bits - 1, 64 * 96).reshape(64, 96, 1)
    pixels = np.repeat(ramp, 3, axis=2).astype(np.uint8 if bits == 8 else np.uint16)
    path = put(imagecodecs.avif_encode(pixels, level=100, bitspersample=bits))
    found = read_frame(path) / 65535
    assert np.abs(found - pixels / (2**bits - 1)).max() < 0.01
    assert image_size(path) == (64, 96)


class FakeHeif:
    """What the library answers, with the numbers of a picture of 10 bits kept in 16."""

    def __init__(self, pixels, *, transfer=13, bits=16):
        self.size = pixels.shape[1], pixels.shape[0]
        self.mode = "RGB;16"
        self.info = {"nclx_profile": {"transfer_characteristics": transfer}, "bit_depth": bits}
        self._pixels = pixels

    def __array__(self, dtype=None, copy=None):
        return self._pixels


@pytest.mark.parametrize("transfer", [13, 8, 16])
def test_heic_keeps_its_values_or_its_light_or_is_refused(put, monkeypatch, transfer):
    answer = FakeHeif(noise(), transfer=transfer)
    library = types.SimpleNamespace(open_heif=lambda *_, **__: answer)
    monkeypatch.setattr(extra_pictures, "import_module", lambda name: library)
    path = put(STARTS["heif"].ljust(64, b"\0"))
    assert image_size(path) == (24, 37)
    if transfer == 16:
        with pytest.raises(UnreadableImage, match="under the PQ curve"):
            read_frame(path)
        return
    expected = noise() / 65535 if transfer == 13 else (noise() / 65535) ** (1 / 2.2)
    assert np.abs(read_frame(path) - expected * 65535).max() <= 0.51


@pytest.mark.parametrize("bits", [10, 12])
def test_heic_of_few_bits_fills_all_of_16(put, monkeypatch, bits):
    values = noise() >> (16 - bits)
    answer = FakeHeif(values << (16 - bits), bits=bits)
    library = types.SimpleNamespace(open_heif=lambda *_, **__: answer)
    monkeypatch.setattr(extra_pictures, "import_module", lambda name: library)
    found = read_frame(put(STARTS["heif"].ljust(64, b"\0")))
    assert np.abs(found - values * (65535 / (2**bits - 1))).max() <= 0.5


def in_bits(*fields):
    """Bytes of (value, count) fields, the lowest bit first."""
    number = at = 0
    for value, count in fields:
        number |= value << at
        at += count
    return number.to_bytes(-(-at // 8) + 8, "little")


def jxl_start(transfer):
    """The header of an RGB picture of 24×37 in 12 bits, D65 and sRGB primaries, up to its curve."""
    size = [(0, 1), (0, 2), (23, 9), (0, 3), (0, 2), (36, 9)]
    depth = [(0, 1), (0, 1), (0, 1), (2, 2), (1, 1), (0, 2)]
    colour = [(0, 1), (0, 1), (0, 1), (0, 2), (1, 2), (1, 2), (0, 1), (2, 2), (transfer - 2, 4)]
    return b"\xff\x0a" + in_bits(*size, *depth, *colour)


@pytest.mark.parametrize(("transfer", "word"), [(16, "PQ"), (8, ""), (13, "")])
def test_the_curve_of_jpeg_xl_is_in_its_first_bits(put, monkeypatch, transfer, word):
    pixels = noise() >> 4
    library = types.SimpleNamespace(jpegxl_decode=lambda _: pixels)
    monkeypatch.setattr(extra_pictures, "import_module", lambda _: library)
    path = put(jxl_start(transfer))
    assert image_size(path) == (24, 37)
    if word:
        with pytest.raises(UnreadableImage, match=rf"under the {word} curve"):
            read_frame(path)
        return
    unit = np.round(pixels * (65535 / 4095)) / 65535
    expected = unit if transfer == 13 else unit ** (1 / 2.2)
    assert np.abs(read_frame(path) - expected * 65535).max() <= 0.51
