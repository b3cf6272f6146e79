"""The maps of a round are mapped from its file, and a bad file is one sentence."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save, save_file

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.training.round_files import kept_rounds, open_round_file, round_path


def _tensors(height=6, width=5, scenes=("a", "b/c")):
    rng = np.random.default_rng(1)
    made = {}
    for scene in scenes:
        made[f"{scene}/hdr"] = rng.random((height, width, 3)).astype(np.float16)
        made[f"{scene}/sigma"] = rng.random((height, width)).astype(np.float16)
        made[f"{scene}/trusted"] = rng.random((height, width)) < 0.5
    return made


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("size", [(6, 5), (1, 1), (72, 97)])
def test_what_training_wrote_comes_back_to_the_last_bit(tmp_path, size):
    tensors = _tensors(*size)
    save_file(tensors, tmp_path / "0001.safetensors")
    found = open_round_file(tmp_path / "0001.safetensors")
    assert list(found) == ["a", "b/c"]
    for scene, maps in found.items():
        for name in ("hdr", "sigma", "trusted"):
            expected, got = tensors[f"{scene}/{name}"], getattr(maps, name)
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(got, expected)


def test_maps_that_were_not_kept_are_none(tmp_path):
    save_file({"a/hdr": np.zeros((4, 4, 3), np.float16)}, tmp_path / "r.safetensors")
    maps = open_round_file(tmp_path / "r.safetensors")["a"]
    assert maps.sigma is None
    assert maps.trusted is None


def test_a_round_without_scenes_is_no_damage(tmp_path):
    save_file({}, tmp_path / "r.safetensors")
    assert open_round_file(tmp_path / "r.safetensors") == {}


def test_the_file_is_mapped_and_cannot_be_written_to(tmp_path):
    save_file(_tensors(), tmp_path / "r.safetensors")
    maps = open_round_file(tmp_path / "r.safetensors")["a"]
    with pytest.raises(ValueError, match="read-only"):
        maps.hdr[0, 0, 0] = 1


def test_a_file_cut_anywhere_is_one_sentence(tmp_path):
    content = save(_tensors())
    for length in range(0, len(content), 7):
        path = _write(tmp_path / "0001.safetensors", content[:length])
        with pytest.raises(LabelError, match="cannot be read") as caught:
            open_round_file(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def _foreign(header, data=b"\0" * 96):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


_ENTRY = {"dtype": "F16", "shape": [4, 4, 3], "data_offsets": [0, 96]}
FOREIGN = {
    "text": b"this is no file of ours, not at all",
    "an endless header": b"\xff" * 64,
    "a list": _foreign([1, 2]),
    "entries that are no entries": _foreign({"a/hdr": 3}),
    "another type": _foreign({"a/hdr": _ENTRY | {"dtype": "F64"}}),
    "another shape": _foreign({"a/hdr": _ENTRY | {"shape": [5, 5, 5]}}),
    "offsets beyond the end": _foreign({"a/hdr": _ENTRY | {"data_offsets": [96, 192]}}),
    "negative offsets": _foreign({"a/hdr": _ENTRY | {"data_offsets": [-96, 0]}}),
    "no radiance": _foreign({"a/sigma": _ENTRY | {"shape": [48]}}),
    "radiance of one channel": _foreign({"a/hdr": _ENTRY | {"shape": [48, 1, 1]}}),
    "σ of another size": _foreign(
        {"a/hdr": _ENTRY, "a/sigma": {"dtype": "F16", "shape": [48], "data_offsets": [0, 96]}}
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_one_sentence(tmp_path, kind):
    path = _write(tmp_path / "0001.safetensors", FOREIGN[kind])
    with pytest.raises(LabelError, match=r"0001\.safetensors: the maps of this round cannot be"):
        open_round_file(path)


@settings(max_examples=200)
@given(data=st.data())
def test_a_changed_byte_of_the_header_is_told_or_leaves_maps_that_fit(tmp_path_factory, data):
    content = bytearray(save(_tensors()))
    end = 8 + int.from_bytes(content[:8], "little")
    place = data.draw(st.integers(0, end - 1))
    content[place] = data.draw(st.integers(0, 255))
    path = _write(tmp_path_factory.getbasetemp() / "changed.safetensors", bytes(content))
    try:
        found = open_round_file(path)
    except LabelError:
        return
    for maps in found.values():
        assert maps.hdr.ndim == 3
        assert maps.sigma is None or maps.sigma.shape == maps.hdr.shape[:2]


def test_a_file_that_is_gone_is_one_sentence_and_works_again_when_it_is_back(tmp_path):
    path, content = tmp_path / "0001.safetensors", save(_tensors())
    with pytest.raises(LabelError, match="No such file"):
        open_round_file(path)
    _write(path, content)
    assert set(open_round_file(path)) == {"a", "b/c"}


def test_kept_rounds_are_those_whose_files_are_there(tmp_path):
    assert kept_rounds(tmp_path) == frozenset()
    for number in (3, 12, 10000):
        _write(round_path(tmp_path, number=number), b"")
    for name in (".0004.0123abcd.safetensors", "notes.safetensors", "0005.npz"):
        _write(tmp_path / "rounds" / name, b"")
    assert kept_rounds(tmp_path) == {3, 12, 10000}
    assert round_path(tmp_path, number=3).name == "0003.safetensors"
