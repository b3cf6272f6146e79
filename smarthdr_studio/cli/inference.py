"""The verbs that ask a model: label, evaluate and merge."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import typer

from smarthdr_studio.cli import DONE, PARTLY
from smarthdr_studio.cli.options import (
    Model,
    Which,
    checkpoint_of,
    parse_exposure_values,
    refuse_beside,
)
from smarthdr_studio.cli.output import (
    Json,
    left_out_as_json,
    percent,
    print_json,
    print_left_out,
    print_line,
    print_note,
    print_table,
    progress,
)
from smarthdr_studio.cli.runs import open_run
from smarthdr_studio.core.errors import BadScene, CheckpointError
from smarthdr_studio.core.remedies import MERGE_CURVE
from smarthdr_studio.core.training.events import PhaseChanged, RoundFinished
from smarthdr_studio.core.training.events import as_json as as_plain
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.core.imaging.bracket import Bracket
    from smarthdr_studio.core.imaging.image_files import Layer
    from smarthdr_studio.core.imaging.radiometry import Frame
    from smarthdr_studio.core.imaging.response import ResponseCurve


def label(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    model: Model = None,
    scenes: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this scene; repeatable.")
    ] = None,
    split: Annotated[
        Literal["unlabelled", "test"] | None,
        typer.Option(show_default="unlabelled", help="Which scenes, without --scenes."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = "auto",
    as_json: Json = False,
) -> int:
    """Write pseudo-labels with the newest teacher, or with another model.

    Each is a layered EXR, masked with the project's thresholds. What it replaces goes to the trash,
    unless its run keeps it. With --model starter no training is needed. Without --scenes one whose
    pictures or painting cannot be used is left out and told: exit status 6.
    """
    from smarthdr_studio.core.project.project import refuse_without_project
    from smarthdr_studio.learning.checkpoints import latest_checkpoint
    from smarthdr_studio.learning.compute import tune_allocator
    from smarthdr_studio.learning.model_labelling import label_scenes

    refuse_beside("--scenes", {"--split": bool(scenes) and split is not None})
    tune_allocator()
    refuse_without_project(project)
    ids = scenes or (_test_scenes(project) if split == "test" else None)
    chosen = model or latest_checkpoint(project)
    if chosen is None:
        raise CheckpointError(
            f"{project}: no run has a checkpoint yet; label with --model starter, or train first: "
            f"smarthdr-studio train {project}"
        )
    finished: RoundFinished | None = None
    left_out: dict[str, str] | None = None if scenes else {}
    with progress() as bar:
        task = bar.add_task("labelling", total=None)
        for event in label_scenes(project, model=chosen, ids=ids, device=device, left_out=left_out):
            match event:
                case PhaseChanged(text=text, done=done, total=total):
                    bar.update(task, description=text, completed=done, total=total or None)
                case RoundFinished():
                    finished = event
    assert finished is not None  # the last event of every labelling
    for sentence in finished.changes:
        print_note(f"note: {sentence}")
    print_left_out(left_out or {})
    if as_json:
        told = {"left_out": left_out_as_json(left_out or {})}
        print_json({"checkpoint": str(chosen), **as_plain(finished), **told})
    else:
        count = counted(len(finished.scenes), "pseudo-label")
        print_line(f"{project}: {count} by {chosen}, {percent(finished.retained)} retained")
    return PARTLY if left_out else DONE


def _test_scenes(folder: Path) -> list[str]:
    from smarthdr_studio.core.project.journal import Status
    from smarthdr_studio.core.project.project import Project

    with Project.open(folder) as project:
        return [name for name, status in project.statuses().items() if status is Status.TEST]


class ExtraMetric(Enum):
    """Metrics of packages that not everybody has."""

    FLIP = "flip"
    CVVDP = "cvvdp"


_OTHERS = {
    "psnr_pu": ("PU21-PSNR (peak 256, radiance 1 at 1000 cd/m²)", ".2f"),
    "flip": ("HDR-FLIP", ".4f"),
    "cvvdp": ("ColorVideoVDP (JOD)", ".3f"),
}
_METRICS = ("psnr_mu", "psnr_l", "ssim_mu", "ssim_l")


def evaluate(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    model: Model = None,
    run: Annotated[
        str | None, typer.Option(metavar="RUN", help="A run by its name; last is the newest.")
    ] = None,
    which: Which = None,
    split: Annotated[
        Literal["test", "held-out", "unlabelled"],
        typer.Option(help="Which scenes with a ground truth."),
    ] = "test",
    again: Annotated[
        bool, typer.Option("--again", help="Measure also what was measured before.")
    ] = False,
    metric: Annotated[
        list[ExtraMetric] | None,
        typer.Option(help="HDR-FLIP or ColorVideoVDP as well; may be given twice."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = "auto",
    as_json: Json = False,
) -> None:
    """Compare the teacher with ground truth.

    PSNR and SSIM beside those of the exposure-weighted merge, and how well σ ranks the absolute
    error (|error| on the μ-law, mean over channels). Without --run or --model it is the newest
    checkpoint. PU21-PSNR has a peak of 256, with radiance 1 shown at 1000 cd/m². A second table
    tells PSNR where the reference is saturated, where something moves, and elsewhere. Figures of a
    checkpoint are kept in its run and told again while weights and scenes stay the same.
    """
    from smarthdr_studio.learning.compute import tune_allocator
    from smarthdr_studio.learning.evaluation import evaluate as measure

    tune_allocator()
    model = _model_meant(project, model, run=run, which=which)
    answer: dict[str, Any] = {}
    with progress() as bar:
        task = bar.add_task("evaluating", total=None)
        asked = measure(
            project,
            model=model,
            split=split,
            device=device,
            again=again,
            extra=[each.value for each in metric or ()],
        )
        for event in asked:
            match event:
                case PhaseChanged(text=text, done=done, total=total):
                    bar.update(task, description=text, completed=done, total=total or None)
                case found:
                    answer = found.as_json()
    for problem in answer["problems"]:
        print_note(problem)
    if as_json:
        print_json(answer)
    else:
        _print_evaluation(answer)


def _model_meant(
    project: Path, model: Path | None, *, run: str | None, which: str | None
) -> Path | None:
    """The checkpoint of a run, or the model that was given. Raises BadParameter, StudioError."""
    if run is not None and model is not None:
        raise typer.BadParameter("--run and --model: give one of them")
    if which is not None and run is None:
        raise typer.BadParameter("--which: is a checkpoint of --run; say which run, or last")
    if run is None:
        return model
    with open_run(project, run) as (_, folder):
        return checkpoint_of(folder.path, which)


def _print_evaluation(answer: dict[str, Any]) -> None:
    rows = [
        (
            each["id"],
            *_metric_cells(each),
            f"{each['merge']['psnr_mu']:.2f}",
            f"{each['spearman']:.3f}",
            f"{each['ause']:.3f}",
        )
        for each in answer["scenes"]
    ]
    ranks = answer["reliability"]
    mean = ("mean", *_metric_cells(answer["mean"]), f"{answer['merge']['psnr_mu']:.2f}")
    rows.append((*mean, f"{ranks['spearman']:.3f}", f"{ranks['ause']:.3f}"))
    print_table(
        ("scene", "PSNR-μ", "PSNR-l", "SSIM-μ", "SSIM-l", "merge PSNR-μ", "ρ(σ, |error|)", "AUSE"),
        rows,
        title=f"Reliability on {answer['split']} scenes, {answer['checkpoint']}",
    )
    parts = [
        (name, percent(part["share"]), f"{part['psnr_mu']:.2f}", f"{part['psnr_l']:.2f}")
        for name, part in answer["parts"].items()
    ]
    print_table(("part", "pixels", "PSNR-μ", "PSNR-l"), parts, title="Mean over scenes, by part")
    print_line(
        ", ".join(
            f"{_OTHERS[name][0]} {value:{_OTHERS[name][1]}}"
            for name, value in answer["others"].items()
        )
    )


def _metric_cells(of: dict[str, float]) -> tuple[str, ...]:
    return tuple(f"{of[name]:.2f}" if "psnr" in name else f"{of[name]:.4f}" for name in _METRICS)


def _refuse_in_scenes(out: Path, frames: list[Path]) -> None:
    """A merge that lies in a scene of a dataset would be taken for its ground truth one day."""
    from smarthdr_studio.core.datasets.layouts import is_prepared
    from smarthdr_studio.core.project.places import refuse_inside

    for folder in {out.absolute().parent, *(frame.absolute().parent for frame in frames)}:
        if is_prepared(folder):
            refuse_inside(folder, out)


def merge(
    frames: Annotated[list[Path], typer.Argument(metavar="FRAMES...", help="Two or more images.")],
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The EXR to write.")],
    model: Model = None,
    evs: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Exposure values, one for each frame.")
    ] = None,
    response: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The camera's curve, as the verb response saves it."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(show_default="auto", help="Of --model: auto, cpu, mps, cuda or cuda:N."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Merge the frames of a bracket into one linear EXR.

    By a network where --model is given (starter ships), which sees three of them, else all by
    exposure weights. Exposures come from --evs, from an exposure file beside the frames, from EXIF,
    or from the pixels, which all of them are held against. Without --response they are read with
    gamma 2.2.
    """
    from smarthdr_studio.core.imaging.image_files import write_layers
    from smarthdr_studio.core.imaging.response import read_response

    if out.suffix.casefold() != ".exr":
        raise typer.BadParameter(f"-o {out}: an EXR is written; name it {out.with_suffix('.exr')}")
    if device is not None and model is None:
        raise typer.BadParameter("--device: is for --model alone; add that, or leave it away")
    _refuse_in_scenes(out, frames)
    curve = None if response is None else read_response(response)
    shots = _shots(frames, evs=parse_exposure_values(evs, count=len(frames)), curve=curve)
    for note in shots.notes:
        print_note(note)
    if model is None:
        how = "exposure-weighted merge"
        layers = _plain_merge(shots)
        print_note(
            "No --model given: plain exposure-weighted merge; what moves leaves a ghost "
            "(--model starter merges by the network that ships)."
        )
    else:
        layers, how = _network_merge(_three_of(shots), model=model, device=device or "auto")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_layers(out, layers, header={"smarthdr.merge": how})
    height, width = shots.pixels[0].shape[:2]
    if as_json:
        print_json({"out": str(out), "method": how, "width": width, "height": height})
    else:
        print_line(f"{out}: {width}×{height}, {how}")


