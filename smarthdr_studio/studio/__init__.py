"""The window. PySide6; reaches learning only through six doors."""
