"""The plan of the next run: what a person changes of a preset, what it takes, and who keeps it."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.errors import PlanError, StudioError
from smarthdr_studio.core.training.plan_fields import as_text
from smarthdr_studio.core.training.presets import about_preset, preset_file, presets
from smarthdr_studio.core.training.run_estimate import Estimate, size_in_words
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.state.training import EDITED, DeviceLine, PlanBook, PlanningState
from smarthdr_studio.studio.tasks import LatestTask, Report, TaskRunner, plain

if TYPE_CHECKING:
    from smarthdr_studio.core.training.plan import TrainingPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What is to be said of values by dotted key; the command is "" where there is no plan."""

    complaints: Mapping[str, str]
    idle: Mapping[str, str]
    differs: tuple[str, ...]
    command: str


def load_preset(
    name: str, *, changes: Mapping[str, Any], own: Path | None = None
) -> "TrainingPlan":
    """A preset with changes. Raises PlanError (see `core.plan.load_preset`)."""
    from smarthdr_studio.core.training import plan

    return plan.load_preset(name, changes=changes, own=own)


def read_book(*, own: Path) -> PlanBook:
    """Every setting and every preset; asked for on a thread, for what it loads."""
    from smarthdr_studio.core.training.plan_schema import flat, plan_fields

    values: dict[str, Mapping[str, Any]] = {}
    broken: dict[str, str] = {}
    found = []
    for name in presets(own):
        try:
            values[name] = flat(load_preset(name, changes={}, own=own))
            found.append(about_preset(name, own))
        except PlanError as error:
            broken[name] = str(error)
    return PlanBook(fields=plan_fields(), presets=tuple(found), values=values, broken=broken)


def weigh(
    values: Mapping[str, Any], *, preset: str, base: Mapping[str, Any], project: Path, own: Path
) -> Weighed:
    """Everything to be said of a plan, in a millisecond once a book was read."""
    from smarthdr_studio.core.training.plan_schema import check, command_line, idle

    complaints = check(values)
    differs = tuple(key for key, value in values.items() if value != base.get(key))
    command = ""
    if not complaints:
        command = command_line(project, plan_of(values), preset, own=own)
    return Weighed(
        complaints=complaints,
        idle={} if complaints else idle(values),
        differs=differs,
        command=command,
    )


def plan_of(values: Mapping[str, Any]) -> "TrainingPlan":
    """A plan from values by dotted key. Raises PlanError."""
    from smarthdr_studio.core.training.plan import parse_plan
    from smarthdr_studio.core.training.plan_schema import nested

    return parse_plan(nested(values))


def name_complaint(name: str) -> str:
    """Why a preset cannot be saved under a name; "" where it can."""
    from smarthdr_studio.core.training.user_presets import complaint_about_name

    return complaint_about_name(name)


def save_preset(
    name: str, values: Mapping[str, Any], *, base: str, description: str, own: Path
) -> Path:
    """Saves values by dotted key as a person's preset; where it lies now. Raises PlanError."""
    from smarthdr_studio.core.training import user_presets

    return user_presets.save_preset(
        name, plan_of(values), base=base, description=description, own=own
    )


def delete_preset(name: str, *, own: Path) -> Path:
    """Sets a person's preset aside; where it lies now. Raises PlanError."""
    from smarthdr_studio.core.training import user_presets

    return user_presets.delete_preset(name, own=own)


def estimate(report: Report, *, plan: "TrainingPlan", project: Path) -> Estimate:
    """What a run would take; `report` says what is measured, and raises to give up between steps.

    Raises StudioError as training does at its start.
    """
    report("loading the training code", 0, 0)
    from smarthdr_studio.learning.estimate import estimate as ask

    with closing(ask(plan, project)) as events:
        for event in events:
            if isinstance(event, Estimate):
                return event
            report(event.text, 0, 0)
    raise RuntimeError("an estimate that ends without one")


Devices = tuple[tuple[str, str], ...]


def find_devices() -> Devices:
    """(name in a plan, words for the person) of every device; memory is set up for training.

    Before a thread trains, not on it: glibc gives a thread its arena when it starts.
    """
    return tuple((line.id, _in_words(line)) for line in list_devices())


def list_devices() -> tuple[DeviceLine, ...]:
    """The same devices with the memory that is free on each now."""
    # Loaded beside torch, so that the click on Train waits for neither.
    import_module("smarthdr_studio.core.training.plan")
    from smarthdr_studio.learning.compute import devices_with_memory, tune_allocator

    tune_allocator()
    return tuple(
        DeviceLine(
            id=device.id,
            title=device.title,
            free_bytes=device.free_bytes,
            total_bytes=device.total_bytes,
        )
        for device in devices_with_memory()
    )


def _in_words(line: DeviceLine) -> str:
    if line.free_bytes is None:
        return line.title
    return f"{line.title} · {size_in_words(line.free_bytes)} free"


