"""The verbs that look after runs: list, show, compare, note, back, discard, restore and export."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from smarthdr_studio.cli.curation import ProjectFolder
from smarthdr_studio.cli.options import Which, checkpoint_of
from smarthdr_studio.cli.output import (
    Json,
    duration,
    percent,
    print_json,
    print_line,
    print_note,
    print_table,
    progress,
)
from smarthdr_studio.cli.plans import LAST
from smarthdr_studio.core.errors import PlanError, ProjectError
from smarthdr_studio.core.project.places import MODEL_SUFFIXES, ModelForm
from smarthdr_studio.core.remedies import LOOK_OVER
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.run_estimate import size_in_words
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.training.diary import DiaryLine
    from smarthdr_studio.core.training.run_comparison import LabelDifference
    from smarthdr_studio.core.training.run_folder import RunFolder
    from smarthdr_studio.core.training.run_index import LabelCounts, RunRow
    from smarthdr_studio.learning.export import Exported

RunName = Annotated[str, typer.Argument(metavar="RUN", help="Its name; last is the newest.")]

RUN_COLUMNS = (
    "run",
    "status",
    "preset",
    "note",
    "labels",
    "epoch",
    "best PSNR-μ",
    "last retained",
    "worked",
)
RUN_WORD_COLUMNS = 4
"""How many of the columns hold words."""


@contextmanager
def open_run(project: Path, name: str) -> "Iterator[tuple[Project, RunFolder]]":
    """An open project and a run of it. Raises ProjectError where there is none."""
    from smarthdr_studio.core.project.project import Project

    with Project.open(project) as found:
        yield found, run_named(found, name)


def run_named(project: "Project", name: str) -> "RunFolder":
    """A run by its name, or the newest. Raises ProjectError where there is none."""
    from smarthdr_studio.core.project.findings import refuse_shut
    from smarthdr_studio.core.training.run_folder import find_run, run_folders

    refuse_shut(project.folder, "runs")
    if name != LAST:
        return find_run(project, name)
    runs = run_folders(project.folder)
    if not runs:
        raise ProjectError(
            f"{project.folder}: has no runs yet; begin one with: smarthdr-studio "
            f"train {project.folder}"
        )
    return runs[0]


def row_as_json(row: "RunRow") -> dict[str, Any]:
    """A row as plain values."""
    times = {"started": row.started.isoformat(timespec="seconds"), "folder": str(row.folder)}
    return {**asdict(row), **times, "at_work": row.at_work}


def run_cells(row: "RunRow") -> tuple[str, ...]:
    """A row for `RUN_COLUMNS`."""
    best = "" if row.best is None else f"{row.best.psnr_mu:.2f} dB"
    status = f"{row.status}, log damaged" if row.log_damage else row.status
    return (
        *(row.id, status, row.preset, row.note.partition("\n")[0]),
        *(str(row.labels.learned), f"{row.at_epoch}/{row.epochs}", best),
        *("" if row.retained is None else percent(row.retained), duration(row.seconds)),
    )


def run_facts(row: "RunRow") -> tuple[tuple[str, str], ...]:
    """What is known of one run, each fact with its name; what is not known is left out."""
    counts, best = row.labels, row.best
    checked = (
        ""
        if best is None
        else (f"PSNR-μ {best.psnr_mu:.2f} dB, PSNR-l {best.psnr_l:.2f} dB at step {best.step}")
    )
    facts = (
        ("status", f"{row.status}{', can be resumed' if row.resumable else ''}"),
        ("last word", row.message),
        ("log", row.log_damage),
        ("plan", f"{row.preset}, {row.system}, {row.network}"),
        ("device", row.device),
        ("started", f"{row.started:%Y-%m-%d %H:%M} UTC"),
        ("worked", duration(row.seconds)),
        ("epoch", f"{row.at_epoch} of {row.epochs}, step {row.step}, rounds: {row.rounds}"),
        ("labels", _labels_in_words(counts)),
        ("best check", checked),
        ("last retained", "" if row.retained is None else percent(row.retained)),
        ("disk", size_in_words(row.disk_bytes)),
        ("note", row.note),
    )  # fmt: skip
    return tuple((name, value) for name, value in facts if value)


def _labels_in_words(counts: "LabelCounts") -> str:
    held = f"{counts.held_out} held out"
    if counts.material == "no label":
        return f"none; learns from {counted(counts.brackets, 'bracket')}; {held}"
    labels = f"{counts.labelled} with a ground truth, {counts.promoted} promoted, {held}"
    return f"{labels}; {counts.brackets} unlabelled" if counts.brackets else labels


def list_runs(
    project: ProjectFolder,
    *,
    discarded: Annotated[
        bool, typer.Option("--discarded", help="Those in the trash instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the runs, the latest first.

    A run is running, paused, interrupted (its process died), stopped, failed or done. Of one whose
    log is damaged it is told what is gone; with --json that is log_damage.
    """
    from smarthdr_studio.core.project.findings import refuse_shut
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.training.run_folder import RunFolder, discarded_runs
    from smarthdr_studio.core.training.run_index import list_rows, row_of

    with Project.open(project) as found:
        if discarded:
            rows = tuple(row_of(RunFolder(run.folder)) for run in discarded_runs(found))
        else:
            refuse_shut(found.folder, "runs")
            rows = list_rows(found)
    if as_json:
        print_json({"runs": [row_as_json(row) for row in rows]})
        return
    where = "in the trash" if discarded else f"of {project}"
    many = counted(len(rows), "run")
    print_table(RUN_COLUMNS, map(run_cells, rows), title=f"{many} {where}", words=RUN_WORD_COLUMNS)
    for row in rows:
        if row.log_damage:
            remedy = LOOK_OVER.of(PROJECT=project)
            print_note(f"The log of run {row.id} {row.log_damage}; see: {remedy}")


