"""Holds what two sides left in their folders against each other: answers first, then files."""

import hashlib
import json
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from plain import Plainer, difference
from sides import ANSWERS

_NOT_TOLD = "/home/"  # caches of libraries, and the program's own window state
_OF_READING = {".sqlite-shm", ".sqlite-wal"}  # beside a database that was looked into
_TIMED_SCALARS = ("speed/", "memory_bytes")
_CHECKSUM = re.compile(r"\b[0-9a-f]{64}\b")
_TEXT = {".toml", ".csv", ".txt", ".html", ".md", ""}


def differences(
    old: tuple[Path, Plainer], new: tuple[Path, Plainer], *, files: bool
) -> Iterator[str]:
    """Every difference of one check, each in a sentence."""
    yield from _answer_differences(old, new)
    if files:
        yield from _file_differences(old, new)


def _answer_differences(old: tuple[Path, Plainer], new: tuple[Path, Plainer]) -> Iterator[str]:
    before, after = (list(_answers(*side)) for side in (old, new))
    for one, other in zip(before, after, strict=False):
        if found := difference(one, other):
            yield f"`{one['what']}`{found}"
    if len(before) != len(after):
        yield f"{len(before)} answers became {len(after)}"


def _answers(folder: Path, plain: Plainer) -> Iterator[dict[str, Any]]:
    for line in (folder / ANSWERS).read_text().splitlines():
        answer = json.loads(line)
        out = _parsed(answer["out"], plain)
        yield {
            "what": plain.text(answer["what"]),
            "exit": answer["exit"],
            "out": out,
            "err": plain.text(answer["err"]),
        }


def _parsed(text: str, plain: Plainer) -> Any:
    """JSON lines as values, anything else as text."""
    try:
        return [plain.value(json.loads(line)) for line in text.splitlines()]
    except ValueError:
        return plain.text(text)


def _file_differences(old: tuple[Path, Plainer], new: tuple[Path, Plainer]) -> Iterator[str]:
    before, after = (_files(*side) for side in (old, new))
    for name in sorted(set(before) | set(after)):
        if name not in after:
            yield f"file {name} is not written any more"
        elif name not in before:
            yield f"file {name} is written now"
        elif found := _file_difference(before[name], after[name], old[1], new[1]):
            yield f"file {name}{found}"


