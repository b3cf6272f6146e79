"""A file is only as durable as the folders around it."""

import errno
import os
import time

import pytest

from smarthdr_studio.core import files
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import move, replacing, save_text
from smarthdr_studio.core.project.debris import is_draft, left_alone


@pytest.mark.parametrize("wrong_by", [-86400.0, 0.0, 86400.0])
def test_files_are_as_old_as_the_clock_of_their_disk_says(tmp_path, monkeypatch, wrong_by):
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + wrong_by)
    now = files.disk_time(tmp_path)
    young = tmp_path / "young"
    young.touch()
    assert abs(now - young.stat().st_mtime) < 600
    os.utime(young, (now - 700, now - 700))
    assert left_alone([young], seconds=600) == [young]
    assert left_alone([young], seconds=86400) == []
    assert [path.name for path in tmp_path.iterdir()] == ["young"]
    assert files.disk_time(tmp_path / "nowhere") == pytest.approx(true() + wrong_by, abs=600)


def test_new_folders_are_flushed_before_what_lies_in_them(tmp_path, monkeypatch):
    flushed = []
    flush = files._flush_to_disk

    def told(path):
        flushed.append(path)
        flush(path)

    monkeypatch.setattr(files, "_flush_to_disk", told)
    labels, scene = tmp_path / "labels", tmp_path / "labels" / "b"
    with replacing(scene / "draft.exr") as draft:
        draft.write_bytes(b"whole")
    assert flushed == [tmp_path, labels, draft, scene]
    flushed.clear()
    move(scene / "draft.exr", tmp_path / "trash" / "draft.exr")
    assert flushed[0] == tmp_path, "the trash is there before anything lies in it"
    assert set(flushed) == {tmp_path, scene, tmp_path / "trash"}
    flushed.clear()
    with replacing(scene / "1.exr") as draft:
        draft.write_bytes(b"whole")
    assert flushed == [draft, scene], "folders that were there cost nothing"


@pytest.mark.parametrize("fault", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_to_keep_a_name_is_told_and_one_that_cannot_be_asked_is_not(
    tmp_path, monkeypatch, fault
):
    flush = files._flush_to_disk
    told = [fault]

    def failing(path):
        if path.is_dir():
            raise OSError(told[0], os.strerror(told[0]))
        flush(path)

    monkeypatch.setattr(files, "_flush_to_disk", failing)
    with pytest.raises(OSError, match=os.strerror(fault)), replacing(tmp_path / "a") as draft:
        draft.write_bytes(b"whole")
    with pytest.raises(OSError, match=os.strerror(fault)):
        move(tmp_path / "a", tmp_path / "b")
    told[0] = errno.EINVAL  # a network disk on which folders cannot be flushed
    move(tmp_path / "b", tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == b"whole"


@pytest.mark.parametrize("letter", ["a", "μ", "語"])
def test_the_longest_name_there_can_be_is_written_and_replaced(tmp_path, letter):
    stem = letter * ((255 - len(".json")) // len(letter.encode()))
    path = tmp_path / f"{stem}.json"
    for text in ("one", "two"):
        with replacing(path) as draft:
            assert len(os.fsencode(draft.name)) <= 255
            assert is_draft(draft)
            draft.write_text(text)
        assert path.read_text() == text
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_is_no_plain_file_keeps_its_place(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/null")
    for name in ("pipe", "loop", "device"):
        before = (tmp_path / name).lstat()
        with pytest.raises(OSError), replacing(tmp_path / name):  # noqa: PT011 - of each its own
            pytest.fail("nothing is to be written")
        assert (tmp_path / name).lstat().st_ino == before.st_ino
    assert len(list(tmp_path.iterdir())) == 3


def test_a_small_file_that_cannot_be_written_is_told_with_what_helps(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(ProjectError, match=r"a\.json: cannot be written .*allow writing there"):
        save_text(tmp_path / "a.json", "{}")
    save_text(tmp_path / "b.json", "{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_a_path_out_of_a_file_never_fills_a_sentence():
    assert files.shown_path("/data/kalantari") == "/data/kalantari"
    long = files.shown_path("/data/" + "x" * 5000 + "/end")
    assert len(long) <= 300
    assert long.startswith("/data/xx")
    assert long.endswith("x/end")
