"""The plan of the next run in the window: found, typed, checked, estimated, kept and trained by."""

import shlex
from functools import partial
from pathlib import Path

import pytest
from fitting import faults_of
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QScrollArea, QWidget

from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.studio.state import EDITED, Activity, Centre

# What makes a run of the preset `quick` one of seconds.
TINY = {
    "schedule.epochs": "2",
    "schedule.warmup_epochs": "1",
    "schedule.steps_per_epoch": "2",
    "batch.crop": "32",
    "batch.stride": "32",
    "batch.labelled": "2",
    "batch.unlabelled": "2",
    "tile": "64",
}


@pytest.fixture
def editor(opened, qtbot, until):
    """The editor over the tiny project, with every preset read."""
    opened._plan_commands.show()
    editor = opened._plan_commands.editor
    told = {"timeout": 120000}  # torch tells of devices, once it is loaded
    until(opened.session, lambda s: s.planning.command != "" and s.planning.devices != (), **told)
    yield editor
    editor.close()


def line(editor, key):
    return editor.form.rows[key].value.findChild(QLineEdit)


def retype(editor, key, text):
    field = line(editor, key)
    field.selectAll()
    QTest.keyClicks(field, text)


def shown(editor):
    return [key for key, row in editor.form.rows.items() if row.isVisible()]


def planning(window):
    return window.session.state.planning


def every_setting_has_a_row_that_is_told_found_by_words_and_never_cut_off(editor, opened, qtbot):
    fields = {field.key for field in planning(opened).book.fields} - {"preset"}
    assert set(editor.form.rows) == fields
    for row in editor.form.rows.values():
        (control,) = [
            each
            for each in row.value.findChildren(QWidget)
            if isinstance(each, QLineEdit | QComboBox | QCheckBox)
        ]
        assert row.field.title in control.accessibleName()
        assert row.field.allowed in control.toolTip()
    QTest.keyClicks(editor._search, "memory crop")
    assert "batch.crop" in shown(editor)
    assert "schedule.epochs" not in shown(editor)
    assert "of" in editor._found.text()
    QTest.keyClicks(editor._search, " zebra")
    assert shown(editor) == []
    assert "zebra" in editor.form._nothing.text()
    editor._search.clear()
    assert len(shown(editor)) == len(editor.form.rows)
    # The form cannot be scrolled sideways by hand, so nothing may lie there.
    (scroll,) = editor.form.findChildren(QScrollArea)
    for size in (editor.size(), editor.minimumSize()):
        editor.resize(size)
        qtbot.wait(50)
        assert scroll.horizontalScrollBar().maximum() == 0


def the_editor_fits_a_small_screen_and_cuts_no_word_there(editor, qtbot):
    """A screen of 1024×640, with what a desktop draws around a window; one change is under way."""
    retype(editor, "schedule.epochs", "7")
    for width in (1024, 1280):
        editor.resize(width - 8, 600)
        qtbot.wait(50)
        assert (editor.width(), editor.height()) == (width - 8, 600)
        assert faults_of(editor) == []


def the_section_of_a_setting_that_is_not_allowed_is_marked_and_the_setting_never_hidden(
    editor, until, opened
):
    editor.preset_picked.emit("quick-smae")
    until(opened.session, lambda s: s.planning.preset == "quick-smae")
    retype(editor, "schedule.epochs", "7")
    until(opened.session, lambda s: "smae.label_epochs" in s.planning.complaints)
    sections = editor.form._sections
    told = [sections.item(place).text() for place in range(sections.count())]
    assert "SMAE ✕" in told
    assert "Schedule · 1" in told
    editor._changed.click()
    assert set(shown(editor)) == {"schedule.epochs", "smae.label_epochs"}


