"""The plan of the next run: every setting, what differs from a preset, and what it takes."""

from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import (
    QFontDatabase,
    QGuiApplication,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.reporting.problem import without_home
from smarthdr_studio.core.training.plan_fields import as_text
from smarthdr_studio.studio.state import PlanningState, StudioState
from smarthdr_studio.studio.training.plan_estimate import PlanDevices, PlanEstimate
from smarthdr_studio.studio.training.plan_form import PlanForm
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    give_role,
    rename,
    row_of,
    size_within_screen,
)

_HEIGHT = 96


class PlanCommand(QWidget):
    """Shows the command, ~ for the home folder; the button says for a moment that it was copied."""

    def __init__(self) -> None:
        super().__init__()
        self._command = ""
        self._line = QPlainTextEdit(readOnly=True)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self._line.setFont(font)
        self._line.setMinimumHeight(_HEIGHT)
        self._line.setTabChangesFocus(True)
        describe(self._line, name="The same run from a terminal", tip="Starts exactly this plan")
        self._copy = button("Copy", tip="Copy the command line")
        self._copy.setAutoDefault(False)
        frame, column = card(name="Command line")
        head = QHBoxLayout()
        head.addWidget(caption("Command line", role="title"))
        head.addStretch(1)
        head.addWidget(self._copy)
        column.addLayout(head)
        column.addWidget(self._line)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._copy.clicked.connect(self._to_clipboard)

    @property
    def text(self) -> str:
        """What is shown."""
        return self._line.toPlainText()

    @Slot(object)
    def show_planning(self, planning: PlanningState) -> None:
        """Show the command of now, or that there is none."""
        self._command = planning.command
        words = without_home(planning.command, home=Path.home())
        if not words and planning.complaints:
            words = "(there is none while a setting is not allowed)"
        if words != self.text:
            self._line.setPlainText(words)
            rename(self._copy, "Copy")
        self._copy.setEnabled(bool(planning.command))

    @Slot()
    def _to_clipboard(self) -> None:
        QGuiApplication.clipboard().setText(self._command)
        rename(self._copy, "Copied ✓")


class PlanKeeping(QWidget):
    """Hidden until somebody wants to save or delete."""

    name_typed = Signal(str)
    save_wished = Signal(str, str)
    delete_wished = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._name, self._about = QLineEdit(maxLength=48), QLineEdit(maxLength=120)
        self._save = button("Save", tip="Keep it among your presets (Enter)", role="primary")
        self._delete = button("Delete", tip="Its file is set aside, not destroyed")
        self._question, self._wrong = ElidedLabel(), caption("", role="warn")
        self._pages = QStackedWidget()
        self._preset, self._own = "", frozenset[str]()
        self._lay_out()
        self._name.textChanged.connect(self.name_typed)
        for line in (self._name, self._about):
            line.returnPressed.connect(self._save_it)
        self._save.clicked.connect(self._save_it)
        self._delete.clicked.connect(self._delete_it)
        self.hide()

    @Slot()
    def ask_name(self) -> None:
        """Ask for the name of a preset."""
        self._pages.setCurrentIndex(0)
        self._name.setText(self._preset if self._preset in self._own else "")
        self.name_typed.emit(self._name.text())
        self.show()
        self._name.setFocus()

    @Slot()
    def ask_delete(self) -> None:
        """Ask whether the preset that is shown is to be deleted."""
        self._question.tell(f"Delete the preset {self._preset}? Your settings stay in the form.")
        self._pages.setCurrentIndex(1)
        self._wrong.hide()
        self.show()
        self._delete.setFocus()

    @Slot(object)
    def show_planning(self, planning: PlanningState) -> None:
        """Say whether the name can be had."""
        presets = planning.book.presets if planning.book is not None else ()
        self._preset = planning.preset
        self._own = frozenset(each.name for each in presets if each.own)
        wrong, name = planning.name_complaint, self._name.text()
        words = f"△ {wrong}" if wrong and name else ""
        if not wrong and name in self._own:
            words = f"{name} is there already: it will be replaced"
        self._save.setEnabled(not wrong and planning.valid)
        self._wrong.setText(words)
        self._wrong.setVisible(bool(words) and self._pages.currentIndex() == 0)
        give_role(self._name, role="fault" if wrong and name else "")

    @Slot()
    def _save_it(self) -> None:
        if self._save.isEnabled():
            self.save_wished.emit(self._name.text(), self._about.text())
            self.hide()

    @Slot()
    def _delete_it(self) -> None:
        self.delete_wished.emit(self._preset)
        self.hide()

    def _lay_out(self) -> None:
        describe(self._name, name="Name of the preset", tip="Small letters, digits, - _ and .")
        describe(self._about, name="What it is for", tip="One sentence, shown beside the name")
        self._name.setPlaceholderText("name")
        self._name.setFixedWidth(170)
        self._about.setPlaceholderText("what it is for, in one sentence")
        saving, deleting = QWidget(), QWidget()
        for page, parts in (
            (saving, (caption("Save as"), self._name, self._about, self._save)),
            (deleting, (self._question, self._delete)),
        ):
            keep = button("Cancel", tip="Nothing is changed")
            keep.clicked.connect(self.hide)
            keep.setAutoDefault(False)  # or Return in a name that is refused would drop it
            row = QHBoxLayout(page)
            row.setContentsMargins(0, 0, 0, 0)
            for part in (*parts, keep):
                row.addWidget(part, 1 if part in (self._about, self._question) else 0)
            self._pages.addWidget(page)
        for each in (self._save, self._delete):
            each.setAutoDefault(False)
        self._pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._pages)
        column.addWidget(self._wrong, 0, Qt.AlignmentFlag.AlignLeft)
        self._wrong.hide()


