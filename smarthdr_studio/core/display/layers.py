"""Everything a view can show, what it is made from, and the finished picture."""

from dataclasses import dataclass, field
from enum import StrEnum

from smarthdr_studio.core.bracket import Bracket, Half
from smarthdr_studio.core.display.colour import ColourMap, HeatScale
from smarthdr_studio.core.display.tone import Rgb8, ToneMap
from smarthdr_studio.core.masking import MaskSettings, Trust
from smarthdr_studio.core.radiance import Floats


class Layer(StrEnum):
    """What a view can show, in the order of the menu; the values are the titles."""

    PSEUDO_LABEL = "Pseudo-label"
    UNCERTAINTY = "Uncertainty σ"
    PATCH_MASK = "Patch mask"
    PIXEL_MASK = "Pixel mask"
    TRUSTED = "Trusted"
    UNDER = "Under frame"
    REFERENCE = "Reference frame"
    OVER = "Over frame"
    GROUND_TRUTH = "Ground truth"
    ERROR = "Error"
    MERGE = "Plain merge"

    @property
    def tip(self) -> str:
        """What the layer shows, in one sentence."""
        return _TIPS[self]

    @property
    def why_empty(self) -> str:
        """Why a view with this layer has nothing to show, and what helps."""
        return _WHY_EMPTY[self]

    @property
    def stand_ins(self) -> tuple["Layer", ...]:
        """What a view shows instead while this layer does not exist, best first."""
        return _STAND_INS.get(self, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaySettings:
    """How every view is shown; `overlay` 0 to 1 is the strength of the mask colours."""

    exposure_ev: float = 0.0
    tone_map: ToneMap = ToneMap.MU_LAW
    colour_map: ColourMap = ColourMap.EMBER
    heat_scale: HeatScale = HeatScale.LINEAR
    overlay: float = 0.7
    mask_visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """One scene's arrays, H×W each, for the painter; what is not there is None.

    `hdr`, `sigma` and `trust` belong together: the pseudo-label, its uncertainty, and both gates
    with `masks`. `origin` says where the pseudo-label is from ("round 42").
    """

    bracket: Bracket | None = None
    hdr: Half | None = None
    sigma: Floats | None = None
    trust: Trust | None = None
    masks: MaskSettings = field(default_factory=MaskSettings)
    ground_truth: Half | None = None
    origin: str = ""

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the scene, if anything is there."""
        pictures = (self.bracket.reference if self.bracket else None, self.hdr, self.ground_truth)
        shape = next((picture.shape for picture in pictures if picture is not None), None)
        return None if shape is None else (shape[1], shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Legend:
    """A colour bar's colours, highest value on top, and the words at its ends."""

    bar: Rgb8
    low: str
    high: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Painted:
    """A finished picture, H×W×3 8-bit RGB, or the sentence that says why there is none."""

    rgb8: Rgb8 | None
    title: str
    detail: str = ""
    why_empty: str = ""
    legend: Legend | None = None


_TIPS = {
    Layer.PSEUDO_LABEL: "The HDR picture the teacher made, tone-mapped.",
    Layer.UNCERTAINTY: "How unsure the network is of each pixel; bright is unsure.",
    Layer.PATCH_MASK: "The first gate: red rising stripes are patches that are dropped.",
    Layer.PIXEL_MASK: "The second gate: amber falling stripes are pixels that are dropped.",
    Layer.TRUSTED: "What the loss counts at full brightness; everything else is striped.",
    Layer.UNDER: "The shortest exposure as the camera wrote it.",
    Layer.REFERENCE: "The middle exposure as the camera wrote it.",
    Layer.OVER: "The longest exposure as the camera wrote it.",
    Layer.GROUND_TRUTH: "The measured HDR picture, tone-mapped.",
    Layer.ERROR: "The pseudo-label's error on the μ-law against the ground truth.",
    Layer.MERGE: "The three frames merged by exposure alone: what moves leaves a ghost.",
}

# A scene that has no pseudo-label is looked at all the same: its four views show what there is.
_STAND_INS = {
    Layer.PSEUDO_LABEL: (Layer.GROUND_TRUTH, Layer.MERGE),
    Layer.UNCERTAINTY: (Layer.UNDER,),
    Layer.PATCH_MASK: (Layer.REFERENCE,),
    Layer.PIXEL_MASK: (Layer.OVER,),
}

_NO_LABEL = "No pseudo-label yet — train, or press Ctrl+T"
_NO_FRAMES = "The frames of this scene are not loaded"

_WHY_EMPTY = {
    Layer.PSEUDO_LABEL: _NO_LABEL,
    Layer.UNCERTAINTY: _NO_LABEL,
    Layer.PATCH_MASK: _NO_LABEL,
    Layer.PIXEL_MASK: _NO_LABEL,
    Layer.TRUSTED: _NO_LABEL,
    Layer.UNDER: _NO_FRAMES,
    Layer.REFERENCE: _NO_FRAMES,
    Layer.OVER: _NO_FRAMES,
    Layer.GROUND_TRUTH: "This scene has no ground truth",
    Layer.ERROR: "An error needs both a pseudo-label and a ground truth",
    Layer.MERGE: _NO_FRAMES,
}
