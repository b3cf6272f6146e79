"""How the scene is looked at: which views, which layers, against what, and how bright."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.display import DisplaySettings, Layer
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import (
    MOST_VIEWS,
    CompareMode,
    Comparison,
    StudioState,
    Tool,
    ViewSetup,
)

MOST_EV: Final = 10.0
_FILLERS: Final = (
    Layer.PSEUDO_LABEL,
    Layer.UNCERTAINTY,
    Layer.PATCH_MASK,
    Layer.PIXEL_MASK,
    Layer.REFERENCE,
    Layer.REASONS,
)


class Viewing(QObject):
    """Takes every intent about views; whoever paints listens to `repaint_wanted`."""

    repaint_wanted = Signal()
    flicker_wanted = Signal(int, bool)

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(keeper)
        self._keeper = keeper

    @property
    def _state(self) -> StudioState:
        return self._keeper.state

    @Slot(object)
    def set_display(self, display: DisplaySettings) -> None:
        """Show every view so."""
        self._become(display=display)

    @Slot(int, int)
    def set_grid(self, columns: int, count: int) -> None:
        """Arrange 1 to 6 views; views that come anew show what is not shown yet."""
        views = list(self._state.views[:count])
        shown = {view.layer for view in views}
        fillers = [layer for layer in _FILLERS if layer not in shown]
        while len(views) < min(count, MOST_VIEWS):
            views.append(ViewSetup(layer=fillers.pop(0)))
        compare = self._state.compare
        if compare.view >= count:
            compare = Comparison(gain=compare.gain)
        active = min(self._state.active, count - 1)
        self._become(views=tuple(views), columns=columns, active=active, compare=compare)

    @Slot(int, str)
    def set_layer(self, view: int, layer: str) -> None:
        """Show a layer in a view; 0 is the first view."""
        self._change(view, layer=Layer(layer))

    @Slot(int)
    def activate(self, view: int) -> None:
        """Keys act upon this view."""
        self._keeper.become(active=view)

    def step_view(self, steps: int) -> None:
        """Keys act upon another view."""
        self.activate((self._state.active + steps) % len(self._state.views))

    @Slot(str)
    def set_compare(self, mode: str) -> None:
        """Hold the active view against its partner so."""
        now = self._state.compare
        self._become(compare=replace(now, mode=CompareMode(mode), view=self._state.active))

    def toggle_compare(self, mode: CompareMode) -> None:
        """Hold the active view against its partner so, or no longer."""
        now = self._state.compare
        on = now.mode is mode and now.view == self._state.active
        self.set_compare(CompareMode.OFF if on else mode)

    @Slot(int, str)
    def set_partner(self, view: int, layer: str) -> None:
        """Hold a view against this layer; by a wipe, unless another way is on already."""
        now = self._state.compare
        mode = now.mode if now.mode is not CompareMode.OFF else CompareMode.WIPE
        self._become(active=view, compare=replace(now, mode=mode, view=view, partner=Layer(layer)))

    @Slot(float)
    def set_gain(self, gain: float) -> None:
        """Multiply differences."""
        self._become(compare=replace(self._state.compare, gain=gain))

    @Slot(int, bool)
    def flicker(self, view: int, held: object) -> None:
        """Show the partner while the key is held."""
        self.flicker_wanted.emit(view, bool(held))

    @Slot(int)
    def toggle_zebra(self, view: int) -> None:
        """Stripe what is clipped in one view, or no longer."""
        self._change(view, zebra=not self._state.views[view].zebra)

    @Slot(bool)
    def set_active_zebra(self, striped: object) -> None:
        """Stripe what is clipped in the active view, or not."""
        self._change(self._state.active, zebra=bool(striped))

    @Slot(bool)
    def link_exposure(self, linked: object) -> None:
        """One exposure for all views, or one for each."""
        shared = self._state.display.exposure_ev
        own = None if linked else shared
        self._become(views=tuple(replace(view, exposure_ev=own) for view in self._state.views))

    @property
    def linked(self) -> bool:
        """Whether all views share one exposure."""
        return all(view.exposure_ev is None for view in self._state.views)

    def expose(self, stops: float) -> None:
        """Brighter by these stops, all views or, unlinked, the active one."""
        state = self._state
        own = state.views[state.active].exposure_ev
        now = state.display.exposure_ev if own is None else own
        self.set_exposure(now + stops)

    @Slot(float)
    def set_exposure(self, exposure_ev: float) -> None:
        """This exposure, for all views or, unlinked, the active one."""
        held = min(max(round(exposure_ev, 1), -MOST_EV), MOST_EV)
        if self.linked:
            self._become(display=replace(self._state.display, exposure_ev=held))
        else:
            self._change(self._state.active, exposure_ev=held)

    @Slot(str)
    def set_tool(self, tool: str) -> None:
        """What the left button does in a picture."""
        self._keeper.become(tool=Tool(tool))

    def _change(self, place: int, **changes: object) -> None:
        views = list(self._state.views)
        if place < len(views):
            views[place] = replace(views[place], **changes)  # type: ignore[arg-type]
            self._become(views=tuple(views))

    def _become(self, **changes: object) -> None:
        self._keeper.become(**changes)
        self.repaint_wanted.emit()


def settings_of(state: StudioState, place: int) -> DisplaySettings:
    """How one view is shown: the common settings with what is its own."""
    view = state.views[place]
    own = state.display.exposure_ev if view.exposure_ev is None else view.exposure_ev
    return replace(state.display, exposure_ev=own, zebra=view.zebra, gain=state.compare.gain)
