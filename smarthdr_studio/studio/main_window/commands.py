"""What each action of the table does, as a call to whoever can do it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from smarthdr_studio.core.display import ColourMap
from smarthdr_studio.studio.canvas.grid import ViewGrid
from smarthdr_studio.studio.panels.scene_list import SceneList
from smarthdr_studio.studio.panels.training import TrainingPanel
from smarthdr_studio.studio.session import Session

_HALF_STOP: Final = 0.5
_TENTH: Final = 0.1


class Commands:
    """The work behind the keys that concern scenes, pictures and runs."""

    def __init__(
        self,
        session: Session,
        *,
        scenes: SceneList,
        views: ViewGrid,
        training: TrainingPanel,
        chosen: Callable[[], tuple[str, ...]],
    ) -> None:
        """`chosen` says which scenes a decision is about."""
        self._session, self._scenes = session, scenes
        self._views, self._training = views, training
        self._chosen = chosen

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        session, viewing = self._session, self._session.inspection.viewing
        return {
            "try_sample": session.try_sample,
            "close_project": session.close_project,
            "promote": self.promote,
            "demote": self.demote,
            "exclude": self.exclude,
            "undo": session.curating.undo,
            "redo": session.curating.redo,
            "next_scene": partial(self._scenes.step, 1),
            "previous_scene": partial(self._scenes.step, -1),
            "find_scene": self._scenes.start_search,
            "brighter": partial(viewing.expose, _HALF_STOP),
            "darker": partial(viewing.expose, -_HALF_STOP),
            "slightly_brighter": partial(viewing.expose, _TENTH),
            "slightly_darker": partial(viewing.expose, -_TENTH),
            "reset_exposure": partial(viewing.set_exposure, 0.0),
            "fit": self._views.fit,
            "one_to_one": self._views.one_to_one,
            "next_colour_map": self.next_colour_map,
            "toggle_masks": self.toggle_masks,
            "train": self.train,
            "resume": self.resume,
        }

    def promote(self) -> None:
        """The selected scenes become labels."""
        self._session.curating.promote(self._chosen())

    def demote(self) -> None:
        """The selected scenes are no labels any more."""
        self._session.curating.demote(self._chosen())

    def exclude(self) -> None:
        """The selected scenes take no part, or take part again."""
        self._session.curating.exclude(self._chosen())

    def next_colour_map(self) -> None:
        """The colour map after this one."""
        shown, maps = self._session.state.display, tuple(ColourMap)
        following = maps[(maps.index(shown.colour_map) + 1) % len(maps)]
        self._session.inspection.viewing.set_display(replace(shown, colour_map=following))

    def toggle_masks(self) -> None:
        """Masks on or off."""
        shown = self._session.state.display
        hidden = replace(shown, mask_visible=not shown.mask_visible)
        self._session.inspection.viewing.set_display(hidden)

    def train(self) -> None:
        """Start a run as the panel says."""
        self._session.inspection.opinions.forget()
        self._session.running.train(preset=self._training.preset, device=self._training.device)

    def resume(self) -> None:
        """Go on with the last run."""
        self._session.inspection.opinions.forget()
        self._session.running.resume(device=self._training.device)
