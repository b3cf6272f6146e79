"""A problem as a zip: what it holds, what it says it holds, and whose folders it does not name."""

import platform
import re
import zipfile
from pathlib import Path

import pytest
from brackets import write_bracket, write_dataset

from smarthdr_studio import __version__
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.reporting import problem
from smarthdr_studio.core.reporting.problem import without_home, write_problem


def texts_of(path):
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        return {name: file.read(name).decode("utf-8") for name in file.namelist()}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home folder of a person whose name is nobody's business."""
    folder = tmp_path / "home" / "ann"
    (folder / "logs").mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: folder)
    return folder


@pytest.fixture
def project(home):
    """A project below the home folder."""
    write_dataset(home / "pictures", train=2)
    folder = home / "mine.shdr"
    Project.create(folder, find_scenes(home / "pictures"), labelled=()).close()
    return folder


def test_the_zip_holds_versions_logs_and_findings_and_says_so(home, project):
    logs = home / "logs"
    (logs / "studio.log").write_text(f"could not open {home}/pictures/a.tif\n")
    (logs / "studio.log.1").write_text("older\n")
    (logs / "crashes.log").write_text(f'File "{home}/program.py", line 3\n')
    (logs / "diary.txt").write_text("a secret of Ann\n")
    (project / "project.sqlite").write_bytes(b"no database")
    lines = write_problem(home / "report.zip", logs=logs, project=project)
    texts = texts_of(home / "report.zip")
    assert list(texts) == [
        "contents.txt",
        "versions.txt",
        "log/studio.log",
        "log/studio.log.1",
        "log/crashes.log",
        "doctor.txt",
    ]
    assert texts["log/studio.log"] == "could not open ~/pictures/a.tif\n"
    assert texts["log/crashes.log"] == 'File "~/program.py", line 3\n'
    assert f"SmartHDR Studio: {__version__}\n" in texts["versions.txt"]
    assert f"Python: {platform.python_version()}\n" in texts["versions.txt"]
    assert f"system: {platform.platform()}\n" in texts["versions.txt"]
    assert "database" in texts["doctor.txt"]
    assert "nothing was sent" in texts["contents.txt"]
    assert [line.partition(":")[0] for line in lines] == list(texts)[1:]
    assert all(line in texts["contents.txt"] for line in lines)
    assert str(home) not in "".join(texts.values())
    assert "secret" not in "".join(texts.values())


def test_one_scene_is_counted_as_one(home):
    write_bracket(home / "pictures" / "Training" / "001", seed=1)
    Project.create(home / "one.shdr", find_scenes(home / "pictures"), labelled=()).close()
    write_problem(home / "report.zip", logs=home / "logs", project=home / "one.shdr")
    assert ": 1 scene, " in texts_of(home / "report.zip")["doctor.txt"]


def test_a_project_in_which_nothing_is_wrong_says_so_with_its_path_shortened(home, project):
    write_problem(home / "report.zip", logs=home / "logs", project=project)
    told = texts_of(home / "report.zip")["doctor.txt"]
    assert told.startswith("~/mine.shdr: ")
    assert "Nothing is wrong." in told


def test_torch_and_qt_are_named_only_where_they_are_loaded(home, monkeypatch):
    class Loaded:
        __version__ = "2.99"

        class cuda:  # noqa: N801 - as torch has it
            device_count = staticmethod(lambda: 1)
            get_device_name = staticmethod(lambda at: f"card {at}")

    monkeypatch.setitem(problem.sys.modules, "torch", Loaded())
    monkeypatch.delitem(problem.sys.modules, "PySide6", raising=False)
    write_problem(home / "report.zip", logs=home / "none")
    told = texts_of(home / "report.zip")
    assert list(told) == ["contents.txt", "versions.txt"]
    assert "torch: 2.99\n" in told["versions.txt"]
    assert re.search(r"^Qt: [0-9.]+, not loaded$", told["versions.txt"], re.M)
    assert re.search(r"^graphics: card 0\b", told["versions.txt"], re.M)
    monkeypatch.delitem(problem.sys.modules, "torch")
    write_problem(home / "report.zip", logs=home / "none")
    told = texts_of(home / "report.zip")
    assert re.search(r"^torch: 2\.[0-9a-z.+]+, not loaded$", told["versions.txt"], re.M)


def test_of_a_very_long_log_the_end_is_taken(home, monkeypatch):
    monkeypatch.setattr(problem, "_MOST_BYTES", 10)
    (home / "logs" / "studio.log").write_text("first line\nlast line\n")
    lines = write_problem(home / "report.zip", logs=home / "logs")
    assert texts_of(home / "report.zip")["log/studio.log"] == "last line\n"
    assert lines[1] == "log/studio.log: what the program noted, its end"


@pytest.mark.parametrize(
    ("text", "shortened"),
    [
        ("/home/ann/a.tif", "~/a.tif"),
        ("file:///home/ann", "file://~"),
        ("at /home/ann.", "at ~."),
        ("/home/anna/b and /home/ann-b/c", "/home/anna/b and /home/ann-b/c"),
        ("'/home/ann','/home/ann/x'", "'~','~/x'"),
        ("/media/ann/DISK/a.tif, /run/media/ann/b", "/media/~/DISK/a.tif, /run/media/~/b"),
        ("/media/ann: gone; '/nas/ann', at /nas/ann.", "/media/~: gone; '/nas/~', at /nas/~."),
        ("ann@lab, joann@lab, hann/ann-laptop", "~@lab, joann@lab, hann/ann-laptop"),
        ("/data/annex/ann.tif", "/data/annex/ann.tif"),
    ],
)
def test_the_home_folder_is_shortened_and_no_other(text, shortened):
    assert without_home(text, home=Path("/home/ann")) == shortened


def test_a_home_that_is_the_root_shortens_nothing():
    assert without_home("/a /b", home=Path("/")) == "/a /b"


def test_a_report_that_cannot_be_written_leaves_nothing_behind(home):
    (home / "file").write_text("no folder")
    with pytest.raises(ExportError, match=r"report\.zip: cannot be written"):
        write_problem(home / "file" / "report.zip", logs=home / "logs")
    with pytest.raises(ExportError, match=r"a zip is written; name it report\.zip"):
        write_problem(home / "report.txt", logs=home / "logs")
    assert sorted(each.name for each in home.iterdir()) == ["file", "logs"]
