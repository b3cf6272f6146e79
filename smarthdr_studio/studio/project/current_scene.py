"""The scene on the screen: its arrays, whose σ is masked, what is trusted, and its pictures."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display import (
    DisplaySettings,
    LabelComes,
    Layer,
    Material,
    Painted,
    Painter,
)
from smarthdr_studio.core.display.cache import Recent
from smarthdr_studio.core.display.layer_data import ErrorMaps, tabled_error
from smarthdr_studio.core.display.layers import refusal
from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.imaging.radiometry import Floats, Frame, linear_radiance, mu_law, unit_ldr
from smarthdr_studio.core.imaging.regions import Box, Mask
from smarthdr_studio.core.training.round_history import flips
from smarthdr_studio.core.training.rounds import RoundRecord
from smarthdr_studio.core.trust.adaptive_thresholds import Exposure, exposure_bins
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.causes import Clues, reason_map
from smarthdr_studio.core.trust.explanation import ExplainedScene
from smarthdr_studio.core.trust.masking import (
    MaskSettings,
    Range,
    Trust,
    scores,
    with_person,
)
from smarthdr_studio.core.trust.pool import Retention
from smarthdr_studio.core.trust.thresholds import Counts, score_counts
from smarthdr_studio.studio.project.predictions import (
    Replay,
    ScenePrediction,
    patches_of_round,
)
from smarthdr_studio.studio.project.scene_loader import LoadedScene
from smarthdr_studio.studio.project.sigma_source import (
    SigmaSource,
    from_label,
    from_prediction,
    from_replay,
)
from smarthdr_studio.studio.state import Readout


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
    sigma, found = material.sigma, material.trust
    if sigma is None or found is None or means is None:
        return known
    patch = y // material.masks.patch_size, x // material.masks.patch_size
    trusted, kept = bool(found.trusted[y, x]), bool(found.pixel_mask[y, x])
    dropped_by = ("" if kept else "pixel") if found.patch_mask[patch] else "patch"
    return replace(
        known,
        sigma=float(sigma[y, x]),
        patch_score=float(scores(np.float32(means[patch]), found.patch_range)),
        pixel_score=float(scores(np.float32(sigma[y, x]), found.pixel_range)),
        trusted=trusted,
        # A gate, nobody who is worth a word, or a person against both gates.
        why=dropped_by if trusted is not bool(dropped_by) else "person",
    )


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


_Ends = tuple[Range | None, Range | None] | None
"""The ranges of patch means and of pixels that the pool gives, None without a pool."""


class _Look(NamedTuple):
    """What was made of a scene that was left: its pictures, and what they were made from."""

    source: SigmaSource
    painter: Painter
    means: Floats | None
    side: int  # of the patches of these means
    judged: tuple[MaskSettings, _Ends, Trust] | None


class Stage:
    """Keeps what the next threshold or exposure can use again."""

    def __init__(self) -> None:
        self.loaded: LoadedScene | None = None
        self.material = Material()
        self.clues: Clues | None = None
        self._painter = Painter()
        self._left: Recent[_Look] = Recent()  # for who goes back to a scene
        self._latest: SigmaSource | None = None
        self._source: SigmaSource | None = None
        self._record: RoundRecord | None = None
        self.person: Brush | None = None  # what the journal says is painted
        self._preview: Brush | None = None  # the same with the stroke under the hand
        self._gates: Trust | None = None  # what both gates trust
        self._judged: tuple[MaskSettings, _Ends, Trust] | None = None  # by the gates alone
        self._means: Floats | None = None
        self.errors: ErrorMaps | None = None  # None until somebody has measured them
        self._run = ""  # the one that is told of beside the scene
        self._dispute: Floats | None = None
        self._reasons_of: object = None

    @property
    def scene(self) -> str | None:
        """The id of the scene on the screen."""
        return self.loaded.id if self.loaded else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the scene in pixels."""
        return self.material.size

    @property
    def nbytes(self) -> int:
        """Memory held by finished pictures and what they are made from."""
        return self._painter.nbytes + self._left.nbytes

    @property
    def error(self) -> Floats | None:
        """|T(ĥ) − T(h)| per pixel, channel mean; None until it is measured."""
        return None if self.errors is None else self.errors.error

    @property
    def picture_and_truth(self) -> tuple[Half, Half] | None:
        """What can be held against each other, H×W×3 each; None where either is missing."""
        hdr, truth = self.material.hdr, self.material.ground_truth
        if hdr is None or truth is None or hdr.shape != truth.shape:
            return None
        return hdr, truth

    def take_errors(self, errors: ErrorMaps, *, of: tuple[Half, Half]) -> bool:
        """What was measured; False where other pictures are on the screen by now."""
        now = self.picture_and_truth
        if now is None or any(one is not other for one, other in zip(now, of, strict=True)):
            return False
        self.errors = errors
        return True

    def show(self, loaded: LoadedScene) -> None:
        """Put a scene on the screen."""
        label, promoted = loaded.label, loaded.promoted
        latest = from_label(label, promoted=promoted) if label else None
        look = None
        if self.loaded is None or self.loaded.id != loaded.id:
            look = self._turn_to(latest)
            self.clues, self._dispute = None, None
            self.person = self._preview = None
        self.loaded, self._record, self._latest = loaded, None, latest
        self.material = Material(
            bracket=loaded.bracket,
            ground_truth=loaded.ground_truth,
            promoted=loaded.promoted.hdr if loaded.promoted else None,
        )
        self._use_source(latest)
        if look is not None and latest is not None:
            self._take_up(look, latest)

    def _turn_to(self, source: SigmaSource | None) -> _Look | None:
        """Another scene comes: what was made of this one is put aside, of that one is found."""
        found = None if source is None else self._left.take(source.pictures)
        left = self._latest
        if left is not None and left is self._source:
            side = self.material.masks.patch_size
            look = _Look(left, self._painter, self._means, side, self._judged)
            self._left.keep(left.pictures, look, nbytes=self._painter.nbytes)
        self._painter = Painter() if found is None else found.painter
        return found

    def _take_up(self, look: _Look, source: SigmaSource) -> None:
        if look.side == self.material.masks.patch_size:
            self._means = look.means
        if look.source.ranges == source.ranges:
            self._judged = look.judged

    def clear(self) -> None:
        """Nothing is on the screen."""
        self.loaded, self.clues, self._record = None, None, None
        self.person = self._preview = None
        self.material, self._latest = Material(), None
        self._use_source(None)
        self._painter, self._left = Painter(), Recent()

    def take_clues(self, clues: Clues) -> None:
        """What the frames say about every pixel is known now."""
        self.clues, self._reasons_of = clues, None

    def take_prediction(self, prediction: ScenePrediction) -> None:
        """The student's picture, or the teacher's for a scene without a pseudo-label."""
        if prediction.who == "student":
            self.material = replace(
                self.material, student=prediction.hdr, student_origin=prediction.through
            )
            hdr = self.material.hdr
            self._dispute = None if hdr is None else tabled_error(hdr, prediction.hdr)
            self._reasons_of = None
        elif self._latest is None:
            self._latest = from_prediction(prediction)
            self._use_source(self._latest)

    def forget_predictions(self) -> None:
        """Another network is asked from now on: what an earlier one said is no more."""
        self.material = replace(self.material, student=None, student_origin="")
        self._dispute, self._reasons_of = None, None
        if self.loaded is not None and self.loaded.label is None and self._latest is not None:
            self._latest = None
            self._use_source(None)

    def expect_label(self, comes: LabelComes) -> None:
        """How the scene gets a pseudo-label, for the words where it has none."""
        if comes is not self.material.label_comes:
            self.material = replace(self.material, label_comes=comes)

    def tell_beside(self, run: str) -> None:
        """The run that is told of: what another one made says so."""
        if run != self._run:
            self._run = run
            self._name_origins()

    def _name_origins(self) -> None:
        source, other = self._source, self._latest
        past = other is not None and source is not other
        self.material = replace(
            self.material,
            origin=source.origin_beside(self._run) if source else "",
            other_origin=f"{other.origin_beside(self._run)}, the latest" if other and past else "",
        )

    def take_person(self, person: Brush | None) -> None:
        """What is painted on the scene by the journal, H×W; another one ends a preview."""
        if person is not self.person:
            self.person, self._preview = person, None

    def forget_preview(self) -> None:
        """The stroke under the hand is over; what it made is the journal's to say."""
        self._preview = None

    def painted_shares(self) -> tuple[float, float]:
        """Which shares of the scene are painted as trusted and as distrusted on the screen."""
        brush = self.brush
        if brush is None:
            return 0.0, 0.0
        return _share(brush > 0), _share(brush < 0)

    @property
    def frozen_ranges(self) -> tuple[Range, Range | None] | None:
        """Those of the promoted label on the screen, which no pool gives; None for another."""
        latest = self._latest
        if latest is None or not latest.frozen or latest.patch_range is None:
            return None
        return latest.patch_range, latest.pixel_range

    @property
    def replaying(self) -> bool:
        """Whether a past round is on the screen, which the brush of now has no part in."""
        return self._record is not None

    @property
    def brush(self) -> Brush | None:
        """What is painted on the screen: by the journal, and by the stroke under the hand."""
        if self._record is not None:
            return None
        return self.person if self._preview is None else self._preview

    def preview(self, painted: Brush | None, box: Box | None = None) -> float | None:
        """Show another mask than the journal's, or that again; the share that is trusted then.

        Outside `box` it is the mask that is shown already; None says that it may differ anywhere.
        """
        self._preview = painted
        person, found = self.brush, self.material.trust
        if found is None or self._gates is None:
            self.material = replace(self.material, person=person)
            return None
        if box is None or person is None or found.weight is not None:
            found = self._gates.painted(person)
        else:
            trusted = found.trusted.copy()
            trusted[box] = with_person(self._gates.trusted[box], person[box])
            found = replace(found, trusted=trusted)
        self.material = replace(self.material, trust=found, person=person)
        return found.retained

    def take_flips(self, records: tuple[RoundRecord, ...]) -> None:
        """How often each patch changed sides, once there are two rounds."""
        if self.scene is None:
            return
        counted = flips(records, self.scene) if len(records) > 1 else None
        self.material = replace(self.material, flips=counted)

    def replay(self, record: RoundRecord | None, maps: Replay | None, *, run: str = "") -> None:
        """Show a past round of a run, with its maps where they are kept; None is now."""
        self._record = record
        past = None
        if record is not None and maps is not None:
            past = from_replay(maps, record, run=run)
        self._use_source(past or self._latest)
        other = self._latest if past is not None else None
        self.material = replace(
            self.material,
            other_hdr=other.hdr if other else None,
            other_sigma=other.sigma if other else None,
        )

    def fitted(self, masks: MaskSettings) -> MaskSettings:
        """The same settings in the patches that what is on the screen was made for."""
        size = self._source.patch_size if self._source is not None else None
        held = self._record.statistics.get(self.scene or "") if self._record is not None else None
        size = size if held is None else held.patch_size
        return masks if size is None else replace(masks, patch_size=size)

    def update_trust(self, *, masks: MaskSettings, pool: Retention | None) -> float | None:
        """Apply thresholds; the share of pixels trusted, if there is something to mask."""
        source, masks = self._source, self.fitted(masks)
        if source is None:
            self._gates = None
            self.material = replace(self.material, trust=None, masks=masks, person=self.brush)
            return None
        if self._means is None or self.material.masks.patch_size != masks.patch_size:
            self._means = source.means(masks.patch_size)
        found = None
        if self._record is not None and source is self._latest and self.size and self.scene:
            found = patches_of_round(self._record, self.scene, masks, size=self.size)
        if found is None:
            of_now = pool if self._record is None else None
            found = self._by_gates(source, masks, pool=of_now, means=self._means)
        self._gates, person = found, self.brush
        found = found.painted(person)
        self.material = replace(self.material, trust=found, masks=masks, person=person)
        return found.retained

    def _by_gates(
        self, source: SigmaSource, masks: MaskSettings, *, pool: Retention | None, means: Floats
    ) -> Trust:
        """What both gates trust; the very same as last time where nothing they heed is new."""
        ends = None if pool is None else (pool.patch_range, pool.pixel_range)
        if self._judged is None or self._judged[:2] != (masks, ends):
            found = source.trust(masks, pool=pool, means=means, exposure=self._exposure(masks))
            self._judged = masks, ends, found
        return self._judged[2]

    def _exposure(self, masks: MaskSettings) -> Exposure | None:
        """How the reference exposes each pixel, where thresholds go by it."""
        bracket = self.material.bracket
        if masks.tau_exposure is None or bracket is None:
            return None
        return exposure_bins(bracket.reference)

    def share(
        self, masks: MaskSettings, *, pool: Retention | None, of: Mask | None = None
    ) -> float:
        """Which share of the scene, or `of` these pixels, H×W, other thresholds would keep."""
        if self._source is None:
            return 0.0
        masks = self.fitted(masks)
        means = self._source.means(masks.patch_size) if self._means is None else self._means
        exposure = self._exposure(masks)
        found = self._source.trust(masks, pool=pool, means=means, exposure=exposure)
        found = found.painted(self.brush)
        if of is None or not of.any():
            return found.retained
        return float(found.trusted[of].mean())

    def why_not_compared(self) -> str | None:
        """Why the picture cannot be held against ground truth, in words; None where it can."""
        of = self.material
        if self.loaded is None:
            return ""
        if of.ground_truth is None:
            return "no ground truth here"
        if of.hdr is None or of.trust is None:
            return "no pseudo-label of this scene to compare"
        return None if self.picture_and_truth else "the ground truth is of another size"

    def score_counts(self) -> tuple[Counts, Counts] | None:
        """How many patches and pixels of the scene have which score."""
        of = self.material
        if of.trust is None or of.sigma is None or self._means is None:
            return None
        return score_counts(of.sigma, self._means, of.trust, patch_size=of.masks.patch_size)

    def paint(self, layer: Layer, display: DisplaySettings) -> Painted:
        """The picture of a layer; the very same one as last time if nothing changed."""
        return self._painter.paint(layer, self._with_reasons(layer), display)

    def refusals(self, display: DisplaySettings) -> Mapping[Layer, str]:
        """Which layers there are not, and why."""
        every = {layer: refusal(layer, self.material, display) for layer in Layer}
        return {layer: why for layer, why in every.items() if why}

    def difference(self, layer: Layer, partner: Layer, display: DisplaySettings) -> Painted:
        """How far a layer is from another, pixel by pixel."""
        return self._painter.difference(layer, partner, self.material, display)

    def read(self, at: tuple[int, int]) -> Readout:
        """What is known of the pixel at (x, y)."""
        return read_pixel(self.material, self._means, at)

    def subject(self) -> ExplainedScene | None:
        """What an explanation can draw on; None where nothing is masked."""
        of = self.material
        if of.trust is None or of.sigma is None or self._means is None:
            return None
        return ExplainedScene(
            trust=of.trust,
            masks=of.masks,
            sigma=of.sigma,
            means=self._means,
            bracket=of.bracket,
            clues=self.clues,
            dispute=self._dispute,
            error=self.error,
        )

    def reasons(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
        """The chief reason of every pixel, made once for these masks."""
        found = self.material.trust
        if self.clues is None or found is None:
            return None
        if self._reasons_of is not found:
            made = reason_map(
                found.trusted, self.clues, person=self.material.person, dispute=self._dispute
            )
            self.material = replace(self.material, reasons=made)
            self._reasons_of = found
        return self.material.reasons

    def _with_reasons(self, layer: Layer) -> Material:
        if layer is Layer.REASONS:
            self.reasons()
        return self.material

    def _use_source(self, source: SigmaSource | None) -> None:
        self._source, self._means, self._reasons_of = source, None, None
        self._judged = None
        self.errors = None
        self.material = replace(
            self.material,
            hdr=source.hdr if source else None,
            sigma=source.sigma if source else None,
            trust=None,
            reasons=None,
        )
        self._name_origins()
        self._gates = None


def _share(trusted: Mask) -> float:
    return float(np.count_nonzero(trusted) / trusted.size)
