"""The short words under a picture: shares, exposure, and why there is nothing to see."""

import numpy as np

from smarthdr_studio.core.display.hatch import Mask
from smarthdr_studio.core.display.kinds import PICTURES, has_picture
from smarthdr_studio.core.display.layers import DisplaySettings, Layer, Material
from smarthdr_studio.core.display.tone import ToneMap
from smarthdr_studio.core.radiance import GAMMA, MU


def joined(*parts: str) -> str:
    """The parts that say something, with dots between."""
    return " · ".join(part for part in parts if part)


def percent(mask: Mask) -> str:
    """The share that is True, in whole percent."""
    return share(int(np.count_nonzero(mask)), mask.size)


def share(count: int, of: int) -> str:
    """A share in whole percent; the least that is not nothing says so."""
    portion = count / max(of, 1)
    if 0 < portion < 0.005:
        return "< 1 %"
    return f"{portion:.0%}".replace("%", " %")


def number(value: float) -> str:
    """Two digits, or a whole number as it is."""
    whole = value == round(value) and abs(value) < 1e6
    return f"{value:.0f}" if whole else f"{value:.2g}"


def exposure_words(settings: DisplaySettings) -> str:
    """The exposure, where there is one."""
    return f"{settings.exposure_ev:+.1f} EV" if settings.exposure_ev else ""


def tone_words(settings: DisplaySettings) -> str:
    """The tone map, with its parameter where it is not the usual one."""
    tone = settings.tone_map
    if tone is ToneMap.MU_LAW and settings.mu != MU:
        return f"{tone.value} {settings.mu:g}"
    if tone is ToneMap.GAMMA and settings.gamma != GAMMA:
        return f"{tone.value} {settings.gamma:g}"
    return tone.value


def why_empty(layer: Layer, material: Material, settings: DisplaySettings) -> str:
    """Why the layer cannot be painted from this material, and what helps."""
    if layer is Layer.ERROR:
        return _why_no_error(material, settings.error_against)
    if layer is Layer.REASONS and material.trust is not None and material.reasons is None:
        return "The reasons are still being looked for"
    if layer is Layer.FLIPS and material.flips is not None:
        return "These flips are of another patch size than the masks"
    return layer.why_empty


def _why_no_error(material: Material, against: Layer) -> str:
    """The sentence for whichever of both pictures is not there or does not fit."""
    if against not in PICTURES:
        return f"An error is held against a picture, and {against} is none"
    if against is Layer.GROUND_TRUTH and (material.hdr is None or material.ground_truth is None):
        return Layer.ERROR.why_empty
    if material.hdr is None:
        return Layer.PSEUDO_LABEL.why_empty
    if not has_picture(against, material):
        return against.why_empty
    return f"{Layer.PSEUDO_LABEL} and {against} are of different sizes"
