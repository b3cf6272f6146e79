"""The plan of the next run: every setting, what differs from a preset, and what it takes."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.plan_field import as_text
from smarthdr_studio.studio.panels.parts import (
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    give_role,
)
from smarthdr_studio.studio.panels.plan_command import PlanCommand
from smarthdr_studio.studio.panels.plan_devices import PlanDevices
from smarthdr_studio.studio.panels.plan_estimate import PlanEstimate
from smarthdr_studio.studio.panels.plan_form import PlanForm
from smarthdr_studio.studio.panels.plan_keeping import PlanKeeping
from smarthdr_studio.studio.state import PlanningState, StudioState

_SIZE: Final = (1120, 660)
_SMALLEST: Final = (900, 480)
_SIDE: Final = 348


class PlanEditor(QDialog):
    """Not modal; what is typed stays when it is closed."""

    preset_picked = Signal(str)
    train_asked = Signal()
    reset_all_asked = Signal(str)
    aside_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Plan of the next run")
        self.form, self.keeping = PlanForm(), PlanKeeping()
        self.estimate, self.devices, self.command = PlanEstimate(), PlanDevices(), PlanCommand()
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
        if new.folder is None:
            self.close()
        if not self.isVisible() and old is not new:
            return
        if old is new or old.planning is not new.planning or old.training is not new.training:
            self._show(new)

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
        self._aside.setText(f"Take {change} along")
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
        middle.addLayout(_row(self._search, self._changed, self._found, None))
        middle.addWidget(self.form, 1)
        side = QWidget()
        side.setObjectName("inside")
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(8)
        for part in (self.estimate, self.devices, self.command):
            column.addWidget(part)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(side)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFixedWidth(_SIDE)
        across = QHBoxLayout()
        across.setSpacing(8)
        across.addWidget(frame, 1)
        across.addWidget(scroll)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(14, 12, 14, 12)
        whole.setSpacing(8)
        whole.addLayout(
            _row(
                caption("Preset"),
                self._presets,
                self._about,
                self._differs,
                self._reset,
                self._aside,
            )
        )
        whole.addLayout(across, 1)
        whole.addWidget(self.keeping)
        whole.addLayout(_row(self._save, self._delete, self._told, self._close, self._train))
        self.setMinimumSize(*_SMALLEST)
        self.resize(*_SIZE)

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


def _row(*parts: QWidget | None) -> QHBoxLayout:
    """Controls beside each other; None is a gap that grows."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part, 1 if isinstance(part, ElidedLabel) else 0)
    return row
