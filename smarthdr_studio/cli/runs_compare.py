"""The verb `runs compare`: what runs came to side by side, and what they differ in."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarthdr_studio.cli.decide import ProjectFolder
from smarthdr_studio.cli.output import Json, duration, percent, print_json, print_table, say
from smarthdr_studio.cli.runs_words import run_named
from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.run_estimate import size_in_words

if TYPE_CHECKING:
    from smarthdr_studio.core.project import Project
    from smarthdr_studio.core.running.comparing import LabelDifference
    from smarthdr_studio.core.runs import RunFolder

_HOW = {
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
    "retained": "trusted",
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


def compare(
    project: ProjectFolder,
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Two runs or more.")],
    *,
    as_json: Json = False,
) -> None:
    """Hold runs against one another.

    What they came to, and the settings, thresholds and labels that differ; with --json also
    PSNR-μ of every check.
    """
    from smarthdr_studio.core.project import Project

    with Project.open(project) as found:
        names = tuple(dict.fromkeys(run_named(found, name).id for name in runs))
        if len(names) < 2:
            raise PlanError(f"{project}: name two different runs to compare; see: runs list")
        told = _compared(found, [run_named(found, name) for name in names])
    if as_json:
        print_json({**asdict(told), "labels": {k: asdict(v) for k, v in told.labels.items()}})
        return
    head = ("", *told.runs)
    print_table(head, [(_name(n), *_cells(n, v)) for n, v in told.figures.items()], title="Figures")
    for title, differing in (("Settings", told.settings), ("Thresholds", told.thresholds)):
        rows = [(name, *_cells(name, values)) for name, values in differing.items()]
        print_table(head, rows, title=title if rows else f"{title}: no difference")
    for name, difference in told.labels.items():
        _say_labels(told.runs[0], name, difference)


def _compared(project: "Project", runs: "list[RunFolder]") -> _Comparison:
    from smarthdr_studio.core.running import comparing
    from smarthdr_studio.core.running.listing import row_of
    from smarthdr_studio.core.running.stand import stand_in
    from smarthdr_studio.core.runs import held_out_psnr

    stands = [stand_in(project, run) for run in runs]
    return _Comparison(
        runs=tuple(run.id for run in runs),
        figures=comparing.figures([row_of(run) for run in runs]),
        settings=comparing.plan_differences([comparing.read_plan(run) for run in runs]),
        thresholds=comparing.mask_differences([stand.masks for stand in stands]),
        labels={
            run.id: comparing.label_differences(stands[0], stand)
            for run, stand in zip(runs[1:], stands[1:], strict=True)
        },
        psnr_mu={run.id: held_out_psnr(run) for run in runs},
    )


def _say_labels(first: str, second: str, difference: "LabelDifference") -> None:
    if difference.same:
        say(f"{second} learned from the same labels as {first}.")
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


def _cells(name: str, values: tuple[Any, ...]) -> tuple[str, ...]:
    how = _HOW.get(name, str)
    return tuple("" if value is None else how(value) for value in values)
