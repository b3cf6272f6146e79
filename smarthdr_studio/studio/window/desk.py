"""The panels around the middle: docks that a person moves, tabs, floats and hides."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final, Literal, NamedTuple

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QContextMenuEvent, QResizeEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenu,
    QTabBar,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from smarthdr_studio.studio.state import Workspace
from smarthdr_studio.studio.widgets.controls import EventWatch
from smarthdr_studio.studio.window.first_arrangement import Side, first_arrangement, low_row

_LEFT: Final = Qt.DockWidgetArea.LeftDockWidgetArea
_RIGHT: Final = Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM: Final = Qt.DockWidgetArea.BottomDockWidgetArea
Why = Literal["by hand", "alone", "runs"]  # panels are hidden for a while

_BY_HAND: Final = "by hand"
_ALONE: Final = "alone"
_HIDDEN: Final = "hidden"  # in what is remembered: by hand
_KINDS: Final = QEvent.Type
_REARRANGING: Final = (_KINDS.Move, _KINDS.Resize, _KINDS.ShowToParent, _KINDS.HideToParent)
_VERSION: Final = 1  # of the panels there are; another one makes remembered layouts void
_NARROW: Final = 1000  # panels are made for no narrower window
_TALL: Final = ("thresholds", "why", "evidence", "scene")  # made for a column, not for a row


def _size_in(text: str) -> QSize | None:
    """What "1440x900" says."""
    said = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    return None if said is None else QSize(int(said[1]), int(said[2]))


class _Waiting(NamedTuple):
    """A layout that has no room now, and how many pixels across it needs."""

    state: QByteArray
    needs: int


class _NoTitle(QWidget):
    """Takes no room: the tab says the same."""

    def sizeHint(self) -> QSize:
        """None."""
        return QSize(0, 0)

    def minimumSizeHint(self) -> QSize:
        """None."""
        return QSize(0, 0)


class Dock(QDockWidget):
    """A panel with its name over it, or on its tab; its panel may be lent to another place."""

    def __init__(self, name: str, title: str, parent: QMainWindow) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self._inside, self._tabbed = QWidget(), _NoTitle(self)
        self._tabbed.hide()
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setWidget(self._inside)
        self.setAllowedAreas(Qt.DockWidgetArea.AllDockWidgetAreas)

    def hold(self, panel: QWidget) -> None:
        """Show this panel, which leaves the place where it was."""
        if panel.parentWidget() is not self._inside:
            self._column.addWidget(panel)
            panel.show()

    def title_by_tab(self, *, tabbed: bool) -> None:
        """Without a bar of its own where a tab says the name."""
        if tabbed and self.titleBarWidget() is None:
            self.setTitleBarWidget(self._tabbed)
        elif not tabbed and self.titleBarWidget() is not None:
            self.setTitleBarWidget(None)  # type: ignore[arg-type]
            self._tabbed.hide()


class Desk(EventWatch, QMainWindow):
    """Holds panels by name around the middle, and remembers a layout for each workspace.

    A workspace in which nobody has moved a panel or given it another size is arranged anew where
    the window becomes so much larger or smaller that it looks otherwise at first.
    A layout that has no room, because the window was larger when it was made, waits until there is
    room again; meanwhile panels stand as at first in a window of this size.
    Panels that are hidden by hand stay hidden in their workspace, and in no other.

    `rearranged` tells that a panel came, went or has another place or size, `seen` tells of a panel
    by its name that it can be seen now, or no longer; `changed` that one was shown or hidden.
    """

    seen = Signal(str, bool)
    changed = Signal()
    reset_asked = Signal()
    rearranged = Signal()  # by whatever way, often in a row

    _as_first: QSize | None = None  # of the window it is arranged for, where nobody changed it
    _moved = False  # panels were sent to their places and are not there yet
    _turned = False  # and it is not known whether those of this workspace have room

    def __init__(self, middle: QWidget) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setCentralWidget(middle)
        self.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.GroupedDragging
        )
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setDocumentMode(True)
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.BottomLeftCorner):
            self.setCorner(corner, _LEFT)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, _RIGHT)
        self._docks: dict[str, Dock] = {}
        self._workspace: Workspace | None = None
        self._kept: dict[str, str] = {}
        self._cleared: QByteArray | None = None
        self._why = set[Why]()  # panels are hidden for a while
        self._fitting = QByteArray()  # the panels when they had room last
        self._waiting: _Waiting | None = None
        self._at_press = QByteArray()  # the panels when a button went down between two of them
        self._moving = False
        self._in_sight: dict[str, bool] = {}

    def add(self, name: str, title: str, panel: QWidget | None = None) -> Dock:
        """One more panel; without one the dock is filled by whoever lends it something."""
        dock = Dock(name, title, self)
        if panel is not None:
            dock.hold(panel)
        self._docks[name] = dock
        self.addDockWidget(_BOTTOM, dock)
        dock.hide()
        dock.visibilityChanged.connect(partial(self._visible, name))
        dock.topLevelChanged.connect(self._moved_by_hand)
        dock.dockLocationChanged.connect(self._moved_by_hand)
        self.watch(dock)
        return dock

    def heard(self, watched: QObject, event: QEvent) -> bool:
        """A panel came, went, or has another place or size."""
        del watched
        if event.type() in _REARRANGING:
            self.rearranged.emit()
        return False

    @property
    def names(self) -> tuple[str, ...]:
        """Every panel there is."""
        return tuple(self._docks)

    def dock(self, name: str) -> Dock:
        """The dock of that name."""
        return self._docks[name]

    def has(self, name: str) -> bool:
        """Whether the panel is shown, be it behind another tab."""
        return name in self._docks and not self._docks[name].isHidden()

    def in_front(self, name: str) -> bool:
        """Whether the panel is shown and behind no other tab."""
        dock = self._docks[name]
        # Qt puts what is behind a tab left of everything.
        return not dock.isHidden() and (dock.isFloating() or dock.geometry().right() >= 0)

    def bring(self, name: str) -> None:
        """Show a panel, in front of those it shares its place with."""
        dock = self._docks[name]
        self._show_again()
        if dock.isHidden():
            with self._one_move():
                self._waiting = self._as_first = None
                alone = not self._beside(dock)
                dock.show()
                if alone and self.dockWidgetArea(dock) is _BOTTOM:
                    self.resizeDocks([dock], [low_row(self.height())], Qt.Orientation.Vertical)
        dock.raise_()

    def put_away(self, name: str) -> None:
        """Hide a panel."""
        if self.has(name):
            self._waiting = self._as_first = None
            self._docks[name].hide()

    def clear(self, why: Why, *, cleared: bool) -> None:
        """Hide every panel for a reason, or show them again once there is none left."""
        (self._why.add if cleared else self._why.discard)(why)
        if bool(self._why) == self.cleared:
            return
        with self._one_move():
            if self._cleared is not None:
                held, self._cleared = self._cleared, None
                self._restore(held)
                self._turned = True  # the window may have another size by now
            else:
                self._cleared = self.saveState(_VERSION)
                for dock in self._docks.values():
                    dock.hide()

    @property
    def cleared(self) -> bool:
        """Whether everything but the middle is hidden for a while."""
        return self._cleared is not None

    def toggle(self) -> None:
        """Hide every panel of this workspace until it is asked for again, or show them all."""
        self._show_again() if self.cleared else self.clear(_BY_HAND, cleared=True)

    def _show_again(self) -> None:
        for why in tuple(self._why):
            self.clear(why, cleared=False)

    @property
    def layouts(self) -> dict[str, str]:
        """Of every workspace that was seen, as text."""
        self._keep()
        return dict(self._kept)

    def take_layouts(self, layouts: Mapping[str, str]) -> None:
        """As a person left them; what is damaged is as if it had never been."""
        self._kept = dict(layouts)

    def turn_to(self, workspace: Workspace) -> None:
        """Arrange the panels as this workspace was left, or as it is at first."""
        if workspace is self._workspace:
            return
        self._keep()
        with self._one_move():
            self._workspace, self._cleared, self._waiting = workspace, None, None
            *about, text = self._kept.get(str(workspace), "").split(" ")
            self._as_first = next(filter(None, map(_size_in, about)), None)
            held = QByteArray.fromBase64(text.encode())
            self._why &= {_ALONE}
            self._why |= {_BY_HAND} if _HIDDEN in about else set()
            if self._outgrown or held.isEmpty() or not self._restore(held):
                self._arrange_as_first(workspace)
                held = self.saveState(_VERSION)
            self._fitting, self._turned = held, True
            if self._why:
                self._cleared = held
                for dock in self._docks.values():
                    dock.hide()

    def reset(self) -> None:
        """The workspace as it is at first."""
        if self._workspace is not None:
            with self._one_move():
                self._cleared = self._waiting = None
                self._why.clear()
                self._arrange_as_first(self._workspace)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There may be room no longer, or again."""
        super().resizeEvent(event)
        self._find_room()

    def _find_room(self) -> None:
        """Put a layout aside that has no room, or fetch it back."""
        if self._workspace is None or self._moving or self.cleared or not self.isVisible():
            return
        if self._outgrown:
            self._grow(self._workspace)
            return
        needed = self._narrowest
        if self._waiting is not None:
            if self._waiting.needs <= self.width():
                with self._one_move():
                    self._restore(self._waiting.state)
                    self._waiting = None
        elif not self._note_what_fits() and self.width() >= _NARROW:
            with self._one_move():
                self._waiting = _Waiting(self._fitting, needed)
                self._arrange(first_arrangement(self._workspace, self.window().size()))

    @property
    def _outgrown(self) -> bool:
        """Whether nobody changed the panels, and a window of this size would have others."""
        made, workspace = self._as_first, self._workspace
        if made is None or workspace is None:
            return False
        return first_arrangement(workspace, made) != first_arrangement(
            workspace, self.window().size()
        )

    def _grow(self, workspace: Workspace) -> None:
        """Arrange panels for the size that the window has now; what was in front stays there."""
        front = [name for name in self._docks if self.in_front(name)]
        with self._one_move():
            self._arrange_as_first(workspace)
            for name in filter(self.has, front):
                self._docks[name].raise_()

    def _arrange_as_first(self, workspace: Workspace) -> None:
        self._as_first = self.window().size()
        self._arrange(first_arrangement(workspace, self._as_first))

    @property
    def _narrowest(self) -> int:
        """How many pixels across the panels and the middle need at least, as they stand."""
        layout = self.layout()
        return 0 if layout is None else layout.minimumSize().width()

    def _note_what_fits(self) -> bool:
        """Whether the panels have the room they need; the layout is noted where they have."""
        fits = self._narrowest <= self.width()
        if fits and self._waiting is None and not self.cleared:
            self._fitting = self.saveState(_VERSION)
        return fits

    def event(self, event: QEvent) -> bool:
        """Once panels stand where they were sent, tell which of them can be seen."""
        done = super().event(event)
        if self._moved and event.type() is QEvent.Type.LayoutRequest:
            self._moved = False
            if self._turned:
                self._turned = False
                self._find_room()
            else:
                self._note_what_fits()
            self._show_tabs()
            for name in self._docks:
                self._tell_of(name, visible=self.in_front(name))
        elif event.type() is QEvent.Type.MouseButtonPress:
            self._at_press = self.saveState(_VERSION)
        elif event.type() is QEvent.Type.MouseButtonRelease:  # of what parts two panels
            if self.saveState(_VERSION) != self._at_press:
                self._as_first = None
            self._note_what_fits()
        return done

    def _show_tabs(self) -> None:
        """Qt leaves those hidden that come when docks are made tabs before they were laid out.

        And those of another workspace it leaves on the screen, over whatever is there now; of two
        with the same tabs the one that stands at its panels is in use.
        """
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        in_use: dict[frozenset[str], QTabBar] = {}
        bars = self.findChildren(QTabBar, options=direct)
        for bar in filter(self._is_in_use, bars):
            tabs = frozenset(bar.tabText(place) for place in range(bar.count()))
            known = in_use.get(tabs)
            if known is None or self._off_its_panel(bar) < self._off_its_panel(known):
                in_use[tabs] = bar
        for bar in bars:
            bar.setVisible(bar in in_use.values())

    def _off_its_panel(self, bar: QTabBar) -> int:
        """How many pixels a bar is from standing on the panel that it shows."""
        title = bar.tabText(bar.currentIndex())
        box = next(dock.geometry() for dock in self._docks.values() if dock.windowTitle() == title)
        return abs(box.top() - 1 - bar.geometry().bottom()) + abs(box.left() - bar.x())

    def _is_in_use(self, bar: QTabBar) -> bool:
        """Whether its tabs are those of panels that are shown, all at one place."""
        titles = {bar.tabText(place) for place in range(bar.count())}
        shown = [dock for name, dock in self._docks.items() if self.has(name)]
        together = ([dock, *self._beside(dock)] for dock in shown if dock.windowTitle() in titles)
        return any(titles == {each.windowTitle() for each in group} for group in together)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """On a tab or a title: what can be done with that panel, and which panels there are."""
        name = self._named_at(event.pos())
        if name is None:
            event.ignore()
            return
        self._menu_of(name).popup(event.globalPos())
        event.accept()

    def _menu_of_panels(self) -> QMenu:
        """Every panel, ticked where it is shown."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, dock in self._docks.items():
            line = QAction(dock.windowTitle(), menu)
            line.setCheckable(True)
            line.setChecked(self.has(name))
            line.triggered.connect(partial(self._switch, name))
            menu.addAction(line)
        menu.addSeparator()
        menu.addAction("Reset layout").triggered.connect(self.reset_asked)
        return menu

    def _menu_of(self, name: str) -> QMenu:
        dock = self._docks[name]
        menu = self._menu_of_panels()
        first = menu.actions()[0]
        hide = QAction(f"Hide {dock.windowTitle()}", menu)
        hide.triggered.connect(partial(self.put_away, name))
        apart = QAction("Back into the window" if dock.isFloating() else "Its own window", menu)
        go = partial(self._set_apart, name, apart=not dock.isFloating())
        apart.triggered.connect(lambda: go())
        menu.insertActions(first, [hide, apart])
        menu.insertSeparator(first)
        return menu

    def _switch(self, name: str) -> None:
        if self.has(name):
            self.put_away(name)
        else:
            self.bring(name)

    def _set_apart(self, name: str, *, apart: bool) -> None:
        self._docks[name].setFloating(apart)

    def _named_at(self, at: QPoint) -> str | None:
        """The panel whose tab or title is there."""
        child = self.childAt(at)
        while child is not None and child is not self:
            if isinstance(child, QTabBar) and child.parentWidget() is self:
                place = child.tabAt(child.mapFrom(self, at))
                title = child.tabText(place) if place >= 0 else ""
                return next((n for n, d in self._docks.items() if d.windowTitle() == title), None)
            if isinstance(child, Dock):
                inside = child.widget().geometry().contains(child.mapFrom(self, at))
                return None if inside else child.objectName()
            child = child.parentWidget()
        return None

    def _restore(self, held: QByteArray) -> bool:
        """Panels as they were; False where that is not known.

        A bar with a name takes room that the panel of a tab never had: each is bare until then.
        """
        for dock in self._docks.values():
            dock.title_by_tab(tabbed=True)
        return self.restoreState(held, _VERSION)

    def _keep(self) -> None:
        """Remember the panels of the workspace that is on the screen."""
        if self._workspace is not None:
            state = self._cleared if self._cleared is not None else self.saveState(_VERSION)
            state = state if self._waiting is None else self._waiting.state
            made = self._as_first
            size = "" if made is None else f"{made.width()}x{made.height()} "
            hidden = f"{_HIDDEN} " if _BY_HAND in self._why else ""
            text = bytes(state.toBase64().data()).decode()
            self._kept[str(self._workspace)] = hidden + size + text

    def _arrange(self, sides: tuple[Side, ...]) -> None:
        for dock in self._docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        for side in sides:
            self._arrange_side(side)
        placed = {n for side in sides for group in side.groups for n in group}
        columns = (self._docks[side.groups[0][0]] for side in sides if side.area is _RIGHT)
        self._arrange_rest(placed, next(columns, None))
        for side in sides:
            self._size_side(side)

    def _arrange_side(self, side: Side) -> None:
        along = Qt.Orientation.Horizontal if side.area is _BOTTOM else Qt.Orientation.Vertical
        before: Dock | None = None
        for group in side.groups:
            first = self._docks[group[0]]
            if before is None:
                self.addDockWidget(side.area, first)
            else:
                self.splitDockWidget(before, first, along)
            before = first
        for group in side.groups:  # only now: what is split off a tab becomes a tab itself
            first = self._docks[group[0]]
            for name in group[1:]:
                self.tabifyDockWidget(first, self._docks[name])
            for name in group:
                self._docks[name].show()
            first.raise_()

    def _arrange_rest(self, placed: set[str], column: Dock | None) -> None:
        """Whatever is not shown waits behind what is there: in the column, or at the bottom."""
        below = [n for n in placed if self.dockWidgetArea(self._docks[n]) is _BOTTOM]
        last = self._docks[below[0]] if below else None
        for name, dock in self._docks.items():
            if name in placed:
                continue
            tall = column is not None and name in _TALL
            home = column if tall else last
            if home is None:
                self.addDockWidget(_BOTTOM, dock)
            else:
                self.tabifyDockWidget(home, dock)
            dock.hide()
            last = last if tall else dock

    def _size_side(self, side: Side) -> None:
        firsts = [self._docks[group[0]] for group in side.groups]
        row = side.area is _BOTTOM
        across = Qt.Orientation.Vertical if row else Qt.Orientation.Horizontal
        along = Qt.Orientation.Horizontal if row else Qt.Orientation.Vertical
        self.resizeDocks(firsts[:1], [side.extent], across)
        if len(firsts) > 1:
            self.resizeDocks(firsts, [100 * share for share in side.shares], along)

    @contextmanager
    def _one_move(self) -> Iterator[None]:
        """However many panels come and go within, it is told once what can be seen after it."""
        if self._moving:
            yield
            return
        self._moving = True
        try:
            yield
        finally:
            self._moving = False
        self._retitle()
        self._moved = True
        self.changed.emit()

    def _beside(self, dock: QDockWidget) -> list[QDockWidget]:
        """What is shown at the same place, behind other tabs."""
        return [each for each in self.tabifiedDockWidgets(dock) if not each.isHidden()]

    @Slot()
    def _moved_by_hand(self) -> None:
        """Whoever moves a panel has a layout of their own from then on."""
        if not self._moving:
            self._waiting = self._as_first = None
            self._retitle()

    @Slot()
    def _retitle(self) -> None:
        """A tab says the name of its panel, so that no bar need say it again."""
        if not self._moving:
            for dock in filter(isValid, self._docks.values()):
                alone = dock.isFloating() or dock.isHidden() or not self._beside(dock)
                dock.title_by_tab(tabbed=not alone)

    def _visible(self, name: str, visible: object) -> None:
        """Qt tells this of every tab too, and of all at once when another page is shown."""
        if self._moving or not all(map(isValid, self._docks.values())):  # the desk goes
            return
        self._tell_of(name, visible=bool(visible))
        self._retitle()
        self.changed.emit()

    def _tell_of(self, name: str, *, visible: bool) -> None:
        if self._in_sight.get(name, False) != visible:
            self._in_sight[name] = visible
            self.seen.emit(name, visible)
