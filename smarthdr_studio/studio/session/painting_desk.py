"""The brush in the hand: shows strokes while they are drawn, keeps them when they end."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.brush.ink import Brush, Ink
from smarthdr_studio.core.brush.strokes import Area, Dabs, Stroke, apply, footprint
from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.errors import BrushError, StudioError
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.regions import Box
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.screen import Screen
from smarthdr_studio.studio.state import BrushShape, Centre, Notice, Tool
from smarthdr_studio.studio.tasks import TaskQueue

LEAST_RADIUS: Final = 0.5
MOST_RADIUS: Final = 500.0
_PER_STEP: Final = 1.25
_REPLAYED: Final = "A past round is on the screen: go back to now (N) to paint."
_NO_REGION: Final = "Nothing is marked: mark a region first (S, L or T, before B), then paint it."


class PaintingDesk(QObject):
    """`decided` tells that a stroke is in the journal; what cannot be kept is taken back and told.

    A fill works on what the screen shows as untrusted at that moment: by the thresholds on the
    screen, with everything painted before. Scenes without a pseudo-label can be painted too; it
    counts once they have one. A past round cannot. A stroke is kept when all that was decided
    before it is in the journal.
    """

    decided = Signal(bool)

    def __init__(self, keeper: Keeper, screen: Screen, decisions: TaskQueue) -> None:
        super().__init__(keeper)
        self._keeper, self._screen, self._stage = keeper, screen, screen.stage
        self._decisions = decisions
        self._under_hand = _UnderHand()
        self._stroke: Dabs | None = None
        self._scene: str | None = None  # where the stroke was begun
        self._refresh = QTimer(self, singleShot=True, interval=0)
        self._refresh.timeout.connect(self._show)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._forget()

    def rest(self) -> None:
        """Show no stroke any more."""
        self._refresh.stop()
        self._forget()

    def toggle(self) -> None:
        """Take the brush, and show the pictures; or put it away."""
        state = self._keeper.state
        held = state.tool is Tool.BRUSH and state.centre is Centre.PICTURES
        self._keeper.become(tool=Tool.HAND if held else Tool.BRUSH, centre=Centre.PICTURES)

    @Slot(str)
    def set_ink(self, ink: str) -> None:
        """What strokes leave behind from now on."""
        self._become(ink=Ink(ink))

    @Slot(str)
    def set_shape(self, shape: str) -> None:
        """How the hand paints from now on."""
        self._become(shape=BrushShape(shape))

    @Slot(float)
    def set_radius(self, radius: float) -> None:
        """How far the brush reaches, in pixels of the picture."""
        held = min(max(radius, LEAST_RADIUS), MOST_RADIUS)
        self._become(radius=round(held * 2) / 2 if held < 10 else float(round(held)))

    @Slot(int)
    def nudge_radius(self, steps: int) -> None:
        """Larger by so many steps, smaller when negative."""
        now = self._keeper.state.brush.radius
        wanted = now * _PER_STEP**steps
        least = 0.5 if now < 10 else 1.0  # so that rounding never swallows a step
        self.set_radius(max(wanted, now + least) if steps > 0 else min(wanted, now - least))

    @Slot(float)
    def set_hardness(self, hardness: float) -> None:
        """Which share of the radius is painted solid."""
        self._become(hardness=min(max(round(hardness, 2), 0.0), 1.0))

    def nudge_hardness(self, by: float) -> None:
        """A harder rim, a softer one when negative."""
        self.set_hardness(self._keeper.state.brush.hardness + by)

    @Slot(object)
    def stroke_moved(self, stroke: Dabs) -> None:
        """Show a stroke that is still being drawn; shown at the next painting of the screen."""
        if self._stroke is None:
            if not self._may_paint():
                return
            self._scene = self._stage.scene
        self._stroke = stroke
        self._refresh.start()

    @Slot()
    def stroke_cancelled(self) -> None:
        """The hand thought better of it."""
        if self._stroke is not None:
            self._forget()
            self._screen.preview(None, None)

    @Slot(object)
    def stroke_ended(self, stroke: Stroke) -> None:
        """Keep a stroke; on return it outlives a power cut, or it is taken back and told why."""
        begun, scene = self._stroke is not None, self._scene
        if not begun and not self._may_paint():
            return
        if begun and scene != self._stage.scene:  # another scene came under the hand
            self._forget()
            return
        hand = self._under_hand
        if begun and isinstance(stroke, Dabs):
            hand.follow(stroke, base=self._stage.person, size=self._size)
        trust, (width, height) = self._stage.material.trust, self._size
        trusted = None if trust is None else trust.trusted

        def change(mask: Brush | None) -> Brush | None:
            if begun and mask is hand.base:
                return hand.mask
            return apply(stroke, mask, height=height, width=width, trusted=trusted)

        self._keep(change)

    @Slot()
    def paint_region(self) -> None:
        """Paint what a person marked, be it a rectangle, a lasso or the least trusted patch."""
        region = self._keeper.state.region
        if region is None:
            self._keeper.notice(Notice(text=_NO_REGION, tone="warn"))
        else:
            self.stroke_ended(Area(region=region, ink=self._keeper.state.brush.ink))

    @Slot()
    def clear(self) -> None:
        """Erase everything painted on the scene on the screen."""
        if self._may_paint() and self._stage.person is not None:
            self._keep(lambda _mask: None)

    @property
    def _size(self) -> tuple[int, int]:
        return self._stage.size or (0, 0)

    def _keep(self, change: Callable[[Brush | None], Brush | None]) -> None:
        """Into the journal with it."""
        if self._keeper.project is not None and self._stage.scene is not None:
            self._decisions.call(
                partial(self._write, self._keeper.project, self._stage.scene, change)
            )

    def _write(
        self, project: Project, scene: str, change: Callable[[Brush | None], Brush | None]
    ) -> None:
        refusal = None
        try:
            Decisions(project).paint(scene, change)
        except StudioError as error:
            refusal = _refusal(error)
        self._forget()
        self._stage.forget_preview()
        if refusal is not None:
            self._screen.preview(None, None)
        self._keeper.notice(refusal)
        self.decided.emit(refusal is None)

    def _may_paint(self) -> bool:
        """Whether there is something to paint on; else why not is told."""
        if self._keeper.project is None or self._stage.scene is None or self._stage.size is None:
            return False
        if self._stage.replaying:
            self._keeper.notice(Notice(text=_REPLAYED, tone="warn"))
            return False
        return True

    @Slot()
    def _show(self) -> None:
        """The stroke as far as it has come, on every view."""
        if self._stroke is None or self._scene != self._stage.scene:
            return
        box = self._under_hand.follow(self._stroke, base=self._stage.person, size=self._size)
        self._screen.preview(self._under_hand.mask, box)

    def _forget(self) -> None:
        self._refresh.stop()
        self._stroke, self._scene = None, None
        self._under_hand = _UnderHand()

    def _become(self, **changes: object) -> None:
        brush = replace(self._keeper.state.brush, **changes)  # type: ignore[arg-type]
        self._keeper.become(brush=brush)


class _UnderHand:
    """The mask with the stroke so far; only what is new of the stroke is painted each time."""

    def __init__(self) -> None:
        self.base: Brush | None = None
        self.mask: Brush | None = None
        self._done = 0  # points of the stroke that are painted

    def follow(self, stroke: Dabs, *, base: Brush | None, size: tuple[int, int]) -> Box | None:
        """Paint the rest of a stroke over a mask; where that is, or None for anywhere."""
        width, height = size
        anew = self.mask is None or base is not self.base
        if anew:
            self.base, self._done = base, 0
        over = base if anew else self.mask
        mask = np.zeros((height, width), np.int8) if over is None else over.copy()
        rest = replace(stroke, points=stroke.points[max(self._done - 1, 0) :])
        box, covered = footprint(rest, height=height, width=width)
        np.copyto(mask[box], np.int8(stroke.ink.sign), where=covered)
        self.mask, self._done = mask, len(stroke.points)
        return None if anew else box


def _refusal(error: StudioError) -> Notice:
    """Why a stroke was not kept; a fill in the wrong place is no fault of anything."""
    words = str(error)
    if isinstance(error, BrushError):
        return Notice(text=f"{words[:1].upper()}{words[1:]}.", tone="warn")
    return Notice(text=words, tone="bad")
