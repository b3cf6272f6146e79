"""Looking at a ground truth that is brought, and keeping it; decoding and merging take a while."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from smarthdr_studio.core.decisions import Decisions
from smarthdr_studio.core.frames import decode_bracket
from smarthdr_studio.core.images import read_radiance
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.truths.fixing import TruthFix, mended
from smarthdr_studio.core.truths.writing import provenance_of
from smarthdr_studio.studio.tasks import Report

if TYPE_CHECKING:
    from smarthdr_studio.core.truths.checking import TruthFindings
    from smarthdr_studio.core.truths.showing import TruthPictures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BroughtTruth:
    """The radiance as it was brought or merged, H×W×3, where it is from, and what was found."""

    scene: str
    files: tuple[Path, ...]
    findings: "TruthFindings"
    pictures: "TruthPictures"
    radiance: Floats = field(repr=False)


def look_at_truth(
    report: Report,
    *,
    folder: Path,
    scene: str,
    files: tuple[Path, ...],
    evs: tuple[float, ...] | None,
) -> BroughtTruth:
    """Check one file, or merge a static bracket and check that. Raises StudioError."""
    from smarthdr_studio.core.truths.checking import inspect_radiance
    from smarthdr_studio.core.truths.merging import merge_static
    from smarthdr_studio.core.truths.showing import pictures

    report(f"reading {scene}", 0, 3)
    with Project.open(folder) as project:
        of = project.scene(scene)
    bracket = decode_bracket(of)
    report(f"looking at {files[0].name}", 1, 3)
    if len(files) > 1:
        merged = merge_static(files, evs, of, bracket)
        radiance, findings = merged.radiance, merged.findings
    else:
        radiance = read_radiance(files[0])
        findings = inspect_radiance(radiance, of, bracket, source=files[0].name)
    report(f"looking at {files[0].name}", 2, 3)
    return BroughtTruth(
        scene=scene,
        files=files,
        findings=findings,
        pictures=pictures(radiance, bracket, findings.suggested),
        radiance=radiance,
    )


def keep_truth(
    report: Report, *, folder: Path, brought: BroughtTruth, fix: TruthFix, note: str
) -> None:
    """Freeze it in the project as the scene's ground truth. Raises StudioError."""
    report(f"keeping {brought.files[0].name}", 0, 0)
    with Project.open(folder) as project:
        Decisions(project).bring_truth(
            brought.scene,
            mended(brought.radiance, fix),
            provenance=provenance_of(brought.files, fix),
            note=note,
        )
