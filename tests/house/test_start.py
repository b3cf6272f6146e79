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
    program(tmp_path, "dpkg", "exit 0")  # the one of this machine is left alone
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


def install(house, **variables):
    """As a first start does it for root on a machine that lacks one package."""
    program(house, "id", "echo 0")
    program(house, "sleep", "exit 0")
    lines = f"set -euo pipefail; . {house}/packaging/setup.sh; need_packages libegl1; echo ready"
    (house / "packaging" / "install.sh").write_text(lines, encoding="utf-8")
    return start(house, "install.sh", **variables)


# What dpkg and apt-get say after one of them was killed, until somebody lets dpkg finish.
INTERRUPTED = """
[ -e "$HOME/finished" ] || { echo "E: dpkg was interrupted, you must manually run it"; exit 100; }
echo "Setting up libegl1 (1.6)"
"""


def test_what_a_killed_apt_get_left_half_done_is_finished_first(house):
    program(house, "dpkg", '[ "$*" = "--configure -a" ] && mkdir -p "$HOME" && : >"$HOME/finished"')
    program(house, "apt-get", INTERRUPTED)
    answer = install(house)
    assert (answer.returncode, answer.stdout) == (0, "ready\n"), answer.stderr
    assert answer.stderr == "Installing system packages: libegl1\n"


LOCKED = """
mkdir -p "$HOME"
echo x >>"$HOME/asked"
[ "$(wc -l <"$HOME/asked")" -gt {times} ] && exit 0
echo "dpkg: error: dpkg frontend lock was locked by another process with pid 7" >&2
exit 2
"""


def test_an_apt_get_that_outlived_its_start_is_waited_for_and_that_is_told_once(house):
    program(house, "dpkg", LOCKED.format(times=3))
    program(house, "apt-get", '[ "$(wc -l <"$HOME/asked")" = 4 ] || exit 100')
    answer = install(house)
    assert (answer.returncode, answer.stdout) == (0, "ready\n"), answer.stderr
    assert answer.stderr.count("waiting for it") == 1


def test_it_is_not_waited_for_without_end(house):
    program(house, "dpkg", LOCKED.format(times=99))
    program(house, "apt-get", 'echo "E: Could not get lock"; exit 100')
    answer = install(house, SMARTHDR_LONGEST_WAIT="2")
    assert answer.returncode == 2
    *_, error, last = answer.stderr.splitlines()
    assert error == "E: Could not get lock"
    assert last.startswith("apt-get could not install: libegl1; all it said is in ")


def test_what_dpkg_cannot_finish_apt_get_gets_to_mend(house):
    program(house, "dpkg", "echo 'dpkg: error processing package a' >&2; exit 1")
    program(house, "apt-get", "exit 0")
    assert install(house).stdout == "ready\n"


SCRIPTS = sorted(path.name for path in (ROOT / "packaging").glob("*.sh") if path.stem != "setup")


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_a_script_that_is_asked_says_its_usage_and_does_nothing(house, script, option):
    before = sorted(house.rglob("*"))
    answer = start(house, script, option)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"usage: bash packaging/{script}" in answer.stdout
    assert "#" not in answer.stdout.splitlines()[0]
    assert "set -euo" not in answer.stdout
    assert sorted(house.rglob("*")) == before


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("", "is empty"),
        ("--fast", "--fast: no such option"),
    ],
)
def test_a_start_of_nothing_that_can_be_opened_is_one_sentence(house, word, told):
    set_up(house)
    answer = start(house, "start.sh", word)
    assert answer.returncode == 2
    assert told in answer.stderr.splitlines()[-1]


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


def test_without_a_display_a_dataset_becomes_a_project_beside_it_once(house):
    set_up(house)
    (house / "my photographs").mkdir()
    place, project = house / "my photographs", house / "my photographs.shdr"
    first = start(house, "start.sh", f"{place}/")
    assert f"3: new {project} {place}\n" in first.stderr
    assert f"4: train {project} --preset quick\n" in first.stdout
    dotted = start(house, "start.sh", f"{place}/.")
    assert f"3: new {project} {place}\n" in dotted.stderr
    project.mkdir()
    (project / "project.sqlite").touch()
    for told in (place, project, project / "project.sqlite"):
        again = start(house, "start.sh", str(told))
        assert " new " not in again.stderr
        assert f"4: train {project} --preset quick\n" in again.stdout


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


