"""The numbers behind every layer: radiance, maps, masks and differences, made once and kept."""

from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.cache import Cache
from smarthdr_studio.core.display.false_colour import NonFinite, find_non_finite
from smarthdr_studio.core.display.layers import (
    FRAMES,
    MAPS,
    PICTURES,
    RADIANCE,
    UNITS,
    DisplaySettings,
    Layer,
    Material,
    given_radiance,
    has_picture,
    why_empty,
)
from smarthdr_studio.core.display.tone import strips
from smarthdr_studio.core.imaging.bracket import Bracket, Half
from smarthdr_studio.core.imaging.radiometry import (
    Floats,
    Frame,
    linear_radiance,
    merge_weights,
    mu_law,
    unit_ldr,
)
from smarthdr_studio.core.trust.masking import Range, Trust, expand, patch_means, scores


class Coded(NamedTuple):
    """A picture, H×W×3 of 16 bits, and the μ-law value that each of the 65536 codes stands for."""

    codes: Frame
    table: Floats


def coded_radiance(picture: Half) -> Coded:
    """H×W×3 linear radiance in halves, as codes into the table of their μ-law values."""
    return Coded(np.ascontiguousarray(picture).view(np.uint16), _mu_table())


def coded_frame(frame: Frame, *, stops: float) -> Coded:
    """An H×W×3 camera frame, as codes into the table of its radiance's μ-law values.

    `stops` are those of the frame above the shortest.
    """
    return Coded(frame, _frame_mu_table(stops))


def tabled_merge(bracket: Bracket) -> Half:
    """What `exposure_weighted_merge` answers, H×W×3 linear, as halves."""
    every = unit_ldr(_every_code())
    weights = merge_weights(every)
    linear = [linear_radiance(every, stops=stops) for stops in bracket.stops]
    height, width = bracket.reference.shape[:2]
    merged = np.empty(bracket.reference.shape, np.float16)
    for rows in strips(height, width):
        total = np.zeros_like(merged[rows], np.float32)
        for weight, frame, radiance in zip(weights, bracket.frames, linear, strict=True):
            total += _looked_up(bracket.reference[rows], weight) * _looked_up(frame[rows], radiance)
        merged[rows] = total
    return merged


def tabled_radiance(frame: Frame, *, stops: float) -> Floats:
    """What `linear_radiance` answers for a camera frame, H×W×3."""
    return _looked_up(frame, linear_radiance(unit_ldr(_every_code()), stops=stops))


def tabled_difference(first: Coded, second: Coded) -> Floats:
    """|T(h₁) − T(h₂)| of two pictures of one size, channel mean on the μ-law, H×W."""
    height, width = first.codes.shape[:2]
    error = np.empty((height, width), np.float32)
    mean = np.full((1, 3), 1 / 3, np.float32)
    for rows in strips(height, width):
        here, there = (_looked_up(one.codes[rows], one.table) for one in (first, second))
        error[rows] = cv2.transform(cv2.absdiff(here, there), mean)
    return error


def tabled_error(picture: Half, truth: Half) -> Floats:
    """What `error_map` answers for halves, the absolute error: |T − T|, channel mean, H×W."""
    return tabled_difference(coded_radiance(picture), coded_radiance(truth))


class ErrorMaps(NamedTuple):
    """How far a picture is from its ground truth at every pixel, channel mean, H×W each."""

    error: Floats
    """|T(h₁) − T(h₂)|."""
    squares: Floats
    """(T(h₁) − T(h₂))², which PSNR-μ averages, and which σ² is trained to be."""
    linear_squares: Floats
    """(h₁ − h₂)², which PSNR-l averages."""

    @property
    def nbytes(self) -> int:
        """Memory of all three maps."""
        return sum(each.nbytes for each in self)

    @classmethod
    def of(cls, picture: Half, truth: Half) -> "ErrorMaps":
        """Of two linear H×W×3 pictures of one shape."""
        maps = cls(*(np.empty(picture.shape[:2], np.float32) for _ in cls._fields))
        mean = np.full((1, 3), 1 / 3, np.float32)
        for rows in strips(*picture.shape[:2]):
            codes = [coded_radiance(each[rows]).codes for each in (picture, truth)]
            here, there = (_looked_up(each, _mu_table()) for each in codes)
            gap = cv2.absdiff(here, there)
            maps.error[rows] = cv2.transform(gap, mean)
            maps.squares[rows] = cv2.transform(cv2.multiply(gap, gap), mean)
            here, there = (_looked_up(each, _linear_table()) for each in codes)
            gap = cv2.absdiff(here, there)
            maps.linear_squares[rows] = cv2.transform(cv2.multiply(gap, gap), mean)
        return maps