def _files(folder: Path, plain: Plainer) -> dict[str, Path]:
    """Every file of a side by its plain name; what only says who is at work is left out."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = "/" + path.relative_to(folder).as_posix()
        if not path.is_file() or path.name == ANSWERS or _NOT_TOLD in name:
            continue
        if path.suffix in _OF_READING:
            continue
        if "tfevents" in name:
            name = f"{name.partition('.tfevents')[0]}.tfevents"
        found[plain.text(name)] = path
    return found


def _file_difference(old: Path, new: Path, plain_old: Plainer, plain_new: Plainer) -> str:
    """The first difference of two files in words; "" if there is none."""
    if "tfevents" not in old.name and old.read_bytes() == new.read_bytes():
        return ""
    read = _reader(old)
    if read is None:
        return f": {old.stat().st_size} bytes became {new.stat().st_size} other ones"
    return difference(_read(read, old, plain_old), _read(read, new, plain_new))


def _read(read: Callable[[Path, Plainer], Any], path: Path, plain: Plainer) -> Any:
    """What a file says; of one that was spoilt on purpose, why it says nothing."""
    try:
        return read(path, plain)
    except Exception as error:  # noqa: BLE001  # whatever its library raises
        return f"cannot be read ({plain.text(str(error))})"


def _reader(path: Path) -> Callable[[Path, Plainer], Any] | None:
    if "tfevents" in path.name:
        return _scalars
    if path.suffix in _TEXT:
        return lambda file, plain: plain.text(file.read_text())
    return _READERS.get(path.suffix)


def _json(path: Path, plain: Plainer) -> Any:
    return (
        _parsed(path.read_text(), plain)
        if path.suffix == ".jsonl"
        else plain.value(json.loads(path.read_text() or "null"))
    )


def _exr(path: Path, plain: Plainer) -> Any:
    import OpenEXR

    part = OpenEXR.File(str(path), separate_channels=True).parts[0]
    header = {k: plain.text(str(v)) for k, v in part.header.items() if k != "channels"}
    pixels = {name: _array(channel.pixels) for name, channel in part.channels.items()}
    return {"header": header, "channels": pixels}


def _npz(path: Path, plain: Plainer) -> Any:
    with np.load(path) as found:
        return {name: _array(found[name]) for name in found.files}


def _safetensors(path: Path, plain: Plainer) -> Any:
    from safetensors import safe_open

    with safe_open(path, "np") as found:
        tensors = {name: _array(found.get_tensor(name)) for name in found.keys()}  # noqa: SIM118
        return {"about": plain.value(found.metadata()), "tensors": tensors}


def _bundle(path: Path, plain: Plainer) -> Any:
    with zipfile.ZipFile(path) as found:
        parts = {name: found.read(name) for name in found.namelist()}
    return {
        name: plain.value(json.loads(data)) if name.endswith(".json") else _digest(data)
        for name, data in parts.items()
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _torch(path: Path, plain: Plainer) -> Any:
    import torch

    if weights := _script_weights(path):
        return weights
    return _torch_value(torch.load(path, weights_only=True, map_location="cpu"), plain)


def _script_weights(path: Path) -> list[str]:
    """Fingerprints of the tensors of a TorchScript file; its code names modules. Nothing is run."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if not any(name.endswith("/constants.pkl") for name in names):
            return []
        return sorted(_digest(archive.read(name)) for name in names if "/data/" in name)


def _onnx(path: Path, plain: Plainer) -> Any:
    """Weights and operations of a graph; not the names of the modules it was made by."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    arrays = (numpy_helper.to_array(each) for each in graph.initializer)
    return {
        "weights": sorted(_array(value) for value in arrays),
        "operations": _counted(node.op_type for node in graph.node),
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _torch_value(value: Any, plain: Plainer) -> Any:
    import torch

    match value:
        case torch.Tensor():
            return _array(value.numpy())
        case dict():
            return {str(key): _torch_value(part, plain) for key, part in value.items()}
        case list() | tuple():
            return [_torch_value(part, plain) for part in value]
        case np.ndarray():
            return _array(value)
        case _:
            return plain.value(value)


def _sqlite(path: Path, plain: Plainer) -> Any:
    """All rows as SQL; a checksum of a file with a time in its header is told by its number."""
    checksums: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        return checksums.setdefault(match[0], f"<checksum {len(checksums) + 1}>")

    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [_CHECKSUM.sub(numbered, plain.text(line)) for line in connection.iterdump()]
    finally:
        connection.close()


def _scalars(path: Path, plain: Plainer) -> Any:
    """Everything TensorBoard shows but speed and memory."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(path), size_guidance={"scalars": 0})
    found.Reload()
    return {
        tag: [[event.step, event.value] for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
        if not tag.startswith(_TIMED_SCALARS)
    }


def _array(array: Any) -> str:
    """Kind, shape, range and fingerprint of an array: two that differ in a bit differ here."""
    bits = _digest(np.ascontiguousarray(array).tobytes())
    ends = f", {array.min()!s} to {array.max()!s}" if array.size else ""
    return f"{array.dtype} {list(array.shape)}{ends} ({bits[:16]})"


_READERS: dict[str, Callable[[Path, Plainer], Any]] = {
    ".json": _json,
    ".jsonl": _json,
    ".exr": _exr,
    ".npz": _npz,
    ".safetensors": _safetensors,
    ".shdrmodel": _bundle,
    ".pt": _torch,
    ".onnx": _onnx,
    ".sqlite": _sqlite,
}
