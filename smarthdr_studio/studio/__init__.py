"""The window. PySide6; reaches learning only through threads."""
