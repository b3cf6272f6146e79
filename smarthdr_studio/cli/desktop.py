"""The verbs `desktop`: a person's menu entry, icon and file types, written and taken away.

A project is a folder, and no desktop gives a folder a type of its own; what is double-clicked is
the database in it, told apart from every other by the application id in its header. Models are
files (NAME.shdrmodel). All of it lies below $XDG_DATA_HOME, in three files that bear our name.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from smarthdr_studio.cli.output import Json, print_json, print_line
from smarthdr_studio.core.environment import COMMAND, own_command, resource
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.files import replacing

_ENTRY: Final = f"applications/{COMMAND}.desktop"
_TYPES: Final = f"mime/packages/{COMMAND}.xml"
_ICON: Final = f"icons/hicolor/scalable/apps/{COMMAND}.svg"
_PROJECT: Final = "application/vnd.smarthdr-project"
_MODEL: Final = "application/vnd.smarthdr-model"


class _Indexer(NamedTuple):
    """What keeps an index of a folder below the person's, and the Debian package it is in."""

    folder: str
    package: str


# Without these indexes a desktop knows neither the types nor what opens them.
_INDEXERS: Final = {
    "update-mime-database": _Indexer("mime", "shared-mime-info"),
    "update-desktop-database": _Indexer("applications", "desktop-file-utils"),
}


def install(*, as_json: Json = False) -> None:
    """Put the studio into the menu, and open its projects and models by a double click.

    For this person alone, below $XDG_DATA_HOME (~/.local/share); `desktop remove` takes it away.
    A project is a folder: what opens it is the file project.sqlite in it.
    """
    folder, command = _data_folder(), own_command()
    icon = resource("icons", "studio.svg").read_text(encoding="utf-8")
    files = {_ENTRY: _entry(command), _TYPES: _types(), _ICON: icon}
    for name, text in files.items():
        try:
            with replacing(folder / name) as draft:
                draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DeviceError(
                f"{folder / name}: cannot be written ({error.strerror or error}); set "
                "XDG_DATA_HOME to a folder you may write to"
            ) from None
    _index(folder)
    lacking = [program for program in _INDEXERS if shutil.which(program) is None]
    if as_json:
        installed = [str(folder / name) for name in files]
        print_json({"installed": installed, "command": command, "lacking": lacking})
        return
    for name in files:
        print_line(str(folder / name))
    print_line(f"SmartHDR Studio is in the menu; it starts {' '.join(command)}")
    if lacking:
        packages = " ".join(_INDEXERS[program].package for program in lacking)
        print_line(
            f"A double click opens nothing yet: {' and '.join(lacking)} is not installed. On "
            f"Debian or Ubuntu: sudo apt-get install -y {packages}; then this once more."
        )


def remove(*, as_json: Json = False) -> None:
    """Take the menu entry, the icon and the file types away again; nothing else is touched."""
    folder = _data_folder()
    there = [path for name in (_ENTRY, _TYPES, _ICON) if (path := folder / name).is_file()]
    for path in there:
        path.unlink()
    if there:
        _index(folder)
    if as_json:
        print_json({"removed": [str(path) for path in there]})
        return
    for path in there:
        print_line(f"{path}: removed")
    if not there:
        print_line("Nothing of SmartHDR Studio is in the menu of this person.")


def _data_folder() -> Path:
    """Where this person's menu entries, icons and types lie.

    Raises DeviceError: this system keeps them otherwise.
    """
    if sys.platform in ("win32", "darwin"):
        raise DeviceError(
            "Menu entries and file types are made by the desktop bundle here; build one with "
            "packaging/bundle.sh, or start smarthdr-studio with the path of a project"
        )
    told = Path(os.environ.get("XDG_DATA_HOME", ""))
    return told if told.is_absolute() else Path.home() / ".local" / "share"


def _entry(command: Sequence[str]) -> str:
    """The entry of the menu."""
    return f"""[Desktop Entry]
Type=Application
Version=1.0
Name=SmartHDR Studio
GenericName=HDR pseudo-labels
Comment=See, check and promote HDR pseudo-labels, and train the teacher that makes them
Exec={" ".join(map(_quoted, command))} %f
TryExec={command[0]}
Icon={COMMAND}
Terminal=false
Categories=Graphics;Photography;
Keywords=HDR;exposure;bracket;labels;training;
MimeType={_PROJECT};{_MODEL};
StartupNotify=true
StartupWMClass={COMMAND}
"""


def _types() -> str:
    """Both file types: a project by what its database begins with, a model by its name."""
    from smarthdr_studio.core.project.formats import APPLICATION

    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{_PROJECT}">
    <comment>SmartHDR Studio project</comment>
    <sub-class-of type="application/vnd.sqlite3"/>
    <icon name="{COMMAND}"/>
    <magic priority="90">
      <match type="string" value="SQLite format 3" offset="0">
        <match type="big32" value="0x{APPLICATION:08x}" offset="68"/>
      </match>
    </magic>
  </mime-type>
  <mime-type type="{_MODEL}">
    <comment>SmartHDR Studio model</comment>
    <sub-class-of type="application/zip"/>
    <icon name="{COMMAND}"/>
    <glob pattern="*.shdrmodel"/>
  </mime-type>
</mime-info>
"""


def _quoted(word: str) -> str:
    """A word of a command as the key Exec has it: quoted, then escaped as every text there is."""
    for sign in '\\"`$':
        word = word.replace(sign, f"\\{sign}")
    return '"' + word.replace("\\", "\\\\").replace("%", "%%") + '"'


def _index(folder: Path) -> None:
    """Let the desktop's own programs read the folders anew, where they are there."""
    for program, indexer in _INDEXERS.items():
        path, below = shutil.which(program), folder / indexer.folder
        if path is not None and below.is_dir():
            subprocess.run([path, str(below)], check=False, capture_output=True)
