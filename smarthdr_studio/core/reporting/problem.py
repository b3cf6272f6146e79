"""A problem as a zip to look through and hand on: versions, logs, findings; nothing is sent."""

import os
import platform
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final

from smarthdr_studio import __version__
from smarthdr_studio.core.environment import utc_now
from smarthdr_studio.core.errors import ExportError, StudioError, harmless
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.logbook import log_files
from smarthdr_studio.core.project.debris import sweep_beside
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.records import read_text
from smarthdr_studio.core.reporting.tables import Progress, cannot_write, no_progress
from smarthdr_studio.core.training.run_start import run_findings
from smarthdr_studio.core.words import counted

_MOST_BYTES: Final = 2 * 10**6  # of one log; of a longer one the end
_LIBRARIES: Final = ("numpy", "opencv-python-headless", "OpenEXR", "tifffile", "pyqtgraph")
_CONTENTS: Final = "contents.txt"


def write_problem(
    path: AnyPath,
    *,
    logs: AnyPath,
    project: AnyPath | None = None,
    home: AnyPath | None = None,
    tell: Progress = no_progress,
) -> tuple[str, ...]:
    """Write the zip, whole or not at all, and say in a line each what is in it.

    It holds text files alone: contents, versions, the logs of the folder `logs`, and what doctor
    finds in `project`. The path of the home folder is ~ in all of them. Raises ExportError.
    """
    path = Path(path)
    texts = {"versions.txt": ("program, libraries and system", _versions())}
    tell("reading the log", 0, 0)
    for file in filter(_size, log_files(logs)):
        texts[f"log/{file.name}"] = (_about_log(file), _end_of(file))
    if project is not None:
        tell("looking the project over", 0, 0)
        texts["doctor.txt"] = ("what doctor finds in the open project", _findings(Path(project)))
    tell(f"writing {path.name}", 0, 0)
    lines = tuple(f"{name}: {about}" for name, (about, _) in texts.items())
    shortened = {
        name: without_home(text, home=home or Path.home()) for name, (_, text) in texts.items()
    }
    _write(path, {_CONTENTS: _contents(lines), **shortened})
    return lines


def without_home(text: str, *, home: AnyPath) -> str:
    """The text with ~ for the path of the home folder, however it is written."""
    home = Path(home)
    ways = {str(home), home.as_posix(), str(home.resolve()), home.resolve().as_posix()}
    ways |= {way.replace("\\", "\\\\") for way in ways}
    long_enough = sorted((way for way in ways if len(Path(way).parts) > 1), key=len, reverse=True)
    if not long_enough:
        return text
    flags = re.IGNORECASE if os.name == "nt" else 0
    # Another folder that only begins alike is none of the person's.
    text = re.sub(f"(?:{'|'.join(map(re.escape, long_enough))})(?![\\w-])", "~", text, flags=flags)
    if home.name in _EVERYBODY:
        return text
    # Disks and cards are mounted under the name of who is at work, who also signs with it.
    name = re.escape(home.name)
    mounted = rf"(?<=[/\\]){name}(?![\w-]|\.\w)"
    return re.sub(rf"{mounted}|(?<![\w.-]){name}(?=@)", "~", text, flags=flags)


_EVERYBODY: Final = frozenset({"", "root", "home", "user", "Users"})


def _contents(lines: Sequence[str]) -> str:
    return "\n".join(
        (
            f"A problem of SmartHDR Studio, collected {utc_now()}.",
            "It was written to this file alone; nothing was sent. Look through it before you hand",
            "it on: logs and findings name files and scenes. The home folder is written ~.",
            "",
            *lines,
            "",
        )
    )


def _versions() -> str:
    # Asked of what is there; nothing is loaded for it.
    loaded = {"Qt": ("PySide6", "PySide6-Essentials"), "torch": ("torch", "torch")}
    found: Mapping[str, str] = {
        "SmartHDR Studio": __version__,
        "Python": platform.python_version(),
        **{name: _loaded(*of) for name, of in loaded.items()},
        "graphics": _graphics(),
        "system": platform.platform(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        **{name: _installed(name) for name in _LIBRARIES},
    }
    return "".join(f"{name}: {version}\n" for name, version in found.items())


def _loaded(module: str, package: str) -> str:
    there = sys.modules.get(module)
    if there is None:
        return f"{_installed(package)}, not loaded"
    return str(getattr(there, "__version__", "unknown"))


def _graphics() -> str:
    """The cards that torch sees, where it has been loaded, and the driver of NVIDIA's."""
    driver = ""
    with suppress(OSError, ValueError):
        driver = read_text(_NVIDIA_DRIVER).partition("\n")[0]
    torch = sys.modules.get("torch")
    if torch is None:
        return driver or "unknown as long as torch is not loaded"
    cards = [torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count())]
    return "; ".join(filter(None, (*cards, driver))) or "none that torch computes on"


_NVIDIA_DRIVER: Final = "/proc/driver/nvidia/version"


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _about_log(file: Path) -> str:
    what = "stacks of crashes" if file.name.startswith("crashes") else "what the program noted"
    return f"{what}, its end" if _size(file) > _MOST_BYTES else what


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _end_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, _size(file) - _MOST_BYTES))
            return stream.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        return f"cannot be read ({error.strerror or type(error).__name__})\n"


def _findings(project: Path) -> str:
    try:
        found = check_up(project, also=run_findings)
    except StudioError as error:
        return f"{error}\n"
    except Exception as error:  # noqa: BLE001 (a project that breaks doctor is what is reported)
        return harmless(f"doctor failed: {type(error).__name__}: {error}") + "\n"
    entries = counted(found.entries, "entry", more="entries")
    lines = [f"{project}: {counted(found.scenes, 'scene')}, {entries} in the journal"]
    for backup in found.backups:
        known = backup.entries
        entries = "does not open" if known is None else counted(known, "entry", more="entries")
        lines.append(f"backup {backup.path.name}: {entries}")
    lines += [
        f"{each.trouble}: {harmless(each.sentence)}; {harmless(each.remedy)}"
        for each in found.findings
    ] or ["Nothing is wrong."]
    return "\n".join(lines) + "\n"


def _write(path: Path, texts: Mapping[str, str]) -> None:
    if path.suffix.casefold() != ".zip":
        raise ExportError(f"{path}: a zip is written; name it {path.with_suffix('.zip').name}.")
    try:
        with (
            replacing(path) as draft,
            zipfile.ZipFile(draft, "w", compression=zipfile.ZIP_DEFLATED) as file,
        ):
            for name, text in texts.items():
                file.writestr(name, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise cannot_write(path, error) from None
    sweep_beside(path)
