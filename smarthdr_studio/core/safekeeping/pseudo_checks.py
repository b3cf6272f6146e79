"""Are the pseudo-labels whole, of their scenes' size, and beside their statistics?"""

from collections.abc import Iterator
from pathlib import Path

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.image_headers import is_whole, measure
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.safekeeping.findings import Finding, Trouble
from smarthdr_studio.core.statistics import SceneStatistics


def pseudo_findings(project: Project) -> Iterator[Finding]:
    """Pseudo-labels that cannot be used or have no statistics; they can always be made anew."""
    for scene in project.scenes:
        label, statistics = project.pseudo_path(scene.id), project.statistics_path(scene.id)
        sentence = _wrong(label, statistics, scene)
        if sentence:
            yield Finding(
                trouble=Trouble.PSEUDO_LABEL,
                what=label.relative_to(project.folder).as_posix(),
                sentence=sentence,
                remedy="make it anew with: smarthdr-studio label PROJECT",
            )


def _wrong(label: Path, statistics: Path, scene: Scene) -> str:
    if not label.is_file():
        lonely = statistics.is_file()
        return f"the statistics of {scene.id} have lost their pseudo-label" if lonely else ""
    sentence = _wrong_label(label, scene)
    if sentence or not statistics.is_file():
        return sentence or f"the pseudo-label of {scene.id} has no statistics"
    try:
        SceneStatistics.load(statistics)
    except LabelError:
        return f"the statistics of {scene.id} are damaged"
    return ""


def _wrong_label(label: Path, scene: Scene) -> str:
    try:
        with label.open("rb") as stream:
            if not is_whole(stream, kind="exr"):
                return f"the pseudo-label of {scene.id} is truncated or damaged"
            if measure(stream, kind="exr") != (scene.height, scene.width):
                return f"the pseudo-label of {scene.id} is of another size than its scene"
    except (OSError, ValueError):
        return f"the pseudo-label of {scene.id} cannot be read"
    return ""
