"""Values kept with what they were made from, made again only when that changed."""

import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np

Made = TypeVar("Made")

TURNS = 16  # six views, each with a partner, are painted before the first is painted again
ROOM, MOST_ROOM = 1, 6  # values of one name that are held: at first, and when views differ
LARGEST = 256 * 2**20  # bytes; above it only the latest value of each name is held
FEW = 64 * 2**20  # bytes; three scenes of 1500×1000


@dataclass(slots=True, eq=False)
class _Kept:
    """A value and what it was made from; held, or only known as long as somebody else holds it."""

    causes: tuple[object, ...]
    held: object
    turn: int
    known: "weakref.ref[Any] | None" = field(init=False)
    arrays: dict[int, int] = field(init=False)
    """Memory of each array the value needs, by identity: as long as the value lives, so do they."""
    nbytes: int = field(init=False)
    """Memory of those that are not themselves what the value was made from."""

    def __post_init__(self) -> None:
        self.arrays = {id(array): array.nbytes for array in _arrays(self.held)}
        before = {id(cause) for cause in self.causes if isinstance(cause, np.ndarray)}
        self.nbytes = sum(size for key, size in self.arrays.items() if key not in before)
        try:
            self.known = weakref.ref(self.held)
        except TypeError:  # of a kind that is only known while it is held
            self.known = None

    @property
    def value(self) -> object:
        """The value, or None when it is gone."""
        if self.held is not None:
            return self.held
        return None if self.known is None else self.known()


class Cache:
    """Values under names; arrays are the same when they are the same object.

    The latest values of a name are held for a few turns; whatever is still shown somewhere is
    found again without being held here. A name whose values are asked for in turns, because
    several views show it differently, is given room for all of them.
    """

    def __init__(self, *, largest: int = LARGEST) -> None:
        self._kept: dict[str, list[_Kept]] = {}  # the latest wanted last
        self._room: dict[str, int] = {}
        self._missed: dict[str, deque[tuple[object, ...]]] = {}
        self._turn = 0
        self._largest = largest

    def once(self, name: str, causes: tuple[object, ...], make: Callable[[], Made]) -> Made:
        """What was made before from the very same causes, or else made now and kept."""
        kept = self._find(name, causes)
        if kept is not None:
            found: Any = kept.value
            if found is not None:
                self._want(name, kept, found)
                return found  # type: ignore[no-any-return]
        if self._missed.get(name) and self._was_missed(name, causes):
            self._room[name] = min(self._room.get(name, ROOM) + 1, MOST_ROOM)
        made = make()
        self._want(name, _Kept(causes, made, self._turn), made)
        return made

    def spent(self, name: str) -> object:
        """What was made last under this name, to be made over; the memo knows it no more."""
        kept = self._kept.pop(name, None)
        return kept[-1].value if kept else None

    def turn(self) -> None:
        """Something is about to be painted: let go of what was not wanted for a while."""
        self._turn += 1
        tight = sum(kept.nbytes for kept in self._all() if kept.held is not None) > self._largest
        # The last first: what was made from something comes after it and keeps it alive.
        for name, entries in reversed(list(self._kept.items())):
            for kept in entries[:-1] if tight else ():
                self._let_go(name, kept)
            for kept in entries:
                if self._turn - kept.turn > TURNS:
                    kept.held = None
            self._kept[name] = [kept for kept in entries if kept.value is not None]
            if not self._kept[name]:
                del self._kept[name]

    def forget(self) -> None:
        """Give everything back."""
        self._kept.clear()
        self._room.clear()
        self._missed.clear()

    def nbytes(self, *, apart_from: Collection[object] = ()) -> int:
        """Memory of all arrays made here that are still alive, each counted once."""
        others = {id(array) for thing in apart_from for array in _arrays(thing)}
        found: dict[int, int] = {}
        for kept in self._all():
            if kept.value is not None:
                found |= kept.arrays
        return sum(size for key, size in found.items() if key not in others)

    def _all(self) -> Iterator[_Kept]:
        return (kept for entries in self._kept.values() for kept in entries)

    def _find(self, name: str, causes: tuple[object, ...]) -> _Kept | None:
        """The latest that was made from the very same causes."""
        entries = reversed(self._kept.get(name, ()))
        return next((kept for kept in entries if all(map(_same, kept.causes, causes))), None)

    def _want(self, name: str, wanted: _Kept, value: object) -> None:
        """Hold a value as the latest of its name, and no more of them than there is room for."""
        wanted.held, wanted.turn = value, self._turn
        entries = self._kept.get(name)
        if entries and entries[-1] is wanted:
            return
        others = [kept for kept in entries or () if kept is not wanted]
        for kept in others[: max(len(others) + 1 - self._room.get(name, ROOM), 0)]:
            self._let_go(name, kept)
        self._kept[name] = [kept for kept in others if kept.value is not None] + [wanted]

    def _let_go(self, name: str, kept: _Kept) -> None:
        if kept.held is not None:
            kept.held = None
            missed = self._missed.setdefault(name, deque(maxlen=MOST_ROOM))
            missed.append(tuple(map(_weakly, kept.causes)))

    def _was_missed(self, name: str, causes: tuple[object, ...]) -> bool:
        """Whether just that was let go lately: too early, then."""
        anchors = tuple(map(_anchor, causes))
        return any(all(map(_recalls, missed, anchors)) for missed in self._missed[name])


