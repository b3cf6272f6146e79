"""What persons painted on the scenes of a project, as its journal says."""

from collections.abc import Callable

from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project import Project


class Persons:
    """Remembers which scenes are painted; masks are asked for one at a time."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._project: Project | None = None
        self._hashes: dict[str, str] = {}

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self._project, self._hashes = project, {}

    def read(self) -> bool:
        """Look into the journal again; whether anything is painted otherwise than before."""
        states = self._project.ledger().scenes if self._project is not None else {}
        before = self._hashes
        self._hashes = {s: state.person for s, state in states.items() if state.person}
        return before != self._hashes

    def hash(self, scene: str) -> str | None:
        """By which name the mask of a scene is kept; None where nothing is painted."""
        return self._hashes.get(scene)

    def of(self, scene: str | None) -> Brush | None:
        """The mask of a scene, H×W; one that is lost or damaged is complained about."""
        if self._project is None or scene is None:
            return None
        try:
            return self._project.person(scene)
        except ProjectError as error:
            self._complain(str(error))
            return None
