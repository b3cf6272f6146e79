"""The plan of the next run: what a person changes of a preset, what it takes, and who keeps it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.plan_field import as_text
from smarthdr_studio.core.presets import preset_file
from smarthdr_studio.core.run_estimate import Estimate
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state.planning import EDITED, DeviceLine, PlanBook, PlanningState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads import plans
from smarthdr_studio.studio.threads.devices import list_devices
from smarthdr_studio.studio.threads.estimates import estimate


class PlanDesk(QObject):
    """Keeps the planning part of the state; `own` is where a person's presets lie."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, *, own: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._keeper, self._tasks, self._own = keeper, tasks, own
        self._probing, self._reading = LatestTask(tasks), LatestTask(tasks, outlives_project=True)
        self._asked: dict[str, Any] = {}  # the values that were estimated last
        self._wanted = ""  # the preset to show once the book is read

    @property
    def state(self) -> PlanningState:
        """How the plan stands."""
        return self._keeper.state.planning

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
        folder = self._keeper.state.folder
        if folder is None or not self.state.valid or self._probing.at_work:
            return
        if self._keeper.state.training.busy:
            words = "A run is going on: beside it a step takes longer than it would alone."
            self._become(refused=words)
            return
        self._asked = self._values()
        self._become(estimating="starting", refused="")
        self._probing.start(
            partial(estimate, plan=plans.plan_of(self._asked), project=folder),
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
        self._become(name_complaint=plans.name_complaint(name))

    @Slot(str, str)
    def save_as(self, name: str, description: str) -> None:
        """Keep the plan as a preset of this person, and go on from it."""
        try:
            path = plans.save_preset(
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
            aside = plans.delete_preset(name, own=self._own)
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
            self._reading.start(plain(plans.read_book, own=self._own), self._book_read)

    def _book_read(self, book: PlanBook) -> None:
        wanted = self._wanted if self._wanted in book.values else self.state.preset
        if wanted not in book.values:
            wanted = next(iter(book.values), "")
        self._become(book=book, preset=wanted)
        self._weigh()

    def _found_devices(self, devices: tuple[DeviceLine, ...]) -> None:
        self._become(devices=devices)

    def _estimated(self, found: Estimate) -> None:
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
        folder = self._keeper.state.folder
        if self.state.book is None or not self.state.preset:
            return
        values = self._values()
        weighed = plans.weigh(
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
        self._keeper.become(planning=replace(self.state, **changes))