# A Python that makes environments, and whose pip says what pip says; `step` may break it off.
PYTHON = """
case "$*" in
  *--version) echo Python 3.11.0; exit ;;
  *fcntl*) exec /usr/bin/env python3 "$@" ;;
  *"import pip"*) [ -e "${0%/*}/pip" ]; exit ;;
  *"import torch"*) [ -e "${0%/*}/torch" ]; exit ;;
  *ensurepip*) exit 0 ;;
  *"-m venv"*)
    for folder; do :; done
    mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python"; printf x >"$folder/bin/pip"
    step=venv ;;
  *walk_packages*) until [ -e "$HOME/group" ]; do sleep 0.1; done; echo compiled >>"$STEPS"; exit ;;
  *" index "*)
    [ "$BREAK" != network ] || { echo "WARNING: NewConnectionError" >&2; exit 1; }
    echo "Available versions: ${INDEX-2.0, 1.9+cpu}"; exit ;;
  *" install "*)
    mkdir -p "$TMPDIR/pip-unpack"
    for what; do :; done
    case $what in torch*) step=torch ;; *) step=studio ;; esac
    echo "Collecting $what"
    echo "Downloading https://index.invalid/torch-1.9+cpu-cp311-linux.whl (3.1 MB)"
    head -c 3250000 /dev/urandom >"$TMPDIR/pip-unpack/torch.whl" ;;
  *) exit 1 ;;
esac
[ "$BREAK" != "$step fetching" ] || { kill -9 $PPID; exit 1; }
[ "$WAIT" != "$step" ] || while [ ! -e "$SIGN" ]; do sleep 0.1; done
[ "$BREAK" != "$step unreachable" ] || { echo "WARNING: NameResolutionError"; exit 1; }
[ "$BREAK" != "$step refused" ] || { echo "ERROR: no such thing"; exit 1; }
[ $step = venv ] || echo "Installing collected packages: $what"
echo "$step" >>"$STEPS"
[ "$BREAK" != "$step" ] || { kill -9 $PPID; exit 1; }
[ $step != torch ] || : >"${0%/*}/torch"
[ $step != studio ] || printf '#!/bin/sh\necho opened\n' >"${0%/*}/smarthdr-studio"
[ $step != studio ] || chmod +x "${0%/*}/smarthdr-studio"
[ $step = venv ] || echo "Successfully installed $what"
"""


@pytest.fixture
def fresh(house):
    """A machine with libraries and a Python, and nothing set up; `free` MB are on its disk."""
    program(house, "ldconfig", f"cat {house}/libraries")
    names = (ROOT / "packaging" / "setup.sh").read_text(encoding="utf-8")
    known = [f"{word} " for word in names.split() if ".so." in word]
    (house / "libraries").write_text("\n".join(known), encoding="utf-8")
    program(house, "python3.13", PYTHON)
    program(house, "uname", "echo Linux")
    program(house, "nvidia-smi", "exit 1")
    disk(house, free=10_000)
    return house


def disk(house, *, free):
    program(house, "df", f"echo Filesystem; echo x x x {free * 1024} x x")


def first_start(house, *, breaking="", **variables):
    return start(
        house,
        "start.sh",
        "p.shdr",
        DISPLAY=":1",
        BREAK=breaking,
        STEPS=str(house / "steps"),
        **variables,
    )


def steps(house):
    return (house / "steps").read_text(encoding="utf-8").split()


def needed(kind):
    """What setup.sh says that a kind fetches and takes, in MB."""
    lines = (ROOT / "packaging" / "setup.sh").read_text(encoding="utf-8").splitlines()
    (found,) = [line.split() for line in lines if line.split()[:1] == [kind]]
    return int(found[1]), int(found[2])


def test_a_first_start_says_what_it_takes_before_it_takes_it(fresh):
    answer = first_start(fresh)
    assert (answer.returncode, answer.stdout) == (0, "opened\n"), answer.stderr
    fetched, taken = needed("studio-cpu")
    first = answer.stderr.splitlines()[0]
    assert f"fetches about {fetched} MB and takes about {taken} MB" in first
    assert steps(fresh) == ["venv", "torch", "studio"]
    assert "torch 1.9+cpu" in answer.stderr
    assert first_start(fresh).stderr == ""
    assert sorted(path.name for path in (fresh / ".venv").iterdir()) == [
        ".can-show",
        ".made-from-studio",
        "bin",
    ]


