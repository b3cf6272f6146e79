"""A project that does not open is mended from the window, and opened."""

import os

import pytest
from PySide6.QtWidgets import QFileDialog

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.project import Project


@pytest.fixture
def damaged(fresh_project):
    """Its database is gone; a backup of it is there."""
    Project.open(fresh_project).close()
    assert list((fresh_project / "backups").glob("*.sqlite"))
    (fresh_project / "project.sqlite").write_bytes(b"no database at all" * 400)
    return fresh_project


def mend(window, folder):
    """As a person does: the command, and the folder in its dialog."""
    action = next(a for a in window.menus.actions_to_find if a.objectName() == "mend_project")
    assert action.isEnabled()
    action.trigger()
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(folder))
    dialog.close()


def test_a_damaged_project_names_the_command_that_mends_and_opens_it(window, until, damaged):
    window.session.take(damaged)
    until(window.session, lambda s: s.notice is not None)
    assert window.session.state.folder is None
    assert "mend it with: File ▸ Mend a project…" in window.session.state.notice.text
    assert "smarthdr-studio" not in window.session.state.notice.text
    mend(window, damaged)
    until(window.session, lambda s: s.folder is not None and len(s.scenes) == 7)
    assert window.session.state.notice.text == f"{damaged}: 1 thing mended, all is well now."
    assert window.session.state.notice.details[0].startswith("restored project.sqlite from backups")


def test_the_project_that_is_open_is_closed_meanwhile_and_open_again(opened, until, tiny_project):
    stray = tiny_project / "labels" / "003" / "stray.exr"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"nobody speaks of it")
    before = opened.session.state.folder
    os.utime(stray, (0, 0))
    assert [each.what for each in check_up(tiny_project).findings] == ["labels/003/stray.exr"]
    mend(opened, tiny_project)
    until(opened.session, lambda s: s.folder is None)
    opened.session.take(tiny_project)
    assert opened.session.state.folder is None
    assert "being mended" in opened.session.state.notice.text
    until(opened.session, lambda s: s.folder == before and s.notice is not None)
    assert opened.session.state.notice.text == f"{tiny_project}: 1 thing mended, all is well now."
    assert not stray.exists()


def test_another_project_is_mended_beside_the_one_that_is_open(opened, until, tmp_path, dataset):
    other = tmp_path / "other.shdr"
    Project.create(other, find_scenes(dataset), labelled=()).close()
    open_now = opened.session.state.folder
    mend(opened, other)
    until(opened.session, lambda s: s.notice is not None)
    assert opened.session.state.notice.text == f"{other}: nothing is wrong with it."
    assert opened.session.state.folder == open_now
