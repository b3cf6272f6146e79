"""Arrays come back as they were saved, and one that would fill the memory is refused unread."""

import io
import struct
import zipfile

import numpy as np
import pytest

from smarthdr_studio.core import arrays
from smarthdr_studio.core.arrays import read_array, read_arrays
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.training.rounds import read_record
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics

SAVED = {
    "floats": np.arange(12, dtype=np.float32).reshape(3, 4),
    "by columns": np.asfortranarray(np.arange(12, dtype=np.int64).reshape(3, 4)),
    "nothing": np.zeros((0, 5), np.uint8),
    "one": np.array(2.5),
    "flags": np.array([True, False]),
    "big-endian": np.arange(3, dtype=">f8"),
}
MOST = 2**20


@pytest.fixture
def little_room(monkeypatch):
    monkeypatch.setattr(arrays, "main_memory", lambda: 2 * MOST)


def npy(shape, *, kind="<f4", data=b""):
    """The head of an array that says that it is so large."""
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + data


def npz(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(f"{name}.npy", content)
    file.seek(0)
    return file


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_as_they_were_saved(save):
    file = io.BytesIO()
    save(file, **SAVED)
    found = read_arrays(file, *SAVED)
    for name, array in SAVED.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert found[name].flags.writeable


@pytest.mark.parametrize("name", SAVED)
def test_so_does_one_alone(name):
    file = io.BytesIO()
    np.save(file, SAVED[name])
    file.seek(0)
    np.testing.assert_array_equal(read_array(file), SAVED[name])


@pytest.mark.usefixtures("little_room")
def test_an_array_that_takes_more_than_may_be_taken_is_refused_by_what_it_says():
    whole = npy((MOST,), kind="|u1", data=b"\0" * MOST)
    assert read_arrays(npz(a=whole), "a")["a"].nbytes == MOST
    with pytest.raises(ValueError, match=f"unpacks to {4 * 10**14} bytes"):
        read_arrays(npz(a=npy((10**5, 10**9))), "a")
    with pytest.raises(ValueError, match="unpacks to"):
        read_arrays(npz(a=npy((10**30, 10**30))), "a")
    with pytest.raises(ValueError, match=rf"unpacks to {MOST + 1} bytes, and {MOST} may be taken"):
        read_arrays(npz(a=npy((MOST + 1,), kind="|u1", data=b"\0" * (MOST + 1))), "a")
    with pytest.raises(ValueError, match="unpacks to 1 bytes, and 0 may be taken"):
        read_arrays(npz(a=whole, b=npy((1,), kind="|u1", data=b"\0")), "a", "b")
    # What nobody asks for is not unpacked.
    assert read_arrays(npz(a=whole, b=npy((10**9, 10**9))), "a")["a"].nbytes == MOST


ODD = {
    "no archive": b"x" * 100,
    "nothing": b"",
    "another name": npz(b=npy((1,), data=b"\0" * 4)).getvalue(),
    "objects": npz(a=npy((1,), kind="|O", data=b"\0" * 8)).getvalue(),
    "cut short": npz(a=npy((9,), data=b"\0" * 4)).getvalue(),
    "no array": npz(a=b"hello").getvalue(),
    "a negative size": npz(a=npy((-1,))).getvalue(),
    "no shape": npz(a=npy("x")).getvalue(),
    "a newer format": npz(a=b"\x93NUMPY\x09\0" + b"\0" * 100).getvalue(),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_whatever_else_is_wrong_is_a_value_error(content):
    with pytest.raises(ValueError, match=r"\S"):
        read_arrays(io.BytesIO(content), "a")


@pytest.mark.parametrize("read", [SceneStatistics.load, read_record])
def test_a_bomb_in_a_project_is_one_sentence(tmp_path, read):
    path = tmp_path / "a.npz"
    names = ("about", "means", "lows", "highs", "counts")
    path.write_bytes(npz(**dict.fromkeys(names, npy((10**5, 10**9)))).getvalue())
    with pytest.raises(LabelError, match=r"a\.npz.*unpacks to"):
        read(path)


def test_what_headers_of_ten_thousand_files_say_alike_is_worked_out_once(tmp_path, monkeypatch):
    asked = []
    read = np.lib.format.read_array_header_1_0
    monkeypatch.setattr(
        np.lib.format, "read_array_header_1_0", lambda f: asked.append(1) or read(f)
    )
    rooms = []
    monkeypatch.setattr(arrays, "main_memory", lambda: rooms.append(1) or 2**40)
    arrays._announced.cache_clear()
    for number in range(20):
        path = tmp_path / f"{number}.npz"
        np.savez(path, a=np.full((3, 5), number), b=np.full(7, number))
        with path.open("rb") as file:
            found = read_arrays(file, "a", "b")
        assert found["a"].tolist() == np.full((3, 5), number).tolist()
    assert len(asked) == 2
    assert not rooms, "small arrays need no question to the system"


def test_a_header_that_is_said_to_be_endless_is_refused():
    begun = b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little")
    with pytest.raises(ValueError, match="its header is too long"):
        read_array(io.BytesIO(begun + b" " * 100))
