"""Pictures are turned as their EXIF says, and frames of one bracket onto one grid."""

import struct

import cv2
import numpy as np
import pytest
from made_pictures import noise, plain_tiff, planar_tiff, png

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.imaging.bracket import decode_bracket
from smarthdr_studio.core.imaging.image_files import (
    frame_orientations,
    image_size,
    read_frame,
    read_radiance,
    write_radiance_exr,
)

# Where row 0 and column 0 of what is stored belong, for each number (EXIF 2.3, table 6).
SEEN = {
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p.swapaxes(0, 1), 2),
    8: lambda p: np.rot90(p),
}


def exif(number, order="<"):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHxx", 0x0112, 3, 1, number)
    return mark + struct.pack(order + "IH", 8, 1) + entry + b"\0" * 4


def jpeg(pixels, number, order="<"):
    plain = cv2.imencode(".jpg", pixels[..., ::-1])[1].tobytes()
    data = b"Exif\0\0" + exif(number, order)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + plain[2:]


WRITERS = {
    "tiff": lambda pixels, n: plain_tiff(pixels, tags=[(274, 3, [n])]),
    "big-endian tiff": lambda pixels, n: plain_tiff(pixels, order=">", tags=[(274, 3, [n])]),
    "planar tiff": lambda pixels, n: planar_tiff(pixels, tags=[(274, 3, [n])]),
    "png": lambda pixels, n: png(pixels, (b"eXIf", exif(n, ">"))),
}


@pytest.mark.parametrize("number", SEEN)
@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("bits", [8, 16])
def test_size_and_pixels_are_turned_alike(tmp_path, kind, number, bits):
    path = tmp_path / "a"
    path.write_bytes(WRITERS[kind](noise(bits), number))
    expected = SEEN[number](noise(bits)).astype(np.uint16) * (257 if bits == 8 else 1)
    np.testing.assert_array_equal(read_frame(path), expected)
    assert image_size(path) == expected.shape[:2]


@pytest.mark.parametrize("number", SEEN)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_jpeg_is_turned_by_its_exif(tmp_path, number, order):
    plain, turned = tmp_path / "plain", tmp_path / "turned"
    plain.write_bytes(jpeg(noise(8), 1))
    turned.write_bytes(jpeg(noise(8), number, order))
    np.testing.assert_array_equal(read_frame(turned), SEEN[number](read_frame(plain)))
    assert image_size(turned) == SEEN[number](noise(8)).shape[:2]


@pytest.mark.parametrize("number", [0, 9, 77])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path, number):
    path = tmp_path / "a.tif"
    path.write_bytes(plain_tiff(noise(), tags=[(274, 3, [number])]))
    np.testing.assert_array_equal(read_frame(path), noise())


def test_a_ground_truth_is_turned_as_well(tmp_path):
    path = tmp_path / "gt.tif"
    values = (noise() / 65535).astype(np.float32)
    path.write_bytes(plain_tiff(values, tags=[(274, 3, [6])]))
    np.testing.assert_array_equal(read_radiance(path), np.rot90(values, -1))


def scene_light(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([x / width, y / height, (x + 2 * y) / (width + 2 * height)]) * 0.9 + 0.05


def put_bracket(folder, tags, *, stored):
    """Three exposures of one view, stored by `stored` of the picture, with a tag each."""
    folder.mkdir(parents=True)
    for number, (tag, light) in enumerate(zip(tags, (1 / 16, 1 / 4, 1), strict=True)):
        values = np.round((scene_light(40, 60) * light) ** (1 / 2.2) * 65535).astype(np.uint16)
        raw = plain_tiff(np.ascontiguousarray(stored(values)), tags=[(274, 3, [tag])])
        (folder / f"{number}.tif").write_bytes(raw)
    (folder / "exposure.txt").write_text("0\n2\n4\n")
    return [folder / f"{number}.tif" for number in range(3)]


def quarter(pixels):
    return np.rot90(pixels)


@pytest.mark.parametrize("tags", [(6, 6, 6), (6, 6, 1), (1, 6, 6), (8, 6, 6), (3, 6, 1)])
def test_frames_whose_tags_disagree_are_settled_by_what_they_show(tmp_path, tags):
    paths = put_bracket(tmp_path / "scene", tags, stored=quarter)
    assert frame_orientations(paths) == (6, 6, 6)
    (scene,) = find_scenes(tmp_path).scenes
    assert (scene.height, scene.width) == (40, 60)
    bracket = decode_bracket(scene)
    expected = np.round((scene_light(40, 60) / 16) ** (1 / 2.2) * 65535)
    np.testing.assert_array_equal(bracket.under, expected)
    assert np.corrcoef(bracket.under.ravel(), bracket.over.ravel())[0, 1] > 0.99


def test_frames_that_were_really_turned_keep_their_own_tags(tmp_path):
    # Stored differently, tagged rightly: each tag is needed.
    folder = tmp_path / "scene"
    folder.mkdir()
    paths = []
    stores = {1: lambda p: p, 3: lambda p: np.rot90(p, 2), 6: np.rot90}
    for number, tag in enumerate((3, 1, 6)):
        values = np.round(scene_light(40, 40) * 4**number / 16 * 65535).astype(np.uint16)
        paths.append(folder / f"{number}.tif")
        raw = plain_tiff(np.ascontiguousarray(stores[tag](values)), tags=[(274, 3, [tag])])
        paths[-1].write_bytes(raw)
    assert frame_orientations(paths) == (3, 1, 6)


def test_the_reference_settles_which_way_is_up_wherever_its_name_stands(tmp_path):
    # By name the frames are over, under, reference; the tag of the under frame is wrong.
    folder = tmp_path / "scene"
    under, reference, over = put_bracket(folder, (1, 6, 6), stored=quarter)
    for path, name in ((over, "a"), (under, "b"), (reference, "c")):
        path.rename(folder / f"{name}.tif")
    (folder / "exposure.txt").write_text("4 0 2")
    light = scene_light(40, 60).astype(np.float32)
    write_radiance_exr(folder / "HDRImg.exr", light / 16)
    catalogue = find_scenes(tmp_path)
    (scene,) = catalogue.scenes
    assert ((scene.height, scene.width), catalogue.notes) == ((40, 60), ())
    assert scene.ground_truth is not None
    expected = np.round((scene_light(40, 60) / 16) ** (1 / 2.2) * 65535)
    np.testing.assert_array_equal(decode_bracket(scene).under, expected)
