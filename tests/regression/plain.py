"""What may differ between two runs of the same program, taken out; everything else stays."""

import re
from pathlib import Path
from typing import Any

_RUN = re.compile(r"\d{8}-\d{6}-[A-Za-z0-9_-]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z)?")
_DIARY_TIME = re.compile(r"(?m)^(  )\d\d-\d\d \d\d:\d\d(?=  )")
_BACKUP_DAY = re.compile(r"project-\d{8}(?=\.sqlite)")
_DAY_FOLDER = re.compile(r"(?<=\.trash/)\d{8}-\d{6}[^/]*")
_ACTION = re.compile(r"\b[0-9a-f]{32}\b")
_WORKED = re.compile(r"(?m)^(  worked +).*$")
_ON_DISK = re.compile(r"(?m)^(  disk +).*$")

# Measured on this machine at that moment: their kind is compared, not their value.
MEASURED = {
    "time",
    "at",
    "images_per_second",
    "seconds_left",
    "memory_bytes",
    "data_share",
    "bytes",  # of a file that is compared itself; a graph names the modules it was made by
    "mark",  # a checksum of the end of a log, where times stand
    "read_to",  # bytes of a log, whose times have more digits or fewer
    "seconds",
    "started",
    "disk_bytes",
    "warmup_epoch_seconds",
    "learning_epoch_seconds",
    "round_seconds",
    "total_seconds",
    "probe_seconds",
    "peak_memory_bytes",
    "free_memory_bytes",
    "free_disk_bytes",
    "all_disk_bytes",
    "free_bytes",
    "pid",
}


class Plainer:
    """Takes paths, names of runs, times and random names out of what one side said."""

    def __init__(self, folder: Path, tree: Path) -> None:
        """`folder` is where one check of one side left its outputs."""
        self._paths = [(str(folder), "<here>"), (str(folder.parent), "<side>")]
        self._paths.append((str(tree), "<tree>"))
        found = {path.name for path in folder.rglob("*") if path.is_dir()}
        runs = sorted(name for name in found if _RUN.fullmatch(name))
        self._runs = {name: f"<run {number}>" for number, name in enumerate(runs, 1)}
        self._actions: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text without what may differ."""
        for path, name in self._paths:
            text = text.replace(path, name)
        text = _RUN.sub(lambda match: self._runs.get(match[0], match[0]), text)
        text = _ACTION.sub(self._numbered, text)
        text = _TIME.sub("<time>", text)
        text = _DIARY_TIME.sub(r"\1<time>", text)
        text = _BACKUP_DAY.sub("project-<day>", text)
        text = _DAY_FOLDER.sub("<time>", text)
        text = _WORKED.sub(r"\1<measured>", text)
        return _ON_DISK.sub(r"\1<measured>", text)

    def value(self, value: Any) -> Any:
        """A value from JSON without what may differ."""
        match value:
            case dict():
                return {
                    self.text(key): _kind(part) if key in MEASURED else self.value(part)
                    for key, part in value.items()
                }
            case list():
                return [self.value(part) for part in value]
            case str():
                return self.text(value)
            case _:
                return value

    def _numbered(self, match: re.Match[str]) -> str:
        return self._actions.setdefault(match[0], f"<action {len(self._actions) + 1}>")


def _kind(value: Any) -> Any:
    """What kind of figure it is."""
    if isinstance(value, dict):
        return {key: _kind(part) for key, part in value.items()}
    return "<none>" if value is None else f"<{'text' if isinstance(value, str) else 'figure'}>"


def difference(old: Any, new: Any, where: str = "") -> str:
    """The first difference of two plain values in words; "" if there is none."""
    if isinstance(old, dict) and isinstance(new, dict):
        if list(old) != list(new):
            return f"{where}: keys {list(old)} became {list(new)}"
        pairs = ((f"{where}.{key}", old[key], new[key]) for key in old)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return f"{where}: {len(old)} items became {len(new)}"
        pairs = ((f"{where}[{i}]", a, b) for i, (a, b) in enumerate(zip(old, new, strict=True)))
    elif isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        return _text_difference(old, new, where)
    else:
        same = type(old) is type(new) and repr(old) == repr(new)
        return "" if same else f"{where}: {old!r} became {new!r}"
    return next((found for p, a, b in pairs if (found := difference(a, b, p))), "")


def _text_difference(old: str, new: str, where: str) -> str:
    before, after = old.splitlines(), new.splitlines()
    for number, (a, b) in enumerate(zip(before, after, strict=False), 1):
        if a != b:
            return f"{where} line {number}: {a[:200]!r} became {b[:200]!r}"
    return "" if old == new else f"{where}: {len(before)} lines became {len(after)}"
