"""The verbs align, response and frames: how a project reads its frames."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarthdr_studio.cli.curation import ProjectFolder
from smarthdr_studio.cli.options import refuse_beside
from smarthdr_studio.cli.output import (
    Json,
    print_json,
    print_line,
    print_note,
    print_table,
    progress,
)
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.places import refuse_inside

if TYPE_CHECKING:
    from smarthdr_studio.core.datasets.camera_curve import ChosenResponse
    from smarthdr_studio.core.datasets.proposal import ProposedScene
    from smarthdr_studio.core.imaging.bracket import Scene, Three
    from smarthdr_studio.core.imaging.response import ResponseFit
    from smarthdr_studio.core.project.project import Project


def align(
    project: ProjectFolder,
    *,
    off: Annotated[bool, typer.Option("--off", help="Leave frames as they were shot.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; say what would move.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Lay the frames of hand-held brackets onto their references.

    They are aligned as they are read, by a homography or a translation; no file of the dataset
    changes. Says for each frame how far it was off and how many features agree.
    """
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.project.relocation import refuse_without_dataset

    refuse_beside("--check", {"--off": off and check})
    with Project.open(project) as opened:
        if not off:
            refuse_without_dataset(opened)
        if not check:
            opened.refuse_read_only()
            Decisions(opened).read_frames(replace(opened.reading, aligned=not off))
        scenes = () if off else opened.scenes
    with progress() as bar:
        task = bar.add_task("comparing frames", total=len(scenes))
        found = []
        for scene in scenes:
            found += _shakes(scene)
            bar.advance(task)
    if as_json:
        print_json({"aligned": None if check else not off, "frames": found})
        return
    if off:
        print_line(f"{project}: frames are read as they were shot.")
        return
    rows = [
        (each["scene"], each["file"], each["by"], f"{each['shift']:.1f}", each["agree"])
        for each in found
    ]
    columns = ("scene", "frame", "by", "pixels at a corner", "features that agree")
    title = f"{project}: {'nothing was changed' if check else 'frames are aligned as read'}"
    print_table(columns, rows, title=title, words=3)


def _shakes(scene: "Scene") -> list[dict[str, Any]]:
    """How the frames beside the reference lie against it."""
    from smarthdr_studio.core.imaging.bracket import decode_bracket

    aligned = replace(scene, reading=replace(scene.reading, aligned=True))
    told = []
    for index, shake in zip((0, 2), decode_bracket(aligned).shakes or (), strict=True):
        if scene.frames[index] == scene.frames[1]:
            continue
        told.append(
            {
                "scene": scene.id,
                "file": scene.frames[index].name,
                "by": "left as it is" if shake.kind == "none" else shake.kind,
                "shift": shake.shift,
                "agree": f"{shake.inliers} of {shake.matches}",
                "inliers": shake.inliers,
                "matches": shake.matches,
            }
        )
    return told