def _every_code() -> Frame:
    return np.arange(65536, dtype=np.uint16)


@lru_cache(maxsize=1)
def _mu_table() -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return mu_law(_linear_table())


@lru_cache(maxsize=1)
def _linear_table() -> Floats:
    return _every_code().view(np.float16).astype(np.float32)


@lru_cache(maxsize=8)
def _frame_mu_table(stops: float) -> Floats:
    return mu_law(linear_radiance(unit_ldr(_every_code()), stops=stops))


def _looked_up(values: Frame, table: Floats) -> Floats:
    return _floats(cv2.LUT(np.ascontiguousarray(values), table))


def _floats(image: np.ndarray[Any, Any]) -> Floats:
    """OpenCV's answer, which is typed as any array."""
    return image.view(np.float32)


Codes = npt.NDArray[np.uint8] | npt.NDArray[np.int8]


def layer_values(
    layer: Layer, material: Material, *, against: Layer = Layer.GROUND_TRUTH
) -> npt.NDArray[Any] | None:
    """What a layer holds as numbers, or None while it does not exist.

    Pictures are linear radiance, H×W×3 (frames too); σ and errors are in μ-law values, scores in
    [0, 1], H×W; masks are 1 where something is retained; flips are H×W counts. The error is held
    against the layer `against`.
    """
    return LayerData(Cache()).values(layer, material, against=against)


