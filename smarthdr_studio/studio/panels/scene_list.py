"""The scenes of the project in one column: find one, look at it, select several."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.panels.parts import (
    GAP,
    ElidedLabel,
    button,
    card,
    describe,
    give_role,
)
from smarthdr_studio.studio.panels.query_line import QueryLine, count_in_words
from smarthdr_studio.studio.panels.queue_bar import QueueBar
from smarthdr_studio.studio.panels.queue_footer import QueueFooter
from smarthdr_studio.studio.panels.scene_delegate import SceneDelegate
from smarthdr_studio.studio.panels.scene_shelf import SceneShelf
from smarthdr_studio.studio.state import Centre, StudioState
from smarthdr_studio.studio.theme import Palette

Index = QModelIndex | QPersistentModelIndex

_AHEAD: Final = 2  # scenes after the current one that stay in sight
_CENTRES = {
    "Pictures": (Centre.PICTURES, "show_pictures"),
    "Table": (Centre.TABLE, "show_table"),
    "Gallery": (Centre.GALLERY, "show_gallery"),
    "Pair": (Centre.PAIR, "show_pair"),
}


class SceneList(QWidget):
    """A virtual list: a thousand scenes cost no more than those in view."""

    worst_wanted = Signal()
    query_typed = Signal(str)
    centre_picked = Signal(str)

    def __init__(self, palette: Palette, shelf: SceneShelf) -> None:
        super().__init__()
        self._shelf, self._model = shelf, shelf.model
        self._delegate = SceneDelegate(palette, self)
        tips = {word: by_id(action).tip_with_key for word, (_, action) in _CENTRES.items()}
        self._centre = Choice(tips, name="In the middle")
        self._search, self._list = QueryLine(), self._list_view()
        self.queue, self.footer = QueueBar(), QueueFooter()
        self._count = ElidedLabel(role="muted")
        self._worst = button("Least trusted", tip=by_id("least_trusted").tip_with_key, role="link")
        self._worst.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._worst.clicked.connect(self.worst_wanted)
        self._lay_out()
        self._search.textEdited.connect(self.query_typed)
        self._centre.picked.connect(self._pick_centre)

    def selected(self) -> tuple[str, ...]:
        """The ids of the selected scenes, in the order of the list."""
        return self._shelf.selected()

    def step(self, by: int) -> None:
        """Show the scene that stands this many lines further down."""
        self._shelf.step(by)

    @Slot()
    def take_keyboard(self) -> None:
        """Keys go to the list, where none of them presses anything."""
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def start_search(self) -> None:
        """Put the cursor into the filter."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._delegate.palette = palette
        self._list.viewport().update()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the query line and what fills the middle; the shelf lists the scenes."""
        self.queue.show_state(old, new)
        self.footer.show_state(old, new)
        self._search.show_query(new.table)
        self._worst.setEnabled(new.pool is not None)
        self._centre.show_word(next((w for w, (c, _) in _CENTRES.items() if c is new.centre), ""))
        parts = ((state.table, state.scenes, state.queue.scenes) for state in (old, new))
        if any(was is not now for was, now in zip(*parts, strict=True)):
            give_role(self._count, role="warn" if new.table.fault else "muted")
            self._count.tell(new.table.fault or count_in_words(new))
            self._worst.setVisible(not new.table.fault)

    def _lay_out(self) -> None:
        frame, column = card(name="Scenes")
        below = QHBoxLayout()
        below.addWidget(self._count, 1)
        below.addWidget(self._worst)
        column.addWidget(self._centre)
        column.addWidget(self._search)
        column.addWidget(self.queue)
        column.addWidget(self._list, 1)
        column.addLayout(below)
        column.addWidget(self.footer)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.setMinimumWidth(252)

    def _list_view(self) -> QListView:
        view = _Lines()
        describe(view, name="Scenes", tip="")
        view.setModel(self._model)
        view.setSelectionModel(self._shelf.selection)
        view.setItemDelegate(self._delegate)
        view.setUniformItemSizes(True)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.verticalScrollBar().setSingleStep(GAP * 3)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return view

    @Slot(str)
    def _pick_centre(self, word: str) -> None:
        self.centre_picked.emit(str(_CENTRES[word][0]))


class _Lines(QListView):
    """Keeps the current scene in sight, and with it what comes next unless it was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._pressing = self._pointed = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A scene that was clicked stays under the mouse."""
        self._pressing = True
        super().mousePressEvent(event)
        self._pressing = False

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Another scene is current."""
        self._pointed = self._pressing
        super().currentChanged(current, previous)

    def scrollTo(
        self,
        index: Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Bring a scene into sight; of those after it as many as are worth seeing."""
        if index.isValid() and not self._pointed:
            last = min(index.row() + _AHEAD, self.model().rowCount() - 1)
            super().scrollTo(self.model().index(last, 0), hint)
        super().scrollTo(index, hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is less room than before, the current scene stays in sight."""
        lost = event.oldSize().height() > event.size().height()
        seen = lost and self._reaches(event.oldSize().height())
        super().resizeEvent(event)
        if seen:
            self.scrollTo(self.currentIndex())

    def _reaches(self, height: int) -> bool:
        """Whether the current scene was in sight when there was so much room."""
        place = self.visualRect(self.currentIndex())
        return not place.isEmpty() and place.bottom() > 0 and place.top() < height