def show_run(
    project: ProjectFolder,
    run: RunName = "last",
    *,
    lines: Annotated[int, typer.Option(min=0, help="How many lines of its diary.")] = 20,
    as_json: Json = False,
) -> None:
    """Say how a run stands, with its diary.

    And what of labels and thresholds is otherwise now than when it was started.
    """
    from smarthdr_studio.core.training.diary import diary_of
    from smarthdr_studio.core.training.run_index import row_of
    from smarthdr_studio.core.training.run_log import rare_events
    from smarthdr_studio.core.training.run_start import changes_since_start

    with open_run(project, run) as (found, folder):
        row, diary = row_of(folder), diary_of(rare_events(folder), project=found.folder)
        changes = [change.words for change in changes_since_start(found, folder)]
    told = diary[-lines:] if lines else ()
    if as_json:
        print_json(
            {"run": row_as_json(row), "diary": [*map(_diary_line_as_json, told)], "since": changes}
        )
        return
    print_table(("run", row.id), run_facts(row), title="How it stands", words=2)
    rows = [(f"{each.time:%m-%d %H:%M}", each.text, str(each.step)) for each in told]
    print_table(("UTC", "what happened", "step"), rows, title="Diary", words=2)
    for change in changes:
        print_line(f"since then: {change}")


def _diary_line_as_json(line: "DiaryLine") -> dict[str, object]:
    return {**asdict(line), "time": line.time.isoformat(timespec="milliseconds")}


_FORMATS = {
    "seconds": duration,
    "retained": percent,
    "disk_bytes": size_in_words,
    **dict.fromkeys(("best_psnr_mu", "best_psnr_l", "last_psnr_mu"), "{:.2f} dB".format),
    "best_ssim_mu": "{:.4f}".format,
}