_SIZE: Final = (1140, 660)
_SMALLEST: Final = (992, 480)  # a row of the form fits in its width, and on a screen of 1024
_SIDE: Final = (272, 348)  # in the smallest, and where there is room


class PlanEditor(QDialog):
    """Not modal; what is typed stays when it is closed."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"planning", "training"})

    preset_picked = Signal(str)
    train_asked = Signal()
    reset_all_asked = Signal(str)
    aside_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Plan of the next run")
        self.form, self.keeping = PlanForm(), PlanKeeping()
        self.estimate, self.devices, self.command = PlanEstimate(), PlanDevices(), PlanCommand()
        self._side = _scrolled(self.estimate, self.devices, self.command)
        self._presets, self._search = QComboBox(), QLineEdit(clearButtonEnabled=True)
        self._about, self._differs = ElidedLabel(role="muted"), caption("")
        self._changed = QCheckBox("Only what differs")
        self._found, self._told = caption("", role="muted"), ElidedLabel()
        self._reset = button("Reset all", tip="The preset as it is", role="link")
        self._aside = button("", tip="Over this preset", role="link")
        self._save = button("Save as preset…", tip="Keep this plan under a name of its own")
        self._delete = button("Delete preset…", tip="Only presets of your own can be deleted")
        self._close = button("Close", tip="What you typed stays (Esc)")
        self._train = button("Train", tip="Start a run by this plan", role="primary")
        self._fill()
        self._lay_out()
        self._connect()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the plan of now; nothing while nobody looks."""
        if not self.isVisible() and old is not new:
            return
        if old is new or old.planning is not new.planning or old.training is not new.training:
            self._show(new)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What the form can spare is the side's."""
        super().resizeEvent(event)
        spare = self.width() - _SMALLEST[0]
        self._side.setFixedWidth(min(_SIDE[0] + max(spare, 0), _SIDE[1]))

    def showEvent(self, event: QShowEvent) -> None:
        """The search has the keyboard."""
        super().showEvent(event)
        self._search.setFocus()

    def _show(self, state: StudioState) -> None:
        planning, busy = state.planning, state.training.busy
        self.form.show_planning(planning)
        self._show_presets(planning)
        self._show_differences(planning)
        device = as_text(self._value(planning, "device"))
        self.devices.show_planning(planning, device)
        self.estimate.show_planning(planning, able=planning.valid and bool(planning.devices))
        self.command.show_planning(planning)
        self.keeping.show_planning(planning)
        self._train.setEnabled(planning.valid and not busy)
        self._train.setToolTip(_why_not(planning, busy=busy))
        self._save.setEnabled(planning.valid)

    def _value(self, planning: PlanningState, key: str) -> object:
        book = planning.book
        below = {} if book is None else book.values.get(planning.preset, {})
        return planning.typed.get(key, below.get(key, "auto"))

    def _show_presets(self, planning: PlanningState) -> None:
        presets = planning.book.presets if planning.book is not None else ()
        names = [each.name for each in presets]
        if names != [self._presets.itemText(at) for at in range(self._presets.count())]:
            self._presets.clear()
            for place, each in enumerate(presets):
                self._presets.addItem(each.name)
                tip = each.description or ("yours" if each.own else "")
                self._presets.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        self._presets.setCurrentText(planning.preset)
        shown = next((each for each in presets if each.name == planning.preset), None)
        words = shown.description if shown is not None else "reading the presets …"
        if shown is not None and shown.own:
            words = f"Yours, over {shown.base or 'the defaults'}. {words}"
        self._about.tell(words)
        self._delete.setEnabled(shown is not None and shown.own)
        broken = planning.book.broken if planning.book is not None else {}
        told = planning.told or next((why for why in broken.values()), "")
        self._told.tell(told)
        give_role(self._told, role="bad" if planning.failed or not planning.told else "muted")

    def _show_differences(self, planning: PlanningState) -> None:
        many, wrong = len(planning.differs), len(planning.complaints)
        settings = "1 setting differs" if many == 1 else f"{many} settings differ"
        words = f"{settings} from {planning.preset}" if many else f"{planning.preset} as it is"
        if wrong:
            words += " · ✕ 1 is not allowed" if wrong == 1 else f" · ✕ {wrong} are not allowed"
        self._differs.setText(words if planning.preset else "")
        give_role(self._differs, role="bad" if wrong else "")
        self._reset.setVisible(bool(planning.typed))
        aside = len(planning.aside)
        change = "my change" if aside == 1 else f"my {aside} changes"
        rename(self._aside, f"Take {change} along")
        self._aside.setVisible(bool(planning.aside) and not planning.typed)

    def _fill(self) -> None:
        describe(self._presets, name="Preset", tip="The plan to begin with")
        self._presets.setMinimumContentsLength(16)
        describe(self._search, name="Search", tip="Words of a name or a description (Ctrl+F)")
        self._search.setPlaceholderText("search settings")
        self._search.setFixedWidth(200)
        describe(self._changed, name="Only what differs", tip="Hide what is as in the preset")
        for each in (self._reset, self._aside, self._save, self._delete, self._close, self._train):
            each.setAutoDefault(False)
        self._reset.hide()
        self._aside.hide()

    def _lay_out(self) -> None:
        frame, middle = card(name="Settings")
        middle.addLayout(row_of(self._search, self._changed, self._found, None, spacing=8))
        middle.addWidget(self.form, 1)
        across = QHBoxLayout()
        across.setSpacing(8)
        across.addWidget(frame, 1)
        across.addWidget(self._side)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(14, 12, 14, 12)
        whole.setSpacing(8)
        whole.addLayout(
            row_of(
                caption("Preset"),
                self._presets,
                self._about,
                self._differs,
                self._reset,
                self._aside,
                spacing=8,
            )
        )
        whole.addLayout(across, 1)
        whole.addWidget(self.keeping)
        whole.addLayout(
            row_of(self._save, self._delete, self._told, self._close, self._train, spacing=8)
        )
        self.setMinimumSize(*_SMALLEST)
        size_within_screen(self, *_SIZE)

    def _connect(self) -> None:
        self._presets.textActivated.connect(self.preset_picked)
        self._search.textChanged.connect(self.form.search)
        self._changed.toggled.connect(self.form.show_changed_only)
        self.form.found.connect(self._count)
        self._reset.clicked.connect(self._ask_reset_all)
        self._aside.clicked.connect(self.aside_wanted)
        self._save.clicked.connect(self.keeping.ask_name)
        self._delete.clicked.connect(self.keeping.ask_delete)
        self._close.clicked.connect(self.close)
        self._train.clicked.connect(self._start)
        QShortcut(QKeySequence.StandardKey.Find, self).activated.connect(self._search.setFocus)
        QShortcut(QKeySequence("Ctrl+T"), self).activated.connect(self._train.click)

    @Slot(int, int)
    def _count(self, shown: int, whole: int) -> None:
        self._found.setText("" if shown == whole else f"{shown} of {whole}")

    @Slot()
    def _ask_reset_all(self) -> None:
        self.reset_all_asked.emit("")

    @Slot()
    def _start(self) -> None:
        self.close()
        self.train_asked.emit()


def _why_not(planning: PlanningState, *, busy: bool) -> str:
    if busy:
        return "A run is at work; stop it first"
    if planning.complaints:
        return "Mend what is not allowed first"
    return "Start a run by this plan (Ctrl+T)"


def _scrolled(*parts: QWidget) -> QScrollArea:
    """Parts under each other; the last one grows."""
    side = QWidget()
    side.setObjectName("inside")
    column = QVBoxLayout(side)
    column.setContentsMargins(0, 0, 4, 0)
    column.setSpacing(8)
    for part in parts:
        column.addWidget(part, part is parts[-1])
    scroll = QScrollArea()
    scroll.setWidget(side)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return scroll