def test_a_key_opens_it_with_the_preset_that_is_picked(opened, qtbot, until):
    QTest.keyClick(opened, Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)
    until(opened.session, lambda s: s.planning.preset == "quick")
    editor = opened._plan_commands.editor
    assert editor.isVisible()
    assert not editor.isModal()
    assert line(editor, "schedule.epochs").text() == "10"
    assert (editor.minimumSizeHint().width(), editor.minimumSizeHint().height()) < (1280, 720)
    assert editor.width() <= 1280
    assert editor.height() <= 690  # a title bar has to fit as well
    editor.close()


def what_is_wrong_is_told_under_its_row_as_one_types(editor, opened):
    retype(editor, "schedule.epochs", "1x")
    row = editor.form.rows["schedule.epochs"]
    assert row.complaint == "✕ a whole number, at least 1"
    assert not editor._train.isEnabled()
    assert not editor._save.isEnabled()
    assert not editor.command._copy.isEnabled()
    retype(editor, "schedule.epochs", "3")
    # Alone it is allowed, but not beside four epochs of warm-up.
    assert row.complaint == ""
    assert "at most epochs (3)" in editor.form.rows["schedule.warmup_epochs"].complaint
    assert [key for key, row in editor.form.rows.items() if row.complaint.startswith("✕")] == [
        "schedule.warmup_epochs"
    ]
    retype(editor, "schedule.epochs", "6")
    assert planning(opened).complaints == {}
    assert editor._train.isEnabled()


def what_differs_is_marked_and_put_back_in_the_words_of_its_setting(editor, opened):
    retype(editor, "schedule.epochs", "6")
    row = editor.form.rows["schedule.epochs"]
    assert row._mark.text()
    assert row._back.text() == "↺ 10"
    assert "1 setting differs from quick" in editor._differs.text()
    assert editor.command.text.endswith("--preset quick --set schedule.epochs=6")
    editor._changed.click()
    assert shown(editor) == ["schedule.epochs"]
    editor._changed.click()
    row._back.click()
    assert line(editor, "schedule.epochs").text() == "10"
    assert editor._differs.text() == "quick as it is"
    assert not row._back.isVisible()
    # A switch is told in the words of a switch, and one of a unit as one.
    row = editor.form.rows["masks.patches"]
    row.value.findChild(QCheckBox).click()
    assert row._back.text() == "↺ on"
    assert row._back.toolTip().endswith("preset's on")
    row = editor.form.rows["held_out"]
    assert line(editor, "held_out").text() == "1"
    assert row._unit.text() == "scene"
    retype(editor, "held_out", "2")
    assert row._unit.text() == "scenes"
    assert editor.form.rows["strong_augmentation"]._about.text().endswith("Default on.")


def arrow_keys_count_within_what_is_allowed(editor, opened):
    crop = line(editor, "batch.crop")
    QTest.keyClick(crop, Qt.Key.Key_Down)
    assert crop.text() == "120"
    held = line(editor, "held_out")
    for _ in range(3):
        QTest.keyClick(held, Qt.Key.Key_Down)
    assert held.text() == "0"
    ema = line(editor, "teacher.ema")
    QTest.keyClick(ema, Qt.Key.Key_Up)
    assert ema.text() == "0.99"
    assert planning(opened).complaints == {}


def ticks_and_lists_change_the_plan(editor, opened):
    editor.form.rows["masks.patches"].value.findChild(QCheckBox).click()
    names = editor.form.rows["network.name"].value.findChild(QComboBox)
    names.textActivated.emit("gfhdr")
    assert planning(opened).typed == {"masks.patches": "false", "network.name": "gfhdr"}
    assert names.currentText() == "gfhdr"
    editor.devices._list.setCurrentRow(1)
    assert planning(opened).typed["device"] == "cpu"
    assert line(editor, "device").text() == "cpu"


