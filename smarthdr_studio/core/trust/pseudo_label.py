"""A pseudo-label: the teacher's radiance of one scene, its σ, masks and provenance.

On disk one EXR with the layers R G B (half), uncertainty.Y (float), score.patch, score.pixel,
mask.patch, mask.pixel and mask.person; provenance stands in the header under "smarthdr.". Where
pixels are weighed, mask.pixel is the weight; with thresholds by exposure, exposure.bin is a layer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Half, Three
from smarthdr_studio.core.imaging.image_files import (
    Layer,
    read_layers,
    read_plain_header,
    write_layers,
)
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.remedies import LABEL_ANEW
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import (
    MaskSettings,
    Range,
    Trust,
    expand,
    masks_as_text,
    masks_from_text,
    patch_means,
    plain_values,
    range_as_text,
    range_from_text,
    scores,
    trust,
)

FORMAT = 1
_KEPT = ("R", "G", "B", "uncertainty.Y", "mask.person")  # the other layers follow from these


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a pseudo-label is from, and the thresholds and ranges its masks were made with."""

    run: str
    round: int
    epoch: int
    checkpoint: str  # SHA-256, hex, possibly shortened
    network: str
    masks: MaskSettings
    patch_range: Range
    pixel_range: Range
    made: str  # UTC, ISO 8601
    uncertainty: Literal["judge", "views"] = "judge"  # whose σ it is
    sigma_scale: float = 1.0  # what that σ was multiplied by, to be calibrated
    curve: str = ""  # under which frames were read, by `FrameReading.curve`; "" is gamma 2.2
    three: Three | None = None  # the frames of the bracket, where a person chose them
    format: int = FORMAT

    @property
    def words(self) -> str:
        """Which round made it, or, outside of a run, which model."""
        return f"round {self.round}" if self.round else f"by {self.run}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PseudoLabel:
    """One scene as the teacher sees it.

    `hdr` is H×W×3 linear radiance in [0, 1]; `sigma` is H×W in units of μ-law radiance; `person`
    is H×W, 1 where a person forces trust, −1 where a person forces distrust, None without either.
    `exposure` is H×W, how the reference exposes each pixel (`masking.EXPOSURES`), where the
    masks ask for it.
    """

    scene: str
    hdr: Half
    sigma: Floats
    person: Brush | None
    provenance: Provenance
    exposure: npt.NDArray[np.uint8] | None = None

    def trust(self, *, person: Brush | None = None, means: Floats | None = None) -> Trust:
        """What its own settings and ranges trust; an H×W brush only where it is given."""
        of = self.provenance
        return trust(
            self.sigma,
            of.masks,
            patch_range=of.patch_range,
            pixel_range=of.pixel_range,
            person=person,
            means=means,
            exposure=self.exposure,
        )


def remasked(
    label: PseudoLabel,
    masks: MaskSettings,
    *,
    ranges: tuple[Range, Range | None] | None = None,
) -> PseudoLabel:
    """The same label with other mask settings, in the patches it was made with.

    `ranges` are the pool's ranges of patch means and of pixels; where they are not known, those
    the label was made with serve. What is normalised per scene is measured in the scene again,
    because the patch threshold decides which pixels take part (METHOD §4).
    """
    old = label.provenance
    masks = replace(masks, patch_size=old.masks.patch_size)
    patch_range, pixel_range = ranges or (old.patch_range, old.pixel_range)
    found = trust(
        label.sigma,
        masks,
        patch_range=patch_range if masks.patches.scope == "pool" else None,
        pixel_range=pixel_range if masks.pixels.scope == "pool" else None,
        exposure=label.exposure,
    )
    provenance = replace(
        old, masks=masks, patch_range=found.patch_range, pixel_range=found.pixel_range
    )
    exposure = None if masks.tau_exposure is None else label.exposure
    return replace(label, provenance=provenance, exposure=exposure)


def write_pseudo_label(
    path: AnyPath, label: PseudoLabel, *, judged: tuple[Trust, Floats] | None = None
) -> None:
    """Write whole, then replace; scores and masks are `masking.trust` with the provenance.

    `judged` is that, and the rows×columns patch means, where they are known already.
    """
    path = Path(path)
    write_layers(path, _layers(label, *(judged or _judged(label))), header=_header(label))


def read_pseudo_label(path: AnyPath, *, expect: tuple[int, int] | None = None) -> PseudoLabel:
    """What `write_pseudo_label` wrote; `expect` is the scene's height and width.

    Raises LabelError: missing, no EXR, truncated, foreign, of a newer format or another size.
    """
    path = Path(path)
    layers, header = read_layers(path)
    _refuse_foreign(path, layers=layers, header=header)
    sigma = layers["uncertainty.Y"].astype(np.float32, copy=False)
    if expect is not None and sigma.shape != expect:
        raise LabelError(
            f"{path}: {sigma.shape[1]}×{sigma.shape[0]} pixels, but the scene has "
            f"{expect[1]}×{expect[0]}; {LABEL_ANEW}"
        )
    if not np.isfinite(sigma).all():
        raise LabelError(f"{path}: its uncertainty holds values that are no numbers; {LABEL_ANEW}")
    person, exposure = layers["mask.person"].astype(np.int8), layers.get("exposure.bin")
    try:
        provenance, scene = _provenance(header), plain_values(header, "smarthdr.scene")
        _refuse_unmaskable(provenance, exposure)
    except ValueError as error:
        raise LabelError(f"{path}: its header is not readable ({error}); {LABEL_ANEW}") from None
    return PseudoLabel(
        scene=scene,
        hdr=np.stack([layers[name] for name in "RGB"], axis=-1).astype(np.float16, copy=False),
        sigma=sigma,
        person=person if person.any() else None,
        provenance=provenance,
        exposure=None if exposure is None else exposure.astype(np.uint8),
    )