class LayerData:
    """Finds or makes the numbers of a layer; the same material gives the very same arrays."""

    def __init__(self, memo: Cache) -> None:
        self._memo = memo

    def values(
        self, layer: Layer, material: Material, *, against: Layer
    ) -> npt.NDArray[Any] | None:
        """What `layer_values` answers: H×W×3 linear radiance, or an H×W map or mask."""
        if layer in RADIANCE:
            return self.radiance(layer, material)
        if layer in MAPS:
            return self.map(layer, material, against=against)
        if layer not in FRAMES:
            return self.codes(layer, material)
        found = self.frame(layer, material)
        if found is None:
            return None
        frame, stops = found
        name = f"linear {layer}"
        return self._memo.once(name, (frame, stops), lambda: tabled_radiance(frame, stops=stops))

    def radiance(self, layer: Layer, material: Material) -> Half | None:
        """The picture of a radiance layer, H×W×3 linear."""
        bracket = material.bracket
        if layer is Layer.MERGE and bracket is not None:
            return self._memo.once("merge", (bracket,), lambda: tabled_merge(bracket))
        return given_radiance(layer, material)

    def frame(self, layer: Layer, material: Material) -> tuple[Frame, float] | None:
        """A camera frame, H×W×3, and its stops above the shortest."""
        if material.bracket is None:
            return None
        index = FRAMES.index(layer)
        return material.bracket.frames[index], material.bracket.stops[index]

    def map(self, layer: Layer, material: Material, *, against: Layer) -> Floats | None:
        """The map of one number per pixel, H×W."""
        match layer:
            case Layer.UNCERTAINTY:
                return material.sigma
            case Layer.OTHER_SIGMA:
                return material.other_sigma
            case Layer.ERROR:
                return self.difference(Layer.PSEUDO_LABEL, against, material, against=against)
            case Layer.PATCH_SCORE:
                return self._patch_score(material)
            case Layer.PIXEL_SCORE:
                return self._pixel_score(material)
            case _:
                return self._flips(material)

    def difference(
        self, first: Layer, second: Layer, material: Material, *, against: Layer
    ) -> Floats | None:
        """|T(first) − T(second)| of two pictures, or |first − second| of two maps, H×W.

        None unless both exist in one size.
        """
        if first in MAPS:
            return self._map_difference(first, second, material, against=against)
        one, other = (self._coded(layer, material) for layer in (first, second))
        if one is None or other is None or one.codes.shape != other.codes.shape:
            return None
        causes = self._root(first, material), self._root(second, material)
        name = f"difference {first}, {second}"
        return self._memo.once(name, causes, lambda: tabled_difference(one, other))

    def codes(self, layer: Layer, material: Material) -> Codes | None:
        """What a mask holds per pixel, H×W: 1 is trusted; a person's −1 is forced distrust."""
        if layer is Layer.PERSON_MASK:
            return material.person
        if layer is Layer.REASONS:
            return material.reasons
        trust = material.trust
        if trust is None:
            return None
        if layer is Layer.PATCH_MASK:
            closed = self.closed(trust, size=material.masks.patch_size)
            return self._memo.once("open", (closed,), lambda: (~closed).view(np.uint8))
        kept = trust.pixel_mask if layer is Layer.PIXEL_MASK else trust.trusted
        answer: npt.NDArray[np.uint8] = kept.view(np.uint8)
        return answer

    def closed(self, trust: Trust, *, size: int) -> npt.NDArray[np.bool_]:
        """H×W, True in patches the first gate drops."""
        height, width = trust.trusted.shape

        def make() -> npt.NDArray[np.bool_]:
            closed: npt.NDArray[np.bool_] = expand(
                ~trust.patch_mask, size=size, height=height, width=width
            )
            return closed

        # The brush changes what is trusted, and no patch.
        return self._memo.once("closed", (trust.patch_mask, size, height, width), make)

    def odd(self, name: str, values: npt.NDArray[Any]) -> NonFinite:
        """What is no number in an H×W or H×W×3 array; `name` is the layer's."""
        return self._memo.once(f"odd {name}", (values,), lambda: find_non_finite(values))

    def _map_difference(
        self, first: Layer, second: Layer, material: Material, *, against: Layer
    ) -> Floats | None:
        one, other = (self.map(layer, material, against=against) for layer in (first, second))
        if one is None or other is None or one.shape != other.shape:
            return None

        def make() -> Floats:
            with np.errstate(invalid="ignore"):  # of two infinities there is no difference
                difference: Floats = np.abs(one - other)
            return difference

        return self._memo.once(f"difference {first}, {second}", (one, other), make)

    def _coded(self, layer: Layer, material: Material) -> Coded | None:
        if layer in RADIANCE:
            half = self.radiance(layer, material)
            return None if half is None else coded_radiance(half)
        found = self.frame(layer, material) if layer in FRAMES else None
        return None if found is None else coded_frame(found[0], stops=found[1])

    def _root(self, layer: Layer, material: Material) -> object:
        """What a picture is made from, by which it is known again."""
        return material.bracket if layer in FRAMES else self.radiance(layer, material)

    def _patch_score(self, material: Material) -> Floats | None:
        sigma, trust, size = material.sigma, material.trust, material.masks.patch_size
        if sigma is None or trust is None:
            return None

        def make() -> Floats:
            height, width = sigma.shape
            found = _scores(patch_means(sigma, size=size), trust.patch_range)
            answer: Floats = expand(found, size=size, height=height, width=width)
            return answer

        return self._memo.once("patch score", (sigma, size, trust.patch_range), make)

    def _pixel_score(self, material: Material) -> Floats | None:
        sigma, trust = material.sigma, material.trust
        if sigma is None or trust is None:
            return None
        causes = sigma, trust.pixel_range
        return self._memo.once("pixel score", causes, lambda: _scores(sigma, trust.pixel_range))

    def _flips(self, material: Material) -> Floats | None:
        flips, shape, size = material.flips, material.size, material.masks.patch_size
        if flips is None or shape is None:
            return None
        width, height = shape
        if flips.shape != (-(-height // size), -(-width // size)):
            return None

        def make() -> Floats:
            counts: Floats = expand(flips.astype(np.float32), size=size, height=height, width=width)
            return counts

        return self._memo.once("flips", (flips, shape, size), make)


def _scores(values: Floats, span: Range) -> Floats:
    with np.errstate(invalid="ignore"):
        found: Floats = scores(values, span)
    return found


def title_of(layer: Layer, partner: Layer) -> str:
    """What the view of a difference is called."""
    return f"|{layer} − {partner}|"


def difference_of(
    layer: Layer, partner: Layer, material: Material, settings: DisplaySettings, sources: LayerData
) -> Floats | str:
    """How two pictures (on the μ-law) or two maps of one unit differ, H×W, or why they do not."""
    pair = layer, partner
    if not (layer in PICTURES and partner in PICTURES) and not _one_unit(layer, partner):
        return (
            f"A difference needs two pictures or two maps of one unit; "
            f"{layer} and {partner} are neither"
        )
    for one in pair:
        if one in PICTURES and not has_picture(one, material):
            return why_empty(one, material, settings)
    found = sources.difference(layer, partner, material, against=settings.error_against)
    if found is not None:
        return found
    for one in pair:
        if one in UNITS and sources.map(one, material, against=settings.error_against) is None:
            return why_empty(one, material, settings)
    return f"{layer} and {partner} are of different sizes"


def _one_unit(layer: Layer, partner: Layer) -> bool:
    return layer in UNITS and UNITS[layer] == UNITS.get(partner)
