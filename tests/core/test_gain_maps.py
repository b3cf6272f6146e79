"""A JPEG with a gain map is the radiance that base and map tell, and as a frame its base."""

import struct

import numpy as np
import pytest
from made_pictures import XMP, gain_map_jpeg, gain_map_xmp, jpeg

from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.imaging.image_files import image_size, read_frame, read_radiance

BASE, MAP = (64, 96), (32, 48)
LOW, HIGH, GAMMA, OFFSET = -0.5, 3.0, 1.25, 0.02
ISO = b"urn:iso:std:iso:ts:21496:-1\0"


def listed_xmp(**told):
    parts = "".join(
        f"<hdrgm:{name}><rdf:Seq>{''.join(f'<rdf:li>{v}</rdf:li>' for v in values)}"
        f"</rdf:Seq></hdrgm:{name}>"
        for name, values in told.items()
    )
    return XMP + f"<rdf:Description>{parts}</rdf:Description>".encode()


def iso(*, common, channels=1, least=0, headrooms=(0, 3)):
    each = [LOW, HIGH, GAMMA, OFFSET, OFFSET] * channels
    flags = (0xC0 if channels == 3 else 0x40) | (0x08 if common else 0)
    head = ISO + struct.pack(">HHB", least, 0, flags)
    if common:
        tops = [round(number * 1000) for number in (*headrooms, *each)]
        return head + struct.pack(f">III{'iiIii' * channels}", 1000, *tops)
    pairs = [part for number in (*headrooms, *each) for part in (round(number * 1000), 1000)]
    return head + struct.pack(f">IIII{'iIiIIIiIiI' * channels}", *pairs)


def put(path, block, **how):
    path.write_bytes(gain_map_jpeg(block, base_size=BASE, map_size=MAP, **how))
    return path


def srgb_light(value):
    value = value / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def expected(base, value, *, low=LOW, high=HIGH, gamma=GAMMA, offset=OFFSET):
    """The published formula for one channel."""
    stops = low + (high - low) * (value / 255) ** (1 / gamma)
    return (srgb_light(base) + offset) * 2**stops - offset


XMP_TOLD = gain_map_xmp(
    GainMapMin=LOW, GainMapMax=HIGH, Gamma=GAMMA, OffsetSDR=OFFSET, OffsetHDR=OFFSET
)


@pytest.mark.parametrize(
    ("block", "marker"),
    [
        (XMP_TOLD, 0xE1),
        (iso(common=False), 0xE2),
        (iso(common=True), 0xE2),
        (iso(common=True, channels=3), 0xE2),
    ],
)
def test_the_radiance_is_base_and_map_by_the_published_formula(tmp_path, block, marker):
    path = put(tmp_path / "a.jpg", block, marker=marker)
    radiance = read_radiance(path)
    assert radiance.shape == (*BASE, 3)
    assert image_size(path) == BASE
    values = [expected(base, 180) for base in (200, 120, 60)]
    assert np.median(radiance, axis=(0, 1)) == pytest.approx(values, rel=0.04)


def test_channels_may_have_maps_of_their_own_and_what_is_not_said_is_as_published(tmp_path):
    block = listed_xmp(GainMapMax=(1, 2, 3), GainMapMin=(0, 0, -1))
    path = put(tmp_path / "a.jpg", block, value=(60, 120, 240))
    values = [
        expected(base, value, low=low, high=high, gamma=1, offset=1 / 64)
        for base, value, low, high in ((200, 60, 0, 1), (120, 120, 0, 2), (60, 240, -1, 3))
    ]
    assert np.median(read_radiance(path), axis=(0, 1)) == pytest.approx(values, rel=0.04)


def test_as_a_frame_it_is_its_base(tmp_path):
    path = put(tmp_path / "a.jpg", XMP_TOLD)
    assert np.median(read_frame(path) // 257, axis=(0, 1)) == pytest.approx([200, 120, 60], abs=1)


@pytest.mark.parametrize(
    ("block", "marker", "words"),
    [
        (gain_map_xmp(GainMapMax=3, BaseRenditionIsHDR="True"), 0xE1, "makes it darker"),
        (iso(common=True, headrooms=(3, 0)), 0xE2, "makes it darker"),
        (iso(common=False, least=1), 0xE2, "of a newer standard"),
        (XMP + b"<urn:com:apple:photo:2020:aux:hdrgainmap/>", 0xE1, "Apple's own kind"),
        (gain_map_xmp(Version="1.0"), 0xE1, "8-bit values are no radiance"),
        (gain_map_xmp(GainMapMax="nan"), 0xE1, "truncated or damaged"),
        (gain_map_xmp(GainMapMax="1000"), 0xE1, "truncated or damaged"),
        (gain_map_xmp(GainMapMax=3, Gamma=0), 0xE1, "truncated or damaged"),
        (iso(common=True)[:-4], 0xE2, "truncated or damaged"),
    ],
)
def test_maps_that_are_not_read_are_refused_by_name(tmp_path, block, marker, words):
    with pytest.raises(UnreadableImage, match=rf"a\.jpg: .*{words}"):
        read_radiance(put(tmp_path / "a.jpg", block, marker=marker))


def test_a_plain_jpeg_is_no_radiance(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg((1, 2, 3), BASE))
    with pytest.raises(UnreadableImage, match="8-bit values are no radiance"):
        read_radiance(tmp_path / "a.jpg")


def test_the_library_that_invented_them_reads_the_same(tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    rows, columns = np.mgrid[0:128, 0:192]
    light = np.dstack([0.1 + columns / 50, 0.1 + rows / 128, 0.5 + rows * columns / 1e5])
    rgba = np.dstack([light, np.ones((128, 192))]).astype(np.float16)
    raw = imagecodecs.ultrahdr_encode(rgba)
    (tmp_path / "a.jpg").write_bytes(raw)
    theirs = imagecodecs.ultrahdr_decode(raw)[..., :3].astype(np.float64)
    # It writes Display P3 and brings what it reads back to Rec. 709.
    to_709 = [[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]]
    ours = read_radiance(tmp_path / "a.jpg") @ np.array(to_709).T
    assert np.median(np.abs(ours / theirs - 1)) < 0.01


def test_a_map_with_more_pixels_than_its_picture_is_refused_before_it_is_unpacked(tmp_path):
    block = gain_map_jpeg(XMP_TOLD, base_size=BASE, map_size=(BASE[0] + 8, BASE[1]), marker=0xE1)
    (tmp_path / "a.jpg").write_bytes(block)
    with pytest.raises(UnreadableImage, match="more pixels than the picture"):
        read_radiance(tmp_path / "a.jpg")


def test_a_picture_whose_scan_is_damaged_is_refused_and_nothing_is_printed(tmp_path, capfd):
    raw = bytearray(gain_map_jpeg(XMP_TOLD, base_size=BASE, map_size=MAP, marker=0xE1))
    scan = raw.index(b"\xff\xda") + 14
    raw[scan + 2 : scan + 4] = b"\xff\x55"
    path = tmp_path / "a.jpg"
    path.write_bytes(raw)
    with pytest.raises(UnreadableImage, match="truncated or damaged"):
        read_radiance(path)
    assert capfd.readouterr() == ("", "")
