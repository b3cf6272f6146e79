"""Files of pictures: read back, they hold every bit; and they are whole or not there at all."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.display import (
    FRAMES,
    MAPS,
    RADIANCE,
    DisplaySettings,
    Layer,
    Material,
    Painted,
    Painter,
    ToneMap,
    layer_values,
    toned,
    write_layer_exr,
    write_png,
    write_png16,
)
from smarthdr_studio.core.errors import ExportError, LabelError, StudioError
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.trust.masking import MaskSettings, trust

SETTINGS = DisplaySettings()
SIZE = 70, 90


def light(seed):
    rng = np.random.default_rng(seed)
    return np.exp(rng.uniform(-8, 0, (*SIZE, 3))).astype(np.float16)


def a_scene():
    rng = np.random.default_rng(1)
    sigma, masks = rng.gamma(1.5, 0.02, SIZE).astype(np.float32), MaskSettings()
    person = rng.integers(-1, 2, SIZE).astype(np.int8)
    frames = [rng.integers(0, 65536, (*SIZE, 3)).astype(np.uint16) for _ in range(3)]
    return Material(
        bracket=Bracket(*frames, (0.0, 2.0, 4.0)),
        hdr=light(1),
        sigma=sigma,
        trust=trust(sigma, masks, person=person),
        masks=masks,
        ground_truth=light(2),
        origin="round 3",
        person=person,
        student=light(3),
        promoted=light(4),
        reasons=rng.integers(0, 7, SIZE).astype(np.uint8),
        flips=np.array([[0, 5], [1, 2]], np.uint8),
        other_hdr=light(5),
        other_sigma=sigma * np.float32(0.5),
        other_origin="round 2",
    )


def chunks(path: Path):
    """Kind and body of every part of a PNG, in order, with its checksum tested."""
    raw, place = path.read_bytes(), 8
    while place < len(raw):
        (length,) = struct.unpack(">I", raw[place : place + 4])
        kind, body = raw[place + 4 : place + 8], raw[place + 8 : place + 8 + length]
        assert struct.pack(">I", zlib.crc32(kind + body)) == raw[place + 8 + length :][:4]
        yield kind.decode(), body
        place += 12 + length


def description(path):
    (body,) = (body for kind, body in chunks(path) if kind == "iTXt")
    keyword, _, rest = body.partition(b"\0")
    assert keyword == b"Description"
    return rest[4:].decode()


def read_back(path):
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) if picture.ndim == 3 else picture


@pytest.mark.parametrize("layer", Layer)
def test_a_png_is_exactly_the_picture_on_the_screen_and_nothing_else(layer, tmp_path):
    painted = Painter().paint(layer, a_scene(), DisplaySettings(zebra=True))
    write_png(tmp_path / "view.png", painted)
    back = read_back(tmp_path / "view.png")
    assert back.dtype == np.uint8
    assert (back == painted.rgb8).all()
    assert {kind for kind, _ in chunks(tmp_path / "view.png")} == {"IHDR", "IDAT", "IEND"}


@pytest.mark.parametrize("layer", RADIANCE)
@pytest.mark.parametrize("tone_map", [t for t in ToneMap if t is not ToneMap.STOPS])
def test_radiance_in_16_bits_is_the_formula_of_its_tone_map(layer, tone_map, tmp_path):
    settings = DisplaySettings(tone_map=tone_map, exposure_ev=0.5, mu=300.0, gamma=1.8)
    write_png16(tmp_path / "layer.png", layer, a_scene(), settings)
    linear = layer_values(layer, a_scene()).astype(np.float32)
    screen = toned(linear, tone_map, exposure_ev=0.5, mu=300.0, gamma=1.8)
    assert (read_back(tmp_path / "layer.png") == np.rint(screen * 65535).astype(np.uint16)).all()
    assert tone_map.value in description(tmp_path / "layer.png")


def test_stops_in_16_bits_are_the_colours_of_the_screen(tmp_path):
    settings = DisplaySettings(tone_map=ToneMap.STOPS)
    write_png16(tmp_path / "layer.png", Layer.STUDENT, a_scene(), settings)
    shown = Painter().paint(Layer.STUDENT, a_scene(), settings).rgb8
    assert (read_back(tmp_path / "layer.png") == shown * np.uint16(257)).all()


@pytest.mark.parametrize("layer", FRAMES)
def test_a_frame_in_16_bits_is_its_camera_values(layer, tmp_path):
    write_png16(tmp_path / "layer.png", layer, a_scene(), DisplaySettings(exposure_ev=2.0))
    frame = a_scene().bracket.frames[FRAMES.index(layer)]
    assert (read_back(tmp_path / "layer.png") == frame).all()


@pytest.mark.parametrize("layer", MAPS)
def test_a_map_in_16_bits_can_be_turned_back_into_its_values(layer, tmp_path):
    scene, path = a_scene(), tmp_path / "layer.png"
    write_png16(path, layer, scene, SETTINGS)
    words = description(path)
    top = float(words.split("65535 is ")[1].split()[0])
    legend = Painter().paint(layer, scene, SETTINGS).legend.high.removeprefix("≥ ")
    assert float(legend) == pytest.approx(top, rel=0.05)
    values = read_back(path) * (top / 65535)
    expected = np.minimum(layer_values(layer, scene), top)
    np.testing.assert_allclose(values, expected, atol=top / 65535)
    assert words.startswith(layer.value)


def test_masks_in_16_bits_are_black_and_white(tmp_path):
    scene, path = a_scene(), tmp_path / "layer.png"
    for layer in (Layer.PATCH_MASK, Layer.PIXEL_MASK, Layer.TRUSTED, Layer.COMBINED_MASK):
        write_png16(path, layer, scene, SETTINGS)
        assert (read_back(path) == layer_values(layer, scene) * np.uint16(65535)).all()
    write_png16(path, Layer.PERSON_MASK, scene, SETTINGS)
    assert (read_back(path) == np.rint((scene.person + 1) / 2 * 65535)).all()
    write_png16(path, Layer.REASONS, scene, SETTINGS)
    assert (np.rint(read_back(path) * (6 / 65535)) == scene.reasons).all()


def test_unknown_sigma_is_least_sure_in_16_bits_too(tmp_path):
    sigma = a_scene().sigma.copy()
    sigma[0, 0], sigma[1, 1] = np.nan, np.inf
    write_png16(tmp_path / "l.png", Layer.UNCERTAINTY, replace(a_scene(), sigma=sigma), SETTINGS)
    back = read_back(tmp_path / "l.png")
    assert back[0, 0] == back[1, 1] == 65535


@pytest.mark.parametrize("layer", Layer)
def test_an_exr_holds_every_bit_of_a_layer(layer, tmp_path):
    scene, path = a_scene(), tmp_path / "layer.exr"
    write_layer_exr(path, layer, scene, against=Layer.STUDENT)
    channels, header = read_layers(path)
    values = layer_values(layer, scene, against=Layer.STUDENT)
    if values.ndim == 3:
        back = np.stack([channels[name] for name in "RGB"], axis=-1)
        assert back.dtype == values.dtype
        assert (back == values).all()
    else:
        assert set(channels) == {"Y"}
        assert channels["Y"].dtype == np.float32
        assert (channels["Y"] == values).all()
    assert header["smarthdr.layer"] == layer.value
    origins = {Layer.UNCERTAINTY: "round 3", Layer.OTHER_SIGMA: "round 2", Layer.STUDENT: ""}
    assert header["smarthdr.origin"] == origins.get(layer, header["smarthdr.origin"])
    assert header.get("smarthdr.against") == ("Student" if layer is Layer.ERROR else None)


WRITERS = {
    "png16": lambda path, layer, scene: write_png16(path, layer, scene, SETTINGS),
    "exr": write_layer_exr,
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("layer", [*Layer, "Depth"])
def test_a_layer_with_nothing_in_it_is_refused_in_one_sentence(writer, layer, tmp_path):
    with pytest.raises(ExportError, match=r"^out\.x: ") as refused:
        writer(tmp_path / "out.x", layer, Material())
    assert str(layer) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_view_without_a_picture_is_refused_with_its_own_reason(tmp_path):
    with pytest.raises(ExportError, match="nothing to export of Student: "):
        write_png(tmp_path / "out.png", Painter().paint(Layer.STUDENT, Material(), SETTINGS))


def test_where_nothing_can_be_written_one_sentence_says_so_and_the_old_file_stays(tmp_path):
    wall = tmp_path / "wall"
    wall.write_bytes(b"a file is no folder")
    painted = Painted(rgb8=np.zeros((2, 2, 3), np.uint8), title="")
    with pytest.raises(ExportError, match="cannot be written"):
        write_png(wall / "view.png", painted)
    with pytest.raises(ExportError, match="cannot be written"):
        write_png16(wall / "view.png", Layer.STUDENT, a_scene(), SETTINGS)
    with pytest.raises(LabelError, match="cannot be written"):
        write_layer_exr(wall / "view.exr", Layer.STUDENT, a_scene())
    assert wall.read_bytes() == b"a file is no folder"
    assert list(tmp_path.iterdir()) == [wall]
    assert issubclass(ExportError, StudioError)
