"""Looks at a ground truth that a person imports, and keeps it when told to."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from PySide6.QtCore import QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.datasets.ground_truth import NO_FIX, NO_SHIFT, TruthFix, apply_fix
from smarthdr_studio.core.display import Rgb8
from smarthdr_studio.core.imaging.bracket import decode_bracket, to_ground_truth
from smarthdr_studio.core.imaging.image_files import read_radiance
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.labels import provenance_of
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.core.words import number
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import StudioState, TruthState, TruthWish
from smarthdr_studio.studio.tasks import How, LatestTask, Report, TaskRunner
from smarthdr_studio.studio.widgets.controls import ElidedLabel, button, caption, clear, describe

if TYPE_CHECKING:
    from smarthdr_studio.core.datasets.ground_truth import TruthFindings, TruthPictures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImportedTruth:
    """The radiance as it was read or merged, H×W×3, where it is from, and what was found."""

    scene: str
    files: tuple[Path, ...]
    findings: "TruthFindings"
    pictures: "TruthPictures"
    radiance: Floats = field(repr=False)


def look_at_truth(
    report: Report,
    *,
    folder: Path,
    scene: str,
    files: tuple[Path, ...],
    evs: tuple[float, ...] | None,
) -> ImportedTruth:
    """Check one file, or merge a static bracket and check that. Raises StudioError."""
    from smarthdr_studio.core.datasets.ground_truth import comparison_pictures, inspect_radiance
    from smarthdr_studio.core.datasets.static_merge import merge_static

    report(f"reading {scene}", 0, 3)
    with Project.open(folder) as project:
        of = project.scene(scene)
    bracket = decode_bracket(of)
    report(f"looking at {files[0].name}", 1, 3)
    if len(files) > 1:
        merged = merge_static(files, evs, of, bracket)
        radiance, findings = merged.radiance, merged.findings
    else:
        radiance = read_radiance(files[0])
        if of.ground_truth is not None and files[0].resolve() == of.ground_truth.resolve():
            radiance = to_ground_truth(radiance, of)
        findings = inspect_radiance(radiance, of, bracket, source=files[0].name)
    report(f"looking at {files[0].name}", 2, 3)
    return ImportedTruth(
        scene=scene,
        files=files,
        findings=findings,
        pictures=comparison_pictures(radiance, bracket, findings.suggested),
        radiance=radiance,
    )


def keep_truth(
    report: Report, *, folder: Path, imported: ImportedTruth, fix: TruthFix, note: str
) -> None:
    """Freeze it in the project as the scene's ground truth. Raises StudioError."""
    report(f"importing {imported.files[0].name}", 0, 0)
    with Project.open(folder) as project:
        Decisions(project).import_truth(
            imported.scene,
            apply_fix(imported.radiance, fix),
            provenance=provenance_of(imported.files, fix),
            note=note,
        )