def another_preset_sets_changes_aside_and_they_can_be_taken_along(editor, opened):
    retype(editor, "batch.crop", "64")
    editor._presets.textActivated.emit("paper")
    assert planning(opened).differs == ()
    assert line(editor, "schedule.epochs").text() == "200"
    assert editor._aside.text() == "Take my change along"
    editor._aside.click()
    assert planning(opened).differs == ("batch.crop",)
    assert line(editor, "batch.crop").text() == "64"


def the_command_is_shown_with_no_more_of_the_path_than_is_needed_and_copied_whole(
    editor, opened, monkeypatch
):
    folder = opened.session.state.folder
    monkeypatch.setattr(Path, "home", lambda: folder.parent)
    retype(editor, "seed", "5")
    assert str(folder.parent) not in editor.command.text
    assert f"~/{folder.name}" in editor.command.text
    assert editor.command.text.endswith("--set seed=5")
    editor.command._copy.click()
    assert shlex.split(QGuiApplication.clipboard().text())[2] == str(folder)
    assert editor.command._copy.text() == "Copied ✓"


def test_a_plan_is_saved_as_a_preset_and_deleted_without_being_lost(editor, opened, until, places):
    retype(editor, "seed", "5")
    editor._save.click()
    QTest.keyClicks(editor.keeping._name, "Mine")
    assert "small letters" in editor.keeping._wrong.text()
    editor.keeping._name.clear()
    QTest.keyClicks(editor.keeping._name, "mine")
    QTest.keyClicks(editor.keeping._about, "With another seed.")
    editor.keeping._save.click()
    until(opened.session, lambda s: s.planning.preset == "mine")
    assert load_preset("mine", own=places.presets).seed == 5
    assert planning(opened).differs == ()
    assert "mine" in [
        opened.page.training._presets.itemText(at)
        for at in range(opened.page.training._presets.count())
    ]
    editor._delete.click()
    editor.keeping._delete.click()
    until(opened.session, lambda s: s.planning.preset == "quick")
    assert planning(opened).differs == ("seed",)
    assert (places.presets / "deleted" / "mine.toml").is_file()
    assert "deleted" in editor._told.whole


def test_return_keeps_a_name_that_is_refused_where_it_can_be_mended(editor):
    editor.keeping.ask_name()
    QTest.keyClicks(editor.keeping._name, "Mine")
    QTest.keyClick(editor.keeping._name, Qt.Key.Key_Return)
    assert editor.keeping.isVisible()
    assert editor.keeping._name.text() == "Mine"
    buttons = editor.findChildren(QPushButton)
    assert [each.text() for each in buttons if each.autoDefault()] == []


def test_a_preset_that_cannot_be_saved_or_read_is_told(editor, opened, until, places):
    places.presets.mkdir(parents=True)
    (places.presets / "odd.toml").write_text("a = = 3")
    controller = opened.session.running.plans
    controller.save_as("paper", "")
    assert "ships with the program" in editor._told.whole
    controller.save_as("mine", "")
    until(opened.session, lambda s: s.planning.preset == "mine")
    assert "odd" in planning(opened).book.broken


@pytest.mark.slow
def test_an_estimate_tells_from_its_first_second_and_grows_stale(editor, opened, until, qtbot):
    for key, text in TINY.items():
        retype(editor, key, text)
    until(opened.session, lambda s: s.planning.devices)
    looked = planning(opened).devices
    editor.estimate._ask.click()
    assert planning(opened).estimating
    assert editor.estimate._cancel.isVisible()
    until(opened.session, lambda s: s.planning.estimate is not None, timeout=120000)
    until(opened.session, lambda s: s.planning.devices is not looked)  # the free memory of now
    told = editor.estimate.facts.as_text()
    assert "Steps 4 in 2 epochs, 2 rounds" in told
    assert "Memory" in told
    assert "Disk" in told
    retype(editor, "schedule.steps_per_epoch", "3")
    assert planning(opened).stale
    assert "before your last change" in editor.estimate.words.text()
    retype(editor, "schedule.steps_per_epoch", "2")
    assert not planning(opened).stale
    editor.estimate._ask.click()
    editor.estimate._cancel.click()
    until(opened.session, lambda s: not s.planning.estimating, timeout=120000)


