"""Where the window stands on its screen, and how it is found there again at the next start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from PySide6.QtCore import QEvent, QMargins, QObject, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QScreen, QWindowStateChangeEvent
from PySide6.QtWidgets import QMainWindow, QStyle

from smarthdr_studio.studio.widgets.controls import EventWatch

FIRST: Final = QSize(1440, 900)
SMALLEST: Final = QSize(1024, 640)
_FULL: Final = Qt.WindowState.WindowFullScreen
_MAXIMISED: Final = Qt.WindowState.WindowMaximized
_FRAME: Final = QMargins(8, 48, 8, 8)  # what a desktop draws around a window at most
_FAR: Final = 100_000  # pixels; no desktop reaches further
_AT_REST_MS: Final = 300  # a desktop tells of a new size and of a new state one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlace:
    """`box` is the window without its frame; `title` the height of the bar the desktop adds."""

    box: QRect
    title: int = 0
    maximised: bool = False
    full_screen: bool = False

    @classmethod
    def read(cls, held: Mapping[str, Any]) -> Self | None:
        """What `held` says, None where it makes no sense."""
        try:
            left, top, width, height = (int(number) for number in held["box"])
            title = int(held["title"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        if max(map(abs, (left, top, width, height, title))) > _FAR or min(width, height) < 1:
            return None
        return cls(
            box=QRect(left, top, width, height),
            title=max(title, 0),
            maximised=held.get("maximised") is True,
            full_screen=held.get("full screen") is True,
        )

    def held(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "box": [self.box.x(), self.box.y(), self.box.width(), self.box.height()],
            "title": self.title,
            "maximised": self.maximised,
            "full screen": self.full_screen,
        }

    def within(self, rooms: Sequence[QRect]) -> Self:
        """The same wholly in one of these rooms, the one it lay in most, or else the first."""
        room = max(rooms, key=lambda room: _area(room & self.box))
        room = room.adjusted(0, min(self.title, room.height() // 4), 0, 0)
        box = QRect(self.box.topLeft(), self.box.size().boundedTo(room.size()))
        box.moveLeft(min(max(box.left(), room.left()), room.right() + 1 - box.width()))
        box.moveTop(min(max(box.top(), room.top()), room.bottom() + 1 - box.height()))
        return type(self)(
            box=box, title=self.title, maximised=self.maximised, full_screen=self.full_screen
        )


def first_place(room: QRect, *, title: int) -> WindowPlace:
    """In the middle of a room; a room that is too small for the usual size is filled."""
    box = QRect(0, 0, FIRST.width(), FIRST.height())
    box.moveCenter(room.center())
    place = WindowPlace(box=box, title=title)
    fitting = place.within([room])
    full = fitting.box.size() != FIRST
    return WindowPlace(box=fitting.box, title=title, maximised=full)


def put_in_place(window: QMainWindow, held: Mapping[str, Any]) -> WindowPlace:
    """Give a window that is not shown yet the place and state that `held` tells, on a screen.

    A place on a screen that is gone, or one that makes no sense, becomes one on a screen there is.
    """
    rooms = [screen.availableGeometry() for screen in _screens()]
    known = WindowPlace.read(held)
    if known is None:
        title = window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
        place = first_place(rooms[0], title=title)
    else:
        place = known.within(rooms)
    room = max(rooms, key=lambda room: _area(room & place.box))
    room_inside = QSize(room.width(), room.height() - place.title)
    window.setMinimumSize(SMALLEST.boundedTo(room_inside))
    window.setGeometry(place.box)
    state = Qt.WindowState.WindowNoState
    if place.maximised:
        state |= _MAXIMISED
    if place.full_screen:
        state |= _FULL
    window.setWindowState(state)
    return place


class PlaceKeeper(EventWatch, QObject):
    """Knows the place of a window beneath full screen and maximised, and gives it back.

    No desktop is asked for it: one forgets that a window was maximised before it filled the
    screen, another takes the whole screen for its usual size. `changed` tells that place, size or
    state are others, once they are at rest.
    """

    changed = Signal()

    def __init__(self, window: QMainWindow, place: WindowPlace) -> None:
        super().__init__(window)
        self._window, self._box, self._title = window, place.box, place.title
        self._maximised = place.maximised  # when it is not full screen
        self._left = Qt.WindowState.WindowNoState  # the one it comes from, until it is at rest
        self._rest = QTimer(self, singleShot=True, interval=_AT_REST_MS)
        self._rest.timeout.connect(self._rested)
        self.watch(window)

    @property
    def place(self) -> WindowPlace:
        """Where the window stands now."""
        self._note()
        return WindowPlace(
            box=self._box,
            title=self._title,
            maximised=self._maximised,
            full_screen=self._window.isFullScreen(),
        )

    def toggle_full_screen(self) -> None:
        """Fill the whole screen, or be a window again as before."""
        self._window.setWindowState(self._window.windowState() ^ _FULL)

    def stop(self) -> None:
        """Note nothing more."""
        self.unwatch(self._window)
        self._rest.stop()

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """The window has another size, place or state."""
        del watched
        if isinstance(event, QWindowStateChangeEvent):
            if not event.oldState():
                self._leave_as(self._window.normalGeometry())
            self._turned(event.oldState())
        elif event.type() not in (QEvent.Type.Move, QEvent.Type.Resize):
            return False
        self._rest.start()
        return False

    def _turned(self, before: Qt.WindowState) -> None:
        now, window = self._window.windowState(), self._window
        if now & (_FULL | Qt.WindowState.WindowMinimized) or not window.isVisible():
            return
        if not now:
            self._left = before
        if not before & _FULL:
            self._maximised = bool(now & _MAXIMISED)
        elif self._maximised:
            window.setWindowState(now | _MAXIMISED)
        else:
            window.setGeometry(self._box)

    def _leave_as(self, box: QRect) -> None:
        """What Qt takes for the usual place, unless a desktop has made that the whole screen."""
        if box.isValid() and not self._fills(box):
            self._box = box

    def _fills(self, box: QRect) -> bool:
        screen = self._window.screen()
        least = box.marginsAdded(_FRAME).contains(screen.availableGeometry())
        return least and screen.geometry().marginsAdded(_FRAME).contains(box)

    @Slot()
    def _rested(self) -> None:
        """The desktop had the last word; it is asked once more where that cannot be right."""
        window, left = self._window, self._left
        self._left = Qt.WindowState.WindowNoState
        other = window.size() != self._box.size()
        odd = other if left & _FULL else bool(left) and other and self._fills(window.geometry())
        if odd and not window.windowState():
            window.setGeometry(self._box)
        else:
            self._note()
            self.changed.emit()

    def _note(self) -> None:
        window, left = self._window, self._left
        if not window.isVisible() or window.isMinimized() or window.isFullScreen():
            return
        self._title = max(window.geometry().top() - window.frameGeometry().top(), 0)
        doubtful = left & _FULL or (left and self._fills(window.geometry()))
        if not window.isMaximized() and not doubtful:
            self._box = window.geometry()


def _screens() -> list[QScreen]:
    """The primary one first."""
    primary = QGuiApplication.primaryScreen()
    return [primary, *(other for other in QGuiApplication.screens() if other is not primary)]


def _area(box: QRect) -> int:
    return max(box.width(), 0) * max(box.height(), 0)