class TruthController(QObject):
    """One ground truth at a time; nothing is decided before the person has seen what was found."""

    def __init__(self, store: Store, tasks: TaskRunner, curating: CurationController) -> None:
        super().__init__(store)
        self._store, self._curating = store, curating
        self._looking = LatestTask(tasks, how=How(shown=True))
        self._imported: ImportedTruth | None = None
        self._evs: tuple[float, ...] | None = None  # of the files that are asked about
        store.switched.connect(self._switch)

    @property
    def at_work(self) -> bool:
        """Whether files are being looked at."""
        return self._looking.at_work

    @Slot()
    def _switch(self) -> None:
        """Of a project that was only read anew the sheet stays; its findings are made again."""
        self._imported = None
        truth = self._store.state.truth
        if truth is not None and self._store.project is not None:
            self.look_at(truth.scene, truth.files, self._evs)

    def take_journal(self, journal: JournalReading) -> None:
        """The scene may have another status than when it was asked about."""
        truth = self._store.state.truth
        if truth is not None:
            replaces = _replaced(journal.statuses[truth.scene])
            if replaces != truth.replaces:
                self._store.become(truth=replace(truth, replaces=replaces))

    @Slot(str, object, object)
    def look_at(
        self, scene: str, files: tuple[Path, ...], evs: tuple[float, ...] | None = None
    ) -> None:
        """Look at one file, or at the frames of a static bracket, for this scene."""
        if self._store.project is None or not files:
            return
        self._imported, self._evs = None, evs
        replaces = _replaced(self._store.project.statuses()[scene])
        self._store.become(truth=TruthState(scene=scene, files=files, replaces=replaces))
        job = partial(
            look_at_truth,
            folder=self._store.project.folder,
            scene=scene,
            files=files,
            evs=evs,
        )
        self._looking.start(job, self._looked, self._refused)

    @Slot(object)
    def use(self, wish: TruthWish) -> None:
        """Keep what was looked at as the scene's ground truth."""
        imported, self._imported = self._imported, None
        if self._store.project is None or imported is None:
            return
        self._store.become(truth=None)
        job = partial(
            keep_truth,
            folder=self._store.project.folder,
            imported=imported,
            fix=wish.fix,
            note=wish.note,
        )
        words = f"import the ground truth of {imported.scene}"
        fixed = f"; {wish.fix.sentence}" if wish.fix.needed else ""
        learns = f"{imported.scene} learns from {_names(imported.files)} from now on{fixed}."
        self._curating.decide_at_length(job, words=words, said=learns)

    @Slot()
    def give_up(self) -> None:
        """It is not wanted; a file that is still being read is read to its end and dropped."""
        self._imported = None
        self._looking.cancel()
        self._store.become(truth=None)

    def _looked(self, imported: ImportedTruth) -> None:
        truth = self._store.state.truth
        if truth is None:
            return
        self._imported = imported
        self._store.become(
            truth=replace(truth, findings=imported.findings, pictures=imported.pictures)
        )

    def _refused(self, message: str) -> None:
        truth = self._store.state.truth
        if truth is not None:
            self._store.become(truth=replace(truth, fault=message))


def _replaced(status: Status) -> str:
    """The status, where a ground truth would take the place of a label."""
    return str(status) if status in (Status.GROUND_TRUTH, Status.PROMOTED) else ""


def _names(files: tuple[Path, ...]) -> str:
    return files[0].name if len(files) == 1 else f"a merge of {len(files)} files"


_ROOM: Final = QSize(264, 210)
_TITLES: Final = ("Reference frame", "Ground truth, exposed like it", "Its whole range")