_BESIDE: Final = 100  # bytes of a pixel that a plain merge takes beside its frames, as measured


class _Shots(NamedTuple):
    """Frames by rising exposure, H×W×3 uint16, their stops, and what is odd about them."""

    paths: "tuple[Path, ...]"
    pixels: "tuple[Frame, ...]"
    stops: tuple[float, ...]
    notes: tuple[str, ...]


def _shots(
    paths: list[Path], *, evs: tuple[float, ...] | None, curve: "ResponseCurve | None"
) -> _Shots:
    """The frames in order of exposure, decoded under the camera's curve."""
    from smarthdr_studio.core.datasets.exposures import exposures_beside, find_exposures
    from smarthdr_studio.core.imaging.image_files import (
        read_bracket_frames,
        refuse_frames_without_room,
    )
    from smarthdr_studio.core.imaging.radiometry import stops_above_shortest

    if len(paths) < 2:
        raise BadScene(f"{paths[0]}: is one frame; a bracket has two or more, so give them all")
    refuse_frames_without_room(paths, beside=_BESIDE)
    pixels = read_bracket_frames(paths, response=curve)
    if len({frame.shape for frame in pixels}) > 1:
        raise BadScene(f"{paths[0]}: the frames differ in size; give frames of one camera")
    listed = exposures_beside(paths) if evs is None else None
    exposures = find_exposures(paths, pixels, given=evs, listed=listed, bent=MERGE_CURVE)
    order = sorted(range(len(paths)), key=lambda index: exposures.evs[index])
    ordered = tuple(paths[index] for index in order)
    # Where tags disagree the reference settles which way is up, and only now it is known.
    upright = pixels
    if ordered != tuple(paths):
        upright = read_bracket_frames(ordered, response=curve)
    stops = stops_above_shortest([exposures.evs[index] for index in order])
    return _Shots(ordered, upright, stops, exposures.notes)


