"""File dialogs that start where a person was last, each purpose by itself."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

_folders: dict[str, str] = {}  # one person sits at a process
_offered: dict[str, Path] = {}  # a file each purpose was handed
_keepers: list[Callable[[Mapping[str, str]], object]] = []


def use_folders(
    folders: Mapping[str, str], *, keep: Callable[[Mapping[str, str]], object] | None = None
) -> None:
    """From now on `begin` knows these folders by purpose; `keep` is told whenever one changes."""
    _folders.clear()
    _folders.update(folders)
    _keepers[:] = [keep] if keep is not None else []


def begin(dialog: QFileDialog, purpose: str) -> None:
    """Start where something was picked last for this purpose, and remember what is picked now.

    A folder that is gone leaves the dialog where it would start by itself; a file that was offered
    is proposed. Call it before a name is proposed.
    """
    last = _folders.get(purpose, "")
    if last and Path(last).is_dir():
        dialog.setDirectory(last)
    if (file := _offered.get(purpose)) is not None and file.is_file():
        dialog.selectFile(str(file))
    dialog.filesSelected.connect(partial(_remember, purpose))


def offer(purpose: str, file: Path) -> None:
    """From now on `begin` proposes this file for this purpose, until another is picked."""
    _offered[purpose] = file.absolute()


def _remember(purpose: str, picked: list[str]) -> None:
    if not picked:
        return
    _offered.pop(purpose, None)
    folder = str(Path(picked[0]).parent)
    if _folders.get(purpose) != folder:
        _folders[purpose] = folder
        for keep in _keepers:
            keep(dict(_folders))
