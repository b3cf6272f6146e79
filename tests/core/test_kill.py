"""A decision the screen has confirmed outlives the process that made it, however it dies."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from made_labels import pseudo_label

import smarthdr_studio
from smarthdr_studio.core.imaging.bracket import Catalogue, Scene
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status, in_words
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label

PIXELS = {"a": 0.5, "b": 0.25}  # what tells the thresholds of one process from the other's

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is a Unix matter")

# Decides again and again, saying after each call which journal entry is now promised.
DECIDE = """
import random, sys
from pathlib import Path
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.project.project import Project

project = Project.open(Path(sys.argv[1]))
scene, turns, pixel = sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
decisions = Decisions(project)

def confirm(told):
    own = [entry for entry in decisions.history(50) if told(entry)]
    print(own[0].seq, own[0].kind, flush=True)

if project.label_path(scene):
    decisions.demote([scene])
print("ready", flush=True)
for turn in range(turns):
    decisions.promote([scene])
    confirm(lambda entry: entry.scene == scene)
    decisions.set_masks(MaskSettings(tau_patch=random.random(), tau_pixel=pixel))
    confirm(lambda entry: entry.scene is None)
    decisions.demote([scene])
    confirm(lambda entry: entry.scene == scene)
"""


@pytest.fixture
def project(tmp_path):
    scenes = tuple(
        Scene(
            id=name,
            frames=(tmp_path / "1", tmp_path / "2", tmp_path / "3"),
            evs=(0, 2, 4),
            height=48,
            width=64,
        )
        for name in "ab"
    )
    catalogue = Catalogue(root=tmp_path, scenes=scenes, skipped=())
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=()) as project:
        for name in "ab":
            write_pseudo_label(project.pseudo_path(name), pseudo_label(name))
        yield project


def decide(project, scene, *, turns, pixel=0.5):
    arguments = map(str, (project.folder, scene, turns, pixel))
    return subprocess.Popen(
        [sys.executable, "-c", DECIDE, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(smarthdr_studio.__file__).parent.parent,
    )


def confirmed_before_kill(project, dice):
    """Sequence numbers and kinds a process had confirmed when SIGKILL met it at its work."""
    with decide(project, "a", turns=10**6) as process:
        assert process.stdout.readline() == "ready\n"
        # However slow the machine is, it is met at its work: after some turns, or in the first.
        lines = [process.stdout.readline() for _ in range(dice.randrange(5))]
        killer = threading.Timer(dice.uniform(0.0, 0.06), process.send_signal, [signal.SIGKILL])
        killer.start()
        lines += [line for line in process.stdout if line.endswith("\n")]
        killer.join()
    assert process.returncode == -signal.SIGKILL
    return [(int(seq), kind.strip()) for seq, kind in (line.split(" ", 1) for line in lines)]


@pytest.mark.slow
def test_whatever_was_confirmed_before_kill_9_is_there_afterwards(project):
    dice, promised = random.Random(20261122), []
    for _ in range(20):
        promised += confirmed_before_kill(project, dice)
        with Project.open(project.folder) as survivor:
            kept = {entry.seq: entry.kind for entry in survivor.entries()}
            assert [kept.get(seq) for seq, _ in promised] == [kind for _, kind in promised]
            for entry in survivor.entries():
                if entry.label:
                    assert (survivor.folder / entry.label).is_file()
            in_use = survivor.label_path("a")
            assert (in_use is not None) is (survivor.statuses()["a"] is Status.PROMOTED)
            assert survivor._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for label in project.labels_folder("a").glob("[0-9]*.exr"):
        read_pseudo_label(label, expect=(48, 64))
    assert len(promised) > 20, "the process was never killed at its work"


@pytest.mark.slow
def test_two_processes_deciding_at_once_lose_nothing(project):
    both = [decide(project, name, turns=25, pixel=pixel) for name, pixel in PIXELS.items()]
    for process in both:
        process.communicate(timeout=300)
        assert process.returncode == 0
    entries = project.entries()
    for name, pixel in PIXELS.items():
        own = [entry for entry in entries if entry.scene == name]
        assert [entry.kind for entry in own[1:]] == ["promote", "demote"] * 25
        labels = [entry.label for entry in own if entry.label]
        assert labels == [f"labels/{name}/{number}.exr" for number in range(1, 26)]
        set_by_it = [
            e for e in entries if e.kind == "set thresholds" and e.masks.tau_pixel == pixel
        ]
        assert len(set_by_it) == 25
    assert Decisions(project).next_undo.words == in_words(entries, entries[-1].group)
