"""How long each frame was exposed, as exposure values: one more EV is twice the light."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.image_headers import exif_tags
from smarthdr_studio.core.imaging.tiff_tags import Tags

REMEDY: Final = "write three EVs into exposure.txt beside the frames, one a line, such as 0, 3, 6"

_SHUTTER: Final = 0x829A
_SHUTTER_APEX: Final = 0x9201
_APERTURE: Final = 0x829D
_APERTURE_APEX: Final = 0x9202
_ISO: Final = 0x8827

# No published bracket spans more stops; what does is a list of ratios or shutter times.
_WIDEST: Final = 16.0


def read_evs(path: AnyPath) -> tuple[float, ...]:
    """EVs in the order of the file: numbers one a line, or apart by spaces or commas, or a .npy.

    They may start anywhere (0, −2, an absolute EV). Raises BadScene where the file is unreadable,
    repeats a value, or plainly lists exposure times or ratios.
    """
    path = Path(path)
    values = _numbers_npy(path) if path.suffix.casefold() == ".npy" else _numbers_text(path)
    if len(values) < 2:
        raise BadScene(f"{path}: holds {len(values)} exposure values; {REMEDY}.")
    if not all(math.isfinite(value) for value in values):
        raise BadScene(f"{path}: holds a value that is not finite; {REMEDY}.")
    if len(set(values)) < len(values):
        raise BadScene(f"{path}: gives two frames the same exposure; {REMEDY}.")
    if _are_times(values):
        raise BadScene(
            f"{path}: holds exposure times or ratios instead of EVs; write their log2 instead."
        )
    return values


def evs_from_exif(paths: Sequence[AnyPath]) -> tuple[float, ...]:
    """EVs from EXIF: log2(t · ISO / 100 / N²), shutter t seconds, aperture N; brighter is larger.

    A camera that never writes aperture or sensitivity is taken to have kept them. Raises BadScene
    where a shutter time is missing or only some of the frames say the rest.
    """
    chosen = [Path(each) for each in paths]
    tags = [_read_exif(path) for path in chosen]
    shutters = [_shutter_ev(each) for each in tags]
    apertures = [_aperture_ev(each) for each in tags]
    sensitivities = [_iso_ev(each) for each in tags]
    for known in (apertures, sensitivities):
        if all(value is None for value in known):
            known[:] = [0.0] * len(known)
    evs = []
    for path, parts in zip(
        chosen, zip(shutters, apertures, sensitivities, strict=True), strict=True
    ):
        given = [part for part in parts if part is not None]
        if len(given) < len(parts):
            raise BadScene(f"{path}: has no exposure in its EXIF and no EV file beside; {REMEDY}.")
        evs.append(round(sum(given), 4))
    if len(set(evs)) < len(evs):
        raise BadScene(f"{chosen[0]}: its EXIF gives two frames the same exposure; {REMEDY}.")
    return tuple(evs)


def _numbers_text(path: Path) -> tuple[float, ...]:
    try:
        words = path.read_text(encoding="utf-8-sig").replace(",", " ").replace(";", " ").split()
        return tuple(float(word.replace("−", "-")) for word in words)
    except OSError as error:
        raise BadScene(f"{path}: cannot be opened ({error.strerror}); {REMEDY}.") from error
    except ValueError as error:
        raise BadScene(f"{path}: holds something that is no number; {REMEDY}.") from error


def _numbers_npy(path: Path) -> tuple[float, ...]:
    try:
        return tuple(float(value) for value in np.load(path, allow_pickle=False).ravel())
    except (OSError, ValueError, EOFError, TypeError, AttributeError) as error:
        raise BadScene(f"{path}: is no array of exposure values; {REMEDY}.") from error


def _are_times(values: Sequence[float]) -> bool:
    ordered = sorted(values)
    if ordered[-1] - ordered[0] > _WIDEST:
        return True
    # Shutter times below a second: positive, crowded, and at least a doubling each.
    steps = [high / low for low, high in pairwise(ordered) if low > 0]
    crowded = ordered[-1] - ordered[0] < 1
    return len(steps) == len(ordered) - 1 and crowded and min(steps) >= 1.9


def _read_exif(path: Path) -> Tags:
    try:
        with path.open("rb") as stream:
            return exif_tags(stream)
    except OSError as error:
        raise BadScene(f"{path}: cannot be opened ({error.strerror}); put it back.") from error


def _shutter_ev(tags: Tags) -> float | None:
    seconds = _positive(tags, _SHUTTER)
    if seconds is not None:
        return math.log2(seconds)
    return -tags[_SHUTTER_APEX][0] if tags.get(_SHUTTER_APEX) else None


def _aperture_ev(tags: Tags) -> float | None:
    f_number = _positive(tags, _APERTURE)
    if f_number is not None:
        return -2 * math.log2(f_number)
    return -tags[_APERTURE_APEX][0] if tags.get(_APERTURE_APEX) else None


def _iso_ev(tags: Tags) -> float | None:
    iso = _positive(tags, _ISO)
    return None if iso is None else math.log2(iso / 100)


def _positive(tags: Tags, tag: int) -> float | None:
    values = tags.get(tag)
    return values[0] if values and values[0] > 0 else None
