"""The verb `truth`: imports a ground truth for a scene, from one file or a static bracket."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarthdr_studio.cli import FAILED
from smarthdr_studio.cli.options import parse_exposure_values, refuse_beside
from smarthdr_studio.cli.output import Json, print_json, print_line
from smarthdr_studio.core.errors import BadScene

if TYPE_CHECKING:
    from smarthdr_studio.core.datasets.ground_truth import TruthFindings, TruthFix
    from smarthdr_studio.core.imaging.radiometry import Floats
    from smarthdr_studio.core.project.project import Project


def truth(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    scene: Annotated[str, typer.Argument(metavar="SCENE", help="A scene id.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="One .hdr or .exr, or frames of a static bracket; without, the one it has.",
        ),
    ] = None,
    *,
    fix: Annotated[
        bool, typer.Option("--fix/--no-fix", help="Mend its scale and a shift by a pixel or two.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Import it against all advice.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look; change nothing.")] = False,
    evs: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Exposure values, one for each frame.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why; kept in the project's journal.")] = "",
    as_json: Json = False,
) -> int | None:
    """Import a ground truth for a scene.

    It is compared with the reference frame in size, scale and alignment, and frozen in the
    project. Several frames are merged; their exposures come from --evs, from a text file beside
    them, or from EXIF. With --check the status is 1 where it cannot be used. Without a file the
    scene is learned from the ground truth it has already.
    """
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.project.relocation import refuse_without_dataset

    changing = {"--fix": fix, "--force": force}
    refuse_beside("--check", {**changing, "--note": bool(note)} if check else {})
    if not files:
        idle = [name for name, given in {**changing, "--evs": evs is not None}.items() if given]
        if idle:
            raise typer.BadParameter(f"{' and '.join(idle)}: for a FILE alone; name one")
    if not (files or check):
        _use_its_own(project, scene, note=note, as_json=as_json)
        return None
    with Project.open(project) as opened:
        refuse_without_dataset(opened)
        files = files or [_its_own(opened, scene)]
        exposures = parse_exposure_values(evs, count=len(files))
        radiance, findings = _looked_at(opened, scene, files, evs=exposures)
        if not check:
            _refuse(findings, fix=fix, force=force)
            assert radiance is not None, "what has another size is refused whatever is asked"
            applied = findings.suggested if fix else None
            _import(opened, scene, files, radiance, fix=applied, note=note)
        status = str(opened.statuses()[scene])
    _tell(findings, scene=scene, imported=not check, status=status, as_json=as_json)
    return FAILED if check and not findings.usable else None


def _its_own(project: "Project", scene_id: str) -> Path:
    """The ground truth a scene has already."""
    path = project.scene(scene_id).ground_truth
    if path is None:
        raise BadScene(f"{scene_id}: has no ground truth to look at; name a file")
    return path


def _use_its_own(folder: Path, scene: str, *, note: str, as_json: bool) -> None:
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project

    with Project.open(folder) as project:
        Decisions(project).use_ground_truth([scene], note=note)
        status = str(project.statuses()[scene])
    if as_json:
        print_json({"truth": {"scene": scene, "brought": False, "status": status}})
    else:
        print_line(f"{scene}: {status}")


def _looked_at(
    project: "Project", scene_id: str, files: list[Path], *, evs: tuple[float, ...] | None
) -> "tuple[Floats | None, TruthFindings]":
    """The radiance that was given or merged, unmended, and what was found out about it.

    What its header tells to be of another size is not decoded.
    """
    from smarthdr_studio.core.datasets.ground_truth import inspect_radiance, of_another_size
    from smarthdr_studio.core.datasets.static_merge import merge_static
    from smarthdr_studio.core.imaging.bracket import decode_bracket, to_ground_truth
    from smarthdr_studio.core.imaging.image_files import read_radiance

    scene = project.scene(scene_id)
    if len(files) > 1:
        merged = merge_static(files, evs, scene, decode_bracket(scene))
        return merged.radiance, merged.findings
    of_another = of_another_size(files[0], scene, source=files[0].name)
    if of_another is not None:
        return None, of_another
    own = scene.ground_truth is not None and files[0].resolve() == scene.ground_truth.resolve()
    radiance = to_ground_truth(read_radiance(files[0]), scene) if own else read_radiance(files[0])
    return radiance, inspect_radiance(radiance, scene, decode_bracket(scene), source=files[0].name)


def _refuse(findings: "TruthFindings", *, fix: bool, force: bool) -> None:
    if findings.problems and not (force and findings.forcible):
        raise BadScene(findings.summary)
    if findings.suggested.needed and not (fix or force):
        raise BadScene(
            f"{findings.source}: fits only once {findings.suggested.sentence}; add --fix to have "
            "that done"
        )


def _import(
    project: "Project",
    scene_id: str,
    files: list[Path],
    radiance: "Floats",
    *,
    fix: "TruthFix | None",
    note: str,
) -> None:
    from smarthdr_studio.core.datasets.ground_truth import NO_FIX, apply_fix
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.labels import provenance_of

    applied = fix or NO_FIX
    Decisions(project).import_truth(
        scene_id,
        apply_fix(radiance, applied),
        provenance=provenance_of(files, applied),
        note=note,
    )


def _tell(
    findings: "TruthFindings", *, scene: str, imported: bool, status: str, as_json: bool
) -> None:
    if as_json:
        told = {"scene": scene, "brought": imported, "status": status, **_figures(findings)}
        print_json({"truth": told})
        return
    print_line(findings.summary)
    for sentence in (*findings.problems[1:], *findings.warnings):
        print_line(f"  {sentence}")
    if imported:
        print_line(f"{scene}: {status}")


def _figures(findings: "TruthFindings") -> dict[str, Any]:
    found = findings.match
    return {
        "source": findings.source,
        "summary": findings.summary,
        "usable": findings.usable,
        "checked": findings.checked,
        "gain": findings.suggested.gain,
        "shift": list(findings.suggested.shift),
        "correlation": None if found is None else found.correlation,
        "spread": None if found is None else found.spread,
        "clipped": findings.clipped,
        "problems": list(findings.problems),
        "warnings": list(findings.warnings),
    }
