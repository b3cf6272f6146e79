"""Help ▸ Report a problem: says what would be collected, asks where to, and collects it."""

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.environment import utc_day
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice, Written
from smarthdr_studio.studio.tasks import How, LatestTask, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import button
from smarthdr_studio.studio.widgets.file_dialogs import begin


def collect_problem(report: Report, *, path: Path, logs: Path, project: Path | None) -> Written:
    """Write the zip, and say what is in it. Raises ExportError."""
    from smarthdr_studio.core.reporting.problem import write_problem

    lines = write_problem(path, logs=logs, project=project, tell=report)
    words = f"The report is in {path}; look through it before you hand it on. Nothing was sent."
    return Written(words=words, path=path, details=lines)


class ProblemController(QObject):
    """Collects on a thread; the report is finished even where the project is left meanwhile."""

    def __init__(self, store: Store, tasks: TaskRunner, *, logs: Path) -> None:
        super().__init__(store)
        self._store, self._logs = store, logs
        self._collecting = LatestTask(tasks, how=How(shown=True), outlives_project=True)

    @Slot(object)
    def collect(self, path: Path) -> None:
        """Write the report there; what doctor finds in the open project is in it."""
        if not self._store.may_write(path):
            return
        folder = self._store.state.folder
        job = partial(collect_problem, path=path, logs=self._logs, project=folder)
        self._collecting.start(job, self._written)

    def cancel(self) -> None:
        """Give up what is being written."""
        self._collecting.cancel()

    def _written(self, written: Written) -> None:
        self._store.notice(Notice(text=written.words, opens=written.path, details=written.details))


_WIDTH: Final = 520


class ProblemSheet(QDialog):
    """Not modal; nothing is collected before a place is chosen, and nothing is ever sent."""

    place_given = Signal(object)

    def __init__(self, *, with_project: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Report a problem")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QLabel(_in_words(with_project=with_project))
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        words.setMinimumWidth(_WIDTH)
        self._save = button("Save report…", tip="Choose where the zip is written (Enter)")
        self._cancel = button("Cancel", tip="Nothing is collected (Esc)")
        self._save.setDefault(True)
        self._save.clicked.connect(self._ask_where)
        self._cancel.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._cancel)
        row.addWidget(self._save)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addWidget(words)
        column.addLayout(row)

    @Slot()
    def _ask_where(self) -> None:
        dialog = QFileDialog(self, "Save report", str(Path.home()))
        begin(dialog, "problem report")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Zip (*.zip)")
        dialog.setDefaultSuffix(".zip")
        dialog.selectFile(f"smarthdr-studio-problem-{utc_day()}.zip")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_place)
        dialog.open()

    @Slot(str)
    def _take_place(self, name: str) -> None:
        self.place_given.emit(Path(name))
        self.close()


def _in_words(*, with_project: bool) -> str:
    lines = [
        "A zip of text files is written where you choose:",
        "•  versions of the program, Python, Qt, torch and the system",
        "•  the log of this program and what it kept of crashes",
    ]
    if with_project:
        lines.append("•  what doctor finds in the open project")
    last = (
        "No pictures and no project files are in it. Logs and findings name files and scenes, with "
        "~ for your home folder. Nothing is sent: look through it, then hand it on yourself."
    )
    return "\n".join((*lines, "", last))