_NAMES = {
    "seconds": "worked",
    "best_psnr_mu": "best PSNR-μ",
    "best_psnr_l": "PSNR-l then",
    "best_ssim_mu": "SSIM-μ then",
    "best_at_step": "at step",
    "last_psnr_mu": "last PSNR-μ",
    "retained": "last retained",
    "disk_bytes": "disk",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """Runs side by side; `labels` has every run but the first, held against the first."""

    runs: tuple[str, ...]
    figures: dict[str, tuple[Any, ...]]
    settings: dict[str, tuple[Any, ...]]
    thresholds: dict[str, tuple[Any, ...]]
    labels: "dict[str, LabelDifference]"
    psnr_mu: dict[str, tuple[tuple[int, float], ...]]


def compare_runs(
    project: ProjectFolder,
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Two runs or more.")],
    *,
    as_json: Json = False,
) -> None:
    """Hold runs against one another.

    What they came to, and the settings, thresholds and labels that differ; with --json also
    PSNR-μ of every check.
    """
    from smarthdr_studio.core.project.project import Project

    with Project.open(project) as found:
        names = tuple(dict.fromkeys(run_named(found, name).id for name in runs))
        if len(names) < 2:
            raise PlanError(f"{project}: name two different runs to compare; see: runs list")
        told = _compared(found, [run_named(found, name) for name in names])
    if as_json:
        print_json({**asdict(told), "labels": {k: asdict(v) for k, v in told.labels.items()}})
        return
    head = ("", *told.runs)
    print_table(
        head,
        [(_name(n), *_comparison_cells(n, v)) for n, v in told.figures.items()],
        title="Figures",
    )
    for title, differing in (("Settings", told.settings), ("Thresholds", told.thresholds)):
        rows = [(name, *_comparison_cells(name, values)) for name, values in differing.items()]
        print_table(head, rows, title=title if rows else f"{title}: no difference")
    for name, difference in told.labels.items():
        _say_labels(told.runs[0], name, difference)


def _compared(project: "Project", runs: "list[RunFolder]") -> _Comparison:
    from smarthdr_studio.core.training import run_comparison
    from smarthdr_studio.core.training.run_folder import held_out_checks
    from smarthdr_studio.core.training.run_index import row_of
    from smarthdr_studio.core.training.run_start import start_state_in

    stands = [start_state_in(project, run) for run in runs]
    return _Comparison(
        runs=tuple(run.id for run in runs),
        figures=run_comparison.figures([row_of(run) for run in runs]),
        settings=run_comparison.plan_differences(
            [run_comparison.settled_plan(run) for run in runs]
        ),
        thresholds=run_comparison.mask_differences([stand.masks for stand in stands]),
        labels={
            run.id: run_comparison.label_differences(stands[0], stand)
            for run, stand in zip(runs[1:], stands[1:], strict=True)
        },
        psnr_mu={
            run.id: tuple((check.step, check.psnr_mu) for check in held_out_checks(run))
            for run in runs
        },
    )


def _say_labels(first: str, second: str, difference: "LabelDifference") -> None:
    if difference.same:
        print_line(f"{second} learned from the same labels as {first}.")
        return
    parts = (
        (f"only {first}", difference.only_first),
        (f"only {second}", difference.only_second),
        ("another label", difference.changed),
        (f"held out of {first} only", difference.held_out_first),
        (f"held out of {second} only", difference.held_out_second),
    )
    rows = [(what, ", ".join(names)) for what, names in parts if names]
    print_table(("labels", "scenes"), rows, title=f"Labels of {second}", words=2)


def _name(name: str) -> str:
    return _NAMES.get(name, name.replace("_", " "))


def _comparison_cells(name: str, values: tuple[Any, ...]) -> tuple[str, ...]:
    how = _FORMATS.get(name, str)
    return tuple("" if value is None else how(value) for value in values)


def discard(project: ProjectFolder, run: RunName, *, as_json: Json = False) -> None:
    """Move a run to the trash, whole; restore brings it back.

    `tidy --empty-trash` deletes it for good. Promoted labels stay.
    """
    from smarthdr_studio.core.training.run_folder import discard_run

    with open_run(project, run) as (found, folder):
        gone = discard_run(found, folder.id)
    if as_json:
        print_json({"discarded": gone.id, "trash": str(gone.folder)})
    else:
        print_line(
            f"{gone.id}: in the trash; back with: smarthdr-studio runs restore {project} {gone.id}"
        )


def restore(
    project: ProjectFolder,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The name of a discarded run.")],
    *,
    as_json: Json = False,
) -> None:
    """Bring a discarded run back from the trash."""
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.training.run_folder import restore_run

    with Project.open(project) as found:
        folder = restore_run(found, run)
    if as_json:
        print_json({"restored": folder.id, "folder": str(folder.path)})
    else:
        print_line(f"{folder.id}: is back")


def annotate_run(
    project: ProjectFolder,
    run: RunName,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help='The note; "" takes it away.')
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Write a note at a run, or read it."""
    from smarthdr_studio.core.training.run_folder import read_note, write_note

    with open_run(project, run) as (_, folder):
        if text is not None:
            write_note(folder, text)
        told = read_note(folder)
    if as_json:
        print_json({"run": folder.id, "note": told})
    else:
        print_line(f"{folder.id}: {told}".rstrip(": "))


def back(
    project: ProjectFolder,
    run: RunName,
    *,
    layout: Annotated[
        bool, typer.Option("--layout", help="The views of the window as well; close it first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the project what it was when a run was started.

    Labels, brush and thresholds, as one decision that `undo` takes back.
    """
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.training.run_start import go_back_to_start

    with open_run(project, run) as (found, folder):
        did = go_back_to_start(Decisions(found), folder)
        if layout:
            _put_layout_back(folder, found.folder)
    if as_json:
        print_json(
            {"run": folder.id, "scenes": did.scenes, "thresholds": did.thresholds, "layout": layout}
        )
        return
    changed = [*did.scenes, *(["the thresholds"] if did.thresholds else [])]
    said = f"as before: {', '.join(changed)}" if changed else "nothing of labels was otherwise"
    print_line(f"{folder.id}: {said}")


def _put_layout_back(run: "RunFolder", project: Path) -> None:
    from smarthdr_studio.core.files import is_inside, replacing

    if not (run.window_path.is_file() and is_inside(run.path, run.window_path)):
        raise ProjectError(f"{run.path}: how the window looked was not kept; leave --layout away")
    try:
        with replacing(project / run.window_path.name) as draft:
            shutil.copyfile(run.window_path, draft)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{project / run.window_path.name}: cannot be written ({reason}); free some space or "
            "allow writing there"
        ) from None


