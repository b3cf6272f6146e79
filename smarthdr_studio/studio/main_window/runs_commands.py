"""What the actions about runs on disk do, and the sheets that ask about them."""

import shlex
from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.studio.main_window.studio_page import StudioPage
from smarthdr_studio.studio.panels.export_sheet import ExportSheet
from smarthdr_studio.studio.panels.runs_back_sheet import RunsBackSheet
from smarthdr_studio.studio.panels.runs_bin_sheet import RunsBinSheet
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.session.layout_file import Layout
from smarthdr_studio.studio.state import Centre, Notice, StudioState


class RunsCommands(QObject):
    """Acts upon the run that is chosen on the page of runs, which comes to the front first."""

    def __init__(
        self,
        session: Session,
        page: StudioPage,
        window: QWidget,
        *,
        show_plan: Callable[[], None],
    ) -> None:
        """`show_plan` opens the editor of the next run's plan."""
        super().__init__(window)
        self._session, self._page, self._window = session, page, window
        self._back: RunsBackSheet | None = None
        self._bin: RunsBinSheet | None = None
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
        session.changed.connect(self._show_sheets)
        session.running.runs.back.layout_wanted.connect(self._arrange)
        session.running.continuing.ready.connect(show_plan)
        page.browsing.run_command_asked.connect(self._do)
        page.all_runs.clicked.connect(self._toggle)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        return {"show_runs": self._toggle, **self._calls}

    @Slot()
    def _toggle(self) -> None:
        self._session.inspection.table.toggle(Centre.RUNS)

    @Slot(str)
    def _do(self, command: str) -> None:
        self._calls[command]()

    def _with_one(self, call: Callable[[RunRow], None]) -> None:
        """Do something with the one run that is chosen, or let one be chosen first."""
        runs = self._session.state.runs
        row = runs.row(runs.chosen[0]) if len(runs.chosen) == 1 else None
        if row is None:
            self._show_page()
            self._session.tell(Notice(text="Choose one run in the list first.", tone="warn"))
        else:
            call(row)

    def _show_page(self) -> None:
        self._session.inspection.table.show(str(Centre.RUNS))

    def _resume(self, row: RunRow) -> None:
        if not row.resumable:
            words = f"{row.id} is {row.status}, so there is nothing to resume."
            self._session.tell(Notice(text=words, tone="warn"))
            return
        self._session.inspection.opinions.forget()
        self._session.running.resume(row.id)
        self._page.go_to_tab("training")

    def _continue(self, row: RunRow) -> None:
        self._session.running.continuing.ask(row.id)

    def _go_back(self, row: RunRow) -> None:
        self._session.running.runs.back.ask(row.id)

    def _export(self, row: RunRow) -> None:
        sheet = ExportSheet(row, self._window)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.wished.connect(self._session.papers.models.export)
        sheet.show()

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
            self._back = RunsBackSheet(self._window)
            self._back.accepted_way.connect(self._session.running.runs.back.go)
            self._back.dropped.connect(self._session.running.runs.back.give_up)
        if new.runs.discarded is not None and self._bin is None:
            self._bin = RunsBinSheet(self._window)
            self._bin.restore_asked.connect(self._session.running.runs.trash.restore)
            self._bin.closed.connect(self._session.running.runs.trash.close)
        for sheet in (self._back, self._bin):
            if sheet is not None:
                sheet.show_state(old, new)
