"""Makes the model that ships, and its card, from the recipe in packaging/starter.toml.

    .venv/bin/python packaging/starter.py --maps DIR [--into DIR] [--work DIR]

Takes the radiance maps that the recipe names from a folder, draws the scenes, learns from them on
one core, scales σ on labels the run never saw, measures the result on scenes that neither has seen,
and writes starter.shdrmodel and card.json whole. The same recipe gives the same weights on one kind
of processor with one version of torch. What is in the folder of work already, scenes or a finished
run, is not made again.
"""

import argparse
import csv
import hashlib
import json
import math
import platform
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import save

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.imaging.bracket import FrameStore, Scene
from smarthdr_studio.core.imaging.metrics import quality
from smarthdr_studio.core.imaging.radiometry import Floats, exposure_weighted_merge
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RunStarted, StepReported, Validated
from smarthdr_studio.core.training.plan import TrainingPlan, load_preset
from smarthdr_studio.core.training.run_folder import RunFolder, run_folders, run_of
from smarthdr_studio.core.training.run_index import read_digest
from smarthdr_studio.core.training.starter import (
    CARD_FILE,
    MODEL_FILE,
    STARTER,
    Traits,
    ranges_of,
    traits_of,
)
from smarthdr_studio.core.trust.reliability import error_map, spearman, squared_error_map
from smarthdr_studio.learning.bundle import write_bundle
from smarthdr_studio.learning.checkpoints import load_state
from smarthdr_studio.learning.model_files import find_model, load_model, load_predictor
from smarthdr_studio.learning.networks import FusionNetwork
from smarthdr_studio.learning.networks.fusion_network import SIGMA_MIN
from smarthdr_studio.learning.trainer import train
from smarthdr_studio.synthetic.benchmark_set import (
    COMPUTED,
    PHOTOGRAPHED,
    BenchmarkSettings,
    write_benchmark,
)
from smarthdr_studio.synthetic.dataset import write_sample
from smarthdr_studio.synthetic.settings import SampleSettings

ROOT: Final = Path(__file__).resolve().parents[1]
RECIPE: Final = ROOT / "packaging" / "starter.toml"
SHIPPED: Final = ROOT / "resources" / STARTER
PAGE: Final = ROOT / "resources" / "guide" / "9-networks.md"
_MARK: Final = "<!-- starter -->"
UNSEEN: Final = "unseen map"  # held-out scenes before a map that no training scene is cut from

_ABOUT: Final = (
    "Trained by SmartHDR Studio on generated scenes alone: {count} brackets of {width}×{height}, "
    "computed ones of {kinds}, and {cut} of things that pass before {maps}. No bracket that a "
    "camera took was learned from."
)


def main() -> None:
    """Make the model as the recipe says."""
    words = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    words.add_argument("--maps", type=Path, required=True, help="where the radiance maps lie")
    words.add_argument("--into", type=Path, default=SHIPPED)
    words.add_argument("--work", type=Path, help="where scenes and run stay to be looked at")
    words.add_argument("--recipe", type=Path, default=RECIPE)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="starter-") as passing:
        work = asked.work or Path(passing)
        make(asked.into, maps=asked.maps, work=work, recipe=asked.recipe, say=print)
    if asked.into == SHIPPED:
        card = json.loads((SHIPPED / CARD_FILE).read_text(encoding="utf-8"))
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), card), encoding="utf-8")


