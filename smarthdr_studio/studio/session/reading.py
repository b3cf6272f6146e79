"""The numbers of one pixel: its values, its scores, and which gate dropped it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.display import Material
from smarthdr_studio.core.masking import Trust, scores
from smarthdr_studio.core.radiance import Frame, linear_radiance, mu_law, unit_ldr
from smarthdr_studio.studio.state import Readout


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of one pixel, and which gate drops it ("" where none does)."""

    patch: float
    pixel: float
    dropped_by: str


def read_pixel(
    material: Material, means: npt.NDArray[np.float32] | None, at: tuple[int, int]
) -> Readout:
    """All numbers the status bar and the inspector tell about the pixel at (x, y)."""
    x, y = at
    linear = _linear(material, x, y)
    frames = material.bracket.frames if material.bracket is not None else ()
    known = Readout(
        x=x,
        y=y,
        linear=linear,
        frames=tuple(_codes(frame, x, y) for frame in frames),
        truth=_radiance(material.ground_truth, x, y),
        student=_radiance(material.student, x, y),
        mu_law=None if linear is None else float(mu_law(np.array(linear, np.float32)).mean()),
    )
    if material.sigma is None or material.trust is None or means is None:
        return known
    sigma = float(material.sigma[y, x])
    size = material.masks.patch_size
    judged = _judge(material.trust, sigma, float(means[y // size, x // size]), (x, y, size))
    return replace(
        known,
        sigma=sigma,
        patch_score=judged.patch,
        pixel_score=judged.pixel,
        trusted=bool(material.trust.trusted[y, x]),
        why=_decider(judged.dropped_by, trusted=bool(material.trust.trusted[y, x])),
    )


def _decider(dropped_by: str, *, trusted: bool) -> str:
    """Who decided: a gate, nobody who is worth a word, or a person against both gates."""
    return dropped_by if trusted is bool(not dropped_by) else "person"


def _linear(material: Material, x: int, y: int) -> tuple[float, float, float] | None:
    picture = material.hdr if material.hdr is not None else material.ground_truth
    if picture is not None:
        return _radiance(picture, x, y)
    if material.bracket is None:
        return None
    ldr = unit_ldr(material.bracket.reference[y, x])
    red, green, blue = (
        float(value) for value in linear_radiance(ldr, stops=material.bracket.stops[1])
    )
    return red, green, blue


def _radiance(picture: Half | None, x: int, y: int) -> tuple[float, float, float] | None:
    if picture is None:
        return None
    red, green, blue = (float(value) for value in picture[y, x])
    return red, green, blue


def _codes(frame: Frame, x: int, y: int) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in frame[y, x])
    return red, green, blue


def _judge(trust: Trust, sigma: float, mean: float, place: tuple[int, int, int]) -> _Scores:
    x, y, size = place
    kept_patch = bool(trust.patch_mask[y // size, x // size])
    kept_pixel = bool(trust.pixel_mask[y, x])
    dropped_by = "patch" if not kept_patch else "" if kept_pixel else "pixel"
    return _Scores(
        patch=float(scores(np.float32(mean), trust.patch_range)),
        pixel=float(scores(np.float32(sigma), trust.pixel_range)),
        dropped_by=dropped_by,
    )
