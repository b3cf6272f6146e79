"""What every view of scenes does: its lines stay under the hand, the current scene in sight."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QMouseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView

from smarthdr_studio.studio.curation.scene_model import SceneShelf


class SteadyLines:
    """Mixed into a view of scenes before the view of Qt: its lines stay where they are pressed.

    Where it gets another room than it had, the current scene stays in sight.
    """

    _shelf: SceneShelf

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """From here on."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._shelf.hold()
        super().mousePressEvent(event)  # type: ignore[misc]

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """To here."""
        super().mouseReleaseEvent(event)  # type: ignore[misc]
        self._shelf.let_go()

    def scrollTo(
        self,
        index: QModelIndex | QPersistentModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Bring a scene into sight, once it is known how far one can scroll."""
        self.executeDelayedItemsLayout()  # type: ignore[attr-defined]
        super().scrollTo(index, hint)  # type: ignore[misc]

    def showEvent(self, event: QShowEvent) -> None:
        """Take the scenes once they are to be seen, and go to the current one."""
        view: QAbstractItemView = self  # type: ignore[assignment]
        if view.model() is not self._shelf.model:
            view.setModel(self._shelf.model)
            view.setSelectionModel(self._shelf.selection)
            self.fit_scenes()
        super().showEvent(event)  # type: ignore[misc]
        view.scrollTo(view.currentIndex())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Less room, or more."""
        view: QAbstractItemView = self  # type: ignore[assignment]
        before, place = event.oldSize().height(), view.visualRect(view.currentIndex())
        seen = not place.isEmpty() and place.bottom() > 0 and place.top() < before
        super().resizeEvent(event)  # type: ignore[misc]
        self.fill_room()
        if seen:
            view.scrollTo(view.currentIndex())

    def fill_room(self) -> None:
        """Lay lines out for the room there is now; most of them need nothing."""

    def fit_scenes(self) -> None:
        """Make room for what the scenes show, now that they are here; most need nothing."""
