"""What the actions about views, regions, thresholds and rounds do."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from smarthdr_studio.core.display import Layer
from smarthdr_studio.studio.main_window.exporting import Exporting
from smarthdr_studio.studio.main_window.studio_page import StudioPage
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import SCOPES, BrushShape, CompareMode, Ink, Scope, Tool

_GRIDS: Final = {
    "grid_1": (1, 1),
    "grid_2": (2, 2),
    "grid_stacked": (1, 2),
    "grid_3": (3, 3),
    "grid_4": (2, 4),
    "grid_5": (3, 5),
    "grid_6": (3, 6),
}
_WAYS: Final = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_PAN: Final = 0.2  # of what is in sight
_NUDGE: Final = 0.01
_SOFTER: Final = 0.1
_FAR: Final = 16  # pixels
_TABS: Final = ("thresholds", "why", "evidence", "scene", "training", "history")


class Looking:
    """The work behind the keys that concern how a scene is looked at and judged."""

    def __init__(self, session: Session, page: StudioPage, exporting: Exporting) -> None:
        self._session, self._page, self._exporting = session, page, exporting
        self._before_uncertainty: dict[int, Layer] = {}

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        return {
            **self._view_commands(),
            **self._judging_commands(),
            **self._brush_commands(),
            **{f"tab_{name}": partial(self._page.go_to_tab, name) for name in _TABS},
            **{
                kind: partial(self._exporting.export, kind)
                for kind in (
                    "export_view",
                    "export_sheet",
                    "export_png16",
                    "export_exr",
                    "copy_view",
                    "copy_sheet",
                )
            },
        }

    def _view_commands(self) -> dict[str, Callable[[], object]]:
        viewing, views = self._session.inspection.viewing, self._page.views
        return {
            **{name: partial(viewing.set_grid, *grid) for name, grid in _GRIDS.items()},
            **{f"layer_{n}": partial(self.show_layer, n) for n in range(1, len(Layer) + 1)},
            **{
                f"pan_{way}": partial(views.nudge, x * _PAN, y * _PAN)
                for way, (x, y) in _WAYS.items()
            },
            **{f"crosshair_{way}": partial(views.move_cursor, *by) for way, by in _WAYS.items()},
            **{f"crosshair_far_{way}": partial(self.move_far, *by) for way, by in _WAYS.items()},
            **{f"tool_{tool}": partial(viewing.set_tool, tool) for tool in Tool},
            "maximise": self.maximise,
            "next_view": partial(viewing.step_view, 1),
            "previous_view": partial(viewing.step_view, -1),
            "zoom_in": views.zoom_in,
            "zoom_out": views.zoom_out,
            "toggle_wipe": partial(viewing.toggle_compare, CompareMode.WIPE),
            "toggle_difference": partial(viewing.toggle_compare, CompareMode.DIFFERENCE),
            "toggle_zebra": self.toggle_zebra,
            "toggle_uncertainty": self.toggle_uncertainty,
            "link_exposure": self.link_exposure,
            "show_display": self._page.display.open_sheet,
        }

    def _judging_commands(self) -> dict[str, Callable[[], object]]:
        inspection = self._session.inspection
        thresholds, history = inspection.thresholds, inspection.history
        return {
            "clear_region": inspection.inspector.unmark,
            "least_trusted": thresholds.least_trusted,
            "lower_tau_patch": partial(thresholds.nudge, "tau_patch", -_NUDGE),
            "raise_tau_patch": partial(thresholds.nudge, "tau_patch", _NUDGE),
            "lower_tau_pixel": partial(thresholds.nudge, "tau_pixel", -_NUDGE),
            "raise_tau_pixel": partial(thresholds.nudge, "tau_pixel", _NUDGE),
            "take_snapshot": thresholds.keep_snapshot,
            "reset_thresholds": thresholds.back_to_paper,
            "next_scope": self.next_scope,
            "previous_round": partial(history.step, -1),
            "next_round": partial(history.step, 1),
            "back_to_now": partial(history.pick, None),
        }

    def _brush_commands(self) -> dict[str, Callable[[], object]]:
        painting = self._session.inspection.painting
        return {
            "tool_brush": painting.toggle,
            "leave_brush": painting.toggle,
            **{f"ink_{ink}": partial(painting.set_ink, ink) for ink in Ink},
            **{f"shape_{shape}": partial(painting.set_shape, shape) for shape in BrushShape},
            "brush_smaller": partial(painting.nudge_radius, -1),
            "brush_larger": partial(painting.nudge_radius, 1),
            "brush_softer": partial(painting.nudge_hardness, -_SOFTER),
            "brush_harder": partial(painting.nudge_hardness, _SOFTER),
            "paint_here": self._page.views.paint_here,
            "paint_region": self.paint_region,
            "clear_painting": painting.clear,
        }

    def move_far(self, across: int, down: int) -> None:
        """The crosshair further than by a pixel: as far as the brush reaches, if it is held."""
        state = self._session.state
        reach = round(state.brush.radius) if state.tool is Tool.BRUSH else _FAR
        step = max(reach, 2)
        self._page.views.move_cursor(across * step, down * step)

    def paint_region(self) -> None:
        """Close the polygon that is being made, or paint the region that is marked."""
        if not self._page.views.brushing.close():
            self._session.inspection.painting.paint_region()

    def show_layer(self, number: int) -> None:
        """The layer of that number in the view keys act upon."""
        view = self._session.state.active
        self._session.inspection.viewing.set_layer(view, tuple(Layer)[number - 1])

    def toggle_uncertainty(self) -> None:
        """Uncertainty in the active view, or what it showed before."""
        state = self._session.state
        now = state.views[state.active].layer
        if now is Layer.UNCERTAINTY:
            wanted = self._before_uncertainty.get(state.active, Layer.PSEUDO_LABEL)
        else:
            self._before_uncertainty[state.active] = now
            wanted = Layer.UNCERTAINTY
        self._session.inspection.viewing.set_layer(state.active, wanted)

    def toggle_zebra(self) -> None:
        """Stripe what is clipped in the active view, or no longer."""
        self._session.inspection.viewing.toggle_zebra(self._session.state.active)

    def link_exposure(self) -> None:
        """One exposure for all views, or one for each."""
        viewing = self._session.inspection.viewing
        viewing.link_exposure(not viewing.linked)

    def maximise(self) -> None:
        """The active view alone, or all again."""
        self._page.views.toggle_maximised(self._session.state.active)

    def next_scope(self) -> None:
        """Whose scores the histograms count: pool, scene, region."""
        state = self._session.state
        usable: tuple[Scope, ...] = SCOPES if state.region is not None else SCOPES[:2]
        place = usable.index(state.scope) if state.scope in usable else -1
        self._session.inspection.set_scope(usable[(place + 1) % len(usable)])