def make(into: Path, *, maps: Path, work: Path, recipe: Path, say: Callable[[str], object]) -> None:
    """The model and its card, in `into`; scenes and run are made in `work`, or found there."""
    torch.set_num_threads(1)
    asked = tomllib.loads(recipe.read_text(encoding="utf-8"))
    settings = scene_settings(asked["scenes"], maps=_shelf(asked["maps"], "learned", maps, work))
    project, kinds, extra = _written_scenes(work, settings, asked["sample"], say=say)
    unseen = _before_unseen_maps(work, settings, _shelf(asked["maps"], "held_out", maps, work))
    run = _trained(project, plan_of(asked["plan"]), say=say)
    begun = time.monotonic()

    network, card = load_model(run.path)
    bias = _scale_sigma(network, run, project)
    say(f"σ times {math.exp(bias):.3f}")
    weights = bytes(save({name: t.contiguous() for name, t in network.state_dict().items()}))
    card = replace(card, run=STARTER, weights=hashlib.sha256(weights).hexdigest(), metrics={})
    into.mkdir(parents=True, exist_ok=True)
    draft = work / MODEL_FILE
    write_bundle(draft, card, weights)

    measured = list(_measured(draft, project, kinds, extra, unseen, say=say))
    learned = [each for each in measured if each.part == "learned"]
    values = {
        "about": _about(settings, asked["maps"]["learned"]),
        "weights": card.weights,
        "recipe": asked,
        "model": {"network": card.network, "parameters": _parameters(network), "step": card.step},
        "sigma_scale": round(math.exp(bias), 4),
        "seconds": {
            "training": round(read_digest(run).seconds_of_work),
            "measuring": round(time.monotonic() - begun),
        },
        "made_with": {"torch": torch.__version__, "processor": platform.machine(), "threads": 1},
        "ranges": {
            name: [round(end, 6) for end in ends]
            for name, ends in ranges_of([each.traits for each in learned]).items()
        },
        "figures": figures([each for each in measured if each.part == "held out"]),
    }
    write_bundle(into / MODEL_FILE, card, weights)
    with replacing(into / CARD_FILE) as file:
        file.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say(json.dumps(values["figures"], indent=1, ensure_ascii=False))


def _about(settings: BenchmarkSettings, maps: Sequence[str]) -> str:
    names = ", ".join(name.removesuffix(".hdr") for name in maps)
    return _ABOUT.format(
        count=settings.pool,
        width=settings.width,
        height=settings.height,
        kinds=f"{len(COMPUTED)} kinds ({', '.join(COMPUTED)})",
        cut=settings.training,
        maps=f"{len(maps)} radiance maps of real places ({names}; CC0)",
    )


def page(before: str, card: Mapping[str, Any]) -> str:
    """The guide's page with its words as they are and the figures of the card after the mark."""
    head = ("scenes", "PSNR-μ", "of the merge", "PSNR-l", "of the merge", "e²/σ², mean", "median")
    lines = [f"| held out | {' | '.join(head)} |", "|---|" + "---:|" * len(head)]
    names = ("psnr_mu", "merge_mu", "psnr_l", "merge_l", "calibration", "calibration_median")
    for kind, found in card["figures"].items():
        cells = [f"{found[name]:.2f}" for name in names]
        lines.append(f"| {kind} | {found['scenes']} | {' | '.join(cells)} |")
    took = card["seconds"]
    ranges = "; ".join(
        f"{name} {low:g} to {high:g}" for name, (low, high) in card["ranges"].items()
    )
    told = (
        f"{card['about']} Weights {card['weights'][:12]}, {card['model']['parameters']:,} "
        f"parameters, step {card['model']['step']}; "
        f"training took {took['training'] / 60:.0f} minutes of one core; σ times "
        f"{card['sigma_scale']:g}. Its scenes: {ranges}."
    )
    return f"{before.partition(_MARK)[0]}{_MARK}\n\n" + "\n".join(lines) + f"\n\n*{told}*\n"


def scene_settings(asked: Mapping[str, Any], *, maps: Path | None) -> BenchmarkSettings:
    """The scenes of the recipe, those before radiance maps cut from a folder of such."""
    exposures = tuple((float(a), float(b), float(c)) for a, b, c in asked["exposures"])
    return BenchmarkSettings(**{**asked, "exposures": exposures}, labelled=0, maps=maps)


