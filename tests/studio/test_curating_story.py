"""74 brackets worked through by keys alone, killed midway, carried elsewhere: nothing is lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from brackets import write_bracket
from conftest import write_pseudo

import smarthdr_studio
from smarthdr_studio.core.curation.project_facts import read_scene_facts
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.journal import Kind, Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import repair
from smarthdr_studio.core.reporting.report import write_report

SCRIPT = Path(__file__).with_name("curating_by_keys.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is a Unix matter"),
]


@pytest.fixture
def set_of_74(tmp_path):
    """74 small brackets, five of them with their ground truth, all others with a pseudo-label."""
    root = tmp_path / "brackets"
    for number in range(1, 75):
        write_bracket(root / "Training" / f"{number:03}", seed=number, truth=number <= 5)
    labelled = [f"{number:03}" for number in range(1, 6)]
    with Project.create(tmp_path / "set.shdr", find_scenes(root), labelled=labelled) as project:
        for number in range(6, 75):
            write_pseudo(project, f"{number:03}")
        return project.folder


def worked_through(project, home):
    """What the screen had confirmed when the process was killed."""
    found = subprocess.run(
        [sys.executable, str(SCRIPT), str(project), str(home)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        cwd=Path(smarthdr_studio.__file__).parent.parent,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    assert found.returncode == -signal.SIGKILL, found.stdout
    return json.loads(found.stdout)


def test_what_was_decided_by_keys_outlives_a_kill_and_a_move(set_of_74, tmp_path):
    confirmed = worked_through(set_of_74, tmp_path / "home")
    elsewhere = tmp_path / "another place" / "copied.shdr"
    shutil.copytree(set_of_74, elsewhere)
    repair(elsewhere, quiet=0.0)
    assert list(check_up(elsewhere, quiet=0.0).findings) == []
    with Project.open(elsewhere) as project:
        seen = {
            facts.id: [
                str(facts.status),
                facts.note,
                list(facts.tags),
                project.state(facts.id).person is not None,
                facts.reviewed,
            ]
            for facts in read_scene_facts(project)
        }
        last = confirmed_last(project)
        assert {k: v for k, v in seen.items() if k != last} == {
            k: v for k, v in confirmed.items() if k != last
        }
        statuses = [status for status, *_ in confirmed.values()]
        assert statuses.count(str(Status.PROMOTED)) == 2
        assert statuses.count(str(Status.EXCLUDED)) == 2
        assert sum(painted for *_, painted, _ in confirmed.values()) == 2
        assert sum(bool(note) for _, note, *_ in confirmed.values()) == 2
        page = tmp_path / "report.html"
        assert write_report(project, page).scenes == 74
        assert "turn 3" in page.read_text(encoding="utf-8")
        while Decisions(project).undo() is not None:
            pass
        undone = project.ledger().scenes.values()
        assert {state.status for state in undone} == {Status.GROUND_TRUTH, Status.UNLABELLED}
        assert all(state.person is None and not state.note for state in undone)


def confirmed_last(project):
    """The scene whose promotion was under way at the kill: it may be there or not."""
    undone = [entry for entry in project.entries() if entry.kind is Kind.UNDO]
    return undone[-1].scene
