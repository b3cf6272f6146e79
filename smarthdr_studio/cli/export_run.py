"""The verb `runs export`: the best model of a run, or any other, as one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from smarthdr_studio.cli.output import Json, print_json, progress, say
from smarthdr_studio.cli.runs_words import RunName, opened
from smarthdr_studio.cli.which_checkpoint import Which, checkpoint_of
from smarthdr_studio.core.events import PhaseChanged

if TYPE_CHECKING:
    from smarthdr_studio.learning.export import Exported


def export(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    run: RunName,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The file to write.")],
    what: Annotated[
        Literal["teacher", "student"], typer.Option(help="Which of the two networks.")
    ] = "teacher",
    which: Which = "best",
    form: Annotated[
        Literal["bundle", "safetensors", "torchscript", "onnx"],
        typer.Option("--as", help="bundle is what merge, label, evaluate and the window take."),
    ] = "bundle",
    as_json: Json = False,
) -> None:
    """Write a model of a run as one file.

    A graph (torchscript, onnx) is compared with ours before it is kept. ONNX needs the packages
    of smarthdr-studio[onnx].
    """
    from smarthdr_studio.learning.export import SUFFIXES, export_model
    from smarthdr_studio.learning.runtime import use_memory_kindly

    suffix = SUFFIXES[form]
    if out.suffix.casefold() != suffix:
        raise typer.BadParameter(
            f"-o {out}: a {form} ends in {suffix}; name it {out.with_suffix(suffix)}"
        )
    use_memory_kindly()
    with opened(project, run) as (_, folder):
        checkpoint = checkpoint_of(folder.path, which)
    with progress() as bar:
        task = bar.add_task("exporting", total=None)
        for event in export_model(checkpoint, out, form=form, part=what, project=project):
            match event:
                case PhaseChanged(text=text, done=done, total=total):
                    bar.update(task, description=text, completed=done, total=total or None)
                case made:
                    _tell(made, as_json=as_json)


def _tell(made: "Exported", *, as_json: bool) -> None:
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
        say(f"{made.path}: {made.card.title}, {made.bytes / 1e6:.1f} MB, {made.words}")