def test_a_disk_that_is_too_small_is_refused_in_one_sentence_and_nothing_is_made(fresh):
    disk(fresh, free=sum(needed("studio-cpu")) - 1)
    answer = first_start(fresh)
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[1:] == [answer.stderr.splitlines()[-1]]
    assert f"needs {sum(needed('studio-cpu'))} MB" in answer.stderr
    assert not (fresh / ".venv").exists()
    disk(fresh, free=sum(needed("studio-cpu")))
    assert first_start(fresh).returncode == 0


def test_the_tests_need_what_the_studio_needs_and_more(fresh):
    disk(fresh, free=sum(needed("studio-cpu")) + sum(needed("dev")) - 1)
    answer = start(fresh, "test.sh", STEPS=str(fresh / "steps"))
    assert answer.returncode == 2
    assert "Too little room" in answer.stderr


def test_what_the_tests_import_is_compiled_while_their_tools_are_installed(fresh):
    """Who compiles waits for who installs, which would never end if it came first."""
    lines = f"""set -euo pipefail; . {fresh}/packaging/setup.sh
        install_group() {{ mkdir -p "$HOME"; : >"$HOME/group"; echo group >>"$STEPS"; }}
        make_environment dev"""
    (fresh / "packaging" / "install.sh").write_text(lines, encoding="utf-8")
    answer = start(fresh, "install.sh", STEPS=str(fresh / "steps"))
    assert answer.returncode == 0, answer.stderr
    assert steps(fresh) == ["venv", "torch", "studio", "group", "compiled"]


def test_processes_of_the_tests_keep_what_they_compile_whatever_the_machine_says(fresh):
    for name in ("ruff", "mypy", "lint-imports"):
        program(fresh, f"../.venv/bin/{name}", "exit 0")
    program(fresh, "../.venv/bin/python", 'echo "kept: ${PYTHONDONTWRITEBYTECODE-all}"')
    program(fresh, "xvfb-run", 'shift 2; exec "$@"')
    stamp = ". packaging/setup.sh; fingerprint | tee .venv/.made-from-dev >.venv/.made-from-studio"
    subprocess.run(["bash", "-c", stamp], cwd=fresh, check=True, env=dict(os.environ))
    disk(fresh, free=1)  # none in memory
    answer = start(fresh, "test.sh", "tests/house", PYTHONDONTWRITEBYTECODE="1")
    assert (answer.returncode, answer.stdout) == (0, "kept: all\n"), answer.stderr


@pytest.mark.parametrize("moment", ["venv", "torch", "studio"])
def test_what_was_broken_off_while_it_was_unpacked_is_made_anew(fresh, moment):
    assert first_start(fresh, breaking=moment).returncode != 0
    answer = first_start(fresh)
    assert (answer.returncode, answer.stdout) == (0, "opened\n"), answer.stderr
    assert "broken off" in answer.stderr
    assert steps(fresh)[-3:] == ["venv", "torch", "studio"]


@pytest.mark.parametrize("moment", ["torch fetching", "studio fetching", "studio refused"])
def test_what_was_broken_off_while_it_was_fetched_goes_on_from_there(fresh, moment):
    broken = first_start(fresh, breaking=moment)
    assert broken.returncode != 0
    answer = first_start(fresh)
    assert (answer.returncode, answer.stdout) == (0, "opened\n"), answer.stderr
    assert steps(fresh) == ["venv", "torch", "studio"]
    assert not (fresh / ".venv" / ".fetching").exists()


def test_what_pip_refuses_is_told_and_where_the_rest_stands(fresh):
    answer = first_start(fresh, breaking="torch refused")
    assert answer.returncode == 2
    *_, error, last = answer.stderr.splitlines()
    assert error == "ERROR: no such thing"
    assert str(fresh / ".venv" / ".set-up.log") in last


