"""The window: it constructs and connects, and never computes."""

from smarthdr_studio.studio.window.main_window import MainWindow

__all__ = ["MainWindow"]
