"""Writes a model of a run as one file, on a thread, and says what became of it."""

from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.errors import CheckpointError, ExportError
from smarthdr_studio.core.project.places import MODEL_SUFFIXES, ModelForm
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.run_folder import run_of
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import (
    PARTS,
    WHICH,
    ModelWish,
    Notice,
    Part,
    StudioState,
    Which,
    Written,
    refused,
)
from smarthdr_studio.studio.tasks import How, LatestTask, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import Choice, button, caption, describe


def put_model(report: Report, *, project: Path, wish: ModelWish) -> Written:
    """Writes the file whole or not at all; given up between two of its steps.

    Raises CheckpointError: the run has no checkpoint or a damaged one; ExportError: the file
    cannot be written, packages are missing, or it answers otherwise than ours.
    """
    report("loading torch", 0, 0)
    from smarthdr_studio.learning.export import export_model

    suffix = MODEL_SUFFIXES[wish.form]
    if wish.file.suffix.casefold() != suffix:
        right = wish.file.with_suffix(suffix)
        raise ExportError(f"{wish.file}: this kind ends in {suffix}; name it {right.name}")
    checkpoint = checkpoint_of(run_of(project, wish.run).path, which=wish.which)
    for event in export_model(
        checkpoint, wish.file, form=wish.form, part=wish.part, project=project
    ):
        if isinstance(event, PhaseChanged):
            report(event.text, event.done, event.total)
        else:
            size = f"{event.bytes / 1e6:.1f} MB"
            words = f"The {event.card.title}, is in {event.path} ({size}); it {event.words}."
            return Written(words=words, path=event.path)
    raise ExportError(f"{wish.file}: nothing was written; export again")


def checkpoint_of(run: Path, *, which: Which) -> Path:
    """The best or the last checkpoint of a run folder. Raises CheckpointError."""
    from smarthdr_studio.core.training.run_folder import best_checkpoint, checkpoints_of

    found = checkpoints_of(run)
    if not found:
        raise CheckpointError(f"{run}: has no checkpoint yet; train on, or choose another run")
    return found[-1] if which == "last" else best_checkpoint(run) or found[-1]


class ExportModelController(QObject):
    """One model at a time; what is given up or fails leaves nothing half-written."""

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._writing = LatestTask(tasks, how=How(shown=True))

    @Slot(object)
    def export(self, wish: ModelWish) -> None:
        """Write a file as wished."""
        if self._writing.at_work:
            busy = "A model is being written already; wait for it, or cancel it below."
            self._store.notice(refused(busy))
        elif self._store.project is not None:
            job = partial(put_model, project=self._store.project.folder, wish=wish)
            self._writing.start(job, self._written)

    def cancel(self) -> None:
        """Give up what is being written."""
        self._writing.cancel()

    def _written(self, written: Written) -> None:
        self._store.notice(Notice(text=written.words, opens=written.path.parent))


_WIDTH: Final = 640
_PARTS: Final = {
    "teacher": "The slow average of the student: makes the pseudo-labels, and is usually better",
    "student": "The network that learns by gradient",
}
_WHICH: Final = {
    "best": "The checkpoint with the highest PSNR-μ on held-out labels; without any the last",
    "last": "The newest checkpoint",
}
_FORMS: Final[dict[str, ModelForm]] = {
    "Bundle": "bundle",
    "Safetensors": "safetensors",
    "TorchScript": "torchscript",
    "ONNX": "onnx",
}
_ABOUT: Final[dict[ModelForm, str]] = {
    "bundle": "One file that merge, label, evaluate, a new run and this window take: weights, and "
    "what the network wants to be fed with, in words.",
    "safetensors": "Weights alone, with where they are from in the header. For programs that know "
    "the network.",
    "torchscript": "A graph that torch runs without this program: square tiles of the plan, any "
    "batch. It is compared with ours, and kept only if it answers the same.",
    "onnx": "A graph for ONNX runtimes: square tiles of the plan, any batch. It is compared with "
    "ours, which can take minutes. Needs smarthdr-studio[onnx].",
}