@pytest.mark.parametrize("moment", ["network", "torch unreachable", "studio unreachable"])
def test_that_there_is_no_network_is_said_as_such(fresh, moment):
    answer = first_start(fresh, breaking=moment)
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1].startswith("pip cannot reach the package index; is this")
    assert "torch" not in answer.stderr.splitlines()[-1]
    assert first_start(fresh).stdout == "opened\n"


def test_where_only_the_large_torch_is_known_its_size_alone_is_said_and_what_to_do(fresh):
    answer = first_start(fresh, INDEX="2.0, 1.9")
    assert answer.returncode == 0, answer.stderr
    (sizes,) = [line for line in answer.stderr.splitlines() if line.startswith("Setting up")]
    fetched, taken = needed("studio-cuda")
    assert f"fetches about {fetched} MB and takes about {taken} MB" in sizes
    assert "set PIP_EXTRA_INDEX_URL" in answer.stderr


def test_a_disk_too_small_for_the_large_torch_is_refused_before_it_is_fetched(fresh):
    disk(fresh, free=sum(needed("studio-cuda")) // 2)
    answer = first_start(fresh, INDEX="2.0, 1.9")
    assert answer.returncode == 2
    assert "Too little room" in answer.stderr
    assert steps(fresh) == ["venv"]


def test_an_environment_of_before_is_never_thrown_away_for_want_of_a_network(fresh):
    first_start(fresh)
    with (fresh / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert first_start(fresh, breaking="studio refused").returncode == 2
    assert (fresh / ".venv" / "bin" / "smarthdr-studio").exists()
    assert first_start(fresh).stdout == "opened\n"
    assert steps(fresh) == ["venv", "torch", "studio", "studio"]


def test_what_is_fetched_is_told_while_it_is_fetched(fresh):
    """By the name of the package and the MB so far; no word of where it comes from."""
    told = []
    with at_work(fresh, waiting="torch") as first:
        for line in first.stderr:
            told.append(line)
            if "fetching" in line:
                (fresh / "sign").touch()
    assert first.returncode == 0
    assert "  fetching torch 1.9+cpu (3.1 MB), 3 MB so far\n" in told
    assert "index.invalid" not in "".join(told)


def at_work(house, *, waiting=""):
    """A start whose pip waits at a step until there is a file `sign`."""
    return subprocess.Popen(
        ["bash", str(house / "packaging" / "start.sh"), "p.shdr"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={
            "PATH": f"{house / 'programs'}:/usr/bin:/bin",
            "HOME": str(house),
            "DISPLAY": ":1",
            "STEPS": str(house / "steps"),
            "SMARTHDR_TELLS_EVERY": "1",
            "WAIT": waiting,
            "SIGN": str(house / "sign"),
        },
    )


def test_two_starts_at_once_set_up_once(fresh):
    with at_work(fresh, waiting="torch") as first:
        assert any("torch" in line for line in first.stderr)
        with at_work(fresh, waiting="torch") as second:
            assert "waiting for it" in second.stderr.readline()
            (fresh / "sign").touch()
            second.stderr.read()
        first.stderr.read()
    assert (first.returncode, second.returncode) == (0, 0)
    assert steps(fresh) == ["venv", "torch", "studio"]


@pytest.mark.parametrize("theirs", [True, False])
def test_the_environment_of_another_checkout_is_never_changed_through_a_link(fresh, theirs):
    other = fresh / "other"
    environment = other / ".venv" if theirs else fresh / "disk" / "venv"
    environment.mkdir(parents=True)
    (other / "pyproject.toml").parent.mkdir(exist_ok=True)
    (other / "pyproject.toml").touch()
    (environment / ".made-from-studio").write_text(f"{other if theirs else fresh} 12 34")
    (fresh / ".venv").symlink_to(environment)
    lines = f"""set -euo pipefail; . {fresh}/packaging/setup.sh
        take_turn() {{ echo "sets up"; exit 0; }}
        make_environment"""
    (fresh / "packaging" / "install.sh").write_text(lines, encoding="utf-8")
    answer = start(fresh, "install.sh", STEPS=str(fresh / "steps"))
    if theirs:
        assert answer.returncode == 2
        assert f"leads to the environment of {other}. Remove that link" in answer.stderr
        assert answer.stdout == ""
    else:
        assert (answer.returncode, answer.stdout) == (0, "sets up\n"), answer.stderr
