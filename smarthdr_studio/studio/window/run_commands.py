"""What the actions about runs do: on disk, at work, and the plan of the next one."""

import shlex
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from smarthdr_studio.core.training.presets import presets
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.studio.runs.model_export import ExportSheet
from smarthdr_studio.studio.runs.rollback import RollbackSheet
from smarthdr_studio.studio.runs.trash import RunTrashSheet
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.settings import Layout
from smarthdr_studio.studio.state import (
    EDITED,
    Centre,
    Notice,
    QueueKind,
    StudioState,
    Workspace,
    refused,
)
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.training.plan_editor import PlanEditor
from smarthdr_studio.studio.window.charts import ChartExport
from smarthdr_studio.studio.window.sheets import Sheets
from smarthdr_studio.studio.window.studio_page import StudioPage

if TYPE_CHECKING:
    from smarthdr_studio.studio.runs.benchmark_sheet import BenchmarkSheet


class RunsCommands(QObject):
    """Acts upon the run that is chosen on the page of runs, which comes to the front first."""

    def __init__(
        self,
        session: Session,
        page: StudioPage,
        window: QWidget,
        *,
        sheets: Sheets,
        show_plan: Callable[[], None],
    ) -> None:
        """`show_plan` opens the editor of the next run's plan."""
        super().__init__(window)
        self._sheets = sheets
        self._session, self._page, self._window = session, page, window
        self._back: RollbackSheet | None = None
        self._bin: RunTrashSheet | None = None
        self._exported = ""  # the run whose model is exported as soon as it is known
        self._calls: dict[str, Callable[[], object]] = {
            "run_resume": partial(self._with_one, self._resume),
            "run_continue": partial(self._with_one, self._continue),
            "run_go_back": partial(self._with_one, self._go_back),
            "run_export": partial(self._with_one, self._export),
            "run_note": partial(self._with_one, self._write_note),
            "run_folder": partial(self._with_one, self._open_folder),
            "run_copy": partial(self._with_one, self._copy),
            "run_discard": self._discard,
            "run_restore": self._restore,
        }
        session.watch(RollbackSheet.SHOWS | RunTrashSheet.SHOWS, self._show_sheets)
        session.running.runs.back.layout_wanted.connect(self._arrange)
        session.running.continuing.ready.connect(show_plan)
        page.browsing.run_command_asked.connect(self._do)
        session.running.next_asked.connect(self._go_on_with)
        session.watch({"runs"}, self._follow)
        page.training.all_runs.clicked.connect(self._toggle)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        return {"show_runs": self._toggle, **self._calls}

    @Slot()
    def _toggle(self) -> None:
        self._session.inspection.table.toggle(Centre.RUNS)

    @Slot(str, str)
    def _go_on_with(self, asks: str, run: str) -> None:
        """What a person wants to do with a run that has come to its end, or with pseudo-labels."""
        if asks == "least_trusted":
            if self._session.state.workspace is Workspace.TRAIN:  # where no picture is
                self._session.work_in(str(Workspace.INSPECT))
            self._session.inspection.thresholds.least_trusted()
            return
        if asks == "review":
            self._session.work_in(str(Workspace.CURATE))
            self._session.recommendations.queue.pick(QueueKind.SAFEST)
            self._session.recommendations.queue.step(1)
            return
        self._show_page()
        self._session.running.runs.choose((run,))
        if asks == "evaluate" and self._page.browsing.runs is not None:
            self._page.browsing.runs.tabs.go("evaluation")
            self._session.files.evaluations.measure_unless_known(run)
        elif asks == "export":
            self._exported = run
            self._follow(self._session.state, self._session.state)

    @Slot(object, object)
    def _follow(self, _old: StudioState, new: StudioState) -> None:
        """The run whose model is wanted may have to be read first."""
        row = new.runs.row(self._exported)
        if row is not None:
            self._exported = ""
            self._export(row)

    @Slot(str)
    def _do(self, command: str) -> None:
        self._calls[command]()

    def _with_one(self, call: Callable[[RunRow], None]) -> None:
        """Do something with the one run that is chosen, or let one be chosen first."""
        runs = self._session.state.runs
        row = runs.row(runs.chosen[0]) if len(runs.chosen) == 1 else None
        if row is None:
            self._show_page()
            self._session.tell(refused("Choose one run in the list first."))
        else:
            call(row)

    def _show_page(self) -> None:
        self._session.inspection.table.show(str(Centre.RUNS))

    def _resume(self, row: RunRow) -> None:
        if not row.resumable:
            words = f"{row.id} is {row.status}, so there is nothing to resume."
            self._session.tell(refused(words))
            return
        self._session.inspection.predictions.forget()
        self._session.training.resume(row.id)
        self._page.go_to_tab("training")

    def _continue(self, row: RunRow) -> None:
        self._session.running.continuing.ask(row.id)

    def _go_back(self, row: RunRow) -> None:
        self._session.running.runs.back.ask(row.id)

    def _export(self, row: RunRow) -> None:
        make = partial(self._made_for_export, row)
        self._sheets.show(ExportSheet, make, about=row.id, of_project=True)

    def _made_for_export(self, row: RunRow) -> ExportSheet:
        sheet = ExportSheet(row, self._window)
        sheet.wished.connect(self._session.files.models.export)
        self._session.show_in(sheet)
        return sheet

    def _write_note(self, _row: RunRow) -> None:
        self._show_page()
        if self._page.browsing.runs is not None:
            self._page.browsing.runs.write_note()

    def _open_folder(self, row: RunRow) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(row.folder))):
            words = f"{row.folder}: no program here opens folders; open it by hand."
            self._session.tell(Notice(text=words, tone="warn"))

    def _copy(self, row: RunRow) -> None:
        command = (
            f"smarthdr-studio train {shlex.quote(str(row.folder.parents[1]))} --resume {row.id}"
        )
        QGuiApplication.clipboard().setText(command)
        self._session.tell(Notice(text=f"Copied: {command}"))

    def _discard(self) -> None:
        self._show_page()
        self._session.running.runs.trash.ask()

    def _restore(self) -> None:
        self._show_page()
        self._session.running.runs.trash.look()

    @Slot(object)
    def _arrange(self, layout: Layout) -> None:
        self._session.look_as(layout)
        self._page.arrange(self._session.panes)

    @Slot(object, object)
    def _show_sheets(self, old: StudioState, new: StudioState) -> None:
        if new.runs.way_back is not None and self._back is None:
            self._back = RollbackSheet(self._window)
            self._back.accepted_way.connect(self._session.running.runs.back.go)
            self._back.dropped.connect(self._session.running.runs.back.give_up)
        if new.runs.discarded is not None and self._bin is None:
            self._bin = RunTrashSheet(self._window)
            self._bin.restore_asked.connect(self._session.running.runs.trash.restore)
            self._bin.closed.connect(self._session.running.runs.trash.close)
        for sheet in (self._back, self._bin):
            if sheet is not None:
                sheet.show_state(old, new)


