"""EXR files with named layers: exact, readable by others, and told in one sentence when broken."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import OpenEXR
import pytest

from smarthdr_studio.core.errors import LabelError, UnreadableImage
from smarthdr_studio.core.imaging.image_files import (
    read_layers,
    read_plain_header,
    read_radiance,
    write_layers,
    write_radiance_exr,
)
from smarthdr_studio.core.imaging.printed import unheard


@pytest.fixture
def layers():
    random = np.random.default_rng(7)
    return {
        "R": random.random((37, 53)).astype(np.float16),
        "uncertainty.Y": random.random((37, 53), dtype=np.float32),
        "mask.patch": random.integers(0, 2, (37, 53)).astype(np.float16),
    }


@pytest.fixture
def written(tmp_path, layers):
    path = tmp_path / "scène 12.exr"
    write_layers(path, layers, header={"smarthdr.run": "läuft", "smarthdr.round": 3})
    return path


def sentence(error):
    text = str(error.value)
    assert "\n" not in text
    return text


def test_layers_come_back_bit_for_bit_under_their_names(written, layers):
    found, header = read_layers(written)
    assert set(found) == set(layers)
    for name, layer in layers.items():
        assert found[name].dtype == layer.dtype
        np.testing.assert_array_equal(found[name], layer)
    assert header["smarthdr.run"] == "läuft"
    assert header["smarthdr.round"] == 3


def test_any_program_with_openexr_sees_the_same_layers(written, layers):
    with OpenEXR.File(str(written), separate_channels=True) as file:
        assert set(file.channels()) == set(layers)
        np.testing.assert_array_equal(file.channels()["R"].pixels, layers["R"])
        assert file.header()["compression"] == OpenEXR.ZIP_COMPRESSION


def test_only_the_wanted_layers_are_returned(written):
    found, _ = read_layers(written, only=("R",))
    assert set(found) == {"R"}


def test_a_wanted_layer_that_is_missing_is_named(written):
    with pytest.raises(LabelError) as error:
        read_layers(written, only=("R", "depth.Z"))
    assert "depth.Z" in sentence(error)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_is_one_sentence_and_nothing_else_is_printed(written, share, capfd):
    whole = written.read_bytes()
    written.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(LabelError) as error:
        read_layers(written)
    assert str(written) in sentence(error)
    assert capfd.readouterr() == ("", "")


def test_other_things_than_an_exr_are_one_sentence(tmp_path):
    text, folder, missing = tmp_path / "a.exr", tmp_path / "b.exr", tmp_path / "c.exr"
    text.write_text("hello")
    folder.mkdir()
    for path in (text, folder, missing):
        with pytest.raises(LabelError) as error:
            read_layers(path)
        assert str(path) in sentence(error)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_the_place_of_a_label_is_told_with_a_remedy_that_helps(tmp_path):
    os.mkfifo(tmp_path / "a.exr")
    with pytest.raises(LabelError) as error:
        read_layers(tmp_path / "a.exr")
    assert "is no plain file; restore it from a copy" in sentence(error)
    assert "allow" not in sentence(error)


def test_a_byte_changed_anywhere_is_read_or_told_but_never_a_crash(written):
    whole = written.read_bytes()
    told = []
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        written.write_bytes(damaged)
        try:
            read_layers(written)
        except LabelError as error:
            told.append(str(error))
    assert told
    assert all(str(written) in words for words in told)


def damaged_inside(path):
    """The file as a bad disk leaves it: of its size, with other bytes amid its pixels."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 400] = b"\x55" * 400
    path.write_bytes(raw)
    return path


def colours(path):
    write_radiance_exr(path, np.random.default_rng(3).random((60, 80, 3), dtype=np.float32))
    return path


def test_a_label_damaged_inside_is_one_sentence_and_nothing_else_is_printed(written, capfd):
    with pytest.raises(LabelError, match=r"inside \(its pixels cannot be unpacked\)") as error:
        read_layers(damaged_inside(written))
    assert str(written) in sentence(error)
    assert capfd.readouterr() == ("", "")


def test_so_is_radiance_damaged_inside(tmp_path, capfd):
    with pytest.raises(UnreadableImage, match="is truncated or damaged"):
        read_radiance(damaged_inside(colours(tmp_path / "a.exr")))
    assert capfd.readouterr() == ("", "")


def test_what_another_thread_prints_meanwhile_is_printed(written, capfd):
    """A line that this thread prints amid the decoding is dropped, one of another is not."""
    amid, told = threading.Event(), threading.Event()

    def tell():
        amid.wait(10)
        print("said by another thread")
        told.set()

    other = threading.Thread(target=tell)
    other.start()
    with unheard():
        amid.set()
        assert told.wait(10)
        print("said by the decoder")
    other.join()
    print("said afterwards")
    assert capfd.readouterr().out == "said by another thread\nsaid afterwards\n"


def test_labels_read_at_once_leave_stdout_as_it_was(tmp_path, layers, capfd):
    before = sys.stdout
    paths = [tmp_path / f"{k}.exr" for k in range(16)]
    for k, path in enumerate(paths):
        write_layers(path, layers, header={})
        if k % 2:
            damaged_inside(path)

    def verdict(path):
        try:
            return len(read_layers(path)[0])
        except LabelError as error:
            return str(path) in str(error)

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(verdict, paths))
    assert found == [True if k % 2 else len(layers) for k in range(16)]
    assert sys.stdout is before
    assert capfd.readouterr() == ("", "")


def test_a_window_without_a_terminal_reads_them_as_well(written, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(LabelError, match="damaged inside"):
        read_layers(damaged_inside(written))
    assert sys.stdout is None


def test_a_failed_write_keeps_the_old_file_and_leaves_no_draft(written, layers):
    before = written.read_bytes()
    with pytest.raises(ValueError, match="differ"):
        write_layers(written, {**layers, "B": np.zeros((2, 2), np.float16)}, header={})
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_a_place_that_cannot_be_written_is_one_sentence(written, layers):
    with pytest.raises(LabelError) as error:
        write_layers(written / "inside-a-file.exr", layers, header={})
    assert "cannot be written" in sentence(error)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
def test_files_in_a_folder_whose_name_is_no_utf8_are_written_and_read(tmp_path, layers):
    folder = tmp_path / os.fsdecode(b"\xff.shdr")
    folder.mkdir()
    write_layers(folder / "a.exr", layers, header={"smarthdr.round": 3})
    found, header = read_layers(folder / "a.exr")
    assert all(np.array_equal(found[name], layers[name]) for name in layers)
    assert header["smarthdr.round"] == read_plain_header(folder / "a.exr")["smarthdr.round"] == 3
    write_radiance_exr(folder / "b.exr", np.full((5, 7, 3), 0.5, np.float32))
    assert read_radiance(folder / "b.exr").shape == (5, 7, 3)
