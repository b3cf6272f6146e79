"""A mask survives its packing whole, and damage never passes for a mask."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from smarthdr_studio.core.trust.brush import Dabs, Ink, apply, fingerprint, pack, unpack

sizes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
masks = sizes.flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.integers(-1, 1), fill=st.just(0))
)


@given(masks)
def test_a_mask_comes_back_as_it_was(mask):
    packed = pack(mask)
    found = unpack(packed)
    assert np.array_equal(found, mask)
    assert found.dtype == np.int8
    assert found.flags.writeable
    assert pack(mask.copy(order="F")) == packed
    assert fingerprint(pack(found)) == fingerprint(packed)


@pytest.mark.parametrize("length", [1, 254, 255, 256, 257, 70_000, 3_000_000])
@pytest.mark.parametrize("value", [-1, 0, 1])
def test_runs_of_any_length_come_back(length, value):
    mask = np.full((1, length + 2), value, np.int8)
    mask[0, 0] = mask[0, -1] = (value + 2) % 3 - 1
    assert np.array_equal(unpack(pack(mask)), mask)


@given(masks, masks)
def test_unlike_masks_have_unlike_fingerprints(one, other):
    same = np.array_equal(one, other)
    assert (fingerprint(pack(one)) == fingerprint(pack(other))) == same


@given(masks, st.data())
def test_no_damaged_byte_and_no_cut_passes_for_a_mask(mask, data):
    packed = pack(mask)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(ValueError, match="mask"):
        unpack(packed[:cut])
    place, change = data.draw(st.integers(0, len(packed) - 1)), data.draw(st.integers(1, 255))
    damaged = bytearray(packed)
    damaged[place] ^= change
    with pytest.raises(ValueError, match="mask"):
        unpack(bytes(damaged))
    with pytest.raises(ValueError, match="mask"):
        unpack(packed + b"more")


def test_a_newer_version_is_told():
    packed = bytearray(pack(np.ones((2, 3), np.int8)))
    packed[8] = 2
    with pytest.raises(ValueError, match="version 2"):
        unpack(bytes(packed))


@pytest.mark.parametrize(
    ("count", "runs"),
    [
        (1, zlib.compress(b"")),  # too short
        (1, zlib.compress(b"\x01\x06\x00")),  # a length and a piece of one
        (1, zlib.compress(b"\x01\xff")),  # a long run without its length
        (1, zlib.compress(b"\x01\x05")),  # one pixel is missing
        (1, zlib.compress(b"\x02\x06")),  # no such ink
        (1, zlib.compress(b"\x80\x06")),
        (0, zlib.compress(b"")),  # nothing at all
        (1, b"no zlib"),
    ],
)
def test_runs_that_no_mask_has_are_refused_though_their_checksum_holds(count, runs):
    body = struct.pack("<I", count) + runs
    checksum = zlib.crc32(struct.pack("<II", 2, 3) + body)
    with pytest.raises(ValueError, match="the runs of a mask"):
        unpack(b"SHDRmask\x01" + struct.pack("<III", 2, 3, checksum) + body)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 2), np.int16),
        np.zeros(4, np.int8),
        np.zeros((0, 4), np.int8),
        np.full((2, 2), 2, np.int8),
        np.full((2, 2), -2, np.int8),
    ],
)
def test_what_is_no_mask_is_not_packed(wrong):
    with pytest.raises(ValueError, match="a painted mask"):
        pack(wrong)


@pytest.mark.parametrize(("hardness", "most"), [(1.0, 5_000), (0.5, 15_000)])
def test_a_few_strokes_on_a_large_scene_stay_small(hardness, most):
    mask = None
    for k, ink in enumerate([Ink.TRUST, Ink.DISTRUST, Ink.TRUST]):
        turns = np.linspace(k, k + 2.5, 40)
        points = tuple(zip(700 + 330 * np.cos(turns), 500 + 330 * np.sin(2 * turns), strict=True))
        stroke = Dabs(points=points, radius=40, hardness=hardness, ink=ink)
        mask = apply(stroke, mask, height=1000, width=1500)
    assert len(pack(mask)) < most
    assert np.array_equal(unpack(pack(mask)), mask)


def forged(height, width, runs, *, count):
    """Bytes of somebody who knows how a mask is packed."""
    body = struct.pack("<I", count) + zlib.compress(runs)
    sizes = struct.pack("<II", height, width)
    checksum = zlib.crc32(body, zlib.crc32(sizes))
    return b"SHDRmask\x01" + struct.pack("<III", height, width, checksum) + body


def test_a_mask_that_would_fill_the_memory_is_refused_unread():
    one = struct.pack("<bBI", 1, 255, 2**32 - 1)
    with pytest.raises(ValueError, match="larger than any picture"):
        unpack(forged(2**31, 2**31, one, count=1))


def test_runs_that_unpack_to_more_than_a_picture_can_hold_are_not_unpacked_whole():
    packed = forged(2, 3, b"\0" * 10**7, count=5)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="end too early"):
            unpack(packed)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()
