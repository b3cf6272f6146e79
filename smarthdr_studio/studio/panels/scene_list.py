"""The scenes of the project: find one, look at it, select several."""

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.parts import GAP, button, caption, card, describe
from smarthdr_studio.studio.panels.scene_delegate import SceneDelegate
from smarthdr_studio.studio.panels.scene_model import SceneFilter, SceneModel
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import Palette

_GATHER_MS = 30


class SceneList(QWidget):
    """A virtual list: a thousand scenes cost no more than those in view."""

    scene_picked = Signal(str)
    worst_wanted = Signal()
    thumbnails_wanted = Signal(object)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._shown: str | None = None
        self._wanted: list[str] = []
        self._model = SceneModel(self)
        self._filter = SceneFilter(self)
        self._filter.setSourceModel(self._model)
        self._delegate = SceneDelegate(palette, self)
        self._search, self._list = self._search_box(), self._list_view()
        self._count = caption("", role="muted")
        self._worst = button("Least trusted", tip=by_id("least_trusted").tip_with_key, role="link")
        self._worst.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._worst.clicked.connect(self.worst_wanted)
        self._gather = QTimer(self, singleShot=True, interval=_GATHER_MS)
        self._lay_out()
        self._gather.timeout.connect(self._ask_for_thumbnails)
        self._model.thumbnail_wanted.connect(self._want)
        self._search.textChanged.connect(self._look_for)
        self._list.selectionModel().currentChanged.connect(self._picked)

    def selected(self) -> tuple[str, ...]:
        """The ids of the selected scenes, in the order of the list."""
        indexes = sorted(self._list.selectionModel().selectedIndexes(), key=QModelIndex.row)
        return tuple(str(index.data()) for index in indexes)

    def step(self, by: int) -> None:
        """Show the scene that stands this many lines further down."""
        rows = self._filter.rowCount()
        if rows:
            line = min(max(self._list.currentIndex().row() + by, 0), rows - 1)
            self._list.setCurrentIndex(self._filter.index(line, 0))

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
        """Show the scenes and which one is current."""
        if old.scenes is not new.scenes:
            self._model.show_rows(new.scenes)
            self._tell_count()
        self._worst.setEnabled(new.pool is not None)
        if old.current != new.current or old.scenes is not new.scenes:
            self._show_current(new.current)

    @Slot(str, QImage)
    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Show a thumbnail that was made."""
        self._model.take_thumbnail(scene, picture)

    def _lay_out(self) -> None:
        frame, column = card(name="Scenes")
        head = QHBoxLayout()
        head.addWidget(caption("Scenes", role="title"))
        head.addStretch(1)
        head.addWidget(self._worst)
        column.addLayout(head)
        column.addWidget(self._search)
        column.addWidget(self._list, 1)
        column.addWidget(self._count)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.setMinimumWidth(236)

    def _search_box(self) -> QLineEdit:
        box = QLineEdit(placeholderText="Filter by name or status", clearButtonEnabled=True)
        describe(box, name="Filter scenes", tip="Words of a name or a status (Ctrl+F)")
        return box

    def _list_view(self) -> QListView:
        view = QListView()
        describe(view, name="Scenes", tip="")
        view.setModel(self._filter)
        view.setItemDelegate(self._delegate)
        view.setUniformItemSizes(True)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.verticalScrollBar().setSingleStep(GAP * 3)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return view

    def _show_current(self, scene: str | None) -> None:
        self._shown = scene
        line = self._model.line_of(scene)
        if line is None:
            return
        index = self._filter.mapFromSource(self._model.index(line))
        if index.isValid() and index != self._list.currentIndex():
            self._list.setCurrentIndex(index)

    def _tell_count(self) -> None:
        shown, all_of = self._filter.rowCount(), self._model.rowCount()
        words = f"{all_of} scenes" if all_of != 1 else "1 scene"
        self._count.setText(words if shown == all_of else f"{shown} of {words}")

    @Slot(str)
    def _look_for(self, text: str) -> None:
        self._filter.look_for(text)
        self._tell_count()
        self._show_current(self._shown)

    @Slot(QModelIndex, QModelIndex)
    def _picked(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and current.data() != self._shown:
            self.scene_picked.emit(str(current.data()))

    @Slot(str)
    def _want(self, scene: str) -> None:
        self._wanted.append(scene)
        self._gather.start()

    @Slot()
    def _ask_for_thumbnails(self) -> None:
        wanted, self._wanted = tuple(self._wanted), []
        self.thumbnails_wanted.emit(wanted)
