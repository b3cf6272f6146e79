"""How a scene is looked at: views, tools, comparing, and the pixel under the cursor."""

from dataclasses import dataclass
from enum import StrEnum

from smarthdr_studio.core.display import Layer

MOST_VIEWS = 6


class Tool(StrEnum):
    """What the left button does in a picture; the values are the words on the screen."""

    HAND = "hand"
    RECTANGLE = "rectangle"
    LASSO = "lasso"
    BRUSH = "brush"


class CompareMode(StrEnum):
    """How a view is held against its partner."""

    OFF = "off"
    WIPE = "wipe"
    FLICKER = "flicker"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSetup:
    """What one view shows; its own exposure is None while it follows the others."""

    layer: Layer
    exposure_ev: float | None = None
    zebra: bool = False


FIRST_VIEWS = tuple(
    ViewSetup(layer=layer)
    for layer in (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.PIXEL_MASK)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The one view that is held against another layer; `gain` multiplies a difference."""

    mode: CompareMode = CompareMode.OFF
    view: int = 0
    partner: Layer = Layer.REFERENCE
    gain: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What is known of the pixel under the cursor; `linear` is RGB in [0, 1].

    `frames` are the camera values of under, reference and over, RGB of 16 bits each; `truth` and
    `student` are RGB radiance like `linear`. `why` says who decided where that is worth a word:
    the gate that dropped the pixel, or "person" where the brush overrules the gates.
    """

    x: int
    y: int
    linear: tuple[float, float, float] | None = None
    frames: tuple[tuple[int, int, int], ...] = ()
    truth: tuple[float, float, float] | None = None
    student: tuple[float, float, float] | None = None
    mu_law: float | None = None
    sigma: float | None = None
    patch_score: float | None = None
    pixel_score: float | None = None
    trusted: bool | None = None
    why: str = ""
