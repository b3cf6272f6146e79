"""Start, hold, stop and resume a run, and see how it stands."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.parts import (
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    duration,
    give_role,
)
from smarthdr_studio.studio.state import Activity, StudioState, TrainingState

ANY_DEVICE = "auto"


class TrainingPanel(QWidget):
    """Preset, device and the buttons of a run; the curves are placed below by the window."""

    train_asked = Signal()
    pause_asked = Signal()
    stop_asked = Signal()
    resume_asked = Signal()
    devices_wanted = Signal()

    def __init__(self, presets: tuple[str, ...]) -> None:
        super().__init__()
        self._presets, self._devices = QComboBox(), QComboBox()
        self._train = button("Train", tip=by_id("train").tip_with_key, role="primary")
        self._pause = button("Pause", tip=by_id("pause").tip_with_key)
        self._stop = button("Stop (keep)", tip=by_id("stop").tip_with_key)
        self._resume = button("Resume", tip=by_id("resume").tip_with_key)
        self._phase, self._left = ElidedLabel(), caption("", role="muted")
        self._bar = QProgressBar(maximum=1000, textVisible=False)
        self._curves = QHBoxLayout()
        self._fill(presets)
        self._lay_out()
        self._train.clicked.connect(self.train_asked)
        self._pause.clicked.connect(self.pause_asked)
        self._stop.clicked.connect(self.stop_asked)
        self._resume.clicked.connect(self.resume_asked)

    @property
    def preset(self) -> str:
        """The preset picked, by name."""
        return self._presets.currentText()

    @property
    def device(self) -> str:
        """The device picked, as a plan names it."""
        return str(self._devices.currentData() or ANY_DEVICE)

    def place_curve(self, curve: QWidget, *, width: int) -> None:
        """Put a chart beside the others; `width` is its share of the room."""
        self._curves.addWidget(curve, width)

    @Slot(object)
    def show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        """Offer these devices, (name of the plan, words for the person)."""
        picked = self.device
        self._devices.clear()
        for name, words in ((ANY_DEVICE, "best device"), *devices):
            self._devices.addItem(words, name)
        self._devices.setCurrentIndex(max(0, self._devices.findData(picked)))

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show how the run stands."""
        if old.training is new.training and old.folder == new.folder:
            return
        run = new.training
        idle = not run.busy
        self._train.setEnabled(idle and new.folder is not None)
        self._presets.setEnabled(idle)
        self._devices.setEnabled(idle)
        self._pause.setEnabled(run.activity in (Activity.RUNNING, Activity.PAUSED))
        self._pause.setText("Go on" if run.activity is Activity.PAUSED else "Pause")
        self._stop.setEnabled(run.busy and run.activity is not Activity.STOPPING)
        self._resume.setEnabled(idle and bool(run.resumable))
        self._phase.tell(phase_in_words(run))
        give_role(self._phase, role=_tone(run))
        self._left.setText(progress_in_words(run))
        speed = run.images_per_second
        self._left.setToolTip(f"{speed:.3g} crops per second" if speed else "")
        self._bar.setValue(round(1000 * run.step / run.total_steps) if run.total_steps else 0)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Look for devices when the mouse first comes near; that loads torch."""
        super().enterEvent(event)
        self.devices_wanted.emit()

    def _fill(self, presets: tuple[str, ...]) -> None:
        self._presets.addItems(presets)
        self._presets.setCurrentText("quick")
        describe(self._presets, name="Preset", tip="Which plan to train by")
        self._devices.addItem("best device", ANY_DEVICE)
        describe(self._devices, name="Device", tip="Where to train")
        # Names of devices are long; the list that opens has room for them.
        narrow = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self._devices.setSizeAdjustPolicy(narrow)
        self._devices.setMinimumContentsLength(9)
        self._bar.setAccessibleName("Progress of the run")

    def _lay_out(self) -> None:
        frame, column = card(name="Training")
        row = QHBoxLayout()
        row.setSpacing(6)
        for part in (self._presets, self._devices, self._train):
            row.addWidget(part)
        row.addStretch(1)
        for part in (self._pause, self._stop, self._resume):
            row.addWidget(part)
        words = QHBoxLayout()
        words.addWidget(self._phase, 1)
        words.addWidget(self._left)
        self._curves.setSpacing(6)
        column.addLayout(row)
        column.addLayout(words)
        column.addWidget(self._bar)
        column.addLayout(self._curves, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)


def phase_in_words(run: TrainingState) -> str:
    """What the run is doing, from its first second to its last word."""
    if run.silent:
        return f"no event for 60 s; last: {run.phase or 'starting'}"
    begin = "no run yet: pick a preset and press Train"
    go_on = "no run at work: press Train, or Resume to go on with the last one"
    words = {
        Activity.IDLE: go_on if run.resumable else begin,
        Activity.STARTING: "starting: loading the training code",
        Activity.RUNNING: run.phase,
        Activity.PAUSED: f"paused: {run.phase}",
        Activity.STOPPING: "stopping: finishing the step and saving a checkpoint",
    }
    return words.get(run.activity, run.message)


def progress_in_words(run: TrainingState) -> str:
    """Epoch, quality and time left, as far as they are known."""
    parts = []
    if run.total_epochs:
        parts.append(f"epoch {min(run.epoch + 1, run.total_epochs)} of {run.total_epochs}")
    if run.psnr_mu is not None:
        parts.append(f"PSNR-μ {run.psnr_mu:.2f} dB")
    if run.activity is Activity.RUNNING and run.seconds_left:
        parts.append(f"{duration(run.seconds_left)} left")
    return " · ".join(parts)


def _tone(run: TrainingState) -> str:
    if run.activity is Activity.FAILED:
        return "bad"
    return "warn" if run.silent else ""
