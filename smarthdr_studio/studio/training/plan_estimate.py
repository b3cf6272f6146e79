"""What the plan would take: asked for by a button, measured in seconds, given up at any time."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.training.run_estimate import Estimate, size_in_words
from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.studio.state import DeviceLine, PlanningState
from smarthdr_studio.studio.widgets.controls import button, caption, card, describe, duration
from smarthdr_studio.studio.widgets.tables import FactTable


def estimate_in_facts(found: Estimate) -> tuple[Fact, ...]:
    """The whole time first, then its parts, then memory and disk with what is free."""
    facts = [
        _fact("All of it", long_duration(found.total_seconds)),
        _fact("Steps", f"{found.steps:,}".replace(",", " "), _rounds(found)),
    ]
    for name, seconds in (
        ("Warm-up epoch", found.warmup_epoch_seconds),
        ("Later epoch", found.learning_epoch_seconds),
        ("One round", found.round_seconds),
    ):
        if seconds is not None:
            facts.append(_fact(name, long_duration(seconds)))
    memory, free = found.peak_memory_bytes, found.free_memory_bytes
    if memory is not None:
        facts.append(_fact("Memory", size_in_words(memory), _free(free)))
    disk = size_in_words(found.all_disk_bytes)
    facts.append(_fact("Disk", disk, _free(found.free_disk_bytes)))
    return tuple(facts)


def disk_in_words(found: Estimate) -> str:
    """What is written, part by part."""
    parts = [f"{name} {size_in_words(size)}" for name, size in found.disk_bytes.items() if size]
    return "On the disk: " + ", ".join(parts)


def device_in_words(line: DeviceLine) -> str:
    """A device and the memory that is free on it."""
    if line.free_bytes is None:
        return f"{line.id} · {line.title}"
    total = "" if line.total_bytes is None else f" of {size_in_words(line.total_bytes)}"
    return f"{line.title}\n{size_in_words(line.free_bytes)} free{total}"


def long_duration(seconds: float) -> str:
    """How long; a run may take days, and a step less than a second."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    hours = seconds / 3600
    return duration(seconds) if hours < 48 else f"{hours / 24:.1f} days"


def _fact(name: str, value: str, beside: str = "") -> Fact:
    return Fact(name=name, value=value, beside=beside)


def _rounds(found: Estimate) -> str:
    epochs = "1 epoch" if found.epochs == 1 else f"{found.epochs} epochs"
    rounds = "1 round" if found.rounds == 1 else f"{found.rounds} rounds"
    return f"in {epochs}, {rounds}"


def _free(count: int | None) -> str:
    return "" if count is None else f"of {size_in_words(count)} free"


_BEGIN = "Times a few real steps, about two seconds, and writes nothing."
_STALE = "For the plan before your last change."


class PlanEstimate(QWidget):
    """A card that tells times, memory and disk."""

    asked = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._ask = button("Estimate", tip="Measure what this plan takes")
        self._cancel = button("Cancel", tip="Give it up after the step at hand")
        self._bar = QProgressBar(minimum=0, maximum=0, textVisible=False)
        self._bar.setAccessibleName("Estimating")
        self.facts = FactTable(name="What the run will take")
        self.words, self._warnings = caption(_BEGIN, role="muted"), caption("", role="warn")
        frame, column = card(name="Estimate")
        head = QHBoxLayout()
        head.addWidget(caption("Estimate", role="title"))
        head.addStretch(1)
        for each in (self._ask, self._cancel):
            each.setAutoDefault(False)
            head.addWidget(each)
        column.addLayout(head)
        for part in (self._bar, self.facts, self._warnings, self.words):
            column.addWidget(part)
        for label in (self.words, self._warnings):
            label.setWordWrap(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._ask.clicked.connect(self.asked)
        self._cancel.clicked.connect(self.cancelled)
        self.show_planning(PlanningState(), able=False)

    @Slot(object)
    def show_planning(self, planning: PlanningState, *, able: bool) -> None:
        """Show how far it is, and what was found; `able` lets a person ask."""
        at_work, found = bool(planning.estimating), planning.estimate
        self._ask.setVisible(not at_work)
        self._ask.setEnabled(able)
        self._cancel.setVisible(at_work)
        self._bar.setVisible(at_work)
        self.facts.setVisible(found is not None)
        self.facts.setEnabled(not planning.stale)
        self.facts.show_facts(estimate_in_facts(found) if found is not None else ())
        warnings = [planning.refused] if planning.refused else []
        warnings += found.warnings if found is not None and not planning.stale else ()
        self._warnings.setText("\n".join(f"△ {each}" for each in warnings))
        self._warnings.setVisible(bool(warnings))
        self.words.setText(_words(planning))


def _words(planning: PlanningState) -> str:
    found = planning.estimate
    if planning.estimating:
        return f"{planning.estimating} …"
    if found is None:
        return "" if planning.refused else _BEGIN
    if planning.stale:
        return _STALE
    timed = f"Timed on {found.device} in {found.precision}: {found.measured}."
    return f"{disk_in_words(found)}. {timed}"


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
