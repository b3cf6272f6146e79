"""The verb `doctor`: what is here of this machine, or what is wrong with a project."""

import os
import platform
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smarthdr_studio import __version__
from smarthdr_studio.cli import BAD_INPUT, DONE
from smarthdr_studio.cli.output import Json, print_json, print_line, print_table
from smarthdr_studio.core.environment import COMMAND, pip_install
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.studio.app import refuse_without

if TYPE_CHECKING:
    from smarthdr_studio.core.project.integrity import Checkup


def examine_project(folder: Path, *, repairing: bool, as_json: bool) -> int:
    """Look a project over, mend it if asked to, and answer with the exit status."""
    from smarthdr_studio.core.project.integrity import check_up
    from smarthdr_studio.core.project.repair import repair
    from smarthdr_studio.core.training.run_start import run_findings

    done = repair(folder) if repairing else ()
    found = check_up(folder, also=run_findings)
    if as_json:
        print_json(_checkup_as_json(folder, found, done))
    else:
        _print_checkup(folder, found, done)
    return BAD_INPUT if found.findings else DONE


def _print_checkup(folder: Path, found: "Checkup", done: Sequence[str]) -> None:
    for sentence in done:
        print_line(f"mended: {sentence}")
    backups = [
        (each.path.name, "does not open" if each.entries is None else f"{each.entries} entries")
        for each in found.backups
    ]
    rows = [("scenes", f"{found.scenes}"), ("journal", f"{found.entries} entries"), *backups]
    print_table(("what", "here"), rows, title=f"{folder}", words=2)
    if not found.findings:
        print_line("Nothing is wrong.")
        return
    wrong = [(str(each.trouble), each.sentence, each.remedy) for each in found.findings]
    print_table(("what", "is wrong", "remedy"), wrong, title="What is wrong", words=3)


def _checkup_as_json(folder: Path, found: "Checkup", done: Sequence[str]) -> dict[str, object]:
    return {
        "project": str(folder),
        "scenes": found.scenes,
        "entries": found.entries,
        "findings": [asdict(each) for each in found.findings],
        "mended": list(done),
        "backups": [{"path": str(b.path), "entries": b.entries} for b in found.backups],
    }


_LIBRARIES: Final = (
    "numpy",
    "opencv-python-headless",
    "OpenEXR",
    "torch",
    "safetensors",
    "tensorboard",
    "pydantic",
    "typer",
    "rich",
    "platformdirs",
    "tifffile",
    "PySide6-Essentials",
    "pyqtgraph",
)


def doctor(
    project: Annotated[
        Path | None, typer.Argument(metavar="[PROJECT]", help="A project to look over.")
    ] = None,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended; nothing is deleted.")
    ] = False,
    as_json: Json = False,
) -> int | None:
    """Say what is here and what is missing; of a PROJECT, what is wrong with it.

    With a project the exit status is 0 when nothing is wrong and 2 when something is. --repair
    moves what belongs to nobody into the project's trash, brings damaged files back from there
    and a damaged database back from the backups, and says what it did.
    """
    if project is not None:
        return examine_project(project, repairing=repair, as_json=as_json)
    if repair:
        raise typer.BadParameter("--repair mends a project; say which one")
    _print_machine(as_json=as_json)
    return None


def _print_machine(*, as_json: bool) -> None:
    versions = {name: _version(name) for name in _LIBRARIES}
    optional = {
        extra: {name: _version(name) for name in names} for extra, names in _extras().items()
    }
    found: dict[str, Any] = {
        "smarthdr_studio": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "display": _display(),
        "libraries": versions,
        "optional": optional,
        "devices": _devices() if versions["torch"] else [],
        "missing": _missing(versions),
    }
    if as_json:
        print_json(found)
        return
    rows = [(name, str(found[name])) for name in ("smarthdr_studio", "python", "system", "cpus")]
    rows += [("display", found["display"] or "none")]
    rows += [("device", f"{each['id']}: {each['title']}") for each in found["devices"]]
    rows += [(name, version or "missing") for name, version in versions.items()]
    rows += [
        (name, version or f"not installed; optional, for {extra}")
        for extra, libraries in optional.items()
        for name, version in libraries.items()
    ]
    print_table(("what", "here"), rows, title="SmartHDR Studio on this machine", words=2)
    for sentence in found["missing"] or ["Nothing is missing."]:
        print_line(sentence)
    if not all(all(libraries.values()) for libraries in optional.values()):
        print_line(f"What is optional is installed with: {pip_install('EXTRA')}")


def _extras() -> dict[str, list[str]]:
    """The libraries of each extra, as the installed program names them."""
    found: dict[str, list[str]] = {}
    with suppress(metadata.PackageNotFoundError):
        for each in metadata.requires(COMMAND) or ():
            name, extra = re.match(r"[\w.-]+", each), re.search(r"extra == ['\"](.+?)['\"]", each)
            if name and extra:
                found.setdefault(extra[1], []).append(name[0])
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _display() -> str | None:
    if sys.platform != "linux":
        return sys.platform
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")


def _devices() -> list[dict[str, Any]]:
    from smarthdr_studio.learning.compute import describe_devices

    return [asdict(device) for device in describe_devices()]


def _missing(versions: dict[str, str | None]) -> list[str]:
    sentences = [
        f"{name} is not installed; install it with: pip install {name}"
        for name, version in versions.items()
        if version is None
    ]
    if sys.platform == "linux":
        try:
            # Asked as if there were a display, because a library is missing either way.
            refuse_without({"QT_QPA_PLATFORM": "xcb"})
        except DeviceError as error:
            sentences.append(str(error))
        if _display() is None:
            sentences.append("There is no display, so only the verbs work here.")
    return sentences
