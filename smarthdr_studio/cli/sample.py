"""The verb `sample`: writes the generated dataset to try everything with."""

from pathlib import Path
from typing import Annotated

import typer

from smarthdr_studio.cli.output import Json, print_json, progress, say


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the dataset is written.")],
    *,
    maps: Annotated[
        Path | None,
        typer.Option("--from", help="A folder of radiance maps (.hdr, .exr) to build it from."),
    ] = None,
    scenes: Annotated[int, typer.Option(min=1, help="How many scenes.")] = 24,
    labelled: Annotated[int | None, typer.Option(min=0, help="How many carry a label.")] = None,
    test: Annotated[int | None, typer.Option(min=0, help="How many are for testing.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="In pixels.")] = "512x384",
    as_json: Json = False,
) -> None:
    """Write a sample dataset with exact ground truth.

    It has the layout of Kalantari 2017, and labelled.txt names the scenes that carry a label.
    """
    from smarthdr_studio.core.sample.settings import SampleSettings
    from smarthdr_studio.core.sample.writing import write_sample

    width, height = _size(size)
    # A quarter of the scenes tests, a fifth has labels: 24 scenes are 5 + 13 + 6.
    settings = SampleSettings(
        scenes=scenes,
        labelled=max(1, round(scenes * 5 / 24)) if labelled is None else labelled,
        test=scenes // 4 if test is None else test,
        width=width,
        height=height,
        seed=seed,
        maps=maps,
    )
    with progress() as bar:
        task = bar.add_task("drawing scenes", total=scenes)
        for written in write_sample(folder, settings):
            bar.update(task, completed=written.index, description=f"scene {written.id}")
    if as_json:
        print_json({"folder": str(folder), "scenes": scenes, "labelled": settings.labelled})
    else:
        say(f"{folder}: {scenes} scenes of {width}×{height}; the labelled ones are in labelled.txt")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) >= 64 and int(height) >= 64):
        raise typer.BadParameter(f"--size {text}: write WIDTHxHEIGHT, at least 64x64")
    return int(width), int(height)
