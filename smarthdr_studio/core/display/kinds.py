"""Which layers are pictures of light, which are maps of one number, and which are masks."""

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.display.layers import Layer, Material

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