class PlanController(QObject):
    """Keeps the planning part of the state; `own` is where a person's presets lie."""

    def __init__(self, store: Store, tasks: TaskRunner, *, own: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._store, self._tasks, self._own = store, tasks, own
        self._probing, self._reading = LatestTask(tasks), LatestTask(tasks, outlives_project=True)
        self._asked: dict[str, Any] = {}  # the values that were estimated last
        self._wanted = ""  # the preset to show once the book is read

    @property
    def state(self) -> PlanningState:
        """How the plan stands."""
        return self._store.state.planning

    def wish_for(self, preset: str, *, device: str) -> tuple[str, dict[str, Any]]:
        """What `load_preset` needs for a run: a preset, and changes by dotted key.

        `preset` may be EDITED, the plan in the editor; "auto" leaves its device as it is there.
        An estimate that is going on is given up: the run needs the device.
        """
        self.give_up()
        changes: dict[str, Any] = {}
        if preset == EDITED and self.state.book is not None:
            values = self._values()
            changes = {key: values[key] for key in self.state.differs}
            preset = self.state.preset
        if device != "auto":
            changes["device"] = device
        path = preset_file(preset, self._own)
        return (str(path) if path.parent == self._own else preset), changes

    @Slot(str)
    def want(self, preset: str = "") -> None:
        """Somebody looks: read the book and the free memory; a preset is shown if none is yet."""
        self._wanted = preset
        self._tasks.start(plain(list_devices), self._found_devices)
        if self.state.book is None:
            self._read()
        elif preset and not self.state.typed and preset != EDITED:
            self.pick_preset(preset)

    @Slot(str)
    def pick_preset(self, name: str) -> None:
        """Begin anew from a preset; what was typed over another is set aside, not lost."""
        book = self.state.book
        if book is None or name not in book.values or name == self.state.preset:
            return
        aside = dict(self.state.typed) or dict(self.state.aside)
        self._become(preset=name, typed={}, aside=aside, told="", failed=False)
        self._weigh()

    @Slot()
    def take_aside(self) -> None:
        """What was set aside, over the preset of now."""
        self._become(typed={**self.state.aside, **self.state.typed}, aside={})
        self._weigh()

    @Slot(str, str)
    def set_text(self, key: str, text: str) -> None:
        """A person typed something, or picked it."""
        typed = dict(self.state.typed)
        if text == as_text(self._base().get(key)):
            typed.pop(key, None)
        else:
            typed[key] = text
        self._become(typed=typed)
        self._weigh()

    @Slot(str)
    def reset(self, key: str) -> None:
        """The preset's value again; "" resets all."""
        typed = {other: text for other, text in self.state.typed.items() if key and other != key}
        self._become(typed=typed)
        self._weigh()

    @Slot()
    def estimate(self) -> None:
        """Measure what the plan would take; an earlier answer that is late is dropped."""
        folder = self._store.state.folder
        if folder is None or not self.state.valid or self._probing.at_work:
            return
        if self._store.state.training.busy:
            words = "A run is going on: beside it a step takes longer than it would alone."
            self._become(refused=words)
            return
        self._asked = self._values()
        self._become(estimating="starting", refused="")
        self._probing.start(
            partial(estimate, plan=plan_of(self._asked), project=folder),
            self._estimated,
            self._not_estimated,
            on_progress=lambda words, _done, _total: self._become(estimating=words),
            on_given_up=self._given_up,
        )

    @Slot()
    def give_up(self) -> None:
        """No estimate after all."""
        if self._probing.at_work:
            self._probing.cancel()
            self._become(estimating="stopping after this step")

    @Slot(str)
    def weigh_name(self, name: str) -> None:
        """Say whether a preset can be saved under a name while it is typed."""
        self._become(name_complaint=name_complaint(name))

    @Slot(str, str)
    def save_as(self, name: str, description: str) -> None:
        """Keep the plan as a preset of this person, and go on from it."""
        try:
            path = save_preset(
                name, self._values(), base=self.state.preset, description=description, own=self._own
            )
        except StudioError as error:
            self._become(told=str(error), failed=True)
            return
        self._become(told=f"Saved as {name}: {path}", failed=False, typed={})
        self._read(then=name)

    @Slot(str)
    def delete(self, name: str) -> None:
        """Set a preset of this person aside; what it said stays in the editor."""
        try:
            aside = delete_preset(name, own=self._own)
        except StudioError as error:
            self._become(told=str(error), failed=True)
            return
        self._become(told=f"Deleted {name}; its file lies in {aside} now.", failed=False)
        book, base = self.state.book, ""
        if book is not None:
            base = next((each.base for each in book.presets if each.name == name), "")
        self._become(typed=self._typed_over(base))
        self._read(then=base or "paper")

    def _read(self, *, then: str = "") -> None:
        self._wanted = then or self._wanted
        if not self._reading.at_work:
            self._reading.start(plain(read_book, own=self._own), self._book_read)

    def _book_read(self, book: PlanBook) -> None:
        wanted = self._wanted if self._wanted in book.values else self.state.preset
        if wanted not in book.values:
            wanted = next(iter(book.values), "")
        self._become(book=book, preset=wanted)
        self._weigh()

    def _found_devices(self, devices: tuple[DeviceLine, ...]) -> None:
        self._become(devices=devices)

    def _estimated(self, found: Estimate) -> None:
        # Told beside the devices' own memory, which is another than when somebody began to look.
        self._tasks.start(plain(list_devices), self._found_devices)
        self._become(estimating="", estimate=found, stale=self._is_stale(self._values()))

    def _not_estimated(self, message: str) -> None:
        self._become(estimating="", refused=message)

    def _given_up(self) -> None:
        if not self._probing.at_work:
            self._become(estimating="")

    def _base(self) -> Mapping[str, Any]:
        book = self.state.book
        return {} if book is None else book.values.get(self.state.preset, {})

    def _values(self) -> dict[str, Any]:
        """The preset's values, and what was typed over them as far as it can be read."""
        book = self.state.book
        known = {field.key: field for field in book.fields} if book is not None else {}
        typed = {key: known[key].read(text) for key, text in self.state.typed.items()}
        return {**self._base(), **typed}

    def _typed_over(self, preset: str) -> dict[str, str]:
        """What would have to be typed over a preset to have the values of now."""
        book = self.state.book
        below = {} if book is None else book.values.get(preset, {})
        return {
            key: as_text(value)
            for key, value in self._values().items()
            if key in below and key != "preset" and below[key] != value
        }

    def _weigh(self) -> None:
        """Say what is wrong with the plan, what differs, and how it is typed in a shell."""
        folder = self._store.state.folder
        if self.state.book is None or not self.state.preset:
            return
        values = self._values()
        weighed = weigh(
            values,
            preset=self.state.preset,
            base=self._base(),
            project=folder or Path("PROJECT"),
            own=self._own,
        )
        self._become(
            complaints=weighed.complaints,
            idle=weighed.idle,
            differs=weighed.differs,
            command=weighed.command,
            stale=self.state.estimate is not None and self._is_stale(values),
        )

    def _is_stale(self, values: Mapping[str, Any]) -> bool:
        """Whether what was estimated last is another plan, by whatever name."""
        return {**self._asked, "preset": ""} != {**values, "preset": ""}

    def _become(self, **changes: Any) -> None:  # noqa: ANN401 - the fields of PlanningState
        self._store.become(planning=replace(self.state, **changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanToContinue:
    """A plan as texts by dotted key, the preset it was made from, and the weights to start from."""

    preset: str
    texts: Mapping[str, str]
    start_from: Path | None


def plan_to_continue(*, run: Path) -> PlanToContinue:
    """The plan of a run, and the teacher of its best checkpoint. Raises PlanError."""
    from smarthdr_studio.core.training.plan_fields import as_text
    from smarthdr_studio.core.training.plan_schema import flat
    from smarthdr_studio.core.training.run_comparison import read_plan
    from smarthdr_studio.core.training.run_folder import RunFolder, best_checkpoint

    plan, best = read_plan(RunFolder(run)), best_checkpoint(run)
    weights = None if best is None else best / "teacher.safetensors"
    return PlanToContinue(
        preset=plan.preset,
        texts={key: as_text(value) for key, value in flat(plan).items() if key != "preset"},
        start_from=weights if weights is not None and weights.is_file() else None,
    )


_START: Final = "network.start_from"


class ContinueController(QObject):
    """Types the plan of the run into the editor, once its book of presets has been read."""

    ready = Signal()  # the editor may be shown

    def __init__(self, store: Store, tasks: TaskRunner, plans: PlanController) -> None:
        super().__init__(store)
        self._store, self._plans = store, plans
        self._reading = LatestTask(tasks)
        self._found: PlanToContinue | None = None
        store.changed.connect(self._take_book)
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._found = None

    def ask(self, run: str) -> None:
        """Bring the plan of this run into the editor."""
        if self._store.project is not None:
            folder: Path = self._store.project.runs_folder / run
            self._reading.start(plain(plan_to_continue, run=folder), self._read)

    def _read(self, found: PlanToContinue) -> None:
        self._found = found
        self.ready.emit()
        self._type()

    @Slot(object, object)
    def _take_book(self, old: StudioState, new: StudioState) -> None:
        if self._found is not None and old.planning.book is not new.planning.book:
            QTimer.singleShot(0, self._type)  # once everybody has heard of the book

    @Slot()
    def _type(self) -> None:
        book, found = self._store.state.planning.book, self._found
        if book is None or found is None or not book.values:
            return
        self._found = None
        preset = found.preset if found.preset in book.values else next(iter(book.values))
        self._plans.pick_preset(preset)
        self._plans.reset("")
        for key, text in found.texts.items():
            self._plans.set_text(key, text)
        if found.start_from is not None:
            self._plans.set_text(_START, str(found.start_from))
