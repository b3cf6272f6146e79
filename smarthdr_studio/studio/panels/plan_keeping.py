"""A line in which the plan gets a name as a preset, or a preset of one's own is deleted."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, describe, give_role
from smarthdr_studio.studio.state import PlanningState


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
