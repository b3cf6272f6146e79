"""What persons painted on the scenes of a project, as its journal says."""

from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.studio.session.keeper import Keeper


class Persons:
    """Remembers which scenes are painted; masks are asked for one at a time."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._hashes: dict[str, str] = {}

    def read(self) -> bool:
        """Look into the journal again; whether anything is painted otherwise than before."""
        states = self._keeper.project.ledger().scenes if self._keeper.project is not None else {}
        before = self._hashes
        self._hashes = {s: state.person for s, state in states.items() if state.person}
        return before != self._hashes

    def hash(self, scene: str) -> str | None:
        """By which name the mask of a scene is kept; None where nothing is painted."""
        return self._hashes.get(scene)

    def of(self, scene: str | None) -> Brush | None:
        """The mask of a scene, H×W; one that is lost or damaged is complained about."""
        if self._keeper.project is None or scene is None:
            return None
        try:
            return self._keeper.project.person(scene)
        except ProjectError as error:
            self._keeper.complain(str(error))
            return None