def response(
    project: ProjectFolder,
    *,
    use: Annotated[
        str | None,
        typer.Option(
            metavar="gamma|measured|FILE", help="Read frames under this curve from now on."
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the curve in use, or the measured one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show under which curve frames are read, and how well it fits; or choose another.

    The curve is measured on brackets whose exposures are told. To choose another is a decision in
    the journal, which undo takes back; labels that exist stay as they are, and those made under
    another curve are told.
    """
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.project.stale import stale_in_words, stale_labels
    from smarthdr_studio.core.training.run_start import runs_read_otherwise

    with Project.open(project) as opened:
        if save is not None:
            refuse_inside(opened.dataset, save)
        chosen = _measured_or_chosen(opened, use)
        if save is not None:  # first: nothing is decided where it cannot be
            _save(chosen, save, project=project)
        if use is not None:
            Decisions(opened).read_frames(replace(opened.reading, response=chosen.curve))
        words = opened.reading.words
        stale = stale_in_words(stale_labels(opened), runs=runs_read_otherwise(opened))
    if as_json:
        print_json(plain_response(chosen) | {"stale": stale})
        return
    print_line(f"{project}: frames are read {words}.")
    if stale:
        print_note(f"{stale}.")
    if use in (None, "measured"):
        _tell_fit(chosen)


def _measured_or_chosen(project: "Project", use: str | None) -> "ChosenResponse":
    """The curve in use beside the measured one, or that which is asked for. Raises StudioError."""
    from smarthdr_studio.core.datasets.camera_curve import ChosenResponse, measure_response
    from smarthdr_studio.core.project.relocation import missing_dataset

    if use in (None, "measured") and (missing := missing_dataset(project)) is not None:
        raise ProjectError(missing.sentence)
    if use is None:
        fit = measure_response(project.scenes)
        return ChosenResponse(curve=project.reading.response, fit=fit)
    project.refuse_read_only()
    return chosen_response(use, project.scenes)


def _save(chosen: "ChosenResponse", path: Path, *, project: Path) -> None:
    """Write the curve in use, or else the measured one."""
    from smarthdr_studio.core.imaging.response import write_response

    curve = chosen.curve or (None if chosen.fit is None else chosen.fit.curve)
    if curve is None:
        raise ProjectError(
            f"{project}: reads frames with gamma 2.2 and no other curve was measured, so there is "
            "none to save; save one in use, or that of --use measured"
        )
    try:
        write_response(path, curve)
    except OSError as error:
        raise ProjectError(
            f"{path}: cannot be written ({error.strerror}); choose another place"
        ) from None
    which = "the measured curve" if chosen.curve is None else "the curve that frames are read under"
    print_note(f"{path}: is {which}, {curve.digest[:8]}.")


def _tell_fit(chosen: "ChosenResponse") -> None:
    if chosen.note:
        print_note(chosen.note)
    elif chosen.fit is not None:
        fits = "fits clearly better" if chosen.fit.is_better else "fits no better"
        print_line(f"A measured curve {fits}: {chosen.fit.words}.")
    else:
        print_line("No curve can be measured: exposures are not told, or frames share too little.")


def frames(
    project: ProjectFolder,
    scene: Annotated[str, typer.Argument(metavar="SCENE", help="Its id.")],
    *,
    use: Annotated[
        str | None,
        typer.Option(
            metavar="auto|UNDER,REFERENCE,OVER",
            help="Use these from now on, as they are counted here: 1,3,4; or as they were found.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the frames of a scene's bracket, and which three networks and views use; or choose.

    To choose others is a decision in the journal, which undo takes back; labels that exist stay as
    they are, and those made of other frames are told.
    """
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.project.stale import stale_in_words, stale_labels

    with Project.open(project) as opened:
        if use is not None:
            Decisions(opened).choose_frames(scene, _three(use))
        shown = opened.scene(scene)
        stale = stale_in_words(stale_labels(opened, of=[scene]))
    low = shown.evs[0]
    parts: dict[Path, list[str]] = {}
    for path, part in zip(shown.frames, ("under", "reference", "over"), strict=True):
        parts.setdefault(path, []).append(part)
    told: list[dict[str, Any]] = [
        {"frame": number, "file": frame.path.name, "stops": frame.ev - low, "used": used}
        for number, frame in enumerate(shown.whole_bracket, start=1)
        for used in [parts.get(frame.path, [])]
    ]
    if as_json:
        print_json(
            {"scene": scene, "chosen": shown.chosen is not None, "frames": told, "stale": stale}
        )
        return
    how = "chosen by hand" if shown.chosen is not None else "as they were found"
    rows = [
        (str(e["frame"]), e["file"], f"{e['stops']:+.3g}", " and ".join(e["used"])) for e in told
    ]
    columns = ("frame", "file", "stops above under", "used as")
    print_table(columns, rows, title=f"{scene}: frames are {how}", words=4)
    if stale:
        print_note(f"{stale}.")


def _three(text: str) -> "Three | None":
    """Places counted from 0 of those a person counts from 1. Raises ProjectError."""
    if text == "auto":
        return None
    try:
        under, reference, over = (int(word) - 1 for word in text.split(","))
    except ValueError:
        raise ProjectError(
            f"{text}: is not three numbers with commas between them, such as 1,3,4, nor auto; give "
            "under, reference and over by rising exposure"
        ) from None
    return under, reference, over


def chosen_response(wish: str, brackets: "Sequence[ProposedScene | Scene]") -> "ChosenResponse":
    """The curve that --response or the verb asks for."""
    from smarthdr_studio.core.datasets.camera_curve import choose_response

    with progress() as bar:
        task = bar.add_task("measuring the camera's curve", total=None)
        return choose_response(
            wish,
            brackets,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def plain_response(curve: "ChosenResponse") -> dict[str, Any]:
    """Which curve is used, and what was measured, as JSON has it."""
    used = None if curve.curve is None else curve.curve.digest
    return {"used": "gamma 2.2" if used is None else used, "fit": _fit(curve.fit)}


def _fit(fit: "ResponseFit | None") -> dict[str, Any] | None:
    """How far exposures disagree, in stops."""
    if fit is None:
        return None
    return {
        "measured_off": fit.measured,
        "gamma_off": fit.gamma,
        "pairs": fit.pairs,
        "better": fit.is_better,
        "curve": fit.curve.digest,
    }