def _three_of(shots: _Shots) -> "Bracket":
    """What a network sees of them."""
    from smarthdr_studio.core.datasets.three_frames import choose_three
    from smarthdr_studio.core.imaging.bracket import Bracket
    from smarthdr_studio.core.imaging.exposure import thinned
    from smarthdr_studio.core.imaging.radiometry import stops_above_shortest

    three = choose_three(shots.stops, [thinned(frame) for frame in shots.pixels])
    if len(shots.paths) != 3:
        names = ", ".join(dict.fromkeys(shots.paths[index].name for index in three))
        print_note(f"A network sees three frames; used here: {names}.")
    under, reference, over = (shots.pixels[index] for index in three)
    low, middle, high = stops_above_shortest([shots.stops[index] for index in three])
    return Bracket(under, reference, over, (low, middle, high))


def _plain_merge(shots: _Shots) -> "dict[str, Layer]":
    from smarthdr_studio.core.datasets.static_merge import merge_by_noise
    from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge

    merge = exposure_weighted_merge if len(shots.pixels) == 3 else merge_by_noise
    merged = merge(shots.pixels, stops=shots.stops)
    return {name: merged[..., index] for index, name in enumerate("RGB")}


def _network_merge(
    bracket: "Bracket", *, model: Path, device: str
) -> "tuple[dict[str, Layer], str]":
    """Radiance and σ as layers, and whose they are."""
    from smarthdr_studio.core.training.starter import STARTER, starter_card, traits_of, unlike
    from smarthdr_studio.learning.compute import pick_device, precision_to_predict, tune_allocator
    from smarthdr_studio.learning.inference import predict_tiled
    from smarthdr_studio.learning.model_files import load_model

    tune_allocator()
    where = pick_device(device)
    network, card = load_model(model)
    network = network.to(where)
    with progress() as bar:
        task = bar.add_task("merging", total=None)
        hdr, sigma = predict_tiled(
            network,
            bracket.frames,
            stops=bracket.stops,
            device=where,
            tile=card.tile,
            overlap=card.overlap,
            precision=precision_to_predict(
                network, device=where, wish=card.precision, tile=card.tile
            ),
            on_tile=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if card.run == STARTER:
        _tell_unlike(unlike(traits_of(bracket, sigma), starter_card().ranges))
    layers: dict[str, Layer] = {name: hdr[..., index] for index, name in enumerate("RGB")}
    return {**layers, "uncertainty.Y": sigma}, f"network of {model} ({card.title})"


def _tell_unlike(clauses: tuple[str, ...]) -> None:
    if clauses:
        print_note(
            "note: the bracket is unlike what the starter model was trained on; "
            + " and ".join(clauses)
        )
