"""The verb `merge`: one HDR picture from the frames of one bracket."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarthdr_studio.cli.evs import evs_of
from smarthdr_studio.cli.model_option import Model
from smarthdr_studio.cli.output import Json, note, print_json, progress, say
from smarthdr_studio.core.errors import BadScene

if TYPE_CHECKING:
    from smarthdr_studio.core.bracket import Bracket
    from smarthdr_studio.core.exr import Layer


def merge(
    frames: Annotated[list[Path], typer.Argument(metavar="FRAMES...", help="Three images.")],
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The EXR to write.")],
    model: Model = None,
    evs: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Exposure values, one for each frame.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = "auto",
    as_json: Json = False,
) -> None:
    """Merge three frames into one linear EXR.

    By a network where --model is given, else by exposure weights. Exposures come from
    --evs, from a text file beside the frames, or from EXIF.
    """
    from smarthdr_studio.core.exr import write_layers

    if out.suffix.casefold() != ".exr":
        raise typer.BadParameter(f"-o {out}: an EXR is written; name it {out.with_suffix('.exr')}")
    bracket = _bracket(frames, evs=evs_of(evs, count=len(frames)))
    if model is None:
        how = "exposure-weighted merge"
        layers = _plain_merge(bracket)
        note("No --model given: plain exposure-weighted merge; what moves leaves a ghost.")
    else:
        layers, how = _network_merge(bracket, model=model, device=device)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_layers(out, layers, header={"smarthdr.merge": how})
    height, width = bracket.reference.shape[:2]
    if as_json:
        print_json({"out": str(out), "method": how, "width": width, "height": height})
    else:
        say(f"{out}: {width}×{height}, {how}")


def _bracket(paths: list[Path], *, evs: tuple[float, ...] | None) -> "Bracket":
    """The frames in order of exposure, decoded."""
    from smarthdr_studio.core.bracket import Bracket
    from smarthdr_studio.core.images import read_frame
    from smarthdr_studio.core.radiance import stops_above_shortest

    if len(paths) != 3:
        raise BadScene(f"{len(paths)} frames given; a bracket has three: under, reference, over")
    exposures = _exposures(paths) if evs is None else evs
    if len(exposures) != 3 or len(set(exposures)) != 3:
        raise BadScene(f"{paths[0]}: its bracket needs three different exposures; give --evs A,B,C")
    order = sorted(range(3), key=lambda index: exposures[index])
    under, reference, over = (read_frame(paths[index]) for index in order)
    if not under.shape == reference.shape == over.shape:
        raise BadScene(f"{paths[0]}: the three frames differ in size; give frames of one camera")
    low, middle, high = stops_above_shortest([exposures[index] for index in order])
    return Bracket(under, reference, over, (low, middle, high))


def _exposures(paths: list[Path]) -> tuple[float, ...]:
    """EVs from the one text file beside the frames that gives as many, else from EXIF."""
    from smarthdr_studio.core.exposures import evs_from_exif, read_evs

    for name in ("exposure.txt", "input_exp.txt", "ExpoBias.txt"):
        beside = paths[0].parent / name
        if beside.is_file():
            return read_evs(beside)
    return evs_from_exif(paths)


def _plain_merge(bracket: "Bracket") -> "dict[str, Layer]":
    from smarthdr_studio.core.radiance import exposure_weighted_merge

    merged = exposure_weighted_merge(bracket.frames, stops=bracket.stops)
    return {name: merged[..., index] for index, name in enumerate("RGB")}


def _network_merge(
    bracket: "Bracket", *, model: Path, device: str
) -> "tuple[dict[str, Layer], str]":
    """Radiance and σ as layers, and whose they are."""
    from smarthdr_studio.learning.model_files import load_model
    from smarthdr_studio.learning.runtime import pick_device, pick_precision, use_memory_kindly
    from smarthdr_studio.learning.tiling import predict_tiled

    use_memory_kindly()
    where = pick_device(device)
    network, card = load_model(model)
    with progress() as bar:
        task = bar.add_task("merging", total=None)
        hdr, sigma = predict_tiled(
            network.to(where),
            bracket.frames,
            stops=bracket.stops,
            device=where,
            tile=card.tile,
            overlap=card.overlap,
            precision=pick_precision(where, card.precision),
            on_tile=lambda done, total: bar.update(task, completed=done, total=total),
        )
    layers: dict[str, Layer] = {name: hdr[..., index] for index, name in enumerate("RGB")}
    return {**layers, "uncertainty.Y": sigma}, f"network of {model} ({card.title})"
