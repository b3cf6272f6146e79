"""The version stands in one place, and everything that is asked for it says that one."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import smarthdr_studio
from smarthdr_studio import cli

ROOT = Path(__file__).resolve().parents[2]
VERSION = smarthdr_studio.__version__
SAID = f"smarthdr-studio {VERSION}\n"


def test_it_is_a_version_as_packages_have_them():
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc|\.dev)\d+)?", VERSION)


def test_it_is_written_down_once():
    written = re.compile(rf"(?<![\d.]){re.escape(VERSION)}(?![\d.])")
    places = [ROOT / "pyproject.toml", *(ROOT / "smarthdr_studio").rglob("*.py")]
    places += [path for path in (ROOT / "packaging").iterdir() if path.is_file()]
    found = [path for path in places if written.search(path.read_text("utf-8"))]
    assert found == [ROOT / "smarthdr_studio" / "__init__.py"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "smarthdr_studio/__init__.py"


def test_the_changes_of_this_version_are_told_first():
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] == VERSION


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        *([verb, "--version"] for verb in sorted(cli.VERBS)),
        ["runs", "list", "--version"],
    ],
)
def test_every_verb_says_it_on_one_line_and_nothing_else(words, capfd):
    assert cli.main(words) == 0
    assert tuple(capfd.readouterr()) == (SAID, "")


def test_a_script_without_display_or_home_hears_it(tmp_path):
    bare = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        [sys.executable, "-m", "smarthdr_studio", "--version"],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, SAID, "")
    assert list(tmp_path.iterdir()) == []