class ExportSheet(QDialog):
    """Not modal; nothing is written before Export."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs"})

    wished = Signal(object)

    def __init__(self, row: RunRow, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export model")
        self._run, self._beside = row.id, row.folder.parents[1].parent
        self._part: Part = "teacher"
        self._which: Which = "best"
        self._form: ModelForm = "bundle"
        self._parts, self._whiches = (
            Choice(_PARTS, name="Network"),
            Choice(_WHICH, name="Checkpoint"),
        )
        self._forms = Choice({word: _ABOUT[form] for word, form in _FORMS.items()}, name="As")
        self._about, self._known = QLabel(), caption("", role="muted")
        self._path = QLineEdit()
        self._browse = button("Browse…", tip="Choose where the file is written")
        self._cancel = button("Cancel", tip="Nothing is written (Esc)")
        self._export = button("Export", tip="Write the file (Enter)", role="primary")
        self._own_name = ""  # what the sheet proposed; a name that was typed stays
        self._lay_out(row)
        self._show()
        self._parts.picked.connect(self._take_part)
        self._whiches.picked.connect(self._take_which)
        self._forms.picked.connect(self._take_form)
        self._path.textChanged.connect(self._weigh)
        self._browse.clicked.connect(self._ask_for_file)
        self._export.clicked.connect(self.accept)
        self._cancel.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Say what validation has found by now; of a run that is gone nothing is exported."""
        row = new.runs.row(self._run)
        if row is not None:
            self._known.setText(_known(row))
        elif new.runs.looked:
            self.reject()

    def accept(self) -> None:
        """Say how it is wished."""
        self.wished.emit(
            ModelWish(
                run=self._run,
                file=Path(self._path.text().strip()),
                part=self._part,
                which=self._which,
                form=self._form,
            )
        )
        super().accept()

    @Slot(str)
    def _take_part(self, word: str) -> None:
        self._part = next(part for part in PARTS if part == word)
        self._show()

    @Slot(str)
    def _take_which(self, word: str) -> None:
        self._which = next(which for which in WHICH if which == word)
        self._show()

    @Slot(str)
    def _take_form(self, word: str) -> None:
        self._form = _FORMS[word]
        self._show()

    @Slot()
    def _weigh(self) -> None:
        path = Path(self._path.text().strip())
        right = path.is_absolute() and path.suffix.casefold() == MODEL_SUFFIXES[self._form]
        self._export.setEnabled(right)
        wrong = f"An absolute path that ends in {MODEL_SUFFIXES[self._form]} is needed"
        self._export.setToolTip("Write the file (Enter)" if right else wrong)

    @Slot()
    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, "Export model", str(Path(self._path.text()).parent))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"*{MODEL_SUFFIXES[self._form]}")
        dialog.setDefaultSuffix(MODEL_SUFFIXES[self._form].removeprefix("."))
        dialog.selectFile(Path(self._path.text()).name)
        dialog.fileSelected.connect(self._path.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show(self) -> None:
        """Mark what is picked, say what it is, and propose a name for it."""
        self._parts.show_word(self._part)
        self._whiches.show_word(self._which)
        self._forms.show_word(next(word for word, form in _FORMS.items() if form == self._form))
        self._about.setText(_ABOUT[self._form])
        typed, suffix = self._path.text(), MODEL_SUFFIXES[self._form]
        proposed = str(self._beside / f"{self._run}-{self._which}-{self._part}{suffix}")
        whole = typed in ("", self._own_name)
        self._path.setText(proposed if whole else str(Path(typed).with_suffix(suffix)))
        self._own_name = proposed
        self._weigh()

    def _lay_out(self, row: RunRow) -> None:
        describe(
            self._path, name="File", tip="The file that is written; one of its name is replaced"
        )
        self._about.setWordWrap(True)
        self._about.setProperty("role", "muted")
        self._about.setMinimumHeight(3 * self._about.fontMetrics().lineSpacing())
        self._export.setDefault(True)
        for other in (self._browse, self._cancel):
            other.setAutoDefault(False)
        grid, place, last = QGridLayout(), QHBoxLayout(), QHBoxLayout()
        lines = (("Network", self._parts), ("Checkpoint", self._whiches), ("As", self._forms))
        for line, (name, choice) in enumerate(lines):
            grid.addWidget(caption(name), line, 0)
            grid.addWidget(choice, line, 1)
        self._known.setText(_known(row))
        grid.addWidget(self._known, 1, 2)
        grid.setColumnStretch(2, 1)
        place.addWidget(self._path, 1)
        place.addWidget(self._browse)
        last.addStretch(1)
        last.addWidget(self._cancel)
        last.addWidget(self._export)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(caption(row.id, role="title"))
        column.addLayout(grid)
        column.addWidget(self._about)
        column.addLayout(place)
        column.addLayout(last)
        self.setMinimumWidth(_WIDTH)


def _known(row: RunRow) -> str:
    """What validation found, in a few words."""
    if row.best is None:
        return "no label was held out, so the last is the best"
    return f"best PSNR-μ {row.best.psnr_mu:.2f} dB"
