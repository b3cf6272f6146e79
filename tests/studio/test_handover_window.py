"""In and out through the window: splits, journals, datasets and reports, none of it modal."""

import json
import threading

from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QPushButton

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.dataset import import_export
from smarthdr_studio.studio.dataset.import_export import DatasetSheet, SplitSheet, in_words
from smarthdr_studio.studio.state import DatasetWish, SplitState

LEFT = Qt.MouseButton.LeftButton


def ask(window, action, path):
    """Trigger an action and answer its file dialog."""
    window.menus._actions[action].trigger()
    dialog = window.findChild(QFileDialog)
    assert not dialog.testAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    dialog.fileSelected.emit(str(path))
    dialog.done(0)
    dialog.setParent(None)
    return dialog


def written(window, until):
    until(window.session, lambda s: s.notice is not None and s.notice.opens is not None)
    return window.session.state.notice


def test_what_is_exported_is_on_disk_and_can_be_opened(opened, until, qtbot, tmp_path, monkeypatch):
    looked_at = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: bool(looked_at.append(url.toLocalFile())) or True
    )
    for action, name, holds in (
        ("export_split", "split.csv", "003"),
        ("export_split", "split.json", '"unlabelled"'),
        ("export_journal", "journal.csv", "create"),
        ("export_report", "review.html", "<html"),
    ):
        path = tmp_path / name
        opened.session.dismiss()
        ask(opened, action, path)
        assert written(opened, until).opens == path
        assert holds in path.read_text(encoding="utf-8-sig")
        assert opened.session.state.busy == ""
        link = next(b for b in opened.notice.findChildren(QPushButton) if b.text() == "Open")
        qtbot.mouseClick(link, LEFT)
        assert looked_at.pop() == str(path)
        assert looked_at == []


def test_a_place_that_cannot_be_written_is_said(opened, until, tmp_path):
    ask(opened, "export_split", tmp_path / "nowhere" / "split.txt")
    until(opened.session, lambda s: s.notice is not None and s.notice.tone == "bad")
    assert ".csv or .json" in opened.session.state.notice.text


def test_a_split_is_shown_before_it_is_decided_and_undone_in_one(
    opened, until, qtbot, tmp_path, tiny_project
):
    path = tmp_path / "mine.txt"
    path.write_text("002\n003\n")
    ask(opened, "import_split", path)
    until(opened.session, lambda s: s.split is not None)
    sheet = opened.findChild(SplitSheet)
    assert sheet.isVisible()
    assert not sheet.isModal()
    assert sheet._words.text() == "mine.txt: 2 scenes change"
    assert sheet._list.toPlainText() == (
        "1 scene becomes ground truth:\n  003 (was unlabelled)\n\n"
        "1 scene becomes unlabelled:\n  001 (was ground truth)"
    )
    with Project.open(tiny_project) as project:
        assert project.statuses()["001"] is Status.GROUND_TRUTH
    qtbot.mouseClick(sheet._import, LEFT)
    assert not sheet.isVisible()
    assert opened.session.state.row("003").status is Status.GROUND_TRUTH
    assert opened.session.state.undo == "import a split of 2 scenes"
    with Project.open(tiny_project) as project:
        assert Decisions(project).history(1)[0].note == "from mine.txt"
    opened.session.curating.undo()
    assert opened.session.state.row("001").status is Status.GROUND_TRUTH


def test_a_split_that_is_not_wanted_changes_nothing(opened, until, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("002\n")
    opened.session.files.handover.read_split(path)
    until(opened.session, lambda s: s.split is not None)
    opened.findChild(SplitSheet).close()
    assert opened.session.state.split is None
    assert opened.session.state.undo is None


def test_a_split_that_changes_nothing_or_is_wrong_is_said(opened, until, tmp_path):
    same, wrong = tmp_path / "same.txt", tmp_path / "wrong.txt"
    same.write_text("001\n002\n")
    wrong.write_text("nobody\n")
    opened.session.files.handover.read_split(same)
    until(opened.session, lambda s: s.notice is not None and "already" in s.notice.text)
    opened.session.files.handover.read_split(wrong)
    until(opened.session, lambda s: s.notice.tone == "bad" and "nobody" in s.notice.text)
    assert opened.session.state.split is None


def test_a_split_of_ten_thousand_scenes_is_not_listed_without_end(tmp_path):
    scenes = tuple((f"{n:05}", Status.UNLABELLED) for n in range(10000))
    words = in_words(SplitState(file=tmp_path, changes=((Status.EXCLUDED, scenes),)))
    assert words.startswith("10000 scenes become excluded:")
    assert len(words.splitlines()) <= 1001


def test_the_curated_dataset_is_written_as_wished(opened, until, qtbot, tmp_path, tiny_project):
    with Project.open(tiny_project) as project:
        Decisions(project).promote(["003"])
    opened.menus._actions["export_dataset"].trigger()
    sheet = opened.findChild(DatasetSheet)
    assert not sheet.isModal()
    sheet._frames.picked.emit("copies")
    sheet._labels.picked.emit(".exr")
    sheet._unlabelled.setChecked(True)
    sheet._path.setText("relative")
    assert not sheet._export.isEnabled()
    sheet._path.setText(str(tmp_path / "curated"))
    qtbot.mouseClick(sheet._export, LEFT)
    assert written(opened, until).opens == tmp_path / "curated"
    found = find_scenes(tmp_path / "curated")
    assert len(found.scenes) == 7
    assert all(not frame.is_symlink() for scene in found.scenes for frame in scene.frames)
    manifest = json.loads((tmp_path / "curated" / "manifest.json").read_text())
    assert {scene["label"]["file"] for scene in manifest["scenes"] if scene["label"]} == {
        "HDRImg.exr"
    }


def test_what_is_being_written_can_be_given_up(opened, until, qtbot, tmp_path, monkeypatch):
    begun, may = threading.Event(), threading.Event()

    def slowly(tell, **how):
        begun.set()
        while not may.wait(0.01):  # faster, its words would flood the window
            tell("writing 003", 1, 4)
        raise AssertionError

    monkeypatch.setattr(import_export, "put_dataset", slowly)
    controller = opened.session.files.handover
    controller.export_dataset(DatasetWish(folder=tmp_path / "curated"))
    until(opened.session, lambda s: s.busy == "writing 003" and s.progress == 0.25)
    controller.export_split(tmp_path / "split.csv")  # one thing at a time
    assert "already" in opened.session.state.notice.text
    assert begun.is_set()
    cancel = next(b for b in opened.readout.findChildren(QPushButton) if b.text() == "Cancel")
    qtbot.mouseClick(cancel, LEFT)
    qtbot.waitUntil(lambda: not controller.at_work, timeout=20000)
    may.set()
    qtbot.wait(50)
    assert opened.session.state.busy == ""
    assert not (tmp_path / "split.csv").exists()


def test_a_damaged_label_costs_a_curated_dataset_its_scene_alone_and_is_told(
    opened, until, tmp_path, tiny_project
):
    with Project.open(tiny_project) as project:
        Decisions(project).promote(["003"])
        label = project.label_path("003")
    label.write_bytes(label.read_bytes()[:-600])
    opened.session.files.handover.export_dataset(DatasetWish(folder=tmp_path / "curated"))

    def told(state):  # that the label is damaged is told of the scenes too, before or after
        notice = state.notice
        return notice is not None and [notice.text, *notice.details]

    until(opened.session, lambda s: "1 scene left out" in "\n".join(told(s) or ()))
    assert opened.session.state.notice.tone in ("warn", "bad")
    assert any(f"{label}: is not what was promoted" in line for line in told(opened.session.state))
