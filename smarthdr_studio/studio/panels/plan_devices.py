"""Where the run is to be computed, picked from the devices that are there."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import caption, card, describe
from smarthdr_studio.studio.panels.plan_words import device_in_words
from smarthdr_studio.studio.state import DeviceLine, PlanningState

_AUTO = "auto"


class PlanDevices(QWidget):
    """A list of devices with the memory that is free on each."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._devices: tuple[DeviceLine, ...] | None = None
        self._shown = ""
        self._list = QListWidget()
        describe(self._list, name="Device", tip="Where the run is computed")
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        frame, column = card(name="Device")
        column.addWidget(caption("Device", role="title"))
        column.addWidget(self._list)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._list.currentItemChanged.connect(self._changed)

    @Slot(object, str)
    def show_planning(self, planning: PlanningState, device: str) -> None:
        """Show the devices, and which one the plan names."""
        self._shown = device
        if planning.devices != self._devices:
            self._devices = planning.devices
            self._fill(planning.devices)
        for place in range(self._list.count()):
            item = self._list.item(place)
            if item.data(Qt.ItemDataRole.UserRole) == device:
                self._list.setCurrentItem(item)
                return
        self._list.setCurrentRow(-1)

    def _fill(self, devices: tuple[DeviceLine, ...]) -> None:
        self._list.clear()
        looking = "" if devices else "\nlooking for devices …"
        lines = [(_AUTO, f"Best device{looking}")]
        lines += [(line.id, device_in_words(line)) for line in devices]
        for name, words in lines:
            item = QListWidgetItem(words)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setToolTip(f"device = {name}")
            self._list.addItem(item)
        height = sum(self._list.sizeHintForRow(place) for place in range(self._list.count()))
        self._list.setFixedHeight(min(height + 4, 170))

    @Slot(QListWidgetItem)
    def _changed(self, now: QListWidgetItem | None) -> None:
        name = "" if now is None else str(now.data(Qt.ItemDataRole.UserRole))
        if name and name != self._shown:
            self._shown = name
            self.picked.emit(name)