def _shelf(asked: Mapping[str, Any], part: str, maps: Path, work: Path) -> Path:
    """A folder in `work` with the maps of this part of the recipe, and no other bytes than its."""
    shelf = work / "maps" / part
    shelf.mkdir(parents=True, exist_ok=True)
    for name in asked[part]:
        found = (maps / name).read_bytes()
        if hashlib.sha256(found).hexdigest() != asked["sha256"][name]:
            raise SystemExit(f"{maps / name} holds other bytes than the map of the recipe.")
        (shelf / name).write_bytes(found)
    return shelf


def _before_unseen_maps(work: Path, settings: BenchmarkSettings, maps: Path) -> tuple[Scene, ...]:
    """Test scenes before maps that no training scene is cut from."""
    folder = work / "unseen"
    asked = replace(settings, training=0, maps=maps, seed=settings.seed + 1)
    if not folder.exists():
        for _ in write_benchmark(folder, asked):
            pass
    scenes = find_scenes(folder).scenes
    return tuple(s for i, s in enumerate(scenes) if asked.kind_of(i) == PHOTOGRAPHED)


def plan_of(asked: Mapping[str, Any]) -> TrainingPlan:
    """The plan of the recipe, over the preset it names."""
    changes = {key: value for key, value in asked.items() if not isinstance(value, dict)}
    for section, values in asked.items():
        if isinstance(values, dict):
            changes |= {f"{section}.{key}": value for key, value in values.items()}
    return load_preset(changes.pop("base"), changes=changes)


