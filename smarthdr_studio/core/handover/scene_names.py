"""Which scene of a project a name means: its id, its folder, or the last part of either."""

from collections.abc import Iterable
from pathlib import Path

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.files import AnyPath


class SceneNames:
    """The scenes of one project by every name that people give them."""

    def __init__(self, scenes: Iterable[Scene], *, dataset: AnyPath) -> None:
        dataset = Path(dataset)
        self._exact: dict[str, str] = {}
        self._whole: dict[str, list[str]] = {}
        self._last: dict[str, list[str]] = {}
        for scene in scenes:
            self._exact[scene.id] = scene.id
            folder = _folder(scene, dataset)
            for whole in {scene.id, *folder}:
                self._whole.setdefault(whole.casefold(), []).append(scene.id)
            lasts = {scene.id.rpartition("-")[2], *(each.rpartition("/")[2] for each in folder)}
            for last in lasts:
                self._last.setdefault(last.casefold(), []).append(scene.id)

    def meant_by(self, name: str) -> tuple[str, ...]:
        r"""The ids that a name may mean: none, one, or several where it is not enough.

        An id counts before a folder, a whole name before the last part of one; separators of
        folders may be / or \, and case matters only where it tells two scenes apart.
        """
        if name in self._exact:
            return (name,)
        known = name.replace("\\", "/").strip("/").casefold()
        return tuple(self._whole.get(known) or self._last.get(known) or ())


def _folder(scene: Scene, dataset: Path) -> tuple[str, ...]:
    """The scene's folder as seen from the dataset, and every shorter end of that path."""
    home = scene.frames[1].parent
    if not home.is_relative_to(dataset):
        return (home.name,)
    parts = home.relative_to(dataset).parts
    return tuple("/".join(parts[start:]) for start in range(len(parts)))
