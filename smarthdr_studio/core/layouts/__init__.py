"""Dataset folders as they are published, read as scenes."""

from smarthdr_studio.core.layouts.catalogue import find_scenes

__all__ = ["find_scenes"]
