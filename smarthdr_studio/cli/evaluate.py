"""The verb `evaluate`: how good the teacher is, and whether its doubt is any good."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from smarthdr_studio.cli.model_option import Model
from smarthdr_studio.cli.output import Json, note, print_json, print_table, progress
from smarthdr_studio.cli.runs_words import opened
from smarthdr_studio.cli.which_checkpoint import Which, checkpoint_of
from smarthdr_studio.core.events import PhaseChanged

_FIGURES = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l")


def evaluate(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    model: Model = None,
    run: Annotated[
        str | None, typer.Option(metavar="RUN", help="A run by its name; last is the newest.")
    ] = None,
    which: Which = "best",
    split: Annotated[
        Literal["test", "held-out", "unlabelled"],
        typer.Option(help="Which scenes with a ground truth."),
    ] = "test",
    again: Annotated[
        bool, typer.Option("--again", help="Measure also what was measured before.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = "auto",
    as_json: Json = False,
) -> None:
    """Compare the teacher with ground truth.

    PSNR and SSIM beside those of the exposure-weighted merge, and how well σ ranks the absolute
    error (|error| on the μ-law, mean over channels). Without --run or --model it is the newest
    checkpoint. Figures of a checkpoint are kept in its run and told again while weights and scenes
    stay the same.
    """
    from smarthdr_studio.learning.evaluation import evaluate as measure
    from smarthdr_studio.learning.runtime import use_memory_kindly

    if run is not None and model is not None:
        raise typer.BadParameter("--run and --model: give one of them")
    use_memory_kindly()
    if run is not None:
        with opened(project, run) as (_, folder):
            model = checkpoint_of(folder.path, which)
    answer: dict[str, Any] = {}
    with progress() as bar:
        task = bar.add_task("evaluating", total=None)
        for event in measure(project, model=model, split=split, device=device, again=again):
            match event:
                case PhaseChanged(text=text, done=done, total=total):
                    bar.update(task, description=text, completed=done, total=total or None)
                case found:
                    answer = found.as_json()
    for problem in answer["problems"]:
        note(problem)
    if as_json:
        print_json(answer)
    else:
        _print(answer)


def _print(answer: dict[str, Any]) -> None:
    rows = [
        (
            each["id"],
            *_figures(each),
            f"{each['merge']['psnr_mu']:.2f}",
            f"{each['spearman']:.3f}",
            f"{each['ause']:.3f}",
        )
        for each in answer["scenes"]
    ]
    doubt = answer["reliability"]
    mean = ("mean", *_figures(answer["mean"]), f"{answer['merge']['psnr_mu']:.2f}")
    rows.append((*mean, f"{doubt['spearman']:.3f}", f"{doubt['ause']:.3f}"))
    print_table(
        ("scene", "PSNR-μ", "PSNR-l", "SSIM-μ", "SSIM-l", "merge PSNR-μ", "ρ(σ, |error|)", "AUSE"),
        rows,
        title=f"Reliability on {answer['split']} scenes, {answer['checkpoint']}",
    )


def _figures(of: dict[str, float]) -> tuple[str, ...]:
    return tuple(f"{of[name]:.2f}" if "psnr" in name else f"{of[name]:.4f}" for name in _FIGURES)
