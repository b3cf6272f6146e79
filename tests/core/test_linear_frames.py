"""PNG and JPEG by what they say of their curve, bits, orientation and transparency."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from made_pictures import curv, icc, light, noise, para, plain_tiff, png
from made_truths import view

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import BadDataset, UnreadableImage
from smarthdr_studio.core.imaging.image_files import (
    read_frame,
    read_radiance,
    write_radiance_exr,
)
from smarthdr_studio.core.imaging.radiometry import linear_radiance, unit_ldr


@pytest.fixture
def put(tmp_path):
    def write(raw):
        path = tmp_path / "a.png"
        path.write_bytes(raw)
        return path

    return write


def gama(gamma):
    return b"gAMA", struct.pack(">I", round(100_000 / gamma))


def iccp(profile):
    return b"iCCP", b"some\0\0" + zlib.compress(profile)


SRGB = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
LINEAR = {
    "gAMA": [gama(1.0)],
    "curve without points": [iccp(icc(curv()))],
    "curve of gamma 1": [iccp(icc(curv(256)))],
    "curve of points": [iccp(icc(curv(0, 65535)))],
    "parameters": [iccp(icc(para(0, 1.0)))],
    "cICP": [(b"cICP", bytes([1, 8, 0, 1]))],
    "cICP before all": [(b"cICP", bytes([1, 8, 0, 1])), (b"sRGB", b"\0"), gama(2.2)],
}


@pytest.mark.parametrize("said", LINEAR)
def test_a_frame_that_says_it_is_linear_keeps_its_light(put, said):
    frame = read_frame(put(png(noise(), *LINEAR[said])))
    found = linear_radiance(unit_ldr(frame), stops=0)
    expected = noise() / 65535
    # Half a code of gamma 2.2 is at most 1.7e-5 of full light.
    assert np.abs(found - expected).max() < 2e-5
    bright = expected > 0.01
    assert (np.abs(found - expected)[bright] / expected[bright]).max() < 3e-4


@pytest.mark.parametrize("write", [png, plain_tiff])
def test_eight_linear_bits_are_light_as_well(put, write):
    said = LINEAR["gAMA"] if write is png else ()
    tags = {} if write is png else {"tags": [(34675, 7, icc(curv()))]}
    frame = read_frame(put(write(noise(8), *said, **tags)))
    found = linear_radiance(unit_ldr(frame), stops=0)
    assert np.abs(found - noise(8) / 255).max() < 2e-5


@pytest.mark.parametrize(
    "said",
    [
        [gama(2.2)],
        [(b"sRGB", b"\0"), gama(1.0)],
        [iccp(icc(SRGB)), gama(1.0)],
        [iccp(icc(curv(563)))],  # Adobe RGB, 2.19921875
        [iccp(b"no profile at all")],
        [iccp(icc(b"curv\0"))],
        [],
    ],
)
def test_a_frame_of_about_gamma_2_2_keeps_its_values(put, said):
    np.testing.assert_array_equal(read_frame(put(png(noise(), *said))), noise())


def test_another_gamma_is_converted(put):
    found = read_frame(put(png(noise(), gama(1.8))))
    expected = (noise() / 65535) ** (round(100_000 / 1.8) and 100_000 / round(100_000 / 1.8) / 2.2)
    assert np.abs(found - expected * 65535).max() <= 0.51


def test_a_linear_profile_of_a_jpeg_in_two_pieces_is_seen(put):
    pixels = np.full((16, 16, 3), 128, np.uint8)
    jpeg = cv2.imencode(".jpg", pixels)[1].tobytes()
    profile = icc(curv())
    pieces = b""
    for number, part in enumerate((profile[:90], profile[90:]), start=1):
        data = b"ICC_PROFILE\0" + bytes([number, 2]) + part
        pieces += b"\xff\xe2" + struct.pack(">H", len(data) + 2) + data
    found = read_frame(put(jpeg[:2] + pieces + jpeg[2:]))
    assert np.abs(found - (128 / 255) ** (1 / 2.2) * 65535).max() <= 0.51


@pytest.mark.parametrize(("code", "name"), [(16, "PQ"), (18, "HLG")])
def test_the_curves_of_hdr_displays_are_refused_by_name(put, code, name):
    path = put(png(noise(), (b"cICP", bytes([9, code, 0, 1]))))
    with pytest.raises(UnreadableImage, match=rf"a\.png: holds values under the {name} curve"):
        read_frame(path)


def test_twelve_bits_left_where_they_were_are_spread(put):
    values = noise() >> 4
    found = read_frame(put(png(values, (b"sBIT", bytes([12] * 3)))))
    np.testing.assert_array_equal(found, np.round(values * (65535 / 4095)))


def test_twelve_bits_scaled_as_the_format_demands_stay(put):
    few = noise() >> 4
    scaled = (few << 4) | (few >> 8)
    np.testing.assert_array_equal(read_frame(put(png(scaled, (b"sBIT", bytes([12] * 3))))), scaled)
    dark = (few >> 8) << 4
    np.testing.assert_array_equal(read_frame(put(png(dark, (b"sBIT", bytes([12] * 3))))), dark)


def test_a_mask_in_the_alpha_of_a_png_is_told(put):
    pixels = noise(channels=4)
    pixels[..., 3] = 65535
    pixels[:12, :, 3] = 0
    with pytest.raises(UnreadableImage, match=r"has 50\.00% transparent pixels"):
        read_frame(put(png(pixels)))
    with pytest.raises(UnreadableImage, match=r"has 50\.00% transparent pixels"):
        read_radiance(put(png(pixels)))


def test_an_alpha_that_is_zero_everywhere_means_nothing(put):
    pixels = noise(channels=4)
    pixels[..., 3] = 0
    np.testing.assert_array_equal(read_frame(put(png(pixels))), pixels[..., :3])


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"BM", "BMP"),
        (b"8BPS", "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    ],
)
def test_other_kinds_of_files_are_called_what_they_are(put, start, name):
    with pytest.raises(UnreadableImage, match=rf"a\.png: is .*{name}.*replace it with"):
        read_frame(put(start.ljust(64, b"\0")))


@pytest.mark.parametrize(("marker", "bits", "word"), [(0xC3, 8, "lossless"), (0xC1, 12, "12-bit")])
def test_rare_kinds_of_jpeg_are_refused_by_name(put, marker, bits, word):
    jpeg = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    at = jpeg.index(b"\xff\xc0")
    changed = (
        jpeg[: at + 1] + bytes([marker]) + jpeg[at + 2 : at + 4] + bytes([bits]) + jpeg[at + 5 :]
    )
    with pytest.raises(UnreadableImage, match=rf"a\.png: is a {word}.* JPEG, which is not read"):
        read_frame(put(changed))


def test_light_is_kept_through_the_merge_of_a_linear_bracket(tmp_path):
    from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge

    scene = np.minimum(light() / 20, 1)
    frames = []
    for ev in (0, 2, 4):
        path = tmp_path / f"{ev}.png"
        values = np.round(np.minimum(scene * 2.0**ev, 1) * 65535).astype(np.uint16)
        path.write_bytes(png(values, gama(1.0)))
        frames.append(read_frame(path))
    merged = exposure_weighted_merge(frames, stops=(0, 2, 4))
    assert np.abs(merged - scene).mean() / scene.mean() < 1e-3


LINEAR_FILES = {
    "png": lambda values: png(values, gama(1.0)),
    "tiff": lambda values: plain_tiff(values, tags=[(34675, 7, icc(curv()))]),
}


def put_linear_scene(folder, *, kind, bits):
    folder.mkdir(parents=True)
    top = 2**bits - 1
    for number, ev in enumerate((0, 2, 4)):
        values = np.round(np.minimum(view() * 2.0**ev, 1) * top)
        raw = LINEAR_FILES[kind](values.astype(np.uint8 if bits == 8 else np.uint16))
        (folder / f"{number}.{kind}").write_bytes(raw)
    write_radiance_exr(folder / "HDRImg.exr", view())


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", LINEAR_FILES)
def test_exposures_and_truths_are_held_against_the_light_of_linear_frames(tmp_path, kind, bits):
    put_linear_scene(tmp_path / "001", kind=kind, bits=bits)
    (tmp_path / "001" / "exposure.txt").write_text("0 2 4")
    catalogue = find_scenes(tmp_path)
    # As values of gamma 2.2 they would lie 4.4 stops apart, and the truth would not fit.
    assert catalogue.notes == ()
    assert catalogue.scenes[0].ground_truth is not None
    (tmp_path / "001" / "exposure.txt").write_text("0 4.4 8.8")
    with pytest.raises(BadDataset, match=r"is 2\.0 stops brighter than .* but 4\.4 by"):
        find_scenes(tmp_path)


def test_exposures_that_nothing_tells_are_measured_in_linear_frames(tmp_path):
    put_linear_scene(tmp_path / "001", kind="png", bits=16)
    (scene,) = find_scenes(tmp_path).scenes
    assert scene.evs == (0, 2, 4)
