"""Help ▸ Report a problem…, by hand: what is said before, what is written, what is told after."""

import threading
import zipfile

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel

from smarthdr_studio.core.reporting import problem
from smarthdr_studio.studio.dataset.problem_report import ProblemSheet

LEFT = Qt.MouseButton.LeftButton


def save_to(window, qtbot, path):
    window.menus._actions["report_problem"].trigger()
    sheet = window.findChild(ProblemSheet)
    assert sheet.isVisible()
    assert not sheet.isModal()
    words = sheet.findChild(QLabel).text()
    qtbot.mouseClick(sheet._save, LEFT)
    dialog = sheet.findChild(QFileDialog)
    assert dialog.selectedFiles()[0].endswith(".zip")
    dialog.fileSelected.emit(str(path))
    dialog.done(0)
    return words


def test_a_report_is_collected_off_the_gui_thread_and_can_be_opened(
    opened, until, qtbot, tmp_path, places, monkeypatch
):
    real, threads = problem.check_up, []

    def check_up(folder, **how):
        threads.append(threading.current_thread())
        return real(folder, **how)

    monkeypatch.setattr(problem, "check_up", check_up)
    places.logs.mkdir(parents=True)
    (places.logs / "studio.log").write_text("something happened\n")
    path = tmp_path / "report.zip"
    words = save_to(opened, qtbot, path)
    assert "Nothing is sent" in words
    assert "doctor finds in the open project" in words
    until(opened.session, lambda s: s.notice is not None and s.notice.opens == path)
    notice = opened.session.state.notice
    assert [line.partition(":")[0] for line in notice.details] == [
        *("versions.txt", "log/studio.log", "doctor.txt")
    ]
    with zipfile.ZipFile(path) as file:
        assert file.read("log/studio.log") == b"something happened\n"
        assert b"Qt: 6." in file.read("versions.txt")
        assert b"tiny.shdr: " in file.read("doctor.txt")
    assert threads
    assert threading.main_thread() not in threads


def test_without_a_project_there_is_a_report_all_the_same(window, until, qtbot, tmp_path):
    path = tmp_path / "report.zip"
    assert "doctor" not in save_to(window, qtbot, path)
    until(window.session, lambda s: s.notice is not None and s.notice.opens == path)
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ["contents.txt", "versions.txt"]


def test_a_place_that_cannot_be_written_is_said(window, until, qtbot, tmp_path):
    (tmp_path / "file").write_text("no folder")
    save_to(window, qtbot, tmp_path / "file" / "report.zip")
    until(window.session, lambda s: s.notice is not None and s.notice.tone == "bad")
    assert "cannot be written" in window.session.state.notice.text
