"""Start, steer, stop and resume a run, and see how it stands."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import isnan
from typing import ClassVar, Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QEnterEvent, QFocusEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.training.run_folder import best_of
from smarthdr_studio.core.words import counted, number
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import Activity, StudioState, TrainingState
from smarthdr_studio.studio.state.training import GO_ON, PAUSE
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    duration,
    give_role,
    rename,
)

_LEAST_DB: Final = 0.05  # what one digit after the point can show


def phase_in_words(run: TrainingState) -> str:
    """What the run is doing, from its first second to its last word."""
    if run.silent:
        return f"no event for 60 s; last: {run.phase or 'starting'}"
    words = _activity(run)
    if run.past and run.run:
        return f"last run, {name_of(run.run)}: {words}"
    return f"another process: {words}" if run.in_other_process else words


def progress_in_words(run: TrainingState) -> str:
    """Epoch, quality and time left, as far as they are known."""
    told_by_phase = run.busy and run.phase.startswith("epoch ")
    epoch = "" if told_by_phase else _epoch_in_words(run)
    quality = f"PSNR-μ {run.checks[-1].psnr_mu:.1f} dB" if run.checks else ""
    return " · ".join(filter(None, (epoch, quality, _left_in_words(run))))


def run_in_short(run: TrainingState) -> str:
    """Whether the run goes on, its epoch and time left, for whoever looks at something else."""
    epoch = _epoch_in_words(run)
    if run.activity is Activity.INTERRUPTED:
        return "last run interrupted"
    if not epoch:
        return phase_in_words(run)
    stands = "training"
    if run.silent:
        stands = "no event for 60 s"
    elif run.activity is not Activity.RUNNING:
        stands = str(run.activity)
    elif run.in_other_process:
        stands = "another process"
    return " · ".join(filter(None, (stands, epoch, _left_in_words(run))))


def _epoch_in_words(run: TrainingState) -> str:
    if not run.total_epochs:
        return ""
    return f"epoch {min(run.epoch + 1, run.total_epochs)} of {run.total_epochs}"


def _left_in_words(run: TrainingState) -> str:
    if run.activity is not Activity.RUNNING:
        return ""
    if run.seconds_left:
        # Before the first round nobody knows what a round takes, nor a step that learns from it.
        least = "over " if run.round == 0 and run.rounds_left else ""
        return f"{least}{duration(run.seconds_left)} left"
    return "time left: estimating" if run.step else ""


def validation_in_words(run: TrainingState) -> str:
    """The best check and its epoch, counted from 1, how the newest stands below, and how many rest.

    Differences are those of the numbers as they are told; "" before the first check.
    """
    best = best_of(run.checks)
    if best is None:
        return ""
    now = run.checks[-1].psnr_mu
    below = round(best.psnr_mu, 1) - round(now, 1)
    if run.checks[-1] is best:
        stands = "the newest check"
    elif isnan(now):
        stands = "now no number"
    else:
        stands = f"now {below:.1f} below" if below >= _LEAST_DB else "now as good"
    words = [f"best {best.psnr_mu:.1f} dB at epoch {best.epoch + 1}", stands]
    if run.validating:
        words.append(f"{counted(run.validating, 'scene')} validate{'s' * (run.validating == 1)}")
    return " · ".join(words)


_WIDEST_VALIDATION: Final = "best 00.0 dB at epoch 000 · the newest check · 00 scenes validate"


def thousandths_done(run: TrainingState) -> int:
    """How far the bar is filled; before the end only an estimate of all steps is known."""
    if run.activity is Activity.DONE:
        return 1000
    return min(round(1000 * run.step / run.total_steps), 1000) if run.total_steps else 0


def notes_in_words(run: TrainingState) -> str:
    """What was asked of the run and waits for its time, and what went wrong without ending it."""
    notes = []
    if run.asked and run.busy and run.asked not in (PAUSE, GO_ON):
        notes.append(f"asked to {run.asked}, heard after this step")
    if run.told and run.busy:
        notes.append(run.told)
    notes.extend(each.text for each in run.waiting)
    if run.busy and run.changes_wait:
        notes.append(f"what you changed takes effect in {run.changes_in}")
    if run.skipped:
        steps = "1 step was" if run.skipped == 1 else f"{run.skipped} steps were"
        notes.append(f"{steps} skipped: {run.skipped_why}")
    return " · ".join(notes)


def name_of(run: str) -> str:
    """A run as a person knows it: its preset, and when it was started on the local clock."""
    try:
        begun = datetime.strptime(run[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        begun = begun.astimezone()
    except ValueError:  # renamed by hand
        return run
    return f"{run[16:].replace('_', '-')} of {begun.day} {begun:%b %H:%M}"


def _activity(run: TrainingState) -> str:
    begin = "no run yet: pick a preset and press Train"
    go_on = "no run at work: press Train, or Resume to go on with the last one"
    where = f" at step {run.step}" if run.step else ""
    words = {
        Activity.IDLE: go_on if run.resumable else begin,
        Activity.STARTING: "starting: loading the training code",
        Activity.RUNNING: _running(run),
        Activity.PAUSED: f"pausing: {run.phase}" if run.asked == PAUSE else f"paused: {run.phase}",
        Activity.STOPPING: "stopping: finishing the step and saving a checkpoint",
        Activity.INTERRUPTED: f"interrupted{where}: Resume goes on",
    }
    return words.get(run.activity, run.message)


def _running(run: TrainingState) -> str:
    if run.asked == PAUSE:
        return f"asked to pause: {run.phase}"
    return f"asked to go on: {run.phase}" if run.asked == GO_ON else run.phase


_WIDTH: Final = 90


class SteeringQuestion(QWidget):
    """Asks for a yes, or for a number; `closed` tells that the buttons may come back."""

    discard_confirmed = Signal()
    rate_picked = Signal(float)
    refresh_picked = Signal(int)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._words, self._rest = ElidedLabel(), ElidedLabel(role="muted")
        self._field = _Field()
        self._field.setFixedWidth(_WIDTH)
        self._yes = button("Set", tip="Ask this of the run (Return)", role="primary")
        self._no = button("Cancel", tip="Leave the run as it is (Esc)")
        self._answer: Callable[[], bool] = lambda: True
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for part in (self._words, self._field, self._rest, self._no, self._yes):
            row.addWidget(part, 1 if part is self._rest else 0)
        self._words.setSizePolicy(self._no.sizePolicy())
        self._yes.clicked.connect(self._take)
        self._field.returnPressed.connect(self._take)
        self._no.clicked.connect(self.closed)
        self._field.left.connect(self.closed)

    def ask_discard(self, *, at_work: bool) -> None:
        """Whether the run is to go to the trash."""
        words = "Stop and discard this run?" if at_work else "Discard this run?"
        self._say(words, "to the trash; it can be restored", yes="Discard", no="Keep")
        self._field.hide()
        give_role(self._yes, role="")
        self._answer = self._discard
        self._no.setFocus()

    def ask_rate(self, rate: float | None, *, epoch: int) -> None:
        """For a learning rate; `epoch` counts from 0."""
        self._ask(f"{rate or 2e-4:.3g}", "Learning rate", f"from epoch {epoch + 2} on")
        describe(self._field, name="Learning rate", tip="A number above 0, as 0.0002 or 2e-4")
        self._answer = self._pick_rate

    def ask_refresh(self, *, epoch: int) -> None:
        """For the epochs between two rounds; `epoch` counts from 0."""
        self._ask("1", "A round every", f"epochs, from epoch {epoch + 2} on")
        describe(self._field, name="Epochs between two rounds", tip="A whole number from 1")
        self._answer = self._pick_refresh

    def _ask(self, value: str, words: str, rest: str) -> None:
        self._say(words, rest, yes="Set", no="Cancel")
        give_role(self._yes, role="primary")
        self._field.show()
        self._field.setText(value)
        self._field.selectAll()
        self._field.setFocus()

    def _say(self, words: str, rest: str, *, yes: str, no: str) -> None:
        self._words.tell(words)
        self._rest.tell(rest)
        for made, text in ((self._yes, yes), (self._no, no)):
            made.setText(text)
            made.setAccessibleName(text)

    @Slot()
    def _take(self) -> None:
        if self._answer():
            self.closed.emit()
        else:
            self._rest.tell(self._field.toolTip().lower())
            self._field.selectAll()

    def _discard(self) -> bool:
        self.discard_confirmed.emit()
        return True

    def _pick_rate(self) -> bool:
        try:
            rate = number(self._field.text())
        except ValueError:
            return False
        if not 0 < rate < 1:
            return False
        self.rate_picked.emit(rate)
        return True

    def _pick_refresh(self) -> bool:
        text = self._field.text().strip()
        if not (text.isdecimal() and int(text) > 0):
            return False
        self.refresh_picked.emit(int(text))
        return True


class _Field(QLineEdit):
    """Tells when Escape has given the keyboard back."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        """A click elsewhere leaves the question open: who looks something up comes back."""
        done = super().event(event)
        if isinstance(event, QFocusEvent) and event.lostFocus() and _was_given_back(event):
            self.left.emit()
        return done


def _was_given_back(event: QFocusEvent) -> bool:
    return event.reason() is Qt.FocusReason.OtherFocusReason


ANY_DEVICE = "auto"
_STEERED: Final = (Activity.RUNNING, Activity.PAUSED)


class TrainingPanel(QWidget):
    """The buttons of the next run or of the one at work; what it shows is placed below."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"training", "folder"})

    train_asked = Signal()
    plan_asked = Signal()
    pause_asked = Signal()
    stop_asked = Signal()
    resume_asked = Signal()
    discard_confirmed = Signal()
    snapshot_asked = Signal()
    round_asked = Signal()
    rate_picked = Signal(float)
    refresh_picked = Signal(int)
    devices_wanted = Signal()

    def __init__(self, presets: tuple[str, ...]) -> None:
        super().__init__()
        self._run = TrainingState()
        self._presets, self._devices = QComboBox(), QComboBox()
        self._train = _button("Train", "train", role="primary")
        self._plan = button("Plan…", tip="See and change every setting of the next run")
        self._pause = _button("Pause", "pause")
        self._stop = _button("Stop (keep)", "stop")
        self._resume = _button("Resume", "resume")
        self._discard, self._discard_last = (_button("Discard…", "discard") for _ in range(2))
        self.all_runs = _button("All runs", "show_runs", role="link")
        self.all_runs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._steer = button("Steer", tip="Ask something of the run while it goes")
        self._which = ElidedLabel(role="muted")
        self._question = SteeringQuestion()
        self._phase, self._left = ElidedLabel(), caption("", role="muted")
        self._notes = ElidedLabel(role="warn")
        self._validation = ElidedLabel(role="muted", widest=_WIDEST_VALIDATION)
        self._validation.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._validation.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._bar = QProgressBar(maximum=1000, textVisible=False)
        self._rows, self._board = QStackedWidget(), QHBoxLayout()
        self._fill(presets)
        self._lay_out()
        self._connect()

    @property
    def preset(self) -> str:
        """The preset picked, by name."""
        return self._presets.currentText()

    @property
    def device(self) -> str:
        """The device picked, as a plan names it."""
        return str(self._devices.currentData() or ANY_DEVICE)

    def place_board(self, board: QWidget) -> None:
        """Fill the room below the buttons with everything a run shows while it goes."""
        self._board.addWidget(board, 1)

    def offer_presets(self, presets: Sequence[str]) -> None:
        """Offer these presets; the one picked stays picked where it is among them."""
        picked = self.preset
        self._presets.clear()
        self._presets.addItems(list(presets))
        self._presets.setCurrentText(picked if picked in presets else "quick")

    @Slot(object)
    def show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        """Offer these devices, (name of the plan, words for the person)."""
        picked = self.device
        self._devices.clear()
        for name, words in ((ANY_DEVICE, "best device"), *devices):
            self._devices.addItem(words, name)
        self._devices.setCurrentIndex(max(0, self._devices.findData(picked)))

    @Slot()
    def ask_discard(self) -> bool:
        """Ask whether the run on the screen is to go to the trash; whether there is one."""
        if self._discard.isEnabled():
            self._question.ask_discard(at_work=self._run.busy)
            self._turn_to(self._question)
        return self._discard.isEnabled()

    @Slot()
    def ask_rate(self) -> None:
        """Ask for another learning rate."""
        if self._run.activity in _STEERED:
            self._turn_to(self._question)
            self._question.ask_rate(self._run.learning_rate, epoch=self._run.epoch)

    @Slot()
    def ask_refresh(self) -> None:
        """Ask how many epochs are to lie between two rounds."""
        if self._run.activity in _STEERED:
            self._turn_to(self._question)
            self._question.ask_refresh(epoch=self._run.epoch)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show how the run stands."""
        if old.training is new.training and old.folder == new.folder:
            return
        run, self._run = new.training, new.training
        if run.busy != old.training.busy or old.folder != new.folder:
            self._show_row()
        self._offer(run, project_is_open=new.folder is not None)
        if self.isVisible():
            self._tell()

    def showEvent(self, event: QShowEvent) -> None:
        """Nothing was worded while nobody looked."""
        super().showEvent(event)
        self._tell()

    def _tell(self) -> None:
        run = self._run
        self._which.tell(name_of(run.run) + (", another process" if run.in_other_process else ""))
        self._phase.tell(phase_in_words(run))
        give_role(self._phase, role=_tone(run))
        self._notes.tell(notes_in_words(run))
        self._left.setText(progress_in_words(run))
        self._validation.tell(validation_in_words(run))
        speed = run.images_per_second
        self._left.setToolTip(f"{speed:.3g} crops per second" if speed and run.busy else "")
        self._bar.setValue(thousandths_done(run))

    def enterEvent(self, event: QEnterEvent) -> None:
        """Look for devices when the mouse first comes near; that loads torch."""
        super().enterEvent(event)
        self.devices_wanted.emit()

    def _offer(self, run: TrainingState, *, project_is_open: bool) -> None:
        """What can be done now."""
        self._train.setEnabled(project_is_open and not run.busy)
        self._plan.setEnabled(project_is_open and not run.busy)
        self._resume.setEnabled(not run.busy and bool(run.resumable))
        self._pause.setEnabled(run.activity in _STEERED)
        rename(self._pause, "Go on" if run.activity is Activity.PAUSED else "Pause")
        self._stop.setEnabled(run.busy and run.activity is not Activity.STOPPING)
        self._steer.setEnabled(run.activity in _STEERED)
        goes = run.busy or (bool(run.run) and run.activity is not Activity.DONE)
        self._discard.setEnabled(goes)
        self._discard_last.setVisible(goes)

    @Slot()
    def _show_row(self) -> None:
        self._turn_to(self._at_work if self._run.busy else self._at_rest)

    def _turn_to(self, row: QWidget) -> None:
        # The keyboard goes nowhere rather than to a list whose choice an arrow key would change.
        held = self._rows.focusWidget()
        if held is not None and held.hasFocus():
            held.clearFocus()
        self._rows.setCurrentWidget(row)

    def _fill(self, presets: tuple[str, ...]) -> None:
        self._presets.addItems(presets)
        self._presets.setCurrentText("quick")
        describe(self._presets, name="Preset", tip="Which plan to train by")
        self._devices.addItem("best device", ANY_DEVICE)
        describe(self._devices, name="Device", tip="Where to train, and the memory free there")
        # Names are long; the lists that open have room for them.
        narrow = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        for choice, letters in ((self._presets, 9), (self._devices, 10)):
            choice.setSizeAdjustPolicy(narrow)
            choice.setMinimumContentsLength(letters)
            choice.view().setMinimumWidth(260)
        self._bar.setAccessibleName("Progress of the run")
        menu = QMenu(self._steer)
        menu.setToolTipsVisible(True)
        for name, call in self._steering():
            action = by_id(name)
            line = menu.addAction(action.line_with_key, call)
            line.setToolTip(action.tip_with_key)
        self._steer.setMenu(menu)

    def _steering(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        return (
            ("save_snapshot", self.snapshot_asked.emit),
            ("skip_to_round", self.round_asked.emit),
            ("change_rate", self.ask_rate),
            ("change_refresh", self.ask_refresh),
        )

    def _lay_out(self) -> None:
        frame, column = card(name="Training")
        self._at_rest = _row(
            *(self._presets, self._devices, self._plan, self._train),
            *(None, self._resume, self._discard_last),
        )
        self._at_work = _row(
            self._which, self._pause, self._stop, self._discard, self._steer, wide=self._which
        )
        for row in (self._at_rest, self._at_work, self._question):
            self._rows.addWidget(row)
        self._rows.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        words = QHBoxLayout()
        # What is asked stands behind: a line of its own would push the charts down as it comes.
        self._phase.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        words.addWidget(self._phase)
        words.addWidget(self._notes, 1)
        words.addWidget(self._left)
        words.addWidget(self.all_runs)
        how_far = QHBoxLayout()
        # Words come before a long bar.
        self._bar.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._bar.setMinimumWidth(40)
        how_far.addWidget(self._bar, 1)
        how_far.addWidget(self._validation)
        self._board.setSpacing(6)
        column.addWidget(self._rows)
        column.addLayout(words)
        column.addLayout(how_far)
        column.addLayout(self._board, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def _connect(self) -> None:
        self._train.clicked.connect(self.train_asked)
        self._plan.clicked.connect(self.plan_asked)
        self._pause.clicked.connect(self.pause_asked)
        self._stop.clicked.connect(self.stop_asked)
        self._resume.clicked.connect(self.resume_asked)
        self._discard.clicked.connect(self.ask_discard)
        self._discard_last.clicked.connect(self.ask_discard)
        self._question.discard_confirmed.connect(self.discard_confirmed)
        self._question.rate_picked.connect(self.rate_picked)
        self._question.refresh_picked.connect(self.refresh_picked)
        self._question.closed.connect(self._show_row)


def _button(text: str, name: str, *, role: str = "") -> QPushButton:
    """A button for the action of that id."""
    return button(text, tip=by_id(name).tip_with_key, role=role)


def _row(*parts: QWidget | None, wide: QWidget | None = None) -> QWidget:
    """Parts side by side; None is room that gives way."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(6)
    for part in parts:
        if part is None:
            line.addStretch(1)
        else:
            line.addWidget(part, 1 if part is wide else 0)
    return row


def _tone(run: TrainingState) -> str:
    if run.activity is Activity.FAILED:
        return "bad"
    return "warn" if run.silent or run.activity is Activity.INTERRUPTED else ""
