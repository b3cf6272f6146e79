"""The exact trust of a whole pool: its ranges, and what both gates keep of its files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.events import SceneRetention
from smarthdr_studio.core.exr import read_layers
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.masking import (
    MaskSettings,
    Range,
    expand,
    limit,
    patch_means,
    span,
    trust,
)

Map = npt.NDArray[np.float32]


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
    trusted: int
    patches: int
    kept: int


def pool_trust(
    files: Mapping[str, AnyPath],
    settings: MaskSettings,
    *,
    persons: Callable[[str], Brush | None] = lambda _: None,
    seen: Callable[[str], None] = lambda _: None,
) -> PoolTrust:
    """What both gates and the person's brush keep; `seen` hears the id of each scene counted.

    `persons` gives what a person painted on a scene, H×W, or None. The brush is the project's to
    say: what the file holds of it is as old as the file. Files are read again rather than held, so
    that memory does not grow with the pool. Raises LabelError: a file that cannot be used, or of
    another size than what was painted.
    """
    paths = {name: Path(each) for name, each in files.items()}
    patch_range, pixel_range = pool_ranges(_Maps(tuple(paths.values())), settings)
    counted = []
    for name, path in paths.items():
        sigma, person = _sigma(path), persons(name)
        if person is not None and person.shape != sigma.shape:
            raise LabelError(
                f"{path}: {_size(sigma)} pixels, but what was painted on {name} has "
                f"{_size(person)}; label the scene anew"
            )
        ranges = (patch_range, pixel_range)
        counted.append(_count(name, sigma, settings, ranges=ranges, person=person))
        seen(name)
    return PoolTrust(
        retained=_share(sum(c.trusted for c in counted), sum(c.pixels for c in counted)),
        patches_retained=_share(sum(c.kept for c in counted), sum(c.patches for c in counted)),
        scenes=tuple(c.scene for c in counted),
    )


def pool_ranges(sigmas: Iterable[Map], settings: MaskSettings) -> tuple[Range | None, Range | None]:
    """The ranges of patch means and of kept pixels that span the pool (METHOD §4).

    `sigmas` holds every scene's H×W map σ and is gone through at most twice, so it may read files
    instead of holding them. None stands for a level that is normalised scene by scene.
    """
    patch_range = pixel_range = None
    if settings.patches.scope == "pool":
        means = [patch_means(sigma, size=settings.patch_size).ravel() for sigma in sigmas]
        patch_range = span(_joined(means), settings.patches)
    if settings.pixels.scope == "pool":
        kept = [_kept_pixels(sigma, settings, patch_range=patch_range) for sigma in sigmas]
        pixel_range = span(_joined(kept), settings.pixels)
    return patch_range, pixel_range


@dataclass(frozen=True, slots=True)
class _Maps:
    """The σ maps of pseudo-label files, one in memory at a time, as often as asked."""

    paths: tuple[Path, ...]

    def __iter__(self) -> Iterator[Map]:
        return map(_sigma, self.paths)


def _kept_pixels(sigma: Map, settings: MaskSettings, *, patch_range: Range | None) -> Map:
    """σ inside kept patches; of a min-max only the two ends matter, so only they are held."""
    means = patch_means(sigma, size=settings.patch_size)
    top = limit(patch_range or span(means, settings.patches), settings.tau_patch)
    height, width = sigma.shape
    inside = sigma[expand(means <= top, size=settings.patch_size, height=height, width=width)]
    if settings.pixels.normalisation == "minmax" and inside.size:
        return np.array([inside.min(), inside.max()], dtype=np.float32)
    return inside


def _count(
    name: str,
    sigma: Map,
    settings: MaskSettings,
    *,
    ranges: tuple[Range | None, Range | None],
    person: Brush | None,
) -> _Counted:
    patch_range, pixel_range = ranges
    found = trust(sigma, settings, patch_range=patch_range, pixel_range=pixel_range, person=person)
    trusted, kept = int(found.trusted.sum()), int(found.patch_mask.sum())
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


def _sigma(path: Path) -> Map:
    layers, _ = read_layers(path, only=("uncertainty.Y",))
    return layers["uncertainty.Y"].astype(np.float32, copy=False)


def _size(picture: Map | Brush) -> str:
    return f"{picture.shape[1]}×{picture.shape[0]}"


def _joined(parts: list[Map]) -> Map:
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