def export(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    run: RunName,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The file to write.")],
    what: Annotated[
        Literal["teacher", "student"], typer.Option(help="Which of the two networks.")
    ] = "teacher",
    which: Which = None,
    form: Annotated[
        ModelForm,
        typer.Option("--as", help="bundle is what merge, label, evaluate and the window take."),
    ] = "bundle",
    as_json: Json = False,
) -> None:
    """Write a model of a run as one file.

    A graph (torchscript, onnx) is compared with ours before it is kept. ONNX needs the packages
    of smarthdr-studio[onnx].
    """
    from smarthdr_studio.learning.compute import tune_allocator
    from smarthdr_studio.learning.export import export_model

    suffix = MODEL_SUFFIXES[form]
    if out.suffix.casefold() != suffix:
        kinds = [kind for kind, end in MODEL_SUFFIXES.items() if end == out.suffix.casefold()]
        other = f", or add --as {' or --as '.join(kinds)}" if kinds else ""
        raise typer.BadParameter(
            f"-o {out}: a {form} ends in {suffix}; name it {out.with_suffix(suffix)}{other}"
        )
    tune_allocator()
    with open_run(project, run) as (_, folder):
        checkpoint = checkpoint_of(folder.path, which)
    with progress() as bar:
        task = bar.add_task("exporting", total=None)
        for event in export_model(checkpoint, out, form=form, part=what, project=project):
            match event:
                case PhaseChanged(text=text, done=done, total=total):
                    bar.update(task, description=text, completed=done, total=total or None)
                case made:
                    _print_exported(made, as_json=as_json)


def _print_exported(made: "Exported", *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "out": str(made.path),
                "as": made.form,
                "bytes": made.bytes,
                "largest_difference": made.difference,
                "crops": made.crops,
                "model": made.card.as_plain(),
            }
        )
    else:
        print_line(f"{made.path}: {made.card.title}, {made.bytes / 1e6:.1f} MB, {made.words}")
