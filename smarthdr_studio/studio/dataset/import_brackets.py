"""Brings brackets in, step by step: what a folder holds, what it measures, and where it goes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from smarthdr_studio.core.datasets.camera_curve import measure_response
from smarthdr_studio.core.datasets.proposal import Proposal, propose, with_step
from smarthdr_studio.core.datasets.scan import check, labelled_by_default
from smarthdr_studio.core.display.tone import frame_rgb8
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.bracket import Catalogue, FrameReading
from smarthdr_studio.core.imaging.image_files import preview
from smarthdr_studio.core.imaging.response import ResponseCurve, ResponseFit
from smarthdr_studio.core.imaging.shots import Shot, read_shot
from smarthdr_studio.studio.dataset.start_page import create_project
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import IMPORT_STEPS, CurveWish, ImportState, ImportStep
from smarthdr_studio.studio.tasks import Job, LatestTask, Report, TaskRunner

Correction = Callable[[Proposal], Proposal]

PREVIEW_SIDE: Final = 168  # pixels


def look_into(report: Report, *, folder: Path) -> Proposal:
    """What a folder seems to hold, by names and headers. Raises BadDataset."""
    words = f"Reading what the camera wrote in {folder.name}"
    report(words, 0, 0)
    return propose(folder, progress=partial(report, words))


class CheckedBrackets(NamedTuple):
    """The brackets once they were decoded, which start labelled, and the camera's curve.

    `response` is the curve they were read under, None for gamma 2.2; `fit` what they show of it.
    """

    catalogue: Catalogue
    labelled: tuple[str, ...]
    response: ResponseCurve | None
    fit: ResponseFit | None


def hold_against_pixels(
    report: Report, *, proposal: Proposal, fit: ResponseFit | None, wish: CurveWish | None
) -> CheckedBrackets:
    """The brackets decoded and checked; the curve is measured unless `fit` is known already.

    Without a wish the measured curve is used where it fits clearly better. Raises StudioError.
    """
    if fit is None:
        words = "Measuring the camera's curve"
        report(words, 0, 0)
        fit = measure_response(proposal.scenes, progress=partial(report, words))
    better = fit is not None and (fit.is_better if wish is None else wish == "measured")
    response = fit.curve if fit is not None and better else None
    words = "Holding exposures and ground truths against the pixels"
    report(words, 0, len(proposal.scenes))
    catalogue = check(proposal, response=response, progress=partial(report, words))
    return CheckedBrackets(catalogue, labelled_by_default(catalogue), response, fit)


class FramePreview(NamedTuple):
    """A small picture of a frame, empty where it cannot be read, and how it was exposed."""

    picture: QImage
    exposed: str


def make_previews(report: Report, *, frames: Sequence[Path]) -> dict[Path, FramePreview]:
    """A first look at frames."""
    made = {}
    for path in frames:
        report("", 0, 0)
        made[path] = _preview(path)
    return made


def _preview(path: Path) -> FramePreview:
    try:
        words = exposed_in_words(read_shot(path))
        rgb8 = frame_rgb8(preview(path, side=PREVIEW_SIDE))
    except StudioError:
        return FramePreview(QImage(), "no frame")
    height, width = rgb8.shape[:2]
    # copy() because QImage does not own the array's memory.
    picture = QImage(rgb8.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    return FramePreview(picture, words)


def exposed_in_words(shot: Shot) -> str:
    """Shutter time and bias as a photographer reads them; "" where the camera said neither."""
    parts = []
    if shot.seconds:
        fraction = 0 < shot.seconds < 0.3
        parts.append(f"1/{1 / shot.seconds:.0f} s" if fraction else f"{shot.seconds:.2g} s")
    if shot.bias is not None:
        bias = f"{shot.bias:+.2g}".replace("-", "−") if shot.bias else "0"
        parts.append(f"{bias} EV")
    return " · ".join(parts)


class ImportController(QObject):
    """One import at a time; it can be given up at every step, and nothing was made then."""

    made = Signal(object, object)  # the catalogue, and the project over it
    previews_made = Signal(object)

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._working = LatestTask(tasks, outlives_project=True)
        self._drawing = LatestTask(tasks, outlives_project=True)

    @Slot()
    def begin(self) -> None:
        """Ask for a folder, unless an import is under way already."""
        if self._store.state.bringing is None:
            self._store.become(bringing=ImportState())

    @Slot(object)
    def look_into(self, folder: Path) -> None:
        """See which brackets a folder holds."""
        self._become(folder=folder, proposal=None, catalogue=None, ev_step=None)
        self._become(fit=None, response=None, curve_wish=None)
        self._begin(partial(look_into, folder=folder), self._proposed)

    @Slot(object)
    def correct(self, correction: Correction) -> None:
        """Take brackets apart or together, as a person says."""
        state = self._store.state.bringing
        if state is None or state.proposal is None:
            return
        try:
            corrected = correction(state.proposal)
        except StudioError as error:
            self._become(fault=str(error))
        else:
            self._become(proposal=corrected, catalogue=None, fit=None, fault="")

    @Slot(object)
    def set_ev_step(self, step: float | None) -> None:
        """One step between the frames of every bracket; None as each was found."""
        self.correct(lambda proposal: with_step(proposal, step))
        self._become(ev_step=step)
        self.check()

    @Slot(bool)
    def align_frames(self, wished: object) -> None:
        """Whether hand-held frames are to be laid onto the reference."""
        self._become(aligned=bool(wished))

    @Slot(str)
    def read_under(self, wish: CurveWish) -> None:
        """Read the frames with gamma 2.2, or under the curve that was measured."""
        self._become(curve_wish=wish, catalogue=None)
        self.check()

    @Slot(str)
    def go_to(self, step: ImportStep) -> None:
        """Show a step; whatever it has to show is worked out first."""
        state = self._store.state.bringing
        if state is None:
            return
        self._working.cancel()
        self._become(step=step, doing="", progress=None, fault="")
        if IMPORT_STEPS.index(step) >= IMPORT_STEPS.index("exposures"):
            self.check()

    def check(self) -> None:
        """Hold the brackets against their pixels, unless that is done."""
        state = self._store.state.bringing
        if state is not None and state.proposal is not None and state.catalogue is None:
            job = partial(
                hold_against_pixels,
                proposal=state.proposal,
                fit=state.fit,
                wish=state.curve_wish,
            )
            self._begin(job, self._checked)

    @Slot(object)
    def make(self, place: Path) -> None:
        """Make the project there."""
        state = self._store.state.bringing
        if state is not None and state.catalogue is not None:
            job = partial(
                create_project,
                catalogue=state.catalogue,
                place=place,
                reading=FrameReading(response=state.response, aligned=state.aligned),
            )
            self._begin(job, partial(self._made, state.catalogue))

    @Slot(object)
    def want_previews(self, frames: Sequence[Path]) -> None:
        """Small pictures of these frames, in place of those wanted before."""
        self._drawing.start(partial(make_previews, frames=frames), self.previews_made.emit, _nobody)

    @Slot()
    def cancel(self) -> None:
        """Stop what is under way; the step stays."""
        self._working.cancel()
        if self._store.state.bringing is not None:
            self._become(doing="", progress=None)

    @Slot()
    def give_up(self) -> None:
        """Nothing is imported."""
        self._working.cancel()
        self._drawing.cancel()
        self._store.become(bringing=None)

    def _become(self, **changes: Any) -> None:  # noqa: ANN401 - those of ImportState
        state = self._store.state.bringing
        if state is not None:
            self._store.become(bringing=replace(state, **changes))

    def _begin(self, job: Job[Any], answered: Callable[[Any], object]) -> None:
        self._become(doing="…", progress=None, fault="")
        self._working.start(job, answered, self._refused, on_progress=self._progressed)

    def _progressed(self, words: str, done: int, total: int) -> None:
        self._become(doing=words, progress=done / total if total else None)

    def _refused(self, sentence: str) -> None:
        self._become(doing="", progress=None, fault=sentence)

    def _proposed(self, proposal: Proposal) -> None:
        self._become(proposal=proposal, step="brackets", doing="", progress=None)

    def _checked(self, found: CheckedBrackets) -> None:
        self._become(**found._asdict(), doing="", progress=None)

    def _made(self, catalogue: Catalogue, folder: Path) -> None:
        self.give_up()
        self.made.emit(catalogue, folder)


def _nobody(_message: str) -> None:
    """A picture that cannot be drawn is told by the step that reads it."""
