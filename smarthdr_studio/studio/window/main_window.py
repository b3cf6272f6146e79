"""The main window: constructs the parts, connects them, asks before it leaves a run."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.actions import ACTIONS, use_keys, with_keys
from smarthdr_studio.studio.dataset.model_labels import LabelWaysBar
from smarthdr_studio.studio.dataset.start_page import StartPage
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.settings import Layout, Places
from smarthdr_studio.studio.state import Centre, StudioState, Workspace
from smarthdr_studio.studio.theme import Palette, Wish, dress, palette_for
from smarthdr_studio.studio.widgets.file_dialogs import use_folders
from smarthdr_studio.studio.window.about import AboutSheet
from smarthdr_studio.studio.window.bars import (
    ReadOnlyNote,
    ReadoutBar,
    TopBar,
    word_anew,
)
from smarthdr_studio.studio.window.command_palette import CommandPalette
from smarthdr_studio.studio.window.keys_dialog import HelpSheet, KeysDialog
from smarthdr_studio.studio.window.menus import ContextMenus, Menus
from smarthdr_studio.studio.window.notices import NoticeBar, OverEdge
from smarthdr_studio.studio.window.project_commands import FileCommands, OpenCommands
from smarthdr_studio.studio.window.run_commands import (
    BenchmarkCommands,
    PlanCommands,
    RunsCommands,
    TrainingCommands,
)
from smarthdr_studio.studio.window.scene_commands import (
    FigureCommands,
    ModelCommands,
    QueueCommands,
    SceneCommands,
    ViewCommands,
)
from smarthdr_studio.studio.window.sheets import Sheets
from smarthdr_studio.studio.window.studio_page import StudioPage
from smarthdr_studio.studio.window.window_place import PlaceKeeper, put_in_place
from smarthdr_studio.synthetic.settings import SampleSettings

_IDLE_BEFORE_TORCH_MS: Final = 1500
_KEPT_AFTER_MS: Final = 1500  # of rest: nobody wants a file written for each pixel of a drag


class MainWindow(QMainWindow):
    """One project at a time; a folder may be dropped anywhere."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"folder", "project", "workspace", "centre"})

    _leaving = False  # it closes as soon as all is quiet
    _alone = False  # nothing but pictures
    _before = (Workspace.INSPECT, Centre.PICTURES)  # it was so

    def __init__(self, *, places: Places, sample: SampleSettings | None = None) -> None:
        super().__init__()
        self.session = Session(self, places=places, sample=sample or SampleSettings())
        use_keys(self.session.preferences.keys)
        palette = palette_for(self.session.preferences.look)
        self.start, self.page = StartPage(), StudioPage(palette)
        self.page.desk.take_layouts(self.session.preferences.layouts)
        self.notice, self.readout, self._read_only = NoticeBar(), ReadoutBar(), ReadOnlyNote()
        self.ways = LabelWaysBar()
        self._pages = QStackedWidget()
        self.place = PlaceKeeper(self, put_in_place(self, self.session.preferences.window))
        calls = self._make_commands(palette)
        self.menus = Menus(calls, self, keys=self.session.preferences.keys)
        self.palette_of_commands = CommandPalette(self)
        self.bar = TopBar(self.menus)
        self._help: HelpSheet | None = None
        self._preload = QTimer(self, singleShot=True, interval=_IDLE_BEFORE_TORCH_MS)
        self._keeping = QTimer(self, singleShot=True, interval=_KEPT_AFTER_MS)
        self._lay_out()
        self._connect()
        self._connect_bars()
        self._offer_menus()
        self._show_first_state()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave at once when nothing is at work; else stop first and close when all is quiet."""
        self._preload.stop()
        self.page.save_notes()
        if self.session.at_rest:
            self._keep(soon=False)
            for timer in (self._keeping, self.place):
                timer.stop()
            self.session.release()
            use_folders({})  # nobody remembers them for a window that is gone
            event.accept()
            return
        event.ignore()
        run = self.session.state.training
        if run.busy and not run.in_other_process and not self._leaving:
            self._ask_before_leaving()
        else:
            self.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses the button that has the keyboard: Space walks the queue."""
        button = QApplication.focusWidget()
        pressed = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if pressed and isinstance(button, QAbstractButton):
            button.click()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A folder may be dropped, and pictures where there are scenes."""
        if self._file_commands.accepts(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open or bring what was dropped."""
        event.acceptProposedAction()
        self._file_commands.take_drop(event)

    @Slot()
    def show_help(self) -> None:
        """Show the guide, first steps first."""
        self._help_sheet().turn_to_guide()

    @Slot()
    def show_keys(self) -> None:
        """Show every key."""
        self._help_sheet().turn_to_keys()

    @Slot()
    def show_about(self) -> None:
        """Show version, libraries and licences."""
        self._sheets.show(AboutSheet, partial(AboutSheet, self), about=None, of_project=False)

    def _help_sheet(self) -> HelpSheet:
        if self._help is None:
            self._help = HelpSheet(self)
            self._help.keys_asked.connect(self.edit_keys)
            self._help.show_keys(with_keys(ACTIONS, self.session.preferences.keys))
        self._help.show()
        self._help.activateWindow()
        return self._help

    @Slot()
    def show_palette(self) -> None:
        """Find any command by words."""
        self.palette_of_commands.open_with(self.menus.actions_to_find)

    @Slot()
    def edit_keys(self) -> None:
        """Give commands other keys."""
        self._sheets.show(KeysDialog, self._made_for_keys, about=None, of_project=False)

    def _made_for_keys(self) -> KeysDialog:
        dialog = KeysDialog(ACTIONS, self.session.preferences.keys, parent=self)
        dialog.keys_changed.connect(self._take_keys)
        return dialog

    @Slot(object)
    def _take_keys(self, keys: dict[str, tuple[str, ...]]) -> None:
        self.session.prefer(keys=keys)
        self.menus.take_keys(keys)
        word_anew(self, use_keys(keys))
        self.bar.show_keys()
        if self._help is not None:
            self._help.show_keys(with_keys(ACTIONS, keys))

    @Slot(str)
    def _export(self, kind: str) -> None:
        self._figure_commands.visible_only = self.page.display.only_in_sight
        self._figure_commands.export(kind)

    @Slot()
    def _keep(self, *, soon: bool = True) -> None:
        """Remember window, panels and what is looked at as they are; nothing that is known."""
        now = {"window": self.place.place.held(), "layouts": self.page.desk.layouts}
        known = self.session.preferences
        if (known.window, known.layouts) != (now["window"], now["layouts"]):
            self.session.prefer(soon=soon, **now)
        self.session.remember_layout(soon=soon)

    @Slot(object, object)
    def _keep_soon(self, _old: StudioState, _new: StudioState) -> None:
        self._keeping.start()

    def _keep_folders(self, folders: Mapping[str, str]) -> None:
        self.session.prefer(folders_by_purpose=folders)

    def toggle_focus(self) -> None:
        """Pictures alone, or everything again."""
        self._focus(alone=not self._alone)

    def _focus(self, *, alone: bool) -> None:
        """The way back leads to where the key was pressed."""
        if alone:
            self._before = self.session.state.workspace, self.session.state.centre
            self._scene_commands.show_pictures()
        self._alone = alone
        self.page.focus(alone=alone)
        for bar in (self.bar, self.readout):
            bar.setVisible(not alone)
        if not alone:
            workspace, centre = self._before
            if workspace is not self.session.state.workspace:
                self.session.work_in(str(workspace))
            self.session.inspection.table.show(str(centre))

    @Slot()
    def _follow_panels(self) -> None:
        """Pictures are alone no longer where somebody asked for a panel."""
        if self._alone and not self.page.desk.cleared:
            self._stay()

    def _stay(self) -> None:
        """Everything again, and no way back from where a person has gone meanwhile."""
        self._before = self.session.state.workspace, self.session.state.centre
        self._focus(alone=False)

    def _escape(self) -> None:
        """One step back: everything again, the pictures again, no region, a window again."""
        if self._alone:
            self._focus(alone=False)
        elif not self._scene_commands.escape() and self.isFullScreen():
            self.place.toggle_full_screen()

    def set_look(self, look: Wish) -> None:
        """Dark, light, or as the system."""
        self.session.prefer(look=look)
        self._dress()

    def _make_commands(self, palette: Palette) -> dict[str, Callable[[], object]]:
        """Whoever carries out the actions; what each action calls, by its id."""
        self._scene_commands = scene_commands = SceneCommands(self.session, self.page)
        self._figure_commands = FigureCommands(self.session, self.page.views, self)
        self._sheets = sheets = Sheets(self.session, self)
        self._open_commands = OpenCommands(self.session, self, sheets=sheets)
        view_commands = ViewCommands(self.session, self.page, self._figure_commands)
        self._plan_commands = PlanCommands(self.session, self.page, self)
        self._runs = RunsCommands(
            self.session, self.page, self, sheets=sheets, show_plan=self._plan_commands.show
        )
        self._queue_commands = QueueCommands(self.session, self.page, palette, self)
        self._file_commands = FileCommands(
            self.session, self.page, self, sheets=sheets, chosen=scene_commands.chosen
        )
        self._benchmark = BenchmarkCommands(self.session, palette, self)
        self._training_commands = TrainingCommands(self.session, self.page)
        asking = (
            self._queue_commands,
            self._file_commands,
            self._runs,
            self._plan_commands,
            self._benchmark,
            self._training_commands,
        )
        self._model_commands = ModelCommands(self.session, self)
        self._parts = (view_commands, self._model_commands, scene_commands, *asking)
        calls = {name: call for part in self._parts for name, call in part.table().items()}
        return calls | self._own_commands()

    def _own_commands(self) -> dict[str, Callable[[], object]]:
        return {
            "try_sample": self.session.try_sample,
            "close_project": self.session.close_project,
            "open_project": self._open_commands.open_project,
            "open_dataset": self._open_commands.open_dataset,
            "mend_project": self._open_commands.mend_project,
            "import_brackets": self._open_commands.import_brackets,
            "leave": self.close,
            "full_screen": self.place.toggle_full_screen,
            "toggle_inspector": self.page.toggle_inspector,
            "toggle_sides": self.page.toggle_sides,
            "focus": self.toggle_focus,
            "clear_region": self._escape,
            "reset_layout": self.page.desk.reset,
            "show_help": self.show_help,
            "show_keys": self.show_keys,
            "show_about": self.show_about,
            "report_problem": self._open_commands.report_problem,
            "show_palette": self.show_palette,
            "edit_keys": self.edit_keys,
            "look_system": partial(self.set_look, "system"),
            "look_dark": partial(self.set_look, "dark"),
            "look_light": partial(self.set_look, "light"),
            "look_contrast": partial(self.set_look, "contrast"),
        }

    def _lay_out(self) -> None:
        self.setWindowTitle("SmartHDR Studio")
        self.setAcceptDrops(True)
        self.setMenuWidget(self.bar)
        self._pages.addWidget(self.start)
        self._pages.addWidget(self.page)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(_with_margins(self._read_only))
        column.addLayout(_with_margins(self.ways))
        column.addWidget(self._pages, 1)
        column.addWidget(self.readout)
        self.setCentralWidget(inside)
        self._over = OverEdge(self.notice, self._pages, self.page.browsing)
        use_folders(self.session.preferences.folders_by_purpose, keep=self._keep_folders)

    def _connect(self) -> None:
        session = self.session
        bars = (self.notice, self.ways, self.readout, self.bar, self.menus, self._read_only)
        session.show_in(self.start, *bars, self)
        session.catalogue_found.connect(self._open_commands.ask_for_place)
        session.rested.connect(self._rested)
        self.page.listen_to(session)
        self.page.tell(session)
        self.page.export_asked.connect(self._export)
        over_scenes = self.page.browsing.bar
        self._scene_commands.decide_by(self.bar, over_scenes)
        over_scenes.tag_asked.connect(self._scene_commands.add_tag)
        over_scenes.note_asked.connect(self._scene_commands.write_note)
        self._preload.timeout.connect(session.training.want_devices)
        self._keeping.timeout.connect(self._keep)
        for changed in (self.place.changed, self.page.desk.rearranged, self.page.rearranged):
            changed.connect(self._keeping.start)
        session.watch(Layout.PARTS, self._keep_soon)
        self.page.desk.changed.connect(self._follow_panels)
        self.page.desk.rearranged.connect(self._over.rearranged)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._dress)

    def _offer_menus(self) -> None:
        lists = (self.page.scenes.list, self.page.browsing.table, self.page.browsing.gallery)
        menus = ContextMenus(self.menus.actions_to_find, self)
        menus.on_scenes(*lists)
        menus.on_views(self.page.views)

    def _connect_bars(self) -> None:
        session = self.session
        self.bar.workspace_picked.connect(session.work_in)
        self.bar.undo_asked.connect(session.curating.undo)
        self.bar.redo_asked.connect(session.curating.redo)
        self.menus.typing_left.connect(self.page.take_keyboard)
        self._connect_start()
        self._connect_ways()
        self.notice.closed.connect(session.dismiss)
        self.notice.open_asked.connect(self._file_commands.open_file)
        self.notice.offer_taken.connect(session.running.take_offer)
        self.readout.cancel_asked.connect(session.cancel)
        self.readout.run_asked.connect(partial(session.work_in, str(Workspace.TRAIN)))

    def _connect_start(self) -> None:
        self.start.sample_asked.connect(self.session.try_sample)
        self.start.dataset_asked.connect(self._open_commands.open_dataset)
        self.start.import_asked.connect(self._open_commands.import_brackets)
        self.start.project_asked.connect(self._open_commands.open_project)
        for recent in (self.start, self.menus):
            recent.recent_picked.connect(self.session.take)

    def _connect_ways(self) -> None:
        labelling, files = self.session.files.labelling, self._file_commands
        self.ways.starter_asked.connect(labelling.use_starter)
        self.ways.file_asked.connect(self._model_commands.ask_to_label)
        self.ways.train_asked.connect(self._training_commands.train_without_labels)
        self.ways.truth_asked.connect(files.import_truth)
        self.ways.bracket_asked.connect(files.merge_bracket)
        self.ways.closed.connect(labelling.close_line)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the start page, or the project."""
        if self._alone and (old.workspace, old.centre) != (new.workspace, new.centre):
            self._stay()
        if old.folder != new.folder:
            self.menus.show_recent(
                [f for f in self.session.preferences.folders() if f != new.folder]
            )
            self._pages.setCurrentWidget(self.page if new.folder else self.start)
            self.setWindowTitle(
                f"{new.project} · SmartHDR Studio" if new.folder else "SmartHDR Studio"
            )
            if new.folder:
                self.page.arrange(self.session.panes)
                self.page.turn_to(new.workspace)

    def load_torch_when_idle(self) -> None:
        """Once the start page is on the screen, before anybody needs to train."""
        self._preload.start()

    def _show_first_state(self) -> None:
        """Every part shows the state it is born with, as if it had changed to it."""
        self.menus.offer(project_is_open=False)
        self.menus.show_recent(self.session.preferences.folders())
        self.menus.show_look(self.session.preferences.look)
        self.session.show_all()

    @Slot()
    def _dress(self) -> None:
        palette = palette_for(self.session.preferences.look)
        self.menus.show_look(self.session.preferences.look)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            dress(application, palette)
        self.page.dress(palette)
        self._queue_commands.dress(palette)
        self._benchmark.dress(palette)

    def _ask_before_leaving(self) -> None:
        box = QMessageBox(self)
        box.setObjectName("leave")
        box.setIcon(QMessageBox.Icon.Question)
        box.setText("A run is going on.")
        box.setInformativeText(
            "It can be stopped and saved now, and resumed later. Cancel leaves the window open and "
            "the run at work."
        )
        stop = box.addButton("Stop and save", QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(cancel)
        box.setEscapeButton(cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        stop.clicked.connect(self.end)
        self.session.running.run_ended.connect(box.close)  # then there is nothing to ask
        box.open()

    @Slot()
    def end(self) -> None:
        """Stop and save what is at work, and close as soon as all is quiet; nothing is asked."""
        self._leaving = True
        self.session.shut_down()
        if self.session.at_rest:
            QTimer.singleShot(0, self.close)

    @Slot()
    def _rested(self) -> None:
        if self._leaving:
            self.close()


def _with_margins(bar: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(8, 0, 8, 0)
    row.addWidget(bar)
    return row
