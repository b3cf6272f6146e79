"""Two processes decide at random and are killed at random: what was acknowledged is there."""

import os
import random
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from by_night import SEED
from made_labels import HEIGHT, WIDTH, a_project

import smarthdr_studio
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up, files_ever
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import repair
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is a Unix matter"),
    pytest.mark.slow,
]

OPERATIONS, ROUNDS = 500, 20
NAMES = ("b", "c", "d")

# Decides at random for ever; each line acknowledges the journal up to an entry.
DECIDE = """
import random, sys
from pathlib import Path
import numpy as np
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import trash_older_versions

folder, seed, height, width = sys.argv[1], *map(int, sys.argv[2:])
dice, project = random.Random(seed), Project.open(Path(folder))
decisions = Decisions(project)

def dab(mask):
    mask = np.zeros((height, width), np.int8) if mask is None else mask.copy()
    row, column = dice.randrange(height), dice.randrange(width)
    mask[row:row + 9, column:column + 9] = dice.choice([-1, 0, 1])
    return mask

def one():
    return [dice.choice("bcd")]

OPERATIONS = [
    lambda: decisions.promote(dice.sample("bcd", dice.randint(1, 3)), whole=dice.random() < 0.5),
    lambda: decisions.promote(one()),
    lambda: decisions.demote(one()),
    lambda: decisions.exclude(one()),
    lambda: decisions.restore(one()),
    lambda: decisions.paint(one()[0], dab),
    lambda: decisions.annotate("bcd", note=str(dice.random()), add=one()),
    lambda: decisions.set_masks(MaskSettings(tau_patch=dice.random())),
    lambda: decisions.undo(who="u"),
    lambda: decisions.undo(who="u"),
    lambda: decisions.redo(who="r"),
    lambda: trash_older_versions(project),
]
print("ready", flush=True)
while True:
    try:
        dice.choice(OPERATIONS)()
    except ProjectError as error:
        if "its status is" not in str(error):
            raise
        continue
    last = project.entries()[-1]
    print(last.seq, last.group, flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    with a_project(tmp_path) as project:
        yield project.folder


class Worker:
    """A process that decides, and what it has acknowledged so far."""

    def __init__(self, folder, seed):
        self.process = subprocess.Popen(
            [sys.executable, "-c", DECIDE, str(folder), str(seed), str(HEIGHT), str(WIDTH)],
            stdout=subprocess.PIPE,
            cwd=Path(smarthdr_studio.__file__).parent.parent,
        )
        self._said = b""

    @property
    def acknowledged(self):
        """Number and group of the last entry after each call that returned."""
        whole = self._said.split(b"\n")[1:-1]
        return [(int(seq), group.decode()) for seq, group in map(bytes.split, whole)]

    def listen(self, seconds):
        if select.select([self.process.stdout], [], [], seconds)[0]:
            self._said += os.read(self.process.stdout.fileno(), 65536)

    def wait_until_ready(self):
        while b"ready\n" not in self._said:
            assert self.process.poll() is None
            self.listen(1)

    def kill(self):
        assert self.process.poll() is None, "it stopped by itself; see its traceback above"
        self.process.send_signal(signal.SIGKILL)
        self._said += self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()


def check_everything(folder, promised):
    """Everything acknowledged is there, every file of the journal whole, and nothing is stray."""
    with Project.open(folder) as survivor:
        entries = survivor.entries()
        groups = {entry.seq: entry.group for entry in entries}
        assert {seq: groups.get(seq) for seq in promised} == promised
        assert survivor._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for relative, checksum in files_ever(entries).items():
            survivor.fetch({relative: checksum})
            check_label(folder / relative, checksum)
        for name in NAMES:
            for relative in survivor.state(name).files():
                read_pseudo_label(folder / relative, expect=(HEIGHT, WIDTH))
            survivor.person(name)
    repair(folder, quiet=0)
    absent = (
        FindingKind.DATASET,
        FindingKind.PSEUDO_LABEL,
    )  # frames and statistics, which are not made here
    found = check_up(folder, quiet=0).findings
    assert [each for each in found if each.trouble not in absent] == []


@pytest.mark.parametrize("statement", ["INSERT INTO journal", "COMMIT"])
def test_a_power_cut_between_label_and_journal_leaves_no_decision_and_is_mended(folder, statement):
    def promote():
        connect = sqlite3.connect

        def traced(*arguments, **settings):
            connection = connect(*arguments, **settings)
            connection.set_trace_callback(
                lambda sql: sql.startswith(statement) and os.kill(os.getpid(), signal.SIGKILL)
            )
            return connection

        sqlite3.connect = traced
        with Project.open(folder) as project:
            Decisions(project).promote(["b"])

    child = os.fork()
    if child == 0:
        promote()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    stray = folder / "labels" / "b" / "1.exr"
    assert stray.is_file()
    with Project.open(folder) as project:
        assert project.statuses()["b"] is Status.UNLABELLED
        Decisions(project).promote(["b"])
        assert project.label_path("b").name == "2.exr", "the number of the stray is not used again"
    (said,) = repair(folder, quiet=0)
    assert said == "moved labels/b/1.exr to the trash"
    check_everything(folder, {})


def test_what_two_processes_acknowledged_outlives_kill_9_at_any_moment(folder, record_property):
    dice, promised, rounds = random.Random(20261125 + SEED), {}, 0
    while len(promised) < OPERATIONS or rounds < ROUNDS:
        both = [Worker(folder, dice.randrange(10**6)) for _ in range(2)]
        for worker in both:
            worker.wait_until_ready()
        until = time.monotonic() + dice.uniform(0.05, 1.2)
        while (now := time.monotonic()) < until:
            both[0].listen(min(until - now, 0.02))
            both[1].listen(0)
        for worker in both:
            worker.kill()
            promised.update(worker.acknowledged)
        check_everything(folder, promised)
        rounds += 1
    away = folder.parent / "elsewhere" / "copy.shdr"
    shutil.copytree(folder, away)
    with Project.open(folder) as here, Project.open(away) as there:
        # A decision may have reached the disk whole and its process no further: nobody was told
        # of it, those who have the project open do not see it, and in a copy it counts.
        kept = here.entries()
        assert there.entries()[: len(kept)] == kept
        assert len({entry.group for entry in there.entries()[len(kept) :]}) <= 1
    check_everything(away, promised)
    record_property("decisions acknowledged", len(promised))
    record_property("processes killed at their work", 2 * rounds)