@pytest.mark.slow
def test_what_a_run_would_refuse_is_told_in_place_of_an_estimate(editor, opened, until):
    retype(editor, "batch.crop", "512")
    editor.estimate._ask.click()
    until(opened.session, lambda s: s.planning.refused != "", timeout=120000)
    assert "batch.crop is 512" in editor.estimate._warnings.text()


@pytest.mark.slow
def test_train_starts_the_plan_as_it_was_edited(editor, opened, until, qtbot, tiny_project):
    for key, text in TINY.items():
        retype(editor, key, text)
    retype(editor, "seed", "77")
    offered = opened.page.training._presets
    assert offered.findText(EDITED) >= 0
    command = editor.command.text
    opened.session.work_in("Train")
    opened.session.inspection.table.show(str(Centre.RUNS))
    editor._train.click()
    assert not editor.isVisible()
    assert opened.session.state.centre is Centre.PICTURES, "the run is seen, not the list of runs"
    over = (Activity.DONE, Activity.FAILED)
    until(opened.session, lambda s: s.training.activity in over, timeout=120000)
    assert opened.session.state.training.activity is Activity.DONE
    qtbot.waitUntil(lambda: opened.session.at_rest, timeout=20000)
    (written,) = (tiny_project / "runs").glob("*/plan.toml")
    plan = load_preset(str(written))
    assert (plan.seed, plan.batch.crop, plan.preset) == (77, 32, "quick")
    assert "--set seed=77" in command


def the_command_has_the_height_that_nothing_else_takes(editor, qtbot):
    def free():
        side, card = editor._side.widget(), editor.command
        return side.height() - card.geometry().bottom()

    editor.resize(1140, 660)
    qtbot.waitUntil(lambda: free() < 12)
    low = editor.command._line.height()
    editor.resize(1140, 760)
    qtbot.waitUntil(lambda: editor.command._line.height() >= low + 90)


def as_it_was_opened(editor, opened, size):
    """Nothing is typed, set aside, looked for or asked any more."""
    plans = opened.session.running.plans
    editor._search.clear()
    editor._changed.setChecked(False)
    plans.take_aside()
    plans.pick_preset("quick")
    plans.take_aside()
    plans.reset("")
    editor.resize(size)


def test_one_editor_is_put_to_every_use_after_the_other(editor, opened, qtbot, until, monkeypatch):
    """To open a window for each would take most of the time; none of them trains or saves."""
    first, size, rows = planning(opened), editor.size(), shown(editor)
    for use in (
        partial(the_editor_fits_a_small_screen_and_cuts_no_word_there, editor, qtbot),
        partial(
            every_setting_has_a_row_that_is_told_found_by_words_and_never_cut_off,
            editor,
            opened,
            qtbot,
        ),
        partial(
            the_section_of_a_setting_that_is_not_allowed_is_marked_and_the_setting_never_hidden,
            editor,
            until,
            opened,
        ),
        partial(what_is_wrong_is_told_under_its_row_as_one_types, editor, opened),
        partial(what_differs_is_marked_and_put_back_in_the_words_of_its_setting, editor, opened),
        partial(arrow_keys_count_within_what_is_allowed, editor, opened),
        partial(ticks_and_lists_change_the_plan, editor, opened),
        partial(another_preset_sets_changes_aside_and_they_can_be_taken_along, editor, opened),
        partial(
            the_command_is_shown_with_no_more_of_the_path_than_is_needed_and_copied_whole,
            editor,
            opened,
            monkeypatch,
        ),
        partial(the_command_has_the_height_that_nothing_else_takes, editor, qtbot),
    ):
        use()
        as_it_was_opened(editor, opened, size)
        assert planning(opened) == first, use.func.__name__
        assert shown(editor) == rows, use.func.__name__
