"""The record of one round on disk: its shares and, coarsely, the statistics of every scene."""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.statistics import Counts, Floats, SceneStatistics
from smarthdr_studio.core.trust_files import masks_as_text, masks_from_text

Bytes = npt.NDArray[np.uint8]

RECORDED_BINS: Final = 32  # of SceneStatistics; a share read from them is right to about 1 %

_FORMAT: Final = 1
_DAMAGE: Final = (
    *(OSError, EOFError, BadZipFile, zlib.error, NotImplementedError),
    *(ValueError, KeyError, IndexError, TypeError, AttributeError),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundRecord:
    """One round: the masks and ranges in use, each scene's statistics and share in [0, 1].

    A range is None where every scene had its own. `columns` is how many patches lie side by side
    in each scene.
    """

    round: int
    step: int
    epoch: int
    masks: MaskSettings
    patch_range: Range | None
    pixel_range: Range | None
    statistics: Mapping[str, SceneStatistics]
    retained: Mapping[str, float]
    columns: Mapping[str, int] = field(default_factory=dict)


class _Arrays(NamedTuple):
    """The patches of all scenes, one scene after another."""

    means: Floats
    lows: Floats
    highs: Floats
    counts: Counts


class RecordedStatistics(Mapping[str, SceneStatistics]):
    """The statistics of a round, read from its record when asked for; patch means are at hand.

    A long run has gigabytes of them. Asking raises LabelError where the record has gone since;
    `get` then answers as if the scene had taken no part.
    """

    def __init__(self, path: AnyPath, *, about: bytes, means: Floats) -> None:
        path = Path(path)
        self.path, self.about = path, about
        values = json.loads(about)
        self._size = int(values["patch_size"])
        self._places: dict[str, slice] = {}
        end = 0
        for scene in values["scenes"]:
            begin, end = end, end + int(scene["patches"])
            self._places[scene["id"]] = slice(begin, end)
        if end != len(means):
            raise ValueError(f"{len(means)} patches, but its scenes have {end}")
        self._means = means

    def __getitem__(self, scene: str) -> SceneStatistics:
        place, held = self._places[scene], _held(self.path, self.about)
        return SceneStatistics(
            means=self._means[place],
            lows=held.lows[place],
            highs=held.highs[place],
            counts=held.counts[place],
            patch_size=self._size,
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, scene: object) -> bool:
        return scene in self._places

    def get(self, scene: str, default: Any = None, /) -> Any:  # noqa: ANN401 - as in Mapping
        """The statistics of a scene, or `default` where there are none to be had."""
        try:
            return self[scene]
        except (KeyError, LabelError):
            return default

    def means(self, scene: str) -> Floats:
        """Mean σ of every patch of a scene; never touches the file."""
        return self._means[self._places[scene]]


def history_path(run: AnyPath, number: int) -> Path:
    """Where the record of a round lies in a run's folder."""
    return Path(run) / "history" / f"{number:04d}.npz"


def recorded_rounds(run: AnyPath) -> tuple[int, ...]:
    """The rounds a run's folder has records of, oldest first."""
    run = Path(run)
    found = (run / "history").glob("*.npz")
    return tuple(sorted(int(path.stem) for path in found if path.stem.isdecimal()))


def write_record(path: AnyPath, record: RoundRecord) -> None:
    """Whole or not at all; all statistics must have the same number of bins."""
    path = Path(path)
    arrays = _stacked(list(record.statistics.values()))
    about = {
        "format": _FORMAT,
        "round": record.round,
        "step": record.step,
        "epoch": record.epoch,
        "masks": masks_as_text(record.masks),
        "patch_range": record.patch_range,
        "pixel_range": record.pixel_range,
        "patch_size": _patch_size(record),
        "checksum": _checksum(arrays),
        "scenes": [
            {
                "id": scene,
                "patches": statistics.patches,
                "columns": record.columns.get(scene, 0),
                "retained": record.retained[scene],
            }
            for scene, statistics in record.statistics.items()
        ],
    }
    text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez_compressed(
            file,
            about=text,
            means=arrays.means,
            lows=arrays.lows,
            highs=arrays.highs,
            planes=_as_planes(arrays.counts),
        )


def read_record(path: AnyPath, *, known: RoundRecord | None = None) -> RoundRecord:
    """What `write_record` wrote, or `known` where that is the same; statistics stay on disk.

    Raises LabelError where the file is missing, damaged or of a newer version.
    """
    path = Path(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            about = held["about"].tobytes()
            if known is not None and _is_same(known, path=path, about=about):
                return known
            values = json.loads(about)
            if values["format"] > _FORMAT:
                raise LabelError(
                    f"{path}: written by a newer version (format {values['format']}); "
                    "update SmartHDR Studio"
                )
            return _record(path, about=about, values=values, means=held["means"])
    except _DAMAGE as error:
        raise LabelError(_damaged(path, error)) from error


def _record(path: Path, *, about: bytes, values: Mapping[str, Any], means: Floats) -> RoundRecord:
    scenes = values["scenes"]
    patch_range, pixel_range = values["patch_range"], values["pixel_range"]
    return RoundRecord(
        round=int(values["round"]),
        step=int(values["step"]),
        epoch=int(values["epoch"]),
        masks=masks_from_text(values["masks"]),
        patch_range=None if patch_range is None else Range(*map(float, patch_range)),
        pixel_range=None if pixel_range is None else Range(*map(float, pixel_range)),
        statistics=RecordedStatistics(path, about=about, means=means),
        retained={scene["id"]: float(scene["retained"]) for scene in scenes},
        columns={scene["id"]: int(scene["columns"]) for scene in scenes},
    )


def _is_same(known: RoundRecord, *, path: Path, about: bytes) -> bool:
    held = known.statistics
    return isinstance(held, RecordedStatistics) and (held.path, held.about) == (path, about)


def _patch_size(record: RoundRecord) -> int:
    sizes = {statistics.patch_size for statistics in record.statistics.values()}
    return sizes.pop() if sizes else record.masks.patch_size


def _stacked(scenes: list[SceneStatistics]) -> _Arrays:
    if not scenes:
        none = np.empty(0, np.float32)
        return _Arrays(none, none, none, np.empty((0, RECORDED_BINS), np.uint32))
    return _Arrays(
        means=np.concatenate([scene.means for scene in scenes]),
        lows=np.concatenate([scene.lows for scene in scenes]),
        highs=np.concatenate([scene.highs for scene in scenes]),
        counts=np.concatenate([scene.counts for scene in scenes]),
    )


def _as_planes(counts: Counts) -> Bytes:
    """The lowest bytes of all counts, then the next ones: so they compress best, and fastest."""
    needed = np.min_scalar_type(int(counts.max(initial=0))).itemsize
    return np.array([counts >> (8 * place) & 255 for place in range(needed)], dtype=np.uint8)


def _from_planes(planes: Bytes) -> Counts:
    counts = np.zeros(planes.shape[1:], np.uint32)
    for place, plane in enumerate(planes):
        counts |= plane.astype(np.uint32) << (8 * place)
    return counts


def _checksum(arrays: _Arrays) -> int:
    """Tells what is said about a round from the same round in another past."""
    value = 0
    for array in arrays:
        value = zlib.crc32(np.ascontiguousarray(array).tobytes(), value)
    return value


@lru_cache(maxsize=2)  # a pool is gone through scene by scene
def _held(path: Path, about: bytes) -> _Arrays:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            if held["about"].tobytes() != about:
                raise ValueError("replaced by a resumed run")
            means, lows, highs = (held[name] for name in ("means", "lows", "highs"))
            return _Arrays(means, lows, highs, _from_planes(held["planes"]))
    except _DAMAGE as error:
        raise LabelError(_damaged(path, error)) from error


def _damaged(path: Path, error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{path}: the record of this round cannot be read ({reason}); look at another round"