class BenchmarkCommands(QObject):
    """The sheet is built when it is first asked for; a cell's run is shown on the page of runs."""

    def __init__(self, session: Session, palette: Palette, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._palette, self._window = session, palette, window
        self._wanted: tuple[Path, str] | None = None
        self.sheet: BenchmarkSheet | None = None
        session.running.benchmark.run_wanted.connect(self._open)
        session.watch({"folder"}, self._follow)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        return {"benchmark": self.show}

    @Slot()
    def show(self) -> None:
        """Show the sheet, at first for the dataset of the open project."""
        if self.sheet is None:
            self.sheet = self._made()
        self.sheet.show()
        self.sheet.activateWindow()
        self.sheet.propose(*self._session.running.benchmark.beside())

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._palette = palette
        if self.sheet is not None:
            self.sheet.dress(palette)

    @Slot(object, str)
    def _open(self, project: Path, run: str) -> None:
        """Show a run; its project is opened first."""
        self._wanted = project, run
        folder = self._session.state.folder
        if folder is not None and folder.resolve() == project.resolve():
            self._show_run()
        else:
            self._session.take(project)

    @Slot(object, object)
    def _follow(self, _old: StudioState, new: StudioState) -> None:
        wanted = self._wanted
        if wanted is not None and new.folder is not None:
            if new.folder.resolve() == wanted[0].resolve():
                QTimer.singleShot(0, self._show_run)  # once the project has been taken in whole
            else:
                self._wanted = None

    @Slot()
    def _show_run(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._session.inspection.table.show(str(Centre.RUNS))
            self._session.running.runs.choose((wanted[1],))

    def _made(self) -> "BenchmarkSheet":
        from smarthdr_studio.studio.runs.benchmark_sheet import BenchmarkSheet

        controller, sheet = (
            self._session.running.benchmark,
            BenchmarkSheet(self._palette, self._window),
        )
        self._session.show_in(sheet)
        sheet.show_state(StudioState(), self._session.state)
        sheet.chosen.connect(controller.choose)
        sheet.start_asked.connect(controller.start)
        sheet.stop_asked.connect(controller.stop)
        sheet.cell_opened.connect(controller.open_cell)
        sheet.table_wished.connect(controller.export_table)
        sheet.figure_wished.connect(controller.export_figure)
        sheet.seen.connect(controller.watch)
        self.exporting = ChartExport(self._session, (sheet.curve,), sheet)
        return sheet


_NO_LABEL: Final = "quick-selfhdr"  # the preset that trains without any


class TrainingCommands:
    """Starts and steers runs; brings the panel to the front where it has to ask first."""

    def __init__(self, session: Session, page: StudioPage) -> None:
        self._session, self._page = session, page
        steering, panel = session.running.steering, page.training
        panel.train_asked.connect(self.train)
        panel.resume_asked.connect(self.resume)
        panel.pause_asked.connect(steering.pause_or_go_on)
        panel.stop_asked.connect(steering.stop)
        panel.snapshot_asked.connect(steering.snapshot)
        panel.round_asked.connect(steering.skip_to_round)
        panel.rate_picked.connect(steering.set_learning_rate)
        panel.refresh_picked.connect(steering.set_refresh)
        panel.discard_confirmed.connect(session.running.discard)
        panel.devices_wanted.connect(session.training.want_devices)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        steering = self._session.running.steering
        return {
            "train": self.train,
            "train_without_labels": self.train_without_labels,
            "resume": self.resume,
            "pause": steering.pause_or_go_on,
            "stop": steering.stop,
            "discard": self.discard,
            "save_snapshot": steering.snapshot,
            "skip_to_round": steering.skip_to_round,
            "change_rate": self.change_rate,
            "change_refresh": self.change_refresh,
        }

    def train(self) -> None:
        """Start a run as the panel says."""
        self._train(self._page.training.preset)

    def train_without_labels(self) -> None:
        """Start a run that needs no label, where the panel says."""
        self._train(_NO_LABEL)

    def _train(self, preset: str) -> None:
        self._session.inspection.predictions.forget()
        self._session.training.train(preset=preset, device=self._page.training.device)

    def resume(self) -> None:
        """Go on with the last run."""
        self._session.inspection.predictions.forget()
        self._session.training.resume(device=self._page.training.device)

    def discard(self) -> None:
        """Ask whether the run on the screen is to go."""
        self._page.go_to_tab("training")
        if not self._page.training.ask_discard():
            words = "There is no run to discard here; All runs can discard one that is done."
            self._session.tell(refused(words))

    def change_rate(self) -> None:
        """Ask for another learning rate."""
        if self._session.running.steering.somebody_listens():
            self._page.go_to_tab("training")
            self._page.training.ask_rate()

    def change_refresh(self) -> None:
        """Ask how many epochs are to lie between two rounds."""
        if self._session.running.steering.somebody_listens():
            self._page.go_to_tab("training")
            self._page.training.ask_refresh()


class PlanCommands(QObject):
    """The editor is built when it is first asked for."""

    def __init__(self, session: Session, page: StudioPage, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._page, self._window = session, page, window
        self.editor: PlanEditor | None = None
        page.training.plan_asked.connect(self.show)
        session.watch({"planning"}, self._offer)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        return {"plan_run": self.show}

    @Slot()
    def show(self) -> None:
        """Show the plan, at first of the preset that is picked for the next run."""
        if self.editor is None:
            self.editor = self._made()
        self._session.running.plans.want(self._page.training.preset)
        self.editor.show()
        self.editor.show_state(self._session.state, self._session.state)
        self.editor.activateWindow()

    @Slot()
    def train(self) -> None:
        """Start a run by the plan in the editor; the list of runs gives way to what shows it."""
        self._session.inspection.predictions.forget()
        if self._session.state.centre is Centre.RUNS:
            self._session.inspection.table.show(str(Centre.PICTURES))
        self._session.training.train(preset=EDITED, device="auto")

    @Slot(object, object)
    def _offer(self, old: StudioState, new: StudioState) -> None:
        """The presets of now, and the edited plan where there is one."""
        before, now = old.planning, new.planning
        if before.book is now.book and bool(before.differs) == bool(now.differs):
            return
        names = tuple(each.name for each in now.book.presets) if now.book is not None else presets()
        self._page.training.offer_presets((*names, *((EDITED,) if now.differs else ())))

    def _made(self) -> PlanEditor:
        session, controller = self._session, self._session.running.plans
        editor = PlanEditor(self._window)
        session.show_in(editor)
        session.left.connect(editor.close)
        editor.preset_picked.connect(controller.pick_preset)
        editor.form.typed.connect(controller.set_text)
        editor.form.reset_asked.connect(controller.reset)
        editor.reset_all_asked.connect(controller.reset)
        editor.aside_wanted.connect(controller.take_aside)
        editor.devices.picked.connect(self._take_device)
        editor.estimate.asked.connect(controller.estimate)
        editor.estimate.cancelled.connect(controller.give_up)
        editor.keeping.name_typed.connect(controller.weigh_name)
        editor.keeping.save_wished.connect(controller.save_as)
        editor.keeping.delete_wished.connect(controller.delete)
        editor.train_asked.connect(self.train)
        return editor

    @Slot(str)
    def _take_device(self, name: str) -> None:
        self._session.running.plans.set_text("device", name)
