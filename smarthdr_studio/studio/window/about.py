"""What program this is: its version, what it runs on, and under which licences all of it comes."""

import platform
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata, version
from typing import Final

from PySide6.QtCore import QLibraryInfo, Qt, qVersion
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from smarthdr_studio import __version__

_USED: Final = (
    ("PySide6-Essentials", "the window"),
    ("pyqtgraph", "charts"),
    ("torch", "networks and training"),
    ("numpy", "numbers"),
    ("opencv-python-headless", "pictures"),
    ("OpenEXR", "EXR files"),
    ("tifffile", "TIFF files"),
    ("pydantic", "plans"),
    ("safetensors", "weights"),
    ("platformdirs", "places of files"),
)
_UNTOLD: Final = {"OpenEXR": "BSD-3-Clause"}  # by its LICENSE; its package does not say
_LONGEST: Final = 60


class AboutSheet(QDialog):
    """Not modal; its words can be selected and copied, as for a report of a fault."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About SmartHDR Studio")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 520)
        words = QTextBrowser(openExternalLinks=True)
        words.setMarkdown(about_as_markdown())
        words.setAccessibleName("About SmartHDR Studio")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(words, 1)
        column.addWidget(buttons)


def about_as_markdown() -> str:
    """Version, system, and a line for each library that is there."""
    lines = [
        "# SmartHDR Studio",
        "",
        f"Version {__version__} · Python {platform.python_version()} · Qt {qVersion()} · "
        f"{platform.system()} {platform.machine()}",
        "",
        "Shows, curates and trains pseudo-labels for multi-exposure HDR fusion. "
        f"Licence: {licence_of('smarthdr-studio') or 'see LICENSE'}.",
        "",
        "## What it is built on",
        "",
        "| library | version | for | licence |",
        "|---|---|---|---|",
    ]
    for name, purpose in _USED:
        try:
            lines.append(f"| {name} | {version(name)} | {purpose} | {licence_of(name)} |")
        except PackageNotFoundError:
            continue
    debug = " (debug build)" if QLibraryInfo.isDebugBuild() else ""
    return "\n".join((*lines, "", f"Qt is used under the LGPL, linked dynamically{debug}."))


def licence_of(name: str) -> str:
    """What a distribution says of its licence, short; "" where it says nothing or is not there."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""
    said = _field(told, "License-Expression")
    if not said:
        kinds = [line for line in told.get_all("Classifier", []) if line.startswith("License ::")]
        said = ", ".join(line.rpartition(" :: ")[2] for line in kinds)
    said = said or _field(told, "License").partition("\n")[0] or _UNTOLD.get(name, "")
    return in_short(said)


def in_short(licences: str) -> str:
    """The first of many licences whole, and how many more there are."""
    first, *others = licences.split(" AND ")
    while others and len(longer := f"{first} AND {others[0]}") <= _LONGEST:
        first = longer
        del others[0]
    return f"{first} and {len(others)} more" if others else first


def _field(told: PackageMetadata, name: str) -> str:
    return told[name] or "" if name in told else ""