@dataclass(frozen=True, slots=True, eq=False)
class _Finding:
    causes: tuple["weakref.ref[Any]", ...]
    made: Any
    nbytes: int

    @property
    def is_alive(self) -> bool:
        """Whether anybody still has what it was made from."""
        return all(cause() is not None for cause in self.causes)

    def comes_from(self, causes: Collection[object]) -> bool:
        """Whether it was made from these very arrays, in this order."""
        pairs = zip(self.causes, causes, strict=False)
        return len(self.causes) == len(causes) and all(one() is other for one, other in pairs)


class Recent(Generic[Made]):
    """What was found out about pictures shown lately, to be found again when one goes back.

    It is kept as long as its arrays live and all that is kept takes no more than `most` bytes.
    """

    def __init__(self, *, most: int = FEW) -> None:
        self._most = most
        self._kept: list[_Finding] = []  # the latest wanted last

    @property
    def nbytes(self) -> int:
        """Memory of what is kept."""
        self._kept = [each for each in self._kept if each.is_alive]
        return sum(each.nbytes for each in self._kept)

    def find(self, causes: Collection[object]) -> Made | None:
        """What was made from these very arrays, if it is still there."""
        found = next((each for each in self._kept if each.comes_from(causes)), None)
        if found is None:
            return None
        self._kept.remove(found)
        self._kept.append(found)
        made: Made = found.made
        return made

    def take(self, causes: Collection[object]) -> Made | None:
        """The same, to be kept by whoever asks."""
        made = self.find(causes)
        if made is not None:
            self._kept.pop()
        return made

    def keep(self, causes: Collection[object], made: Made, *, nbytes: int) -> None:
        """This was made from these arrays, and takes so much memory."""
        self._kept.append(_Finding(tuple(map(weakref.ref, causes)), made, nbytes))
        while self.nbytes > self._most:
            del self._kept[0]


def _same(before: object, now: object) -> bool:
    if before is now:
        return True
    return not isinstance(before, np.ndarray) and not isinstance(now, np.ndarray) and before == now


def _anchor(cause: object) -> object:
    """The array by which something of its own identity is known, or else the cause itself."""
    if isinstance(cause, np.ndarray) or type(cause).__eq__ is not object.__eq__:
        return cause
    return next(_arrays(cause), cause)


def _weakly(cause: object) -> object:
    """A cause by which a value is recognised without any array being kept alive."""
    anchor = _anchor(cause)
    return weakref.ref(anchor) if isinstance(anchor, np.ndarray) else cause


def _recalls(before: object, now: object) -> bool:
    return before() is now if isinstance(before, weakref.ref) else _same(before, now)


def _arrays(thing: object) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays that own the memory a value needs."""
    if isinstance(thing, np.ndarray):
        while isinstance(thing.base, np.ndarray):
            thing = thing.base
        yield thing
    else:
        kind: Any = type(thing)  # of an object mypy does not know that its type has a hash
        for name in _parts_of(kind):
            yield from _arrays(getattr(thing, name))


@cache
def _parts_of(kind: type) -> tuple[str, ...]:
    """The fields of a kind of dataclass; nothing of anything else."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
