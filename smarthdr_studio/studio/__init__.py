"""The window. PySide6 and pyqtgraph; reaches learning only through threads."""
