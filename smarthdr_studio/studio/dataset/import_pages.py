"""The steps of importing brackets that show scenes: brackets, exposures and ground truths."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.datasets import proposal as proposals
from smarthdr_studio.core.datasets.arrival import in_few_lines
from smarthdr_studio.core.datasets.proposal import ProposedScene, found_in_words
from smarthdr_studio.core.imaging.bracket import TRUTH_LEFT_OUT, TRUTH_ODD, Catalogue, Scene
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.dataset.camera_curve import CurveChoice
from smarthdr_studio.studio.dataset.import_brackets import FramePreview
from smarthdr_studio.studio.state import ImportState
from smarthdr_studio.studio.widgets.controls import (
    ClampedLabel,
    ElidedLabel,
    button,
    caption,
    card,
    describe,
)

_LEFT_OUT: Final = "\0left out"
_PICTURE: Final = QSize(168, 116)
_CELL: Final = QSize(182, 186)
_MOST_SHOWN: Final = 300  # frames of one bracket, or pictures left out
_MOST_PREVIEWS: Final = 600
_NOTHING: Final = FramePreview(QImage(), "")


class BracketsPage(QWidget):
    """Every bracket with its pictures; they can be taken apart and together."""

    corrected = Signal(object)
    previews_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._state: ImportState | None = None
        self._filling = False
        self._previews: dict[Path, FramePreview] = {}
        self._found = caption("", role="title")
        self.brackets, self.frames = QListWidget(), QListWidget()
        self._name, self._why = ElidedLabel(role="title"), ClampedLabel(lines=2, role="muted")
        self.split_here = button("Split before this frame", tip="The rest is a bracket of its own")
        self.join_next = button("Join with the next", tip="Both are exposures of one view")
        self.refer = button("Use as reference", tip="What HDR is aligned to; again lets pixels say")
        self.drop_frame = button("Leave out frame", tip="The bracket does without it")
        self.drop_bracket = button("Leave out bracket", tip="It becomes no scene")
        self.add_to, self._target = (
            button("Add to bracket", tip="It is one of its frames"),
            _Target(),
        )
        self._lay_out()
        self.brackets.currentRowChanged.connect(self._show_frames)
        self.frames.currentRowChanged.connect(self._weigh)
        self.split_here.clicked.connect(self._split)
        self.join_next.clicked.connect(self._join)
        self.refer.clicked.connect(self._refer)
        self.drop_frame.clicked.connect(self._drop_frame)
        self.drop_bracket.clicked.connect(self._drop_bracket)
        self.add_to.clicked.connect(self._add)

    def show_state(self, state: ImportState) -> None:
        """Show the proposal, and stay at the bracket that is looked at."""
        before, self._state = self._state, state
        if state.proposal is None or (before is not None and before.proposal is state.proposal):
            return
        row = max(0, self.brackets.currentRow())
        self._found.setText(f"{found_in_words(state.proposal)}.")
        names = [scene.id for scene in state.proposal.scenes]
        self._filling = True
        self.brackets.clear()
        for scene in state.proposal.scenes:
            self._put(scene.id, f"{scene.id}\n{counted(len(scene.files.frames), 'frame')}")
        if state.proposal.left_out:
            count = counted(len(state.proposal.left_out), "picture")
            self._put(_LEFT_OUT, f"Left out\n{count}")
        self._target.offer(names)
        self._filling = False
        self.brackets.setCurrentRow(min(row, self.brackets.count() - 1))
        self._show_frames()

    @Slot(object)
    def take_previews(self, previews: dict[Path, FramePreview]) -> None:
        """Put pictures and exposures to the names."""
        self._previews |= previews
        while len(self._previews) > _MOST_PREVIEWS:
            del self._previews[next(iter(self._previews))]
        for row in range(self.frames.count()):
            item = self.frames.item(row)
            if item.data(Qt.ItemDataRole.UserRole) in previews:
                self._dress(item)

    def _dress(self, item: QListWidgetItem) -> None:
        """Show what is known of a frame."""
        path, scene = item.data(Qt.ItemDataRole.UserRole), self._scene
        known = self._previews.get(path, _NOTHING)
        lines = [path.name, known.exposed]
        if scene is not None and scene.reference == path:
            lines.append("reference")
        item.setText("\n".join(filter(None, lines)))
        item.setIcon(_icon(known.picture))
        item.setToolTip(str(path))

    def _put(self, key: str, words: str) -> None:
        item = QListWidgetItem(words)
        item.setData(Qt.ItemDataRole.UserRole, key)
        self.brackets.addItem(item)

    @property
    def _scene(self) -> ProposedScene | None:
        """The bracket that is looked at; None where it is what was left out."""
        item = self.brackets.currentItem()
        key = None if item is None else item.data(Qt.ItemDataRole.UserRole)
        proposal = None if self._state is None else self._state.proposal
        if key is None or key == _LEFT_OUT or proposal is None:
            return None
        return proposal.scene(key)

    @property
    def _frame(self) -> Path | None:
        item = self.frames.currentItem()
        path = None if item is None else item.data(Qt.ItemDataRole.UserRole)
        return path if isinstance(path, Path) else None

    @Slot()
    def _show_frames(self) -> None:
        proposal = self._state.proposal if self._state else None
        if proposal is None or self._filling:
            return
        scene = self._scene
        self.frames.clear()
        paths = scene.files.frames if scene else tuple(each.path for each in proposal.left_out)
        self._name.tell(scene.id if scene else "Left out")
        for path in paths[:_MOST_SHOWN]:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, path)
            self._dress(item)
            self.frames.addItem(item)
        self.frames.setCurrentRow(0)
        self._weigh()
        wanted = [path for path in paths[:_MOST_SHOWN] if path not in self._previews]
        if wanted:
            self.previews_wanted.emit(tuple(wanted))

    @Slot()
    def _weigh(self) -> None:
        scene, frame = self._scene, self._frame
        one = scene is not None
        inside = one and self.frames.currentRow() > 0
        rows = self.brackets.count() - bool(self._state and self._left_out())
        for part in (self.split_here, self.join_next, self.refer, self.drop_frame):
            part.setVisible(one)
        self.drop_bracket.setVisible(one)
        for other in (self.add_to, self._target):
            other.setVisible(not one)
        self.split_here.setEnabled(inside)
        self.join_next.setEnabled(one and self.brackets.currentRow() + 1 < rows)
        self.refer.setEnabled(one and frame is not None)
        self.drop_frame.setEnabled(one and frame is not None)
        self.add_to.setEnabled(frame is not None and self._target.count() > 0)
        self._why.tell(self._reason(scene, frame))

    def _left_out(self) -> Sequence[object]:
        proposal = self._state.proposal if self._state else None
        return () if proposal is None else proposal.left_out

    def _reason(self, scene: ProposedScene | None, frame: Path | None) -> str:
        proposal = self._state.proposal if self._state else None
        if scene is not None and scene.by_hand:
            return "Put together by hand."
        if scene is not None:
            return str(scene.files.folder)
        if proposal is None or frame is None:
            return ""
        reasons = {each.path: each.reason for each in proposal.left_out}
        words = reasons.get(frame, "").removeprefix(f"{frame}: ")
        return words[:1].upper() + words[1:]

    @Slot()
    def _split(self) -> None:
        if self._scene is not None:
            at = self.frames.currentRow()
            self.corrected.emit(partial(proposals.split, scene_id=self._scene.id, at=at))

    @Slot()
    def _join(self) -> None:
        scene, proposal = self._scene, self._state.proposal if self._state else None
        if scene is not None and proposal is not None:
            other = proposal.scenes[self.brackets.currentRow() + 1].id
            self.corrected.emit(partial(proposals.join, scene_id=scene.id, other=other))

    @Slot()
    def _refer(self) -> None:
        scene, frame = self._scene, self._frame
        if scene is not None:
            chosen = None if scene.reference == frame else frame
            self.corrected.emit(partial(proposals.with_reference, scene_id=scene.id, frame=chosen))

    @Slot()
    def _drop_frame(self) -> None:
        scene, frame = self._scene, self._frame
        if scene is not None and frame is not None:
            self.corrected.emit(partial(proposals.leave_out, scene_id=scene.id, frames=(frame,)))

    @Slot()
    def _drop_bracket(self) -> None:
        if self._scene is not None:
            self.corrected.emit(partial(proposals.leave_out, scene_id=self._scene.id))

    @Slot()
    def _add(self) -> None:
        if self._frame is not None:
            self.corrected.emit(
                partial(proposals.add, scene_id=self._target.currentText(), picture=self._frame)
            )

    def _lay_out(self) -> None:
        describe(self.brackets, name="Brackets", tip="")
        describe(self.frames, name="Frames of the bracket", tip="")
        _as_contact_sheet(self.frames)
        left, left_column = card(name="Brackets", margin=6)
        left_column.addWidget(self.brackets, 1)
        left.setFixedWidth(250)
        right, right_column = card(name="Frames")
        right_column.addWidget(self._name)
        right_column.addWidget(self.frames, 1)
        right_column.addWidget(self._why)
        right_column.addLayout(_row_of(self.split_here, self.join_next, self.refer))
        right_column.addLayout(
            _row_of(self.drop_frame, self.drop_bracket, self._target, self.add_to)
        )
        both = QHBoxLayout()
        both.setSpacing(8)
        both.addWidget(left)
        both.addWidget(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._found)
        column.addLayout(both, 1)


def _as_contact_sheet(frames: QListWidget) -> None:
    """Pictures in rows, each over its name."""
    frames.setViewMode(QListWidget.ViewMode.IconMode)
    frames.setMovement(QListWidget.Movement.Static)
    frames.setResizeMode(QListWidget.ResizeMode.Adjust)
    frames.setIconSize(_PICTURE)
    frames.setGridSize(_CELL)
    frames.setWordWrap(True)


def _row_of(*parts: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for part in parts:
        if isinstance(part, QPushButton):
            part.setAutoDefault(False)  # Enter goes on to the next step
        row.addWidget(part)
    row.addStretch(1)
    return row


class _Target(QComboBox):
    """To which bracket a picture is added."""

    def __init__(self) -> None:
        super().__init__()
        describe(self, name="Bracket", tip="The bracket the picture is added to")
        self.setMinimumWidth(150)

    def offer(self, names: Sequence[str]) -> None:
        """These brackets; the one that was chosen stays if it is still there."""
        chosen = self.currentText()
        self.clear()
        self.addItems(list(names))
        if chosen in names:
            self.setCurrentText(chosen)


def _icon(picture: QImage) -> QIcon:
    if picture.isNull():
        empty = QPixmap(_PICTURE)
        empty.fill(Qt.GlobalColor.transparent)
        return QIcon(empty)
    icon, pixmap = QIcon(), QPixmap.fromImage(picture)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # a tint would hide what is judged
        icon.addPixmap(pixmap, mode)
    return icon


_COLUMNS: Final = ("Bracket", "Stops above under", "Under", "Reference", "Over", "Size")


class ExposuresPage(QWidget):
    """What the exposures are once they were held against the pixels."""

    step_given = Signal(object)
    align_wished = Signal(bool)
    curve_wished = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._found = caption("", role="title")
        self.hand_held = QCheckBox("Hand-held: align the frames to the reference")
        self.table = QTableWidget(0, len(_COLUMNS))
        self.by_hand = QCheckBox("One step for all brackets:")
        self.step = QDoubleSpinBox(minimum=0.1, maximum=8, value=2, singleStep=0.5, decimals=2)
        self.curve = CurveChoice()
        self.odd = QPlainTextEdit(readOnly=True)
        self._catalogue: Catalogue | None = None
        self._lay_out()
        self.by_hand.clicked.connect(self._give)
        self.step.editingFinished.connect(self._give)
        self.hand_held.clicked.connect(self.align_wished)
        self.curve.wished.connect(self.curve_wished)

    def show_state(self, state: ImportState) -> None:
        """Show what was found, nothing while it is looked for."""
        self.setEnabled(not state.doing)
        self.hand_held.setChecked(state.aligned)
        self.by_hand.setChecked(state.ev_step is not None)
        self.step.setEnabled(state.ev_step is not None)
        if state.catalogue is self._catalogue:
            return
        self._catalogue = state.catalogue
        known = state.catalogue is not None
        self.curve.show_fit(state.fit, used=state.response, known=known)
        self.table.setRowCount(0)
        self.odd.clear()
        if state.catalogue is None:
            self._found.setText("")
            return
        self._found.setText(_usable(state.catalogue))
        self._fill(state.catalogue.scenes)
        self.odd.setPlainText("\n".join(_sentences(state.catalogue)) or "Nothing is odd.")

    def _fill(self, scenes: Sequence[Scene]) -> None:
        self.table.setRowCount(len(scenes))
        for row, scene in enumerate(scenes):
            low = scene.evs[0]
            stops = "  ".join(f"{frame.ev - low:+.3g}" for frame in scene.whole_bracket)
            names = [path.name for path in scene.frames]
            cells = (scene.id, stops, *names, f"{scene.width}×{scene.height}")
            for column, words in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(words))

    @Slot()
    def _give(self) -> None:
        self.step_given.emit(self.step.value() if self.by_hand.isChecked() else None)

    def _lay_out(self) -> None:
        describe(self.table, name="Exposures", tip="")
        describe(self.by_hand, name="One step for all", tip="Where neither EXIF nor a file tells")
        describe(self.hand_held, name="Align hand-held frames", tip=_ALIGN_TIP)
        describe(self.step, name="EV step", tip="Stops between neighbours of a bracket")
        describe(self.odd, name="What is odd or left out", tip="")
        self.step.setSuffix(" EV")
        self.step.setEnabled(False)
        _as_plain_table(self.table)
        box, inside = card(name="Exposures", margin=6)
        inside.addWidget(self.table)
        row = QHBoxLayout()
        row.addWidget(self.by_hand)
        row.addWidget(self.step)
        row.addSpacing(24)
        row.addWidget(self.hand_held)
        row.addStretch(1)
        lower = QHBoxLayout()
        lower.setSpacing(8)
        lower.addWidget(self.curve, 1)
        right = QVBoxLayout()
        right.addWidget(caption("Odd or left out", role="title"))
        right.addWidget(self.odd, 1)
        lower.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._found)
        column.addWidget(box, 3)
        column.addLayout(row)
        column.addLayout(lower, 3)


def _as_plain_table(table: QTableWidget) -> None:
    """Nothing to edit, and columns as wide as what is in them."""
    table.setHorizontalHeaderLabels(list(_COLUMNS))
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


_ALIGN_TIP: Final = "As they are read; no file changes, and the File menu can stop it again"


def _usable(catalogue: Catalogue) -> str:
    words = f"{counted(len(catalogue.scenes), 'bracket')} can be used"
    left = sum(not each.picture for each in catalogue.skipped)
    words += f"; {counted(left, 'bracket')} cannot" if left else ""
    odd = len(catalogue.odd)
    return f"{words}; something is odd about {odd}." if odd else f"{words}."


def _sentences(catalogue: Catalogue) -> list[str]:
    skipped = [each.reason for each in catalogue.skipped if not each.picture]
    notes = [note for note in catalogue.notes if note.topic != TRUTH_LEFT_OUT]
    pictures = [each.reason for each in catalogue.skipped if each.picture]
    return [*skipped, *in_few_lines(notes), *pictures]


class TruthsPage(QWidget):
    """Which ground truths were found, and whether they fit."""

    def __init__(self) -> None:
        super().__init__()
        self._found, self.list = caption("", role="title"), QPlainTextEdit(readOnly=True)
        self._catalogue: Catalogue | None = None
        describe(self.list, name="Ground truths", tip="")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._found)
        column.addWidget(self.list, 1)

    def show_state(self, state: ImportState) -> None:
        """Show those that fit and those that do not."""
        if state.catalogue is self._catalogue:
            return
        self._catalogue = catalogue = state.catalogue
        if catalogue is None:
            self._found.setText("")
            self.list.clear()
            return
        odd = catalogue.odd_truths
        there = [scene for scene in catalogue.scenes if scene.ground_truth is not None]
        fit = [scene for scene in there if scene.id not in odd]
        lost = [note.text for note in catalogue.notes if note.topic == TRUTH_LEFT_OUT]
        words = _truths_in_words(
            len(fit), len(lost), len(state.labelled), warned=len(there) - len(fit)
        )
        self._found.setText(words)
        lines = [f"Left out: {each}" for each in lost]
        for note in catalogue.notes:
            if note.topic == TRUTH_ODD:
                label = "a label to begin with" if note.scene in state.labelled else "no label yet"
                lines.append(f"{note.scene}, {label}: {note.text}")
        for scene in fit:
            label = ", a label to begin with" if scene.id in state.labelled else ""
            name = scene.ground_truth.name if scene.ground_truth else ""
            lines.append(f"{scene.id}: {name} fits its frames{label}.")
        self.list.setPlainText("\n".join(lines) or _NO_TRUTH)


_NO_TRUTH: Final = (
    "None was found, and none is needed: a ground truth can be imported for each scene later, also "
    "from a static bracket."
)


def _truths_in_words(fit: int, lost: int, labels: int, *, warned: int) -> str:
    if not fit and not lost and not warned:
        return "No ground truth."
    words = (
        f"{counted(fit, 'ground truth')} fit their frames" if fit != 1 else "1 ground truth fits"
    )
    words += f"; {warned} warned of" if warned else ""
    words += f"; {lost} left out" if lost else ""
    return (
        f"{words}; {counted(labels, 'scene')} start labelled."
        if labels != 1
        else (f"{words}; 1 scene starts labelled.")
    )
