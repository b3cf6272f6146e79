"""Figures of every part of a scene or pool; sorting megapixels takes a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.evidence import Evidence, Part, Sampled
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.reasons import Clues
from smarthdr_studio.studio.tasks import Report
from smarthdr_studio.studio.threads.evidence import measure_pool

_MOST_PIXELS = 2_000_000  # all of a 1500×1000 scene, every fourth of a very large one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """Evidence of every part that has any pixel; of a pool also its scenes and what to know."""

    parts: Mapping[Part, Evidence]
    sigma: Floats | None = None  # the map of the scene that was measured
    scenes: tuple[str, ...] = ()
    note: str = ""
    problems: tuple[str, ...] = ()


def figures_of_scene(
    report: Report, *, sigma: Floats, error: Floats, squares: Floats, clues: Clues
) -> Figures:
    """Of the scene on the screen; maps are H×W, `error` |e| and `squares` e², channel mean."""
    words = "comparing σ with the error"
    sampled = Sampled.of(sigma, clues, error=error, squares=squares, most=_MOST_PIXELS)
    return Figures(parts=_by_part(report, sampled, words=words), sigma=sigma)


def figures_of_pool(report: Report, *, project: Path, frames: FrameStore) -> Figures:
    """Of every scene with a ground truth. Raises StudioError where there is none."""
    found = measure_pool(report, project=project, frames=frames)
    return Figures(
        parts=_by_part(report, found.sampled, words="counting"),
        scenes=found.scenes,
        note=found.note,
        problems=found.problems,
    )


def _by_part(report: Report, sampled: Sampled, *, words: str) -> dict[Part, Evidence]:
    parts = {}
    for done, part in enumerate(Part):
        report(words, done, len(Part))
        if (known := sampled.evidence(part)) is not None:
            parts[part] = known
    return parts