def read_provenance(path: AnyPath) -> Provenance:
    """Where a pseudo-label is from, by its header alone. Raises LabelError."""
    path = Path(path)
    header = read_plain_header(path)
    try:
        return _provenance(header)
    except ValueError as error:
        raise LabelError(f"{path}: its header is not readable ({error}); {LABEL_ANEW}") from None


def _refuse_foreign(path: Path, *, layers: Mapping[str, Layer], header: Mapping[str, Any]) -> None:
    version = header.get("smarthdr.format")
    if isinstance(version, int) and version > FORMAT:
        raise LabelError(
            f"{path}: written by a newer version (format {version}, this one reads up to {FORMAT})"
            "; update SmartHDR Studio"
        )
    lacking = [name for name in _KEPT if name not in layers]
    if lacking or version is None:
        why = f"has no layer {', '.join(lacking)}" if lacking else "says no format in its header"
        raise LabelError(f"{path}: {why}, so it is no pseudo-label; {LABEL_ANEW}")


def _refuse_unmaskable(made: Provenance, exposure: Layer | None) -> None:
    """Raises ValueError where what its masks go by is not there."""
    if made.masks.tau_exposure is not None and exposure is None:
        raise ValueError("its thresholds go by exposure, but it has no layer exposure.bin")


def _judged(label: PseudoLabel) -> tuple[Trust, Floats]:
    """What both gates keep by the label's own settings and ranges, and its patch means."""
    of = label.provenance
    means: Floats = patch_means(label.sigma, size=of.masks.patch_size)
    return label.trust(means=means), means


def _layers(label: PseudoLabel, found: Trust, means: Floats) -> dict[str, Layer]:
    height, width = label.sigma.shape
    of = label.provenance
    size = of.masks.patch_size
    patch_scores = scores(means, of.patch_range).astype(np.float16)
    person = np.zeros((height, width), np.float16) if label.person is None else label.person
    passed = found.pixel_mask if found.weight is None else found.weight
    exposure = {} if label.exposure is None else {"exposure.bin": label.exposure.astype(np.float16)}
    return {
        **{name: label.hdr[..., index] for index, name in enumerate("RGB")},
        "uncertainty.Y": label.sigma,
        "score.patch": expand(patch_scores, size=size, height=height, width=width),
        "score.pixel": scores(label.sigma, of.pixel_range).astype(np.float16),
        "mask.patch": expand(
            found.patch_mask.astype(np.float16), size=size, height=height, width=width
        ),
        "mask.pixel": passed.astype(np.float16),
        "mask.person": person.astype(np.float16),
        **exposure,
    }


def _header(label: PseudoLabel) -> dict[str, str | int | float]:
    of = label.provenance
    scaled = {} if of.sigma_scale == 1 else {"smarthdr.sigma_scale": repr(of.sigma_scale)}
    read = {"smarthdr.curve": of.curve} if of.curve else {}
    if of.three is not None:
        read["smarthdr.three"] = " ".join(map(str, of.three))
    return {
        "smarthdr.format": of.format,
        "smarthdr.scene": label.scene,
        "smarthdr.run": of.run,
        "smarthdr.round": of.round,
        "smarthdr.epoch": of.epoch,
        "smarthdr.checkpoint": of.checkpoint,
        "smarthdr.network": of.network,
        "smarthdr.masks": masks_as_text(of.masks),
        "smarthdr.patch_range": range_as_text(of.patch_range),
        "smarthdr.pixel_range": range_as_text(of.pixel_range),
        "smarthdr.made": of.made,
        "smarthdr.uncertainty": of.uncertainty,
        **scaled,
        **read,
    }


def _three(text: str) -> Three | None:
    """Raises ValueError."""
    if not text:
        return None
    under, reference, over = map(int, text.split())
    return under, reference, over


def _provenance(header: Mapping[str, Any]) -> Provenance:
    def text(name: str) -> str:
        return plain_values(header, f"smarthdr.{name}")

    sigma_scale = float(str(header.get("smarthdr.sigma_scale", 1.0)))
    if not 0 < sigma_scale < math.inf:
        raise ValueError(f"σ was not multiplied by {sigma_scale}")
    return Provenance(
        run=text("run"),
        round=int(text("round")),
        epoch=int(text("epoch")),
        checkpoint=text("checkpoint"),
        network=text("network"),
        masks=masks_from_text(text("masks")),
        patch_range=range_from_text(text("patch_range")),
        pixel_range=range_from_text(text("pixel_range")),
        made=text("made"),
        uncertainty="views" if header.get("smarthdr.uncertainty") == "views" else "judge",
        sigma_scale=sigma_scale,
        curve=str(header.get("smarthdr.curve", "")),
        three=_three(str(header.get("smarthdr.three", ""))),
        format=int(text("format")),
    )
