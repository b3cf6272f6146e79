"""Menu entry, icon and file types of one person, in a folder made up for it."""

import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from smarthdr_studio import cli
from smarthdr_studio.core.environment import own_command
from smarthdr_studio.core.project.formats import APPLICATION

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Linux desktop's files")

ENTRY = Path("applications/smarthdr-studio.desktop")
TYPES = Path("mime/packages/smarthdr-studio.xml")
ICON = Path("icons/hicolor/scalable/apps/smarthdr-studio.svg")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Where a person's menu entries lie; nothing else of theirs may change."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "data"


def entry(data):
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read(data / ENTRY, encoding="utf-8")
    return parser["Desktop Entry"]


def test_it_is_installed_and_taken_away_without_a_trace(run, data):
    (data / "applications").mkdir(parents=True)
    (data / "applications" / "another.desktop").write_text("[Desktop Entry]\n", encoding="utf-8")
    answer = run("desktop", "install", "--json")
    assert answer.status == 0, answer.err
    assert {Path(path) for path in answer.json["installed"]} == {
        data / name for name in (ENTRY, TYPES, ICON)
    }
    assert run("desktop", "install").status == 0  # as often as one likes
    gone = run("desktop", "remove", "--json").json["removed"]
    assert {Path(path) for path in gone} == {data / name for name in (ENTRY, TYPES, ICON)}
    left = [path for path in data.parent.rglob("*") if path.is_file()]
    assert data / "applications" / "another.desktop" in left
    indexes = {path.name for path in left} - {"another.desktop"}
    assert not [name for name in indexes if "smarthdr" in name]
    assert "Nothing of SmartHDR" in run("desktop", "remove").out


@pytest.mark.parametrize("there", [True, False])
def test_that_a_double_click_will_not_work_yet_is_told(run, data, monkeypatch, there):
    which = {"update-mime-database": "/bin/true"}
    if there:
        which["update-desktop-database"] = "/bin/true"
    monkeypatch.setattr(shutil, "which", which.get)
    answer = run("desktop", "install")
    assert answer.status == 0
    told = "apt-get install -y desktop-file-utils; then this once more."
    assert (told in answer.out) is not there
    assert ("double click" in answer.out) is not there


def test_its_command_starts_this_program(run, data):
    assert run("desktop", "install").status == 0
    *command, place = shlex.split(entry(data)["Exec"])
    assert place == "%f"
    told = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("smarthdr-studio ")
    assert shutil.which(entry(data)["TryExec"]) == command[0]


def test_a_command_with_signs_of_its_own_is_quoted(run, data, tmp_path, monkeypatch):
    odd = tmp_path / 'a "b" $c` 50% \\ d' / "smarthdr-studio"
    odd.parent.mkdir()
    odd.touch()
    monkeypatch.setattr(sys, "executable", str(odd.with_name("python")))
    assert run("desktop", "install").status == 0
    told = entry(data)["Exec"].removesuffix(" %f").replace("%%", "%")
    # First read as a text of the entry, then as an argument in quotes.
    argument = re.sub(r"\\(.)", r"\1", told)
    assert argument[0] == argument[-1] == '"'
    assert re.sub(r"\\(.)", r"\1", argument[1:-1]) == str(odd)


@pytest.mark.skipif(
    shutil.which("desktop-file-validate") is None, reason="needs desktop-file-validate"
)
def test_the_entry_is_valid(run, data):
    assert run("desktop", "install").status == 0
    checked = subprocess.run(
        ["desktop-file-validate", data / ENTRY], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_project_is_told_by_what_its_database_begins_with(run, data, project):
    assert run("desktop", "install").status == 0
    names = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
    types = ET.parse(data / TYPES)
    (inner,) = types.iterfind(".//m:match/m:match", names)
    start, length = int(inner.attrib["offset"]), 4
    header = (project / "project.sqlite").read_bytes()[start : start + length]
    assert int.from_bytes(header, "big") == int(inner.attrib["value"], 16) == APPLICATION
    offered = entry(data)["MimeType"].strip(";").split(";")
    assert offered == [each.attrib["type"] for each in types.iterfind("m:mime-type", names)]
    assert "inode/directory" not in offered  # or every folder would open here


@pytest.mark.skipif(
    None in (shutil.which("gio"), shutil.which("update-mime-database")),
    reason="needs gio and update-mime-database",
)
def test_a_desktop_knows_a_project_from_another_database(run, data, project, tmp_path):
    assert run("desktop", "install").status == 0
    model = tmp_path / "a.shdrmodel"
    model.write_bytes(b"PK\3\4")
    other = tmp_path / "project.sqlite"
    other.write_bytes((project / "project.sqlite").read_bytes()[:68] + bytes(4))
    kinds = {
        path: subprocess.run(
            ["gio", "info", "-a", "standard::content-type", path],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for path in (project / "project.sqlite", model, other)
    }
    assert kinds[project / "project.sqlite"] == "application/vnd.smarthdr-project"
    assert kinds[model] == "application/vnd.smarthdr-model"
    assert "smarthdr" not in kinds[other]


def test_a_folder_that_cannot_be_written_is_told(run, data):
    data.parent.mkdir()
    data.write_text("a file", encoding="utf-8")
    answer = run("desktop", "install")
    assert answer.status == 2
    assert str(data) in answer.err
    assert "XDG_DATA_HOME" in answer.err


def test_a_relative_data_home_is_not_heeded(run, data, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "somewhere")
    told = run("desktop", "install", "--json").json["installed"]
    assert all(Path(path).is_relative_to(data.parent / ".local" / "share") for path in told)


@pytest.mark.parametrize("name", ["p.shdr", "p.shdr/project.sqlite", "a.shdrmodel"])
def test_what_a_desktop_hands_over_opens_the_window(tmp_path, monkeypatch, name):
    (tmp_path / "p.shdr").mkdir()
    for file in ("p.shdr/project.sqlite", "a.shdrmodel"):
        (tmp_path / file).touch()
    opened = []
    monkeypatch.setattr("smarthdr_studio.studio.app.run", lambda path: opened.append(path) or 0)
    assert cli.main([str(tmp_path / name)]) == 0
    assert opened == [tmp_path / name]


@pytest.mark.parametrize("name", ["project.sqlite", "a.shdrmodel", "a.txt"])
def test_what_is_not_there_or_no_such_file_opens_nothing(tmp_path, capsys, name):
    (tmp_path / "a.txt").touch()
    assert cli.main([str(tmp_path / name)]) == 2
    assert "neither a verb" in capsys.readouterr().err


def test_a_bundle_starts_itself_as_it_has_no_python_to_ask(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "smarthdr-studio"))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command() == (str(tmp_path / "smarthdr-studio"),)