def _written_scenes(
    work: Path,
    settings: BenchmarkSettings,
    sample: Mapping[str, Any],
    *,
    say: Callable[..., object],
) -> tuple[Path, dict[str, str], Path]:
    """The project to learn in, the kind of each of its test scenes, and the sample beside it."""
    scenes, project, extra = work / "scenes", work / "starter.shdr", work / "sample"
    if not scenes.exists():
        for written in write_benchmark(scenes, settings):
            if written.index % 20 == 0:
                say(f"drawn {written.index} of {written.total}")
    if not extra.exists():
        for _ in write_sample(
            extra, SampleSettings(**sample, labelled=0, test=sample["scenes"] - 1)
        ):
            pass
    if not project.exists():
        catalogue = find_scenes(scenes)
        names = [each.id for each in catalogue.scenes if each.split == "train"]
        Project.create(project, catalogue, labelled=names).close()
    with (scenes / "scenes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {row["scene"].replace("Training/", "").replace("/", "-"): row["kind"] for row in rows}
    return project, kinds, extra


def _trained(project: Path, plan: TrainingPlan, *, say: Callable[..., object]) -> RunFolder:
    """The run at its end; one that is there already is not made again."""
    for run in run_folders(project):
        if read_digest(run).outcome == "done":
            return run
    name = ""
    with closing(train(plan, project)) as events:
        for event in events:
            match event:
                case RunStarted(run=run):
                    name = run
                case StepReported(step=step, losses=losses) if step % 150 == 0:
                    say(f"step {step}, loss {losses['total']:.4f}, {event.seconds_left} s left")
                case Validated(psnr_mu=psnr, calibration=calibration):
                    say(f"held out: {psnr:.2f} dB, e²/σ² {calibration or math.nan:.3f}")
    return run_of(project, name)


def _scale_sigma(network: FusionNetwork, run: RunFolder, project: Path) -> float:
    """Moves the bias of σ's last layer so that e²/σ² is 1 on the labels the run held out.

    The mean over scenes of e²/σ² being 1 is where the likelihood L^k of one common factor of σ is
    largest. Answers what was added to the bias, nearly the logarithm of that factor.
    """
    checkpoint = find_model(run.path)
    held_out = set(load_state(checkpoint)["roster"]["held_out"])
    with Project.open(project) as opened:
        scenes = [scene for scene in opened.scenes if scene.id in held_out]
    predictor = load_predictor(checkpoint, device="cpu", frames=FrameStore())
    answered = []
    for scene in scenes:
        hdr, sigma = predictor.predict(scene)
        answered.append((squared_error_map(hdr, predictor.frames.ground_truth(scene)), sigma))
    low, high = -4.0, 4.0
    for _ in range(40):
        middle = (low + high) / 2
        ratio = fmean(float((e2 / np.square(_moved(s, middle))).mean()) for e2, s in answered)
        low, high = (middle, high) if ratio > 1 else (low, middle)
    last = network.judge.last
    assert last.bias is not None
    with torch.no_grad():
        last.bias += middle
    return middle


def _moved(sigma: Floats, by: float) -> Floats:
    """σ as it would be with this added before the sigmoid."""
    share = np.clip((sigma.astype(np.float64) - SIGMA_MIN) / (1 - SIGMA_MIN), 1e-9, 1 - 1e-9)
    moved = 1 / (1 + (1 / share - 1) * math.exp(-by))
    return np.asarray(SIGMA_MIN + (1 - SIGMA_MIN) * moved, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One scene as the finished model answers it; decibels, and e²/σ² over its pixels."""

    part: str
    kind: str
    traits: Traits
    psnr_mu: float
    psnr_l: float
    merge_mu: float
    merge_l: float
    calibration: float
    spearman: float


def _measured(
    model: Path,
    project: Path,
    kinds: Mapping[str, str],
    extra: Path,
    unseen: Sequence[Scene],
    *,
    say: Callable[..., object],
) -> Iterator[Measured]:
    predictor = load_predictor(model, device="cpu", frames=FrameStore())
    with Project.open(project) as opened:
        own = [(s, "held out" if s.split == "test" else "learned") for s in opened.scenes]
    for scene, part in own:
        yield _one(predictor, scene, part=part, kind=kinds[scene.id])
    for kind, others in (("sample", find_scenes(extra).scenes), (UNSEEN, unseen)):
        for scene in others:
            yield _one(predictor, scene, part="held out", kind=kind)
    say("measured")


def _one(predictor: Any, scene: Scene, *, part: str, kind: str) -> Measured:  # noqa: ANN401
    hdr, sigma = predictor.predict(scene)
    truth, bracket = predictor.frames.ground_truth(scene), predictor.frames.bracket(scene)
    own = quality(hdr, truth)
    merge = quality(exposure_weighted_merge(bracket.frames, stops=bracket.stops), truth)
    return Measured(
        part=part,
        kind=kind,
        traits=traits_of(bracket, sigma),
        psnr_mu=own.psnr_mu,
        psnr_l=own.psnr_l,
        merge_mu=merge.psnr_mu,
        merge_l=merge.psnr_l,
        calibration=float((squared_error_map(hdr, truth) / np.square(sigma)).mean()),
        spearman=spearman(sigma, error_map(hdr, truth)),
    )


def figures(scenes: Sequence[Measured]) -> dict[str, dict[str, float | int]]:
    """By kind, and over all: means of decibels, mean and median of e²/σ² over scenes."""
    kinds = sorted({each.kind for each in scenes})
    groups = {kind: [each for each in scenes if each.kind == kind] for kind in kinds}
    return {name: _figures(those) for name, those in {**groups, "all": list(scenes)}.items()}


def _figures(scenes: Sequence[Measured]) -> dict[str, float | int]:
    plain = [asdict(each) for each in scenes]
    names = ("psnr_mu", "psnr_l", "merge_mu", "merge_l", "calibration", "spearman")
    means = {name: round(fmean(each[name] for each in plain), 3) for name in names}
    middle = round(median(each["calibration"] for each in plain), 3)
    return {"scenes": len(scenes), **means, "calibration_median": middle}


def _parameters(network: FusionNetwork) -> int:
    return sum(each.numel() for each in network.parameters())


if __name__ == "__main__":
    main()
