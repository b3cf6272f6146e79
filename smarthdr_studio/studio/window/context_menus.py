"""What a right click offers: on a picture, and on a scene in the list, the table or the gallery."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractItemView, QMenu, QWidget

from smarthdr_studio.studio.viewer.view_grid import ViewGrid

_SCENE: Final = (
    ("promote", "promote_whole", "promote_with_note", "demote", "exclude"),
    ("write_note", "add_tag"),
    ("bring_truth", "use_truth"),
    ("show_pictures", "show_pair"),
)
_VIEW: Final = (
    ("maximise", "fit", "one_to_one"),
    ("toggle_zebra", "toggle_wipe", "toggle_difference", "clear_region"),
    ("copy_view", "export_view", "export_png16", "export_exr"),
)


class ContextMenus(QObject):
    """Made of the actions that menus and keys have too, so that they do and are called the same."""

    def __init__(self, actions: Sequence[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._actions: Mapping[str, QAction] = {each.objectName(): each for each in actions}

    def on_scenes(self, *lists: QAbstractItemView) -> None:
        """A right click on a scene chooses it, unless it is chosen, and offers its deeds."""
        for each in lists:
            each.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            each.customContextMenuRequested.connect(self._pop_up_of_scene)

    def on_views(self, views: ViewGrid) -> None:
        """A right click on a picture offers its layer, and what else is done with a view."""
        views.menu_asked.connect(self._pop_up_of_view)

    @Slot(QPoint)
    def _pop_up_of_scene(self, at: QPoint) -> None:
        scenes = self.sender()
        if isinstance(scenes, QAbstractItemView) and scenes.indexAt(at).isValid():
            self._made(_SCENE).popup(scenes.viewport().mapToGlobal(at))

    @Slot(object, QPoint)
    def _pop_up_of_view(self, layers: QMenu, at: QPoint) -> None:
        menu = self._made(_VIEW)
        first = menu.actions()[0]
        line = layers.menuAction()
        line.setText("Layer")
        menu.insertAction(first, line)
        menu.insertSeparator(first)
        menu.popup(at)

    def _made(self, groups: Sequence[Sequence[str]]) -> QMenu:
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for place, group in enumerate(groups):
            if place:
                menu.addSeparator()
            menu.addActions([self._actions[name] for name in group])
        return menu
