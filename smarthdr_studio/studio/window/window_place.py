"""Where the window stands on its screen, and how it is found there again at the next start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QMainWindow, QStyle

FIRST: Final = QSize(1440, 900)
SMALLEST: Final = QSize(1024, 640)
_FAR: Final = 100_000  # pixels; no desktop reaches further


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlace:
    """`box` is the window without its frame; `title` the height of the bar the desktop adds."""

    box: QRect
    title: int = 0
    maximised: bool = False
    full_screen: bool = False

    @classmethod
    def of(cls, window: QMainWindow) -> Self:
        """Where a window stands now, or would if it were neither maximised nor full screen."""
        state = window.windowState()
        full = bool(state & Qt.WindowState.WindowFullScreen)
        maximised = bool(state & Qt.WindowState.WindowMaximized)
        normal = window.normalGeometry() if full or maximised else window.geometry()
        title = window.geometry().top() - window.frameGeometry().top()
        return cls(box=normal, title=max(title, 0), maximised=maximised, full_screen=full)

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


def put_in_place(window: QMainWindow, held: Mapping[str, Any]) -> None:
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
        state |= Qt.WindowState.WindowMaximized
    if place.full_screen:
        state |= Qt.WindowState.WindowFullScreen
    window.setWindowState(state)


def _screens() -> list[QScreen]:
    """The primary one first."""
    primary = QGuiApplication.primaryScreen()
    return [primary, *(other for other in QGuiApplication.screens() if other is not primary)]


def _area(box: QRect) -> int:
    return max(box.width(), 0) * max(box.height(), 0)
