"""The head of one side of a pair: which scene it shows, and another one to pick."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, describe, give_role
from smarthdr_studio.studio.state import SceneFacts


class PairHead(QWidget):
    """Says which scene was picked, and that the sides should change places."""

    scene_picked = Signal(str)
    swap_asked = Signal()

    def __init__(self, *, other: bool) -> None:
        super().__init__()
        self._pick = _Names()
        which = "other" if other else "current"
        describe(self._pick, name=f"The {which} scene", tip=f"Show another as the {which} scene")
        self._pick.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._words = ElidedLabel(role="muted")
        self._swap = button("Swap", tip=by_id("swap_pair").tip_with_key, role="link")
        self._swap.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._pick)
        row.addWidget(self._words, 1)
        row.addWidget(self._swap)
        self._swap.setHidden(not other)  # a part without a place would be a window
        self._pick.activated.connect(self._picked)
        self._swap.clicked.connect(self.swap_asked)

    def show_scene(
        self, row: SceneFacts | None, scenes: Sequence[SceneFacts], *, active: bool
    ) -> None:
        """Show the scene of this side, and whether decisions are about it."""
        self._pick.show_name(row.id if row is not None else "none", scenes)
        give_role(self._words, role="" if active else "muted")
        known = () if row is None else (str(row.status), *(f"#{tag}" for tag in row.tags))
        self._words.tell(" · ".join(("keys act here", *known) if active else known))
        acts = "Promote, exclude and the like act" if active else "Point at it to make keys act"
        self._words.setAccessibleDescription(f"{acts} on this scene")

    @Slot(int)
    def _picked(self, place: int) -> None:
        self.scene_picked.emit(self._pick.itemText(place))


class _Names(QComboBox):
    """Takes all names in only when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[SceneFacts] = ()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setMaxVisibleItems(20)

    def show_name(self, name: str, scenes: Sequence[SceneFacts]) -> None:
        """Show one name; `scenes` can be picked."""
        self._names = scenes
        if self.currentText() != name:
            self.clear()
            self.addItem(name)

    def showPopup(self) -> None:
        """Every scene can be picked."""
        name = self.currentText()
        self.clear()
        self.addItems([row.id for row in self._names])
        self.setCurrentText(name)
        super().showPopup()
