"""The rounds of a run as they are remembered: compact records, and exact trust of the pool."""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.arrays import read_arrays
from smarthdr_studio.core.errors import LabelError, LostPainting
from smarthdr_studio.core.files import AnyPath, found_in, replacing
from smarthdr_studio.core.imaging.image_files import Header, read_layers
from smarthdr_studio.core.records import open_plain, parse_lines
from smarthdr_studio.core.training.events import SceneRetention
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import (
    Map,
    MaskSettings,
    Range,
    Trust,
    masks_as_text,
    masks_from_text,
    patch_means,
    plain_values,
    pool_ranges,
    trust,
)
from smarthdr_studio.core.trust.patch_statistics import Counts, Floats, SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.words import counted

Bytes = npt.NDArray[np.uint8]
RECORDED_BINS: Final = 32  # of SceneStatistics; a share read from them is right to about 1 %
_RECORD_FORMAT: Final = 1
_HELD_BYTES: Final = 2**28  # of σ, while a pool is counted
_RECORD_DAMAGE: Final = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundRecord:
    """One round: the masks and ranges in use, each scene's statistics and share in [0, 1].

    A range is None where every scene had its own. `columns` is how many patches lie side by side
    in each scene. `sigma_scale` is what σ was multiplied by to be calibrated, `calibration` the
    mean e²/σ² on held-out labels before that; None where it was not.
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
    sigma_scale: float | None = None
    calibration: float | None = None


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
        values = parse_lines(about)
        self._size = int(values["patch_size"])
        self._places: dict[str, slice] = {}
        end = 0
        for scene in values["scenes"]:
            begin, end = end, end + int(scene["patches"])
            self._places[scene["id"]] = slice(begin, end)
        if end != len(means):
            raise ValueError(
                f"{counted(len(means), 'patch', more='patches')}, but its scenes have {end}"
            )
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
        """Mean σ of every patch of a scene, flat, row by row; never touches the file."""
        return self._means[self._places[scene]]


def history_path(run: AnyPath, number: int) -> Path:
    """Where the record of a round lies in a run's folder."""
    return Path(run) / "history" / f"{number:04d}.npz"


def recorded_rounds(run: AnyPath) -> tuple[int, ...]:
    """The rounds a run's folder has records of, oldest first."""
    run = Path(run)
    found = found_in(run / "history", "*.npz")
    return tuple(sorted(int(path.stem) for path in found if path.stem.isdecimal()))


