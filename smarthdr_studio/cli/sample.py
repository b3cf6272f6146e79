"""The verb sample: a generated dataset, a benchmark set, or one from static brackets."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from smarthdr_studio.cli.options import refuse_beside
from smarthdr_studio.cli.output import (
    Json,
    print_json,
    print_line,
    print_note,
    progress,
)
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.synthetic.settings import SampleSettings


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the dataset is written.")],
    *,
    maps: Annotated[
        Path | None,
        typer.Option("--from", help="A folder of radiance maps (.hdr, .exr) to build it from."),
    ] = None,
    scenes: Annotated[
        int | None, typer.Option(min=1, show_default="24", help="How many scenes.")
    ] = None,
    labelled: Annotated[int | None, typer.Option(min=0, help="How many carry a label.")] = None,
    test: Annotated[int | None, typer.Option(min=0, help="How many are for testing.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    size: Annotated[
        str | None,
        typer.Option(metavar="WIDTHxHEIGHT", show_default="512x384", help="In pixels."),
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            metavar="small|large",
            help="Write the benchmark set instead: few labels of few kinds, tests of all kinds.",
        ),
    ] = None,
    static: Annotated[
        Path | None,
        typer.Option(
            "--from-static",
            metavar="DIR",
            help="Make test scenes of real static brackets instead: something is made to move.",
        ),
    ] = None,
    response: Annotated[
        str | None,
        typer.Option(
            metavar="gamma|measured|FILE", help="The curve of the camera of static brackets."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a sample dataset with exact ground truth.

    It has the layout of Kalantari 2017, and labelled.txt names the scenes that carry a label.
    Static brackets are read with gamma 2.2, and left out where that does not fit their exposures;
    --response measured takes the curve they show, gamma takes them as they are.
    """
    from smarthdr_studio.core.reporting.tables import cannot_write
    from smarthdr_studio.synthetic.settings import SampleSettings

    _refuse_in_sources(folder, maps, static)
    if response is not None and static is None:
        raise typer.BadParameter("--response says how --from-static reads; give that too")
    counts = {"--scenes": scenes, "--labelled": labelled, "--test": test, "--size": size}
    given = {name: value is not None for name, value in counts.items()}
    try:
        if static is not None:
            others = {**given, "--from": maps is not None, "--benchmark": benchmark is not None}
            refuse_beside("--from-static", others)
            _write_displaced(folder, static, seed=seed, response=response, as_json=as_json)
        elif benchmark is not None:
            refuse_beside("--benchmark", given)
            _write_benchmark(folder, benchmark, maps=maps, seed=seed, as_json=as_json)
        else:
            width, height = _image_size(size or "512x384")
            number = scenes or 24
            # A quarter of the scenes tests, a fifth has labels: 24 scenes are 5 + 13 + 6.
            settings = SampleSettings(
                scenes=number,
                labelled=max(1, round(number * 5 / 24)) if labelled is None else labelled,
                test=number // 4 if test is None else test,
                width=width,
                height=height,
                seed=seed,
                maps=maps,
            )
            _write_sample(folder, settings, as_json=as_json)
    except OSError as error:
        raise cannot_write(folder, error) from None


def _write_sample(folder: Path, settings: "SampleSettings", *, as_json: bool) -> None:
    from smarthdr_studio.synthetic.dataset import write_sample

    with progress() as bar:
        task = bar.add_task("drawing scenes", total=settings.scenes)
        for written in write_sample(folder, settings):
            bar.update(task, completed=written.index, description=f"scene {written.id}")
    if as_json:
        told = {"scenes": settings.scenes, "labelled": settings.labelled}
        print_json({"folder": str(folder), **told})
    else:
        print_line(
            f"{folder}: {counted(settings.scenes, 'scene')} of {settings.width}×{settings.height}; "
            "the labelled ones are in labelled.txt"
        )


def _refuse_in_sources(folder: Path, *sources: Path | None) -> None:
    """Nothing is written into what a sample is made of, nor into a dataset."""
    around = folder.absolute().parent
    for source in (*filter(None, sources), *([around] if _is_of_a_dataset(around) else [])):
        refuse_inside(source, folder)


_LOOKED_INTO: Final = 8  # folders of a split: a dataset has scenes in the first of them
_SPLITS: Final = frozenset({"training", "train", "test", "testing", "validation"})


def _is_of_a_dataset(folder: Path) -> bool:
    """Whether a folder is a scene of a dataset or a split of one, or has splits with scenes."""
    from smarthdr_studio.core.datasets.layouts import is_prepared

    below = _folders_in(folder)
    splits = [each for each in (folder, *below) if each.name.casefold() in _SPLITS]
    scenes = (each for split in splits for each in _folders_in(split)[:_LOOKED_INTO])
    return any(map(is_prepared, (folder, *scenes)))


def _folders_in(place: Path) -> list[Path]:
    try:
        return sorted(each for each in place.iterdir() if each.is_dir())
    except OSError:
        return []


def _write_benchmark(
    folder: Path, name: str, *, maps: Path | None, seed: int, as_json: bool
) -> None:
    from smarthdr_studio.synthetic.benchmark_set import SETS, write_benchmark

    if name not in SETS:
        raise typer.BadParameter(f"--benchmark {name}: choose one of {', '.join(SETS)}")
    settings = replace(SETS[name], maps=maps, seed=seed)
    with progress() as bar:
        task = bar.add_task("drawing scenes", total=settings.scenes)
        for written in write_benchmark(folder, settings):
            bar.update(task, completed=written.index, description=f"scene {written.id}")
    if as_json:
        told = {"scenes": settings.scenes, "labelled": settings.labelled}
        print_json({"folder": str(folder), **told})
    else:
        print_line(
            f"{folder}: {counted(settings.pool, 'scene')} to train on and "
            f"{settings.scenes - settings.pool} "
            f"to test on, {settings.width}×{settings.height}; the labelled ones are in labelled.txt"
        )


def _write_displaced(
    folder: Path, brackets: Path, *, seed: int, response: str | None, as_json: bool
) -> None:
    from smarthdr_studio.core.datasets.camera_curve import choose_response
    from smarthdr_studio.core.datasets.proposal import propose
    from smarthdr_studio.core.errors import BadScene
    from smarthdr_studio.synthetic.displaced_set import write_displaced

    written, refused = 0, []
    curve = choose_response(response or "gamma", propose(brackets).scenes)
    with progress() as bar:
        task = bar.add_task("merging brackets", total=None)
        for each in write_displaced(
            folder,
            brackets=brackets,
            seed=seed,
            response=curve.curve,
            even_bent=response is not None,
        ):
            if isinstance(each, BadScene):
                refused.append(str(each))
                continue
            written += 1
            bar.update(task, total=each.total, completed=each.index, description=f"{each.id}")
    if curve.note:
        print_note(f"note: {curve.note}")
    if as_json:
        print_json({"folder": str(folder), "scenes": written, "left_out": refused})
        return
    print_line(f"{folder}: {counted(written, 'test scene')} of static brackets")
    for sentence in refused:
        print_note(f"left out: {sentence}")


def _image_size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) >= 64 and int(height) >= 64):
        raise typer.BadParameter(f"--size {text}: write WIDTHxHEIGHT, at least 64x64")
    return int(width), int(height)
