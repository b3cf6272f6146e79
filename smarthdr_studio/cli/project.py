"""The verbs new, relocate, accept and tidy: a project is made, moved and cleared."""

from collections import Counter
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
from smarthdr_studio.cli.reading import chosen_response, plain_response
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.core.datasets.camera_curve import ChosenResponse
    from smarthdr_studio.core.datasets.proposal import Proposal
    from smarthdr_studio.core.imaging.bracket import Catalogue, Scene, Skipped
    from smarthdr_studio.core.project.stamps import Comparison


def new(
    project: Annotated[
        Path, typer.Argument(metavar="PROJECT", help="The project folder to make, NAME.shdr.")
    ],
    dataset: Annotated[
        Path | None,
        typer.Argument(metavar="DATASET", help="The dataset folder; never written into."),
    ] = None,
    *,
    labelled: Annotated[
        int | None, typer.Option(min=0, help="Use this many of the ground truths as labels.")
    ] = None,
    labelled_from: Annotated[
        Path | None, typer.Option(help="A file with the id of a labelled scene on each line.")
    ] = None,
    step: Annotated[
        float | None,
        typer.Option(min=0.1, max=8, help="EVs between neighbours of every bracket, if you know."),
    ] = None,
    align: Annotated[
        bool, typer.Option("--align", help="Lay hand-held frames onto the reference as read.")
    ] = False,
    response: Annotated[
        str | None,
        typer.Option(metavar="gamma|measured|FILE", help="The camera's curve; gamma is 2.2."),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made, of DATASET alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a project from a dataset folder.

    A folder straight off a camera is grouped into brackets by time, exposure and names.
    Exposures and ground truths are held against the frames: what does not fit is left out or noted.
    Without --labelled or --labelled-from the labels are those in the dataset's labelled.txt, or
    where there is none, five if every scene came with a ground truth, else all there are; one that
    is warned of only where all are, with --labelled as well.
    Frames are read with gamma 2.2 unless --response says otherwise: measured takes the curve that
    brackets of known exposures show, where it fits clearly better.
    """
    from smarthdr_studio.core.imaging.bracket import FrameReading
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project

    if labelled is not None and labelled_from is not None:
        raise typer.BadParameter("--labelled and --labelled-from exclude each other; give one")
    refuse_beside("--dry-run", {"--align": align and dry})
    folder = project if dry and dataset is None else dataset
    if folder is None:
        raise typer.BadParameter("name the project to make and the dataset folder, in this order")
    catalogue, curve = _found(folder, step=step, response=response)
    if not dry:
        refuse_inside(folder, project)
    wanted = _labelled(catalogue, count=labelled, listed=labelled_from)
    if dry:
        _tell_findings(catalogue, wanted, curve, as_json=as_json)
        return
    with Project.create(project, catalogue, labelled=wanted) as made:
        counts = Counter(status.name for status in made.statuses().values())
        Decisions(made).read_frames(FrameReading(response=curve.curve, aligned=align))
    shown = {
        "scenes": len(catalogue.scenes),
        "labelled": counts["GROUND_TRUTH"],
        "unlabelled": counts["UNLABELLED"],
        "test": counts["TEST"],
    }
    _tell_notes(catalogue, curve, hint=not as_json)
    if as_json:
        print_json({**shown, **_odd(catalogue), "response": plain_response(curve)})
        return
    for each in catalogue.skipped:
        print_note(f"skipped: {each.reason}")
    rows = [(name, str(count)) for name, count in shown.items()]
    print_table(("", "scenes"), rows, title=f"{project}")


def _found(
    folder: Path, *, step: float | None, response: str | None
) -> "tuple[Catalogue, ChosenResponse]":
    """Everything in the folder, held against its pixels, and the curve they are read under."""
    proposal = _proposed(folder, step=step)
    curve = chosen_response(response or "gamma", proposal.scenes)
    catalogue = _checked(proposal, curve)
    return catalogue, curve if response is not None else _offered(curve, catalogue, proposal)


def _proposed(folder: Path, *, step: float | None) -> "Proposal":
    """What the folder seems to hold."""
    from smarthdr_studio.core.datasets.proposal import propose, with_step

    with progress() as bar:
        reading = bar.add_task("reading headers", total=None)
        proposal = propose(
            folder, progress=lambda done, total: bar.update(reading, completed=done, total=total)
        )
    return with_step(proposal, step)


def _checked(proposal: "Proposal", curve: "ChosenResponse") -> "Catalogue":
    """Everything in the folder, held against its pixels."""
    from smarthdr_studio.core.datasets.scan import check

    with progress() as bar:
        checking = bar.add_task("checking brackets", total=len(proposal.scenes))
        return check(
            proposal,
            response=curve.curve,
            progress=lambda done, _total: bar.update(checking, completed=done),
        )


def _offered(
    curve: "ChosenResponse", catalogue: "Catalogue", proposal: "Proposal"
) -> "ChosenResponse":
    """Gamma 2.2, with a note where brackets show that another curve fits clearly better."""
    from smarthdr_studio.core.datasets.camera_curve import measure_response
    from smarthdr_studio.core.datasets.scan import CAMERA_CURVES

    if not any(note.topic == CAMERA_CURVES for note in catalogue.notes):
        return curve
    fit = measure_response(proposal.scenes)
    if fit is None or not fit.is_better:
        return replace(curve, fit=fit)
    note = f"The camera's curve can be used, with --response measured: {fit.words}."
    return replace(curve, fit=fit, note=note)


def _tell_notes(catalogue: "Catalogue", curve: "ChosenResponse", *, hint: bool) -> None:
    """What is odd about the scenes, in few lines; with a hint where all of it is told."""
    from smarthdr_studio.core.datasets.arrival import in_few_lines

    lines = in_few_lines(catalogue.notes)
    for sentence in (*lines, *filter(None, [curve.note])):
        print_note(f"note: {sentence}")
    if hint and len(lines) < len(catalogue.notes):
        print_note("--json tells every note.")


def _tell_findings(
    catalogue: "Catalogue", labelled: Sequence[str], curve: "ChosenResponse", *, as_json: bool
) -> None:
    """What a project over this catalogue would hold; nothing is made."""
    if as_json:
        scenes = [_as_found(scene, catalogue.root) for scene in catalogue.scenes]
        found = {"dataset": str(catalogue.root), "scenes": scenes, "labelled": list(labelled)}
        print_json({**found, **_odd(catalogue), "response": plain_response(curve)})
        if curve.note:
            print_note(f"note: {curve.note}")
        return
    _tell_notes(catalogue, curve, hint=True)
    for each in catalogue.skipped:
        print_note(f"skipped: {each.reason}")
    rows = [
        (
            scene.id,
            " ".join(frame.path.name for frame in scene.whole_bracket),
            scene.frames[1].name,
            "label" if scene.id in labelled else "yes" if scene.ground_truth else "–",
            " ".join(f"{frame.ev - scene.evs[0]:+.3g}" for frame in scene.whole_bracket),
        )
        for scene in catalogue.scenes
    ]
    columns = ("scene", "frames by exposure", "reference", "ground truth", "EV")
    title = f"{catalogue.root}: {counted(len(rows), 'scene')}; nothing was made"
    print_table(columns, rows, title=title, words=4)


def _as_found(scene: "Scene", root: Path) -> dict[str, Any]:
    """One scene of a dry run: its frames by rising EV, and what each is used as."""
    parts: dict[Path, list[str]] = {}
    for path, part in zip(scene.frames, ("under", "reference", "over"), strict=True):
        parts.setdefault(path, []).append(part)
    truth = scene.ground_truth
    return {
        "id": scene.id,
        "split": scene.split,
        "width": scene.width,
        "height": scene.height,
        "frames": [
            {"file": _below(path, root), "ev": ev, "used_as": parts.get(path, [])}
            for path, ev in scene.whole_bracket
        ],
        "stops": list(scene.stops),
        "ground_truth": None if truth is None else _below(truth, root),
    }


def _below(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _odd(catalogue: "Catalogue") -> dict[str, Any]:
    """What is left out, and what was noted."""
    return {
        "skipped": [_plain(each) for each in catalogue.skipped],
        "notes": [{"scene": each.scene, "note": each.text} for each in catalogue.notes],
    }


def _labelled(catalogue: "Catalogue", *, count: int | None, listed: Path | None) -> tuple[str, ...]:
    from smarthdr_studio.core.datasets.scan import (
        labelled_by_count,
        labelled_by_default,
        read_labelled,
    )

    if listed is not None:
        return read_labelled(listed, catalogue=catalogue)
    if count is None:
        return labelled_by_default(catalogue)
    able = sum(s.split == "train" and s.ground_truth is not None for s in catalogue.scenes)
    if count > able:
        raise ProjectError(
            f"{catalogue.root}: has {counted(able, 'training scene')} with a ground truth, "
            f"not {count}; ask for at most --labelled {able}"
        )
    wanted = labelled_by_count(catalogue, count)
    if len(wanted) < count:
        sound = counted(len(wanted), "ground truth") + (" is" if len(wanted) == 1 else " are")
        print_note(
            f"only {sound} sound, not {count}; to begin with others as well name them with: "
            "--labelled-from FILE"
        )
    return wanted


def _plain(skipped: "Skipped") -> dict[str, str]:
    return {"path": str(skipped.path), "reason": skipped.reason}


def relocate(
    project: ProjectFolder,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the dataset lies now.")],
    *,
    partly: Annotated[
        bool, typer.Option("--partly", help="A folder with fewer than half of the scenes will do.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell a project where its dataset lies now.

    The scenes are looked for in FOLDER, and right inside and around it. Nothing is copied.
    """
    from smarthdr_studio.core.project import relocation
    from smarthdr_studio.core.project.project import Project

    with Project.open(project) as opened:
        now = relocation.relocate(opened, folder, even_partly=partly)
        forgets, pictures = opened.read_only, opened.compare_pictures()
    if as_json:
        found = {"dataset": str(now.root), "found": now.found, "scenes": now.scenes}
        print_json({**found, "changed": _changed(pictures)})
        return
    print_line(f"{now.root}: {now.found} of {counted(now.scenes, 'scene')} are here.")
    if forgets:
        print_line(f"It could not be remembered: {forgets}.")
    if pictures.changed:
        print_note(pictures.sentence)


def _changed(pictures: "Comparison") -> dict[str, list[str]]:
    """Which pictures of which scenes are others than the project knows, as JSON has it."""
    return {name: list(files) for name, files in pictures.changed.items()}


def accept(
    project: ProjectFolder,
    *,
    same: Annotated[
        bool, typer.Option("--same", help="They show the same; labels are not tagged.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say which have changed.")] = False,
    as_json: Json = False,
) -> None:
    """Take the pictures of the dataset as they are now for those of the project.

    Of scenes whose frames or ground truth are others than the project knows. Those with a promoted
    label or an imported ground truth are tagged pictures-changed, as it was made of the earlier
    pictures, unless they show the same, as after a change of tags inside the files.
    """
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.project.relocation import refuse_without_dataset

    refuse_beside("--dry-run", {"--same": same and dry})
    with Project.open(project) as opened:
        refuse_without_dataset(opened)
        found = opened.compare_pictures()
        act = bool(found.changed) and not dry
        marked = Decisions(opened).accept_pictures(found, same=same) if act else ()
    if as_json:
        gone = {name: list(files) for name, files in found.gone.items()}
        changed = {"changed": _changed(found), "gone": gone}
        print_json({**changed, "tagged": list(marked), "accepted": act})
        return
    for name in found.gone:
        print_note(f"{found.lost_of(name)}.")
    if not found.changed and not found.gone:
        print_line(f"{found.root}: every picture is the one the project knows.")
    if not found.changed:
        return
    rows = [
        (name, " ".join(files), "tagged" if name in marked else "")
        for name, files in found.changed.items()
    ]
    what = "nothing was accepted" if dry else "accepted as they are now"
    print_table(("scene", "pictures", "its label"), rows, title=f"{found.root}: {what}", words=3)


def tidy(
    project: ProjectFolder,
    *,
    older: Annotated[
        bool, typer.Option("--older-versions", help="Move labels no scene uses to the trash.")
    ] = False,
    trash: Annotated[
        bool, typer.Option("--empty-trash", help="Delete the trash for good, as it is now.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Say what could be tidied away, or do it.

    Undo and redo bring back from the trash what they need; once the trash is emptied, an undo that
    needs one of its files is refused. The trash is emptied before older versions move into it.
    """
    from smarthdr_studio.core.project import repair
    from smarthdr_studio.core.project.project import Project

    with Project.open(project) as opened:
        emptying, moving = (trash and not dry), (older and not dry)
        deleted = repair.empty_trash(opened) if emptying else repair.trashed_files(opened)
        moved = repair.trash_older_versions(opened) if moving else repair.older_versions(opened)
    if as_json:
        print_json(
            {
                "older": {"files": len(moved.files), "bytes": moved.nbytes, "moved": moving},
                "trash": {"files": len(deleted.files), "bytes": deleted.nbytes, "gone": emptying},
            }
        )
        return
    print_line(
        _tidied_in_words(
            "older versions", moved.files, moved.nbytes, done=moving and "moved to the trash"
        )
    )
    print_line(
        _tidied_in_words("the trash", deleted.files, deleted.nbytes, done=emptying and "deleted")
    )


def _tidied_in_words(what: str, files: Sequence[object], nbytes: int, *, done: str | bool) -> str:
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"{what}: {count}, {nbytes / 2**20:.1f} MiB" + (f", {done}" if done else "")
