"""The clue records a project keeps, and looking at the scenes that have none yet."""

from collections.abc import Callable, Iterable
from typing import Final

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.curation.clue_records import ClueRecord, record_of
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.frames import decode_bracket
from smarthdr_studio.core.project import Project

KIND: Final = "clues"
_AT_ONCE: Final = 16  # records that are written together, and lost together in a power cut


def stamp_of(scene: Scene) -> str:
    """Sizes and times of the scene's frame files; "" where one of them is away."""
    try:
        found = [path.stat() for path in scene.frames]
    except OSError:
        return ""
    return " ".join(f"{each.st_size}:{each.st_mtime_ns}" for each in found)


def kept_records(project: Project) -> dict[str, ClueRecord]:
    """By scene, the records that are still true; those of files that are away now count as such."""
    known: dict[str, ClueRecord] = {}
    kept = project.figures(KIND)
    for scene in project.scenes:
        stamp, data = kept.get(scene.id, ("", b""))
        if not data or stamp_of(scene) not in ("", stamp):
            continue
        try:
            known[scene.id] = ClueRecord.from_bytes(data)
        except ValueError:  # damaged or of another version: it can be found again
            continue
    return known


def look_at(
    project: Project, scenes: Iterable[Scene], *, seen: Callable[[str], None] = lambda _: None
) -> tuple[dict[str, ClueRecord], tuple[str, ...]]:
    """Records of these scenes from their frames, kept in the project unless it is read-only.

    `seen` hears each id once it is done and may raise to stop; what was kept stays. The sentences
    say which scenes cannot be read.
    """
    found: dict[str, ClueRecord] = {}
    problems: list[str] = []
    fresh: dict[str, tuple[str, bytes]] = {}
    try:
        for scene in scenes:
            stamp = stamp_of(scene)
            try:
                found[scene.id] = record_of(decode_bracket(scene))
            except StudioError as error:
                problems.append(str(error))
            else:
                fresh[scene.id] = (stamp, found[scene.id].to_bytes())
            if len(fresh) >= _AT_ONCE:
                _keep(project, fresh)
            seen(scene.id)
    finally:
        _keep(project, fresh)
    return found, tuple(problems)


def _keep(project: Project, fresh: dict[str, tuple[str, bytes]]) -> None:
    if fresh and not project.read_only:
        project.keep_figures(KIND, fresh)
    fresh.clear()
