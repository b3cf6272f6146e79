"""A damaged database: the newest backup in its place, and what came later as far as it reads."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_labels import HEIGHT, WIDTH, a_project

from smarthdr_studio.core import files
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project import backups
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.findings import FindingKind
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.places import DATABASE_NAME
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.repair import repair


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A closed project of many decisions; its backup knows the first five entries."""
    with a_project(tmp_path_factory.mktemp("lived-in")) as project:
        decisions = Decisions(project)
        decisions.promote(["b"])
        decisions.paint("c", lambda _: np.ones((HEIGHT, WIDTH), np.int8))
        for k in range(60):
            decisions.annotate(["b", "c", "d"], note=f"{k} " + "words " * 100)
        decisions.undo()
    return project


@pytest.fixture
def project(lived_in, tmp_path):
    shutil.copytree(lived_in.folder, tmp_path / "p.shdr")
    return tmp_path / "p.shdr"


def database_trouble(folder):
    lost = FindingKind.DATABASE, FindingKind.JOURNAL
    return [each for each in check_up(folder).findings if each.trouble in lost]


def test_damage_beside_the_journal_costs_no_decision(project, lived_in):
    database = project / "project.sqlite"
    with closing(sqlite3.connect(database)) as by_hand:
        (page,) = by_hand.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'figures'"
        ).fetchone()
    whole = bytearray(database.read_bytes())
    whole[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    database.write_bytes(whole)
    (finding,) = database_trouble(project)
    assert finding.mendable
    (said, *_) = repair(project)
    assert "restored project.sqlite from backups/" in said
    assert "added 185 that came later" in said
    assert not database_trouble(project)
    with Project.open(project) as again, Project.open(lived_in.folder) as original:
        assert again.entries() == original.entries()
        assert (again.person("c") == 1).all()
        assert again.statuses() == original.statuses()
    assert bytes(whole) in [path.read_bytes() for path in files.trash_contents(project)]


def test_an_entry_that_leads_out_of_the_project_is_not_brought_back(project, lived_in):
    with closing(sqlite3.connect(project / "project.sqlite")) as by_hand:
        for (name,) in by_hand.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            by_hand.execute(f'DROP TRIGGER "{name}"')
        by_hand.execute("UPDATE journal SET label = '../../theirs.exr' WHERE seq = 50")
        by_hand.commit()
    (said, *_) = repair(project)
    assert said.endswith("missing: 1 entry of the journal (50 about b)")
    found = check_up(project).findings
    assert not [each for each in found if DATABASE_NAME in each.sentence]
    with Project.open(project) as again, Project.open(lived_in.folder) as original:
        assert again.entries() == [each for each in original.entries() if each.seq != 50]


@pytest.mark.parametrize("damage", [b"", b"rubbish" * 3000, None])
def test_a_database_that_is_gone_or_rubbish_comes_back_as_the_backup_knew_it(project, damage):
    if damage is None:
        (project / "project.sqlite").unlink()
    else:
        (project / "project.sqlite").write_bytes(damage)
    with pytest.raises(ProjectError, match="doctor") as error:
        Project.open(project)
    assert "\n" not in str(error.value)
    assert database_trouble(project)
    (said, *_) = repair(project)
    assert "later ones, if there were any, could not be read" in said
    with Project.open(project) as again:
        assert len(again.entries()) == 5


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_wherever_the_damage_is_the_backup_comes_back_and_whatever_else_can_be_read(
    data, lived_in, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("damaged") / "p.shdr"
    shutil.copytree(lived_in.folder, folder)
    whole = bytearray((folder / "project.sqlite").read_bytes())
    start = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.sampled_from([1, 100, 4096, 40_000]))
    whole[start : start + length] = b"\xa5" * len(whole[start : start + length])
    (folder / "project.sqlite").write_bytes(whole)
    try:
        repair(folder)
    except ProjectError as error:
        # A newer format: told in one sentence, and nothing is touched.
        refused = str(error)
        assert "\n" not in refused
        assert (folder / "project.sqlite").read_bytes() == bytes(whole)
        return
    assert not database_trouble(folder)
    with Project.open(folder) as again, Project.open(lived_in.folder) as original:
        kept = again.entries()
        whole = {entry.seq: entry for entry in original.entries()}
        assert kept[:5] == list(whole.values())[:5], "as the backup knew it"
        for entry in kept:  # what only people read may have lost a letter
            there = whole[entry.seq]
            assert replace(entry, at=there.at, who=there.who, note=there.note) == there


def test_without_a_backup_the_doctor_says_so_and_touches_nothing(project):
    shutil.rmtree(project / "backups")
    (project / "project.sqlite").write_bytes(b"rubbish" * 3000)
    (finding,) = database_trouble(project)
    assert not finding.mendable
    assert "copy" in finding.remedy
    assert repair(project) == ()
    assert (project / "project.sqlite").read_bytes() == b"rubbish" * 3000
    assert not files.trash_contents(project)


def test_the_newest_backup_that_opens_is_taken(project):
    (good,) = backups.list_backups(project)
    (good.parent / "project-29990101.sqlite").write_bytes(b"damaged itself")
    (project / "project.sqlite").write_bytes(b"rubbish" * 3000)
    (said, *_) = repair(project)
    assert good.name in said
