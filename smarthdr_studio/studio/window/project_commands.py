"""What the actions about files do: ground truths, splits, journals, datasets, reports, the past."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QInputDialog, QWidget

from smarthdr_studio.core.imaging.bracket import Catalogue
from smarthdr_studio.core.project.places import folder_meant, is_model
from smarthdr_studio.studio.dataset.camera_curve import CurveSheet
from smarthdr_studio.studio.dataset.chosen_frames import FramesSheet
from smarthdr_studio.studio.dataset.ground_truth import TruthSheet
from smarthdr_studio.studio.dataset.import_export import DatasetSheet, SplitSheet
from smarthdr_studio.studio.dataset.import_sheet import ImportSheet
from smarthdr_studio.studio.dataset.problem_report import ProblemSheet
from smarthdr_studio.studio.dataset.relocate import RelocateSheet
from smarthdr_studio.studio.dataset.start_page import NewProjectDialog
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Notice, StudioState
from smarthdr_studio.studio.widgets.file_dialogs import begin
from smarthdr_studio.studio.window.charts import ChartExport
from smarthdr_studio.studio.window.sheets import Sheets
from smarthdr_studio.studio.window.studio_page import StudioPage

_PICTURES: Final = (".hdr", ".exr", ".pfm", ".tif", ".tiff", ".png", ".jpg", ".jpeg")
_TABLES: Final = "Tables (*.csv);;JSON (*.json)"
_AskingSheet: TypeAlias = TruthSheet | SplitSheet | RelocateSheet | CurveSheet | FramesSheet
_ASKED: Final = ("truth", "split", "moved", "curve", "frames")  # each by a sheet of its own
_WIDE_ENOUGH: Final = 420  # pixels, for a sentence
_SPLITS: Final = "Lists, tables and JSON (*.txt *.csv *.json);;All files (*)"


class FileCommands(QObject):
    """Asks which files are meant; every sheet stays beside the window and stops nobody."""

    def __init__(
        self,
        session: Session,
        page: StudioPage,
        window: QWidget,
        *,
        sheets: Sheets,
        chosen: Callable[[], tuple[str, ...]],
    ) -> None:
        super().__init__(window)
        self._session, self._page, self._window = session, page, window
        self._chosen, self._sheets = chosen, sheets
        self._asking: dict[str, _AskingSheet] = {}
        session.watch({*_ASKED, *TruthSheet.SHOWS}, self._show_sheets)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        controller = self._session.files.handover
        return {
            "promote_whole": self.promote_whole,
            "promote_with_note": self.promote_with_note,
            "use_truth": self.use_truth,
            "bring_truth": self.import_truth,
            "choose_frames": self.choose_frames,
            "tab_journal": partial(self._page.go_to_tab, "journal"),
            "ask_moment": self.ask_moment,
            "import_split": self.import_split,
            "export_split": partial(
                self._ask_where, "Export split", "split.csv", _TABLES, controller.export_split
            ),
            "export_journal": partial(
                self._ask_where, "Export journal", "journal.csv", _TABLES, controller.export_journal
            ),
            "export_dataset": self.export_dataset,
            "export_report": partial(
                self._ask_where,
                "Review report",
                "review.html",
                "Web page (*.html)",
                controller.export_report,
            ),
            "align_frames": self._session.align_frames,
            "camera_curve": self.show_curve,
            "find_dataset": self._session.files.care.ask_again,
            "accept_pictures": self._session.files.care.ask_again,
        }

    def promote_whole(self) -> None:
        """The selected scenes become labels of which the loss counts everything."""
        self._session.curating.promote(self._chosen(), whole=True)

    def promote_with_note(self) -> None:
        """The same as Promote, and the journal says why."""
        scenes = self._chosen()
        if not scenes:
            return
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle("Promote with a note")
        about = scenes[0] if len(scenes) == 1 else f"{len(scenes)} scenes"
        dialog.setLabelText(f"Why {about}? (kept in the journal)")
        dialog.resize(_WIDE_ENOUGH, dialog.sizeHint().height())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(partial(_promote, self._session, scenes))
        dialog.open()

    def use_truth(self) -> None:
        """The selected scenes are learned from their ground truths, as far as they have one."""
        scenes = self._chosen()
        if scenes:
            self._session.curating.decide(lambda decisions: decisions.use_ground_truth(scenes))

    def choose_frames(self) -> None:
        """Show the bracket of the current scene, and ask which three frames are used."""
        self._session.files.frames.ask()
        self._to_the_front("frames")

    def show_curve(self) -> None:
        """Show the curve that frames are read under, and ask whether it is to be another."""
        self._session.files.curve.ask()
        self._to_the_front("curve")

    def _to_the_front(self, name: str) -> None:
        """What was open already may lie behind other windows."""
        if name in self._asking:
            self._asking[name].raise_()
            self._asking[name].activateWindow()

    def import_truth(self) -> None:
        """Ask for a ground truth, or for the frames of a static bracket, for the current scene."""
        self._ask_for_truth("Ground truth of {scene}: one file, or a bracket")

    def merge_bracket(self) -> None:
        """The same where it is the bracket that is wanted."""
        self._ask_for_truth("Frames of {scene} in which nothing moves, two or more")

    def _ask_for_truth(self, title: str) -> None:
        scene = self._session.state.current
        if scene is None:
            return
        names = " ".join(f"*{suffix}" for suffix in _PICTURES)
        dialog = QFileDialog(self._window, title.format(scene=scene))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        begin(dialog, "ground truth")
        dialog.setNameFilter(f"Pictures ({names})")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(partial(_bring, self._session, scene))
        dialog.open()

    def ask_moment(self) -> None:
        """Type a moment, and see how the project stood."""
        self._page.go_to_tab("journal")
        self._page.journal.ask_moment()

    def import_split(self) -> None:
        """Ask for a file that says which scenes are labelled."""
        dialog = QFileDialog(self._window, "Import split")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        begin(dialog, "import split")
        dialog.setNameFilter(_SPLITS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_hand, self._session.files.handover.read_split))
        dialog.open()

    def export_dataset(self) -> None:
        """Ask how the curated scenes are to be written."""
        self._sheets.show(DatasetSheet, self._made_for_export, about=None, of_project=True)

    def _made_for_export(self) -> DatasetSheet:
        sheet = DatasetSheet(self._session.state, self._window)
        sheet.wished.connect(self._session.files.handover.export_dataset)
        self._session.show_in(sheet)
        return sheet

    def accepts(self, event: QDropEvent) -> bool:
        """Whether something could be done with what is dragged."""
        folder, pictures = _dragged(event)
        return folder is not None or (bool(pictures) and self._session.state.folder is not None)

    def take_drop(self, event: QDropEvent) -> None:
        """Open a folder; pictures are a ground truth of the scene they were dropped on."""
        folder, pictures = _dragged(event)
        if folder is not None:
            self._session.take(folder)
            return
        scene = self._scene_at(event.position().toPoint()) or self._session.state.current
        if pictures and scene is not None:
            self._session.files.truths.look_at(scene, pictures)

    @Slot(object)
    def open_file(self, path: Path) -> None:
        """Show what was written, with whatever program the system has for it."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            words = f"{path}: no program here opens it; open it by hand."
            self._session.tell(Notice(text=words, tone="warn"))

    def _scene_at(self, point: QPoint) -> str | None:
        """The scene in whose line or picture of a list the mouse is."""
        part = self._window.childAt(point)
        while part is not None and not isinstance(part, QAbstractItemView):
            part = part.parentWidget()
        if not isinstance(part, QAbstractItemView):
            return None
        index = part.indexAt(part.viewport().mapFrom(self._window, point))
        name = index.siblingAtColumn(0).data()
        return name if self._session.state.row(name) is not None else None

    def _ask_where(self, title: str, name: str, kinds: str, write: Callable[[Path], None]) -> None:
        state = self._session.state
        beside = state.folder.parent if state.folder is not None else Path.home()
        dialog = QFileDialog(self._window, title, str(beside))
        begin(dialog, title.lower())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(kinds)
        dialog.setDefaultSuffix(Path(name).suffix)
        dialog.selectFile(f"{state.project}-{name}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_hand, write))
        dialog.open()

    @Slot(object, object)
    def _show_sheets(self, old: StudioState, new: StudioState) -> None:
        for name in _ASKED:
            if getattr(new, name) is not None and name not in self._asking:
                self._asking[name] = self._made(name)
        for sheet in self._asking.values():
            sheet.show_state(old, new)

    def _made(self, name: str) -> _AskingSheet:
        files = self._session.files
        if name == "truth":
            truth = TruthSheet(self._window)
            truth.used.connect(files.truths.use)
            truth.given_up.connect(files.truths.give_up)
            truth.asked_again.connect(files.truths.look_at)
            return truth
        if name == "split":
            split = SplitSheet(self._window)
            split.accepted_split.connect(files.handover.import_split)
            split.dropped.connect(files.handover.drop_split)
            return split
        if name == "curve":
            curve = CurveSheet(self._window)
            curve.wished.connect(files.curve.wish)
            curve.used.connect(files.curve.use)
            curve.given_up.connect(files.curve.give_up)
            ChartExport(self._session, (curve.choice.chart,), curve)
            return curve
        if name == "frames":
            frames = FramesSheet(self._window)
            frames.chosen.connect(files.frames.use)
            frames.given_up.connect(files.frames.give_up)
            return frames
        moved = RelocateSheet(self._window)
        moved.folder_given.connect(files.care.relocate)
        moved.pictures_accepted.connect(files.care.accept)
        moved.not_now.connect(files.care.not_now)
        return moved


def _dragged(event: QDropEvent) -> tuple[Path | None, tuple[Path, ...]]:
    """The first folder or model among what is dragged, and all pictures."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    opens = (path for path in paths if folder_meant(path).is_dir() or is_model(path))
    folder = next(opens, None)
    return folder, tuple(path for path in paths if path.suffix.casefold() in _PICTURES)


def _promote(session: Session, scenes: tuple[str, ...], note: str) -> None:
    session.curating.promote(scenes, note=note.strip())


def _bring(session: Session, scene: str, names: list[str]) -> None:
    session.files.truths.look_at(scene, tuple(map(Path, names)))


def _hand(call: Callable[[Path], None], name: str) -> None:
    call(Path(name))


class OpenCommands(QObject):
    """Every question is put in a window of its own and stops nobody."""

    def __init__(self, session: Session, window: QWidget, *, sheets: Sheets) -> None:
        super().__init__(window)
        self._session, self._window, self._sheets = session, window, sheets
        self._importing: ImportSheet | None = None

    @Slot()
    def import_brackets(self) -> None:
        """Look at a folder of brackets step by step, and make a project of it."""
        if self._importing is None:
            self._importing = self._made_for_import()
        self._session.bringing.begin()
        self._importing.activateWindow()

    @Slot(object)
    def _look_at_brackets(self, folder: Path) -> None:
        """The same of a folder that was opened already."""
        self.import_brackets()
        self._session.bringing.look_into(folder)

    def _made_for_import(self) -> ImportSheet:
        bringing, sheet = self._session.bringing, ImportSheet(self._window)
        sheet.folder_given.connect(bringing.look_into)
        sheet.step_wanted.connect(bringing.go_to)
        sheet.place_given.connect(bringing.make)
        sheet.cancelled.connect(bringing.cancel)
        sheet.given_up.connect(bringing.give_up)
        sheet.brackets.corrected.connect(bringing.correct)
        sheet.brackets.previews_wanted.connect(bringing.want_previews)
        sheet.exposures.step_given.connect(bringing.set_ev_step)
        sheet.exposures.align_wished.connect(bringing.align_frames)
        sheet.exposures.curve_wished.connect(bringing.read_under)
        bringing.previews_made.connect(sheet.brackets.take_previews)
        ChartExport(self._session, (sheet.exposures.curve.chart,), sheet)
        self._session.watch(ImportSheet.SHOWS, sheet.show_state)
        return sheet

    @Slot()
    def open_project(self) -> None:
        """Ask for a project folder."""
        self._ask_for_folder("Open a project (NAME.shdr)", self._session.take)

    @Slot()
    def open_dataset(self) -> None:
        """Ask for a dataset folder."""
        self._ask_for_folder("Open a dataset folder", self._session.take)

    @Slot()
    def mend_project(self) -> None:
        """Ask for a project folder to be looked over."""
        self._ask_for_folder("Mend a project (NAME.shdr)", self._session.mend)

    @Slot(object)
    def ask_for_place(self, catalogue: Catalogue) -> None:
        """Ask where the project over these scenes is to lie."""
        root = catalogue.root.resolve()
        place = root.with_name(f"{root.name}.shdr")
        dialog = NewProjectDialog(catalogue, place=place, parent=self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._session.create_project)
        dialog.look_asked.connect(self._look_at_brackets)
        dialog.open()

    @Slot()
    def report_problem(self) -> None:
        """Say what would be collected, and ask where to."""
        opened = self._session.state.folder is not None
        make = partial(self._made_for_a_problem, with_project=opened)
        self._sheets.show(ProblemSheet, make, about=opened, of_project=opened)

    def _made_for_a_problem(self, *, with_project: bool) -> ProblemSheet:
        sheet = ProblemSheet(with_project=with_project, parent=self._window)
        sheet.place_given.connect(self._session.files.problems.collect)
        return sheet

    def _ask_for_folder(self, title: str, take: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self._window, title)
        begin(dialog, title.partition(" (")[0].lower())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_hand, take))
        dialog.open()