def write_record(path: AnyPath, record: RoundRecord) -> None:
    """Whole or not at all; all statistics must have the same number of bins."""
    path = Path(path)
    arrays = _stacked(list(record.statistics.values()))
    about = {
        "format": _RECORD_FORMAT,
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
    if record.sigma_scale is not None:
        about |= {"sigma_scale": record.sigma_scale, "calibration": record.calibration}
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
        with open_plain(path) as file:
            about = read_arrays(file, "about")["about"].tobytes()
            if known is not None and _is_same(known, path=path, about=about):
                return known
            values = parse_lines(about)
            if values["format"] > _RECORD_FORMAT:
                raise LabelError(
                    f"{path}: written by a newer version (format {values['format']}); "
                    "update SmartHDR Studio"
                )
            return _record(
                path, about=about, values=values, means=read_arrays(file, "means")["means"]
            )
    except _RECORD_DAMAGE as error:
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
        sigma_scale=values.get("sigma_scale"),
        calibration=values.get("calibration"),
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
        with open_plain(path) as file:
            held = read_arrays(file, "about", "means", "lows", "highs", "planes")
        if held["about"].tobytes() != about:
            raise ValueError("replaced by a resumed run")
        means, lows, highs = (held[name] for name in ("means", "lows", "highs"))
        return _Arrays(means, lows, highs, _from_planes(held["planes"]))
    except _RECORD_DAMAGE as error:
        raise LabelError(_damaged(path, error)) from error


def _damaged(path: Path, error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{path}: the record of this round cannot be read ({reason}); look at another round"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTrust:
    """Shares in [0, 1] of all pixels and patches of the pool, and of each scene."""

    retained: float
    patches_retained: float
    scenes: tuple[SceneRetention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    scene: SceneRetention
    pixels: int
    trusted: float
    patches: int
    kept: int


ManualMasks = Callable[[str], Brush | None]


def pool_trust(
    files: Mapping[str, AnyPath],
    settings: MaskSettings,
    *,
    manual_masks: ManualMasks = lambda _: None,
    seen: Callable[[str], None] = lambda _: None,
    left_out: dict[str, str] | None = None,
) -> PoolTrust:
    """What both gates and the person's brush keep; `seen` hears the id of each scene once read.

    `manual_masks` gives what a person painted on a scene, H×W, or None; it may raise LostPainting.
    The brush is for the project to say: what the file holds of it is as old as the file; in which
    patches a scene is judged is for the file. σ is held as long as that takes little memory, and
    read again where it is more, so that memory does not grow with the pool. A scene whose file or
    painting cannot be used is no part of the pool, and `left_out` is told why; without it, or
    where no scene is left, LabelError is raised, or LostPainting.
    """
    pool = _Pool()
    for name, path in files.items():
        with _leaving_out(name, left_out):
            pool.read(name, Path(path), settings, person=manual_masks(name))
        seen(name)
    _refuse_none(pool.names, left_out)
    patch_range, pixel_range = pool_ranges(pool, settings, own=pool.own, means=pool.means)
    counted = [
        _count(
            name,
            sigma,
            trust(
                sigma,
                masks,
                patch_range=patch_range,
                pixel_range=pixel_range,
                person=person,
                means=means,
            ),
        )
        for name, sigma, masks, means, person in zip(
            pool.names, pool, pool.own, pool.means, map(manual_masks, pool.names), strict=True
        )
    ]
    return _added_up(counted)


def trust_as_made(
    files: Mapping[str, AnyPath],
    *,
    manual_masks: ManualMasks = lambda _: None,
    seen: Callable[[str], None] = lambda _: None,
    left_out: dict[str, str] | None = None,
) -> PoolTrust:
    """What `pool_trust` tells, by the masks and ranges that each pseudo-label was made with.

    That is what the loss of its round counted, thresholds by exposure and weights included, but for
    what was painted since: `manual_masks` gives it, H×W. Leaves out and raises as that does.
    """
    counted = []
    for name, each in files.items():
        with _leaving_out(name, left_out):
            path, person = Path(each), manual_masks(name)
            label = read_pseudo_label(path)
            _refuse_misfit(path, label.sigma, person, name=name)
            counted.append(_count(name, label.sigma, label.trust(person=person)))
        seen(name)
    _refuse_none(counted, left_out)
    return _added_up(counted)


@contextmanager
def _leaving_out(name: str, left_out: dict[str, str] | None) -> Iterator[None]:
    """One bad scene never costs the others."""
    try:
        yield
    except (LabelError, LostPainting) as error:
        if left_out is None:
            raise
        left_out[name] = str(error)


def _refuse_none(rest: Sequence[object], left_out: Mapping[str, str] | None) -> None:
    """Raises LabelError where every scene was left out; one sentence stands for all."""
    if left_out and not rest:
        raise LabelError(next(iter(left_out.values())))


def _refuse_misfit(path: Path, sigma: Map, person: Brush | None, *, name: str) -> None:
    if person is not None and person.shape != sigma.shape:
        raise LabelError(
            f"{path}: {_size(sigma)} pixels, but what was painted on {name} has "
            f"{_size(person)}; label the scene anew"
        )


def _added_up(counted: Sequence[_Counted]) -> PoolTrust:
    return PoolTrust(
        retained=_share(sum(c.trusted for c in counted), sum(c.pixels for c in counted)),
        patches_retained=_share(sum(c.kept for c in counted), sum(c.patches for c in counted)),
        scenes=tuple(c.scene for c in counted),
    )


class _Pool:
    """The scenes of a pool with their settings and patch means; their σ, as often as asked."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.own: list[MaskSettings] = []
        self.means: list[Map] = []
        self._paths: list[Path] = []
        self._held: dict[Path, Map] = {}
        self._room = _HELD_BYTES

    def read(self, name: str, path: Path, settings: MaskSettings, *, person: Brush | None) -> None:
        """Take a scene in. Raises LabelError."""
        sigma, header = _sigma(path)
        _refuse_misfit(path, sigma, person, name=name)
        size = _patch_size_in(header) or settings.patch_size
        self.names.append(name)
        self.own.append(replace(settings, patch_size=size))
        self.means.append(patch_means(sigma, size=size))
        self._paths.append(path)
        self._room -= sigma.nbytes
        if self._room >= 0:
            self._held[path] = sigma

    def __iter__(self) -> Iterator[Map]:
        for path in self._paths:
            yield self._held[path] if path in self._held else _sigma(path)[0]


def _patch_size_in(header: Mapping[str, Any]) -> int | None:
    with suppress(KeyError, ValueError):
        return masks_from_text(plain_values(header, "smarthdr.masks")).patch_size
    return None


def _count(name: str, sigma: Map, found: Trust) -> _Counted:
    trusted, kept = found.counted, int(found.patch_mask.sum())
    return _Counted(
        scene=SceneRetention(
            id=name,
            retained=_share(trusted, sigma.size),
            patches_retained=_share(kept, found.patch_mask.size),
            sigma_mean=float(sigma.mean(dtype=np.float64)),
        ),
        pixels=sigma.size,
        trusted=trusted,
        patches=found.patch_mask.size,
        kept=kept,
    )


def _sigma(path: Path) -> tuple[Map, Header]:
    layers, header = read_layers(path, only=("uncertainty.Y",))
    return layers["uncertainty.Y"].astype(np.float32, copy=False), header


def _size(picture: Map | Brush) -> str:
    return f"{picture.shape[1]}×{picture.shape[0]}"


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
