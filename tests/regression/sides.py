"""One side of the comparison: a tree, how its program is called, and what it answered."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ANSWERS = "answers.jsonl"
_PATIENCE_S = 900


@dataclass(frozen=True, slots=True)
class Side:
    """A tree under test, where its outputs go, and what both sides start from."""

    name: str
    tree: Path
    folder: Path
    shared: Path

    def environment(self) -> dict[str, str]:
        """This tree first, one thread, a home of its own, and nothing of the caller's Python."""
        home = self.folder / "home"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "XDG_"))}
        ours = {
            "PYTHONPATH": str(self.tree),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_DATA_HOME": str(home / "data"),
            "QT_QPA_PLATFORM": "offscreen",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "160",
            "TERM": "dumb",
        }
        return kept | ours

    def command(self, words: Sequence[str]) -> list[str]:
        """The command line of a verb."""
        return [sys.executable, "-m", "smarthdr_studio", *words]

    def check_tree(self) -> None:
        """Exit unless Python finds the package in this tree."""
        ask = "import smarthdr_studio; print(smarthdr_studio.__file__)"
        found = subprocess.run(
            [sys.executable, "-c", ask],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if not Path(found.stdout.strip()).is_relative_to(self.tree):
            sys.exit(f"{self.tree}: Python finds {found.stdout.strip() or found.stderr.strip()}")


class Recorder:
    """Runs verbs of one side in one folder and writes every answer down."""

    def __init__(self, side: Side, folder: Path) -> None:
        self.side, self.folder = side, folder

    def verb(self, line: str, *, label: str = "") -> int:
        """Run a verb to its end; the answer is its exit status."""
        words = shlex.split(line.format(shared=self.side.shared))
        done = subprocess.run(
            self.side.command(words),
            cwd=self.folder,
            env=self.side.environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
        )
        self.write(label or line, done.returncode, done.stdout, done.stderr)
        return done.returncode

    def write(self, label: str, code: int, out: str, err: str) -> None:
        """Write one answer down."""
        with (self.folder / ANSWERS).open("a") as stream:
            stream.write(json.dumps({"what": label, "exit": code, "out": out, "err": err}) + "\n")

    def play(self, script: str) -> None:
        """Carry out a script: `json VERB…`, `text VERB…`, `both VERB…` or `do ACTION PATH…`."""
        for line in filter(None, map(str.strip, script.splitlines())):
            how, _, rest = line.partition(" ")
            if how == "do":
                action, *paths = shlex.split(rest.format(shared=self.side.shared))
                _ACTIONS[action](*(self.folder / path for path in paths))
                continue
            if how in ("json", "both"):
                self.verb(f"{rest} --json")
            if how in ("text", "both"):
                self.verb(rest)

    def begin(self, line: str) -> "subprocess.Popen[str]":
        """Start a verb whose answer is read while it works."""
        return subprocess.Popen(
            self.side.command(shlex.split(line.format(shared=self.side.shared))),
            cwd=self.folder,
            env=self.side.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def train_until(self, line: str, *, step: int, signal_number: int) -> int:
        """Train, send a signal after a step, and wait; the answer is the exit status."""
        process = self.begin(f"{line} --json")
        for event in events_of(process):
            if event.get("event") == "StepReported" and event["step"] == step:
                process.send_signal(signal_number)
        return process.wait(_PATIENCE_S)


def events_of(process: "subprocess.Popen[str]") -> Iterator[dict]:
    """The events a run tells with --json, as they come."""
    for text in process.stdout or ():
        yield json.loads(text)


def copy_project(source: Path, target: Path) -> None:
    """Copy a project; daily backups stay behind, as their number depends on the day."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("backups"))


def _damage(path: Path) -> None:
    """Spoil a file so that its checksum differs."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(bytes(data))
    _age(path)


def _age(path: Path) -> None:
    """Let a file look a week old, and not begun a moment ago."""
    then = time.time() - 7 * 86400
    os.utime(path, (then, then))


def _litter(path: Path) -> None:
    """Leave a file nobody knows of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("litter\n")
    _age(path)


def _write(path: Path, text: Path) -> None:
    """Write a line for each comma-separated part of the second word."""
    path.write_text("\n".join(re.sub("=", " ", part) for part in text.name.split(",")) + "\n")


_ACTIONS: dict[str, Callable[..., object]] = {
    "copy-project": copy_project,
    "copy": shutil.copytree,
    "damage": _damage,
    "litter": _litter,
    "remove": Path.unlink,
    "write": _write,
}
INTERRUPT, KILL = int(signal.SIGINT), int(signal.SIGKILL)
