"""The set-up scripts, with the machine around them made up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the scripts are tried on Linux")


@pytest.fixture
def house(tmp_path):
    """A copy of the scripts, and an empty folder of made-up programs that come first in PATH."""
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "programs").mkdir()
    return tmp_path


def program(house, name, script):
    path = house / "programs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def start(house, script, *words, **variables):
    return subprocess.run(
        ["bash", str(house / "packaging" / script), *words],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
        env={
            "PATH": f"{house / 'programs'}:/usr/bin:/bin",
            "HOME": str(house / "home"),
            **variables,
        },
    )


def set_up(house):
    """An environment as a first start leaves it, whose program only says how it was called."""
    program(house, "../.venv/bin/smarthdr-studio", 'echo "$#:" "$@"')
    stamp = ". packaging/setup.sh; fingerprint >.venv/.made-from-studio; : >.venv/.can-show"
    subprocess.run(["bash", "-c", stamp], cwd=house, check=True, env=dict(os.environ))


@pytest.mark.parametrize("script", ["start.sh", "test.sh"])
def test_without_root_the_one_apt_line_is_said_and_nothing_is_made(house, script):
    program(house, "ldconfig", "exit 0")
    program(house, "apt-get", "exit 1")
    program(house, "id", "echo 1000")
    program(house, "sudo", "exit 1")
    answer = start(house, script, DISPLAY=":1")
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert "apt-get install -y" in line
    assert "libxcb-cursor0" in line
    assert not (house / ".venv").exists()


def test_a_second_start_goes_straight_to_the_window(house):
    set_up(house)
    program(house, "python3", "echo python was asked >&2; exit 1")
    answer = start(house, "start.sh", "my own.shdr", DISPLAY=":1")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "1: my own.shdr\n", "")


def test_without_a_project_the_sample_is_made_once(house):
    set_up(house)
    first = start(house, "start.sh", DISPLAY=":1")
    folder = house / "home" / ".local" / "share" / "smarthdr-studio"
    assert f"2: sample {folder}/sample\n" in first.stderr
    assert f"5: new {folder}/sample.shdr {folder}/sample --labelled-from" in first.stderr
    (folder / "sample.shdr").mkdir(parents=True)
    (folder / "sample.shdr" / "project.sqlite").touch()
    second = start(house, "start.sh", DISPLAY=":1")
    assert (second.stdout, second.stderr) == (f"1: {folder}/sample.shdr\n", "")


def test_without_a_display_the_same_job_is_done_and_said(house):
    set_up(house)
    answer = start(house, "start.sh", "p.shdr")
    assert "No display" in answer.stderr
    verbs = [line.split()[1] for line in answer.stdout.splitlines()]
    assert verbs == ["train", "label", "masks", "evaluate"]


def test_without_a_display_a_stopped_run_goes_on_and_a_finished_one_is_left_alone(house):
    set_up(house)
    run = house / "p.shdr" / "runs" / "a-run"
    (run / "checkpoints" / "step-00000004").mkdir(parents=True)
    (run / "events.jsonl").write_text('{"outcome": "stopped"}\n', encoding="utf-8")
    project = str(house / "p.shdr")
    assert f"4: train {project} --resume a-run\n" in start(house, "start.sh", project).stdout
    (run / "events.jsonl").write_text('{"outcome": "done"}\n', encoding="utf-8")
    verbs = [line.split()[1] for line in start(house, "start.sh", project).stdout.splitlines()]
    assert verbs == ["masks", "evaluate"]


def test_an_environment_made_from_another_project_file_is_made_again(house):
    set_up(house)
    with (house / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    program(house, "ldconfig", "exit 0")
    program(house, "apt-get", "exit 1")
    program(house, "id", "echo 1000")
    program(house, "sudo", "exit 1")
    assert start(house, "start.sh", DISPLAY=":1").returncode == 2
