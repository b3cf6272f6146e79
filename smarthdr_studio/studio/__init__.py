"""The window. PySide6; reaches learning only through five doors."""
