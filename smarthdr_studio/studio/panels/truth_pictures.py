"""The reference frame and a ground truth side by side, to be compared by eye."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.display import Rgb8
from smarthdr_studio.studio.panels.parts import caption

if TYPE_CHECKING:
    from smarthdr_studio.core.truths.showing import TruthPictures

_ROOM: Final = QSize(264, 210)
_TITLES: Final = ("Reference frame", "Ground truth, exposed like it", "Its whole range")


class TruthPicturesRow(QWidget):
    """Three pictures of one size, each with its title; no room is taken while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._pictures: TruthPictures | None = None
        self._labels = tuple(QLabel() for _ in _TITLES)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for title, label in zip(_TITLES, self._labels, strict=True):
            label.setFixedWidth(_ROOM.width())
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setAccessibleName(title)
            column = QVBoxLayout()
            column.setSpacing(3)
            column.addWidget(caption(title, role="muted"))
            column.addWidget(label)
            row.addLayout(column)
        row.addStretch(1)

    def show_pictures(self, pictures: "TruthPictures | None") -> None:
        """These pictures, the ground truth as it is with the fix."""
        self._pictures = pictures
        self.setVisible(pictures is not None)
        self.show_mended(mended=True)

    def show_mended(self, *, mended: bool) -> None:
        """The ground truth with the fix, or as it was brought."""
        if self._pictures is None:
            return
        of = self._pictures
        shown = (of.reference, of.mended if mended else of.brought, of.toned)
        for label, picture in zip(self._labels, shown, strict=True):
            label.setPixmap(_pixmap(picture))


def _pixmap(picture: Rgb8) -> QPixmap:
    height, width = picture.shape[:2]
    image = QImage(picture.data, width, height, width * 3, QImage.Format.Format_RGB888)
    ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image.copy()).scaled(_ROOM, *ways)
