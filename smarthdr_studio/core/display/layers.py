"""Everything a view can show, what it is made from, and the finished picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.colour_maps import ColourMap, HeatScale
from smarthdr_studio.core.display.tone import Rgb8, ToneMap
from smarthdr_studio.core.imaging.bracket import Bracket, Half
from smarthdr_studio.core.imaging.radiometry import GAMMA, MU, Floats
from smarthdr_studio.core.imaging.regions import Mask
from smarthdr_studio.core.trust.masking import MaskSettings, Trust
from smarthdr_studio.core.words import percent as in_percent

Pattern = Literal[
    "even", "rising", "falling", "vertical", "horizontal", "dots", "grid", "checks", "rings"
]


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
    STUDENT = "Student"
    PROMOTED = "Promoted label"
    PATCH_SCORE = "Patch score S_pa"
    PIXEL_SCORE = "Pixel score S_pi"
    PERSON_MASK = "Manual mask"
    COMBINED_MASK = "Combined mask"
    REASONS = "Reasons"
    FLIPS = "Flips"
    OTHER_ROUND = "Other round"
    OTHER_SIGMA = "Other round's σ"

    @classmethod
    def _missing_(cls, value: object) -> "Layer | None":
        """A layer by the title it had before, as window.json of earlier versions names it."""
        return cls.PERSON_MASK if value == "Person's mask" else None

    @property
    def tip(self) -> str:
        """What the layer shows, in one sentence."""
        return _TIPS[self]

    @property
    def stand_ins(self) -> tuple["Layer", ...]:
        """What a view shows instead while this layer does not exist, best first."""
        return _STAND_INS.get(self, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaySettings:
    """How a view is shown; `overlay` 0 to 1 is the strength of the mask colours.

    `mu` and `gamma` are those of their tone maps. `error_against` is what the error layer holds
    the pseudo-label against; `gain` multiplies differences. `zebra` stripes what is clipped.
    """

    exposure_ev: float = 0.0
    tone_map: ToneMap = ToneMap.MU_LAW
    mu: float = MU
    gamma: float = GAMMA
    error_against: Layer = Layer.GROUND_TRUTH
    gain: float = 1.0
    zebra: bool = False
    colour_map: ColourMap = ColourMap.EMBER
    heat_scale: HeatScale = HeatScale.LINEAR
    overlay: float = 0.7
    mask_visible: bool = True


class LabelComes(StrEnum):
    """Whether and how a scene without pseudo-label gets one; the value is the sentence for it."""

    BY_TRAINING = "No pseudo-label yet — train, or press Ctrl+T"
    BY_THIS_RUN = "No pseudo-label yet — the run at work makes it"
    NEVER = "No pseudo-label — only unlabelled scenes get one"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """One scene's arrays, H×W each, for the painter; what is not there is None.

    `hdr`, `sigma` and `trust` belong together: the pseudo-label, its uncertainty, and both gates
    with `masks`. `origin` says where the pseudo-label is from ("round 42"). `person` is H×W, as
    in a pseudo-label. `student` and `promoted` are H×W×3 radiance; `student_origin` names the model
    file that stands in for the student. `reasons` is H×W of `core.reasons.Reason`; `flips` is
    rows×columns, how often each patch changed sides between rounds. `other_hdr` and `other_sigma`
    are the pseudo-label of the round `other_origin` names. `label_comes` counts while there is no
    pseudo-label.
    """

    bracket: Bracket | None = None
    hdr: Half | None = None
    sigma: Floats | None = None
    trust: Trust | None = None
    masks: MaskSettings = field(default_factory=MaskSettings)
    ground_truth: Half | None = None
    origin: str = ""
    person: npt.NDArray[np.int8] | None = None
    student: Half | None = None
    student_origin: str = ""
    promoted: Half | None = None
    reasons: npt.NDArray[np.uint8] | None = None
    flips: npt.NDArray[np.uint8] | None = None
    other_hdr: Half | None = None
    other_sigma: Floats | None = None
    other_origin: str = ""
    label_comes: LabelComes = LabelComes.BY_TRAINING

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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """One kind of area of a picture: its 8-bit RGB colour and pattern, and what it stands for."""

    colour: tuple[int, int, int]
    words: str
    pattern: Pattern = "even"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Painted:
    """A finished picture, H×W×3 8-bit RGB, or the sentence that says why there is none.

    `values`, H×W or H×W×3, are the numbers the picture was made from, to be printed in its pixels;
    `warning` says what is wrong with them ("3 NaN, 1 Inf"); `key` names the colours of areas.
    """

    rgb8: Rgb8 | None
    title: str
    detail: str = ""
    why_empty: str = ""
    legend: Legend | None = None
    key: tuple[KeyEntry, ...] = ()
    warning: str = ""
    values: npt.NDArray[Any] | None = None


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
    Layer.ERROR: "How far the pseudo-label is from the picture it is held against: |error| on the"
    " μ-law, mean over channels.",
    Layer.MERGE: "The three frames merged by exposure alone: what moves leaves a ghost.",
    Layer.STUDENT: "The HDR picture the student makes now; asked for when first shown.",
    Layer.PROMOTED: "The frozen pseudo-label this scene was promoted with.",
    Layer.PATCH_SCORE: "S_pa: mean σ of each patch as a score from 0, sure, to 1, unsure.",
    Layer.PIXEL_SCORE: "S_pi: σ of each pixel as a score from 0, sure, to 1, unsure.",
    Layer.PERSON_MASK: "Where a person's brush forces trust or distrust.",
    Layer.COMBINED_MASK: "What the loss counts, and who dropped the rest, without the picture.",
    Layer.REASONS: "The chief reason why each untrusted pixel is hard.",
    Layer.FLIPS: "How often each patch changed between retained and dropped from round to round.",
    Layer.OTHER_ROUND: "The pseudo-label of the round picked in the history.",
    Layer.OTHER_SIGMA: "The uncertainty of the round picked in the history.",
}

# A scene that has no pseudo-label is looked at all the same: its four views show what there is.
_STAND_INS = {
    Layer.PSEUDO_LABEL: (Layer.GROUND_TRUTH, Layer.MERGE),
    Layer.UNCERTAINTY: (Layer.UNDER,),
    Layer.PATCH_MASK: (Layer.PERSON_MASK, Layer.REFERENCE),
    Layer.PIXEL_MASK: (Layer.PERSON_MASK, Layer.OVER),
}

_NO_FRAMES = "The frames of this scene are not loaded"

_OF_THE_LABEL = frozenset(
    {
        *(Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.PIXEL_MASK),
        *(Layer.TRUSTED, Layer.PATCH_SCORE, Layer.PIXEL_SCORE, Layer.COMBINED_MASK, Layer.REASONS),
    }
)
_WHY_EMPTY = {
    Layer.UNDER: _NO_FRAMES,
    Layer.REFERENCE: _NO_FRAMES,
    Layer.OVER: _NO_FRAMES,
    Layer.GROUND_TRUTH: "This scene has no ground truth",
    Layer.ERROR: "An error needs both a pseudo-label and a ground truth",
    Layer.MERGE: _NO_FRAMES,
    Layer.STUDENT: "Waiting for the student's answer; before the first run there is none",
    Layer.PROMOTED: "This scene is not promoted — press P",
    Layer.PERSON_MASK: "Nobody has painted on this scene",
    Layer.FLIPS: "Flips are known after two rounds of training",
    Layer.OTHER_ROUND: "Pick a round in the history",
    Layer.OTHER_SIGMA: "Pick a round in the history",
}


RADIANCE = (
    Layer.PSEUDO_LABEL,
    Layer.GROUND_TRUTH,
    Layer.MERGE,
    Layer.STUDENT,
    Layer.PROMOTED,
    Layer.OTHER_ROUND,
)
FRAMES = (Layer.UNDER, Layer.REFERENCE, Layer.OVER)
PICTURES = RADIANCE + FRAMES

SIGMAS = (Layer.UNCERTAINTY, Layer.OTHER_SIGMA)
SCORES = (Layer.PATCH_SCORE, Layer.PIXEL_SCORE)
MAPS = (*SIGMAS, *SCORES, Layer.ERROR, Layer.FLIPS)

UNITS = {
    **dict.fromkeys((*SIGMAS, Layer.ERROR), "μ-law values"),
    **dict.fromkeys(SCORES, "scores"),
    Layer.FLIPS: "flips",
}


def given_radiance(layer: Layer, material: Material) -> Half | None:
    """The radiance a material brings for a layer, H×W×3 linear; the merge has to be made."""
    return {
        Layer.PSEUDO_LABEL: material.hdr,
        Layer.GROUND_TRUTH: material.ground_truth,
        Layer.STUDENT: material.student,
        Layer.PROMOTED: material.promoted,
        Layer.OTHER_ROUND: material.other_hdr,
    }.get(layer)


def has_picture(layer: Layer, material: Material) -> bool:
    """Whether a layer of light exists."""
    made = layer is Layer.MERGE or layer in FRAMES
    return material.bracket is not None if made else given_radiance(layer, material) is not None


_MADE_OF: Final[Mapping[Layer, tuple[str, ...]]] = {
    Layer.UNCERTAINTY: ("sigma",),
    **dict.fromkeys((Layer.PATCH_SCORE, Layer.PIXEL_SCORE), ("sigma", "trust")),
    **dict.fromkeys((Layer.PATCH_MASK, Layer.PIXEL_MASK, Layer.TRUSTED), ("hdr", "trust")),
    **dict.fromkeys((Layer.COMBINED_MASK, Layer.REASONS), ("hdr", "trust")),
    Layer.PERSON_MASK: ("person",),
    Layer.FLIPS: ("flips",),
    Layer.OTHER_SIGMA: ("other_sigma",),
}


def refusal(layer: Layer, material: Material, settings: DisplaySettings) -> str:
    """Why choosing this layer now would not show it, "" where it would; nothing is painted."""
    if layer is Layer.ERROR:
        against = settings.error_against
        both = material.hdr is not None and against in PICTURES and has_picture(against, material)
        return "" if both else why_empty(layer, material, settings)
    if layer is Layer.STUDENT:  # asked for once somebody looks
        return ""
    if layer in PICTURES:
        there = has_picture(layer, material)
    else:
        there = all(getattr(material, name) is not None for name in _MADE_OF[layer])
    return "" if there else _why_missing(layer, material)


def joined(*parts: str) -> str:
    """The parts that say something, with dots between."""
    return " · ".join(part for part in parts if part)


def percent(mask: Mask) -> str:
    """The share of a mask of any shape that is True, in whole percent."""
    return share(int(np.count_nonzero(mask)), mask.size)


def share(count: int, of: int) -> str:
    """A share in whole percent; what is neither nothing nor all says so."""
    return in_percent(count / max(of, 1))


def number(value: float) -> str:
    """Two digits, or a whole number as it is; what rounds to one reads like one."""
    told = float(f"{value:.2g}")
    whole = round(value) in (value, told) and abs(value) < 1e6
    return f"{value:.0f}" if whole else f"{value:#.2g}".rstrip(".")


def exposure_words(settings: DisplaySettings) -> str:
    """The exposure, where there is one."""
    words = f"{settings.exposure_ev:+.1f} EV" if settings.exposure_ev else ""
    return words.replace("-", "−")


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
    return _why_missing(layer, material)


def _why_missing(layer: Layer, material: Material) -> str:
    return str(material.label_comes) if layer in _OF_THE_LABEL else _WHY_EMPTY[layer]


def _why_no_error(material: Material, against: Layer) -> str:
    """The sentence for whichever of both pictures is not there or does not fit."""
    if against not in PICTURES:
        return f"An error is held against a picture, and {against} is none"
    if against is Layer.GROUND_TRUTH and (material.hdr is None or material.ground_truth is None):
        return _WHY_EMPTY[Layer.ERROR]
    if material.hdr is None:
        return _why_missing(Layer.PSEUDO_LABEL, material)
    if not has_picture(against, material):
        return _why_missing(against, material)
    return f"{Layer.PSEUDO_LABEL} and {against} are of different sizes"
