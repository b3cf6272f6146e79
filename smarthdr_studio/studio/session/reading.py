"""What is known of one pixel: its values, its scores, and why it is or is not trusted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.display import Material
from smarthdr_studio.core.masking import Trust, scores
from smarthdr_studio.core.radiance import linear_radiance, mu_law, unit_ldr
from smarthdr_studio.studio.state import Readout

_SATURATED: Final = round(0.98 * 65535)
_NOISY: Final = 0.04  # camera values below this say little about radiance
_MOVED: Final = 0.05  # μ-law difference of two frames that noise seldom reaches

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of one pixel, and whose gate dropped it ("" where trusted)."""

    patch: float
    pixel: float
    dropped_by: str


def read_pixel(
    material: Material, means: npt.NDArray[np.float32] | None, at: tuple[int, int]
) -> Readout:
    """Everything the status bar and the inspector tell about the pixel at (x, y)."""
    x, y = at
    linear = _linear(material, x, y)
    known = Readout(
        x=x,
        y=y,
        linear=linear,
        mu_law=None if linear is None else float(mu_law(np.array(linear, np.float32)).mean()),
    )
    if material.sigma is None or material.trust is None or means is None:
        return known
    sigma = float(material.sigma[y, x])
    size = material.masks.patch_size
    judged = _judge(material.trust, sigma, float(means[y // size, x // size]), (x, y, size))
    window = (
        slice(y // size * size, y // size * size + size),
        slice(x // size * size, x // size * size + size),
    )
    return Readout(
        x=x,
        y=y,
        linear=known.linear,
        mu_law=known.mu_law,
        sigma=sigma,
        patch_score=judged.patch,
        pixel_score=judged.pixel,
        trusted=not judged.dropped_by,
        why=judged.dropped_by,
        explanation=_explain(material, judged, window),
    )


def _linear(material: Material, x: int, y: int) -> tuple[float, float, float] | None:
    picture = material.hdr if material.hdr is not None else material.ground_truth
    if picture is not None:
        red, green, blue = (float(value) for value in picture[y, x])
        return red, green, blue
    if material.bracket is None:
        return None
    ldr = unit_ldr(material.bracket.reference[y, x])
    red, green, blue = (
        float(value) for value in linear_radiance(ldr, stops=material.bracket.stops[1])
    )
    return red, green, blue


def _judge(trust: Trust, sigma: float, mean: float, place: tuple[int, int, int]) -> _Scores:
    x, y, size = place
    kept_patch = bool(trust.patch_mask[y // size, x // size])
    kept_pixel = bool(trust.pixel_mask[y, x])
    trusted = bool(trust.trusted[y, x])
    if trusted:
        dropped_by = ""
    elif not kept_patch:
        dropped_by = "patch"
    elif not kept_pixel:
        dropped_by = "pixel"
    else:
        dropped_by = "person"
    return _Scores(
        patch=float(scores(np.float32(mean), trust.patch_range)),
        pixel=float(scores(np.float32(sigma), trust.pixel_range)),
        dropped_by=dropped_by,
    )


def _explain(material: Material, judged: _Scores, window: Window) -> str:
    masks = material.masks
    patch, pixel = f"{judged.patch:.2f}", f"{judged.pixel:.2f}"
    match judged.dropped_by:
        case "patch":
            words = f"<b>Dropped with its patch</b>: S_pa {patch} is above {masks.tau_patch:.2f}."
        case "pixel":
            words = f"<b>Dropped as a pixel</b>: S_pi {pixel} is above {masks.tau_pixel:.2f}."
        case "person":
            words = "<b>Dropped by a person</b>, with the brush."
        case _:
            words = f"<b>Trusted</b>: S_pa {patch} and S_pi {pixel} are within both thresholds."
    return words if material.bracket is None else f"{words} {_frames_say(material.bracket, window)}"


def _frames_say(bracket: Bracket, window: Window) -> str:
    """Saturation of each frame in the patch, and whether two frames disagree about it."""
    shares = [(frame[window] >= _SATURATED).any(2).mean() for frame in bracket.frames]
    told = " / ".join(f"{100 * share:.0f}" for share in shares)
    words = f"Saturated in this patch: {told} % (under / reference / over)."
    if _frames_disagree(bracket, window):
        words += " Under and reference disagree: <b>motion</b>."
    return words


def _frames_disagree(bracket: Bracket, window: Window) -> bool:
    under, reference = (unit_ldr(frame[window]) for frame in (bracket.under, bracket.reference))
    both = (under > _NOISY) & (reference > _NOISY) & (bracket.reference[window] < _SATURATED)
    if both.mean() < 0.1:
        return False
    seen = [
        mu_law(linear_radiance(ldr, stops=stops))[both]
        for ldr, stops in zip((under, reference), bracket.stops[:2], strict=True)
    ]
    return bool(np.abs(seen[0] - seen[1]).mean() > _MOVED)
