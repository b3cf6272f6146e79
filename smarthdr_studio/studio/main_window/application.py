"""The Qt application around the window."""

import sys
from pathlib import Path

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.resources import resource
from smarthdr_studio.studio.main_window.endings import Endings
from smarthdr_studio.studio.main_window.window import MainWindow
from smarthdr_studio.studio.session.preferences import Places, Preferences
from smarthdr_studio.studio.theme import dress, palette_for, tint


def shown(project: Path | None) -> tuple[QApplication, MainWindow]:
    """The application and its window, on the screen, with a project being opened or none."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName("SmartHDR Studio")
    application.setWindowIcon(QIcon(str(resource("icons", "studio.svg"))))
    places = Places.of_this_person()
    palette = palette_for(Preferences.read(places.preferences).look)
    tint(application, palette)
    window = MainWindow(places=places)
    Endings(window)
    dress(application, palette)
    window.show()
    if project is not None:
        window.session.take(project)
    else:
        window.load_torch_when_idle()
    return application, window
