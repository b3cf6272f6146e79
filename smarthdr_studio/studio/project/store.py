"""Holds the state and says from which to which it changed, to whom it concerns."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.state import Notice, StudioState

_FIELDS: Final = tuple(field.name for field in fields(StudioState))
_VALUES: Final = attrgetter(*_FIELDS)
_KEPT: Final = ("curve", "frames", "truth", "split", "planning", "proposal")


class Panel(Protocol):
    """Shows a part of the state, and is right with that part alone."""

    SHOWS: ClassVar[frozenset[str]]
    """The fields of `StudioState` that `show_state` and what it calls may read."""

    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show `new`; called only where one of these fields is another than in `old`."""


class WhileSeen:
    """Keeps from a panel what happens while nobody can see it; once somebody can, it shows that.

    `see` says whether somebody can; at first nobody does.
    """

    def __init__(self, panel: Panel) -> None:
        self.parts = panel.SHOWS
        self._panel, self._seen = panel, False
        self._missed: tuple[StudioState, StudioState] | None = None

    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show `new`, or remember what the panel shows until then."""
        if self._seen:
            self._panel.show_state(old, new)
        else:
            self._missed = (self._missed or (old, new))[0], new

    def see(self, *, seen: bool) -> None:
        """The panel came out from behind a tab, or went there."""
        self._seen = seen
        if seen and self._missed is not None:
            missed, self._missed = self._missed, None
            self._panel.show_state(*missed)


class _Topic(QObject):
    """A signal of its own for each set of fields, so that a watcher that dies is forgotten."""

    changed = Signal(object, object)


class Store(QObject):
    """The only place where a new state replaces the old one.

    `changed` is for those who add to the state: whatever they change while they hear of a change
    becomes part of it. Then `watch`ers are told, once, and `shown` says that they were.
    """

    changed = Signal(object, object)
    shown = Signal(object, object)
    switched = Signal()  # another project is open, or none

    def __init__(self, state: StudioState, parent: QObject) -> None:
        super().__init__(parent)
        self.state = state
        self.project: Project | None = None  # the one that is open
        self._heard = self._seen = state  # what `changed` and what watchers were told last
        self._topics: dict[frozenset[str], _Topic] = {}
        self._gathering = 0

    def watch(
        self, parts: Iterable[str], call: Callable[[StudioState, StudioState], object]
    ) -> None:
        """Call with the state before and now whenever one of these fields has changed.

        Raises ValueError where the state has no such field.
        """
        wanted = frozenset(parts)
        if unknown := wanted.difference(_FIELDS):
            raise ValueError(f"no field of the state: {', '.join(sorted(unknown))}")
        if wanted not in self._topics:
            self._topics[wanted] = _Topic(self)
        self._topics[wanted].changed.connect(call)

    def show_all(self) -> None:
        """Every watcher shows the state of now, as if all of it had changed."""
        for topic in list(self._topics.values()):
            topic.changed.emit(StudioState(), self.state)

    @contextmanager
    def one_change(self) -> Iterator[None]:
        """Whatever is changed inside is told at its end, as one change."""
        self._gathering += 1
        try:
            yield
        finally:
            self._gathering -= 1
            if not self._gathering:
                self._tell()

    def switch_to(self, project: Project | None) -> None:
        """Everybody turns to another project, or to none, in the order they were made."""
        self.project = project
        self.switched.emit()

    def become(self, **changes: Any) -> None:  # noqa: ANN401 - names and types are those of StudioState
        """Change some fields; nothing is said when nothing is new."""
        self.start_over(replace(self.state, **changes))

    def start_over(self, new: StudioState) -> None:
        """Take a whole new state."""
        self.state = new
        if not self._gathering:
            self._tell()

    def _tell(self) -> None:
        """Tell until nobody adds anything; what is changed meanwhile waits for its turn."""
        self._gathering += 1
        try:
            while _differing(self._seen, self.state):
                while _differing(self._heard, self.state):
                    old, self._heard = self._heard, self.state
                    self.changed.emit(old, self._heard)
                self._show()
        finally:
            self._gathering -= 1

    def _show(self) -> None:
        old, self._seen = self._seen, self.state
        new = self._seen
        parts = _differing(old, new)
        for wanted, topic in list(self._topics.items()):
            if not parts.isdisjoint(wanted):
                topic.changed.emit(old, new)
        self.shown.emit(old, new)

    def forget_project(self, *, read_anew: bool = False) -> None:
        """Only what outlives projects stays; no late answer fits what comes after.

        Of one that is only `read_anew`, what a person is asked or has typed stays as well.
        """
        old = self.state
        kept = {name: getattr(old, name) for name in _KEPT} if read_anew else {}
        self.start_over(
            StudioState(
                recent=old.recent,
                cache_budget=old.cache_budget,
                generation=old.generation + 1,
                bringing=old.bringing,
                benchmark=old.benchmark,
                **kept,
            )
        )

    @Slot(str, int, int)
    def busy(self, text: str, done: int, total: int) -> None:
        """Something takes its time."""
        self.become(busy=text, progress=done / total if total else None)

    @Slot()
    def not_busy(self) -> None:
        """It is over."""
        self.become(busy="", progress=None)

    @Slot(object)
    def notice(self, notice: Notice | None) -> None:
        """Tell something, or take it back; bad news that was not read stays below newer ones."""
        self.become(notice=_above(self.state.notice, notice))

    def may_write(self, path: Path) -> bool:
        """Whether a person's file may lie there; complains where it would lie in the dataset."""
        try:
            if self.project is not None:
                refuse_inside(self.project.dataset, path)
        except ExportError as error:
            self.complain(str(error))
            return False
        return True

    @Slot(str)
    def complain(self, message: str) -> None:
        """Tell that something went wrong."""
        self.notice(Notice(text=message, tone="bad"))


_MOST_KEPT: Final = 20  # lines of news that were not read


def _above(unread: Notice | None, new: Notice | None) -> Notice | None:
    """Bad news, with bad news that nobody read among its details: which came first is chance."""
    if new is None or unread is None or "plain" in (new.tone, unread.tone):
        return new
    older = [line for line in (unread.text, *unread.details) if line != new.text]
    older = [line for line in older if line not in new.details]
    return replace(new, details=(*new.details, *older[:_MOST_KEPT]))


def _differing(old: StudioState, new: StudioState) -> frozenset[str]:
    """The fields in which two states differ."""
    if old is new:
        return frozenset()
    pairs = zip(_FIELDS, _VALUES(old), _VALUES(new), strict=True)
    return frozenset([name for name, was, now in pairs if was is not now and was != now])