class TruthPicturesRow(QWidget):
    """Three pictures of one size, each with its title; no room is taken while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._pictures: TruthPictures | None = None
        self._labels = tuple(QLabel() for _ in _TITLES)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for title, label in zip(_TITLES, self._labels, strict=True):
            label.setFixedWidth(_ROOM.width())
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setAccessibleName(title)
            column = QVBoxLayout()
            column.setSpacing(3)
            column.addWidget(caption(title, role="muted"))
            column.addWidget(label)
            row.addLayout(column)
        row.addStretch(1)

    def show_pictures(self, pictures: "TruthPictures | None") -> None:
        """These pictures, the ground truth as it is with the fix."""
        self._pictures = pictures
        self.setVisible(pictures is not None)
        self.show_mended(mended=True)

    def show_mended(self, *, mended: bool) -> None:
        """The ground truth with the fix, or as it was read."""
        if self._pictures is None:
            return
        of = self._pictures
        shown = (of.reference, of.mended if mended else of.imported, of.toned)
        for label, picture in zip(self._labels, shown, strict=True):
            label.setPixmap(_pixmap(picture))


def _pixmap(picture: Rgb8) -> QPixmap:
    height, width = picture.shape[:2]
    image = QImage(picture.data, width, height, width * 3, QImage.Format.Format_RGB888)
    ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image.copy()).scaled(_ROOM, *ways)


_FORCED: Final = "Used anyway, all of it counts as exact light: only if you know better."
_WIDTH: Final = 840
_EVS: Final = "as in 0, 2, 4; else from the file beside them, or EXIF"


class TruthSheet(QDialog):
    """Not modal; nothing is decided but by its buttons. Says which scene it is for after all."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"truth", "scenes"})

    used = Signal(object)
    given_up = Signal()
    asked_again = Signal(str, object, object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import ground truth")
        self._truth: TruthState | None = None
        self._scene, self._source = QComboBox(), ElidedLabel(role="muted")
        self._pictures = TruthPicturesRow()
        self._summary = caption("", role="title")
        self._sentences = QVBoxLayout()
        self._scale, self._shift = QCheckBox(), QCheckBox()
        self._evs, self._note = QLineEdit(), QLineEdit()
        self._evs_row = QWidget()
        self._why_not = caption("", role="warn")
        self._use = button(
            "Use as ground truth", tip="Frozen in the project; one undo takes it back"
        )
        self._anyway = button("Use it anyway", tip="Against all advice; one undo takes it back")
        self._cancel = button("Cancel", tip="Nothing is changed (Esc)")
        self._lay_out()
        self._connect()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the ground truth that waits, or go."""
        truth = new.truth
        if truth is self._truth:
            return
        before, self._truth = self._truth, truth
        if truth is None:
            self.hide()
            return
        if before is None or before.files != truth.files:
            self._begin(truth, new)
        self._show(truth)
        if before is None or before.findings is not truth.findings:  # else ticks are a person's
            self._offer(truth.findings)
        self._weigh()
        self.show()

    def reject(self) -> None:
        """Escape gives up."""
        self.given_up.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._truth is not None:
            self.given_up.emit()

    def _begin(self, truth: TruthState, state: StudioState) -> None:
        """Other files."""
        self._scene.clear()
        self._scene.addItems([row.id for row in state.scenes])
        self._evs.clear()
        self._note.clear()
        self._evs_row.setVisible(len(truth.files) > 1)
        self._source.tell(", ".join(path.name for path in truth.files))
        self._source.setToolTip("\n".join(map(str, truth.files)))

    def _show(self, truth: TruthState) -> None:
        self._scene.setCurrentText(truth.scene)
        self._pictures.show_pictures(truth.pictures)
        self._summary.setText(_summary(truth))
        clear(self._sentences)
        for role, sentence in _sentences(truth):
            words = caption(sentence, role=role)
            words.setWordWrap(True)
            self._sentences.addWidget(words)

    def _offer(self, findings: "TruthFindings | None") -> None:
        """A box for each fix, ticked: it is what the findings advise."""
        fix = findings.suggested if findings is not None and findings.usable else NO_FIX
        scale, shift = replace(fix, shift=NO_SHIFT), replace(fix, gain=1.0)
        for box, part in ((self._scale, scale), (self._shift, shift)):
            box.setText(part.sentence[:1].upper() + part.sentence[1:])
            box.setVisible(part.needed)
            box.setChecked(part.needed)
            describe(box, name=box.text(), tip="Done to the copy in the project, not to the file")

    @property
    def _wished(self) -> TruthFix:
        """The fixes that are ticked."""
        findings = self._truth.findings if self._truth is not None else None
        if findings is None:
            return NO_FIX
        offered = findings.suggested
        return TruthFix(
            gain=offered.gain if self._scale.isChecked() else 1.0,
            shift=offered.shift if self._shift.isChecked() else NO_SHIFT,
        )

    @Slot()
    def _weigh(self) -> None:
        """Which buttons make sense with the boxes as they are ticked."""
        findings = self._truth.findings if self._truth is not None else None
        self._pictures.show_mended(mended=self._scale.isChecked())
        reason = "" if findings is None else _why_not(findings, self._wished)
        self._use.setEnabled(findings is not None and not reason)
        forcible = bool(reason) and findings is not None and findings.forcible
        self._anyway.setVisible(forcible)
        usable = findings is not None and findings.usable
        self._why_not.setText(reason if usable else _FORCED)
        # What can never be used is told by the summary.
        self._why_not.setVisible(bool(reason) and (usable or forcible))
        self._use.setToolTip(reason or "Frozen in the project; one undo takes it back (Enter)")
        self.adjustSize()

    @Slot()
    def _take(self) -> None:
        self.used.emit(TruthWish(fix=self._wished, note=self._note.text().strip()))

    @Slot()
    def _ask_again(self) -> None:
        """For another scene, or with other exposures."""
        if self._truth is not None:
            evs = _numbers(self._evs.text(), len(self._truth.files))
            self.asked_again.emit(self._scene.currentText(), self._truth.files, evs)

    def _connect(self) -> None:
        self._scene.activated.connect(self._ask_again)
        self._evs.returnPressed.connect(self._ask_again)
        self._scale.toggled.connect(self._weigh)
        self._shift.toggled.connect(self._weigh)
        self._use.clicked.connect(self._take)
        self._anyway.clicked.connect(self._take)
        self._cancel.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        describe(self._scene, name="Scene", tip="The scene that this is the ground truth of")
        describe(self._evs, name="Exposures", tip=f"One EV for each frame, {_EVS}")
        describe(self._note, name="Note", tip="Why; kept in the journal")
        self._evs.setPlaceholderText(_EVS)
        self._note.setPlaceholderText("Why? (kept in the journal)")
        self._use.setProperty("role", "primary")
        self._use.setDefault(True)
        for other in (self._anyway, self._cancel):
            other.setAutoDefault(False)
        for words in (self._summary, self._why_not):
            words.setWordWrap(True)
        head, evs, last = QHBoxLayout(), QHBoxLayout(self._evs_row), QHBoxLayout()
        head.addWidget(caption("Ground truth of"))
        head.addWidget(self._scene)
        head.addWidget(self._source, 1)
        evs.setContentsMargins(0, 0, 0, 0)
        evs.addWidget(caption("Exposures in EV"))
        evs.addWidget(self._evs, 1)
        last.addStretch(1)
        for each in (self._cancel, self._anyway, self._use):
            last.addWidget(each)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._evs_row)
        column.addWidget(self._pictures)
        column.addWidget(self._summary)
        column.addLayout(self._sentences)
        for part in (self._scale, self._shift, self._note, self._why_not):
            column.addWidget(part)
        column.addLayout(last)
        self.setFixedWidth(_WIDTH)


def _summary(truth: TruthState) -> str:
    if truth.at_work:
        return "Comparing it with the reference frame …"
    return truth.findings.summary if truth.findings is not None else truth.fault


def _sentences(truth: TruthState) -> list[tuple[str, str]]:
    """Roles and words of everything else there is to say."""
    told = []
    if truth.findings is not None:
        told += [("bad", f"✕ {words}") for words in truth.findings.problems[1:]]
        told += [("warn", f"⚠ {words}") for words in truth.findings.warnings]
    if truth.replaces:
        told.append(
            ("muted", f"{truth.scene} is {truth.replaces} now; one undo makes it so again.")
        )
    return told


def _why_not(findings: "TruthFindings", wished: TruthFix) -> str:
    """Why this cannot be used without being forced; "" where it can."""
    if not findings.usable:
        return "It cannot be used as ground truth of this scene."
    if wished != findings.suggested:
        return f"It fits only once {findings.suggested.sentence}."
    return ""


def _numbers(text: str, count: int) -> tuple[float, ...] | None:
    """Exposure values as typed; None where they are not one for each frame.

    A comma stands between two of them, or before decimals where blanks stand between.
    """
    for words in (text.split(), text.replace(",", " ").split()):
        if len(words) == count:
            try:
                return tuple(number(word.strip(",")) for word in words)
            except ValueError:
                continue
    return None
