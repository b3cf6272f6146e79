"""The window: it constructs and connects, and never computes."""

from smarthdr_studio.studio.main_window.window import MainWindow

__all__ = ["MainWindow"]
