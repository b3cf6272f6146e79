"""A small project of painted scenes, and plans that train on it in a moment."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from brackets import write_frame, write_truth
from made_once import copied_project, made_once
from torch import Tensor
from torch.nn import functional

from smarthdr_studio.core.datasets.ground_truth import TruthFix
from smarthdr_studio.core.imaging.bracket import Catalogue, Scene
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.labels import TruthProvenance
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.plan import TrainingPlan, parse_plan
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label
from smarthdr_studio.learning.networks import NETWORKS
from smarthdr_studio.learning.networks.fusion_network import FusedFeatures
from smarthdr_studio.learning.radiometry import merge_weights

HEIGHT, WIDTH = 72, 96
EVS = (0.0, 2.0, 4.0)


def _paint(generator: np.random.Generator, *, shift: int) -> np.ndarray:
    """Smooth light with a bright patch that moves: H×W×3 linear in [0, 1]."""
    coarse = generator.random((6, 8, 3), dtype=np.float32) ** 3
    radiance = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    radiance[20:40, 30 + shift : 50 + shift] = generator.random(3, dtype=np.float32)
    return radiance


def _write_scene(folder: Path, *, name: str, seed: int, split: str) -> Scene:
    folder.mkdir(parents=True)
    paths = []
    for index, ev in enumerate(EVS):
        radiance = _paint(np.random.default_rng(seed), shift=4 * (index - 1))
        paths.append(folder / f"{index}.png")
        write_frame(paths[-1], radiance, stops=ev)
    write_truth(folder / "HDRImg.hdr", _paint(np.random.default_rng(seed), shift=0))
    return Scene(
        id=name,
        frames=(paths[0], paths[1], paths[2]),
        evs=EVS,
        height=HEIGHT,
        width=WIDTH,
        split="test" if split == "test" else "train",
        ground_truth=folder / "HDRImg.hdr",
    )


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Pictures this small are slower on many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Tiny(torch.nn.Module):
    """Two convolutions that correct the plain merge: all that the loop has to be shown."""

    multiple, feature_count, whole = 2, 4, False

    def __init__(self) -> None:
        super().__init__()
        self.read = torch.nn.Conv2d(18, self.feature_count, 3, padding=1)
        self.answer = torch.nn.Conv2d(self.feature_count, 3, 3, padding=1)

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> FusedFeatures:
        frames = (under, reference, over)
        features = functional.leaky_relu(self.read(torch.cat(frames, dim=1)), 0.01)
        weights = merge_weights(reference[:, 3:])
        merged = sum(w * frame[:, :3] for w, frame in zip(weights, frames, strict=True))
        hdr = (merged + 0.01 * self.answer(features).float()).clamp(0, 1)
        return FusedFeatures(hdr=hdr, features=features)


@pytest.fixture(scope="module")
def tiny_network() -> Iterator[None]:
    """For tests of what is around a backbone: where a plan says light, one that costs nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "light", Tiny)
        yield


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[[Path], Path]) -> Path:
    """Three labelled scenes a, b, c; three unlabelled u, v, w; one test scene t."""
    return make_project(tmp_path)


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Makes the small project inside a folder; always the same."""
    made = made_once(tmp_path_factory, "learning", _make_project)

    def make(folder: Path) -> Path:
        data = shutil.copytree(made / "data", folder / "data")
        return copied_project(made / "p.shdr", folder / "p.shdr", dataset=data).resolve()

    return make


def _make_project(folder: Path) -> None:
    root = folder / "data"
    scenes = [
        _write_scene(root / name, name=name, seed=seed, split="test" if name == "t" else "train")
        for seed, name in enumerate("abctuvw")
    ]
    catalogue = Catalogue(root=root, scenes=tuple(scenes), skipped=())
    Project.create(folder / "p.shdr", catalogue, labelled=["a", "b", "c"]).close()


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., TrainingPlan]:
    """A light plan: 3 epochs of 2 steps, one of them warm-up; sections may be changed."""

    def make(**changes: Any) -> TrainingPlan:
        values: dict[str, Any] = {
            "preset": "tiny",
            "network": {"name": "light"},
            "held_out": 1,
            "tile": 96,
            "device": "cpu",
            "schedule": {
                "epochs": 3,
                "warmup_epochs": 1,
                "steps_per_epoch": 2,
                "refresh_every": 1,
                "learning_rate": 1e-3,
                "halve_at_epoch": 2,
            },
            "batch": {"crop": 32, "stride": 16, "labelled": 2, "unlabelled": 2},
            "teacher": {"ema": 0.9},
            "loss": {"perceptual_weight": 0.0},
            "masks": {"patch_size": 16},
        }
        for name, change in changes.items():
            old = values.get(name)
            merged = isinstance(old, dict) and isinstance(change, dict)
            values[name] = {**old, **change} if merged else change
        return parse_plan(values)

    return make


@pytest.fixture(scope="session")
def events_of() -> Callable[[Sequence[Any], type], list[Any]]:
    """Picks the events of one kind."""
    return lambda events, kind: [event for event in events if isinstance(event, kind)]


@pytest.fixture
def decide(project: Path) -> Callable[..., None]:
    """Decides as a window beside a run would: decide("promote", ["v"]); u, v, w have labels."""
    for seed, name in enumerate("uvw"):
        write_pseudo_label(project / "pseudo" / f"{name}.exr", _pseudo_label(name, seed=seed))

    def do(what: str, *about: Any, **how: Any) -> None:
        with Project.open(project) as opened:
            getattr(Decisions(opened), what)(*about, **how)

    return do


def _pseudo_label(name: str, *, seed: int) -> PseudoLabel:
    generator = np.random.default_rng(seed)
    return PseudoLabel(
        scene=name,
        hdr=generator.random((HEIGHT, WIDTH, 3)).astype(np.float16),
        sigma=generator.gamma(2.0, 0.02, (HEIGHT, WIDTH)).astype(np.float32),
        person=None,
        provenance=Provenance(
            run="earlier",
            round=1,
            epoch=1,
            checkpoint="ab12",
            network="light",
            masks=MaskSettings(patch_size=16),
            patch_range=Range(0.0, 0.2),
            pixel_range=Range(0.0, 0.2),
            made="2026-11-22T15:03:01+00:00",
        ),
    )


@pytest.fixture(scope="session")
def make_truth() -> Callable[[int], tuple[np.ndarray, dict[str, Any]]]:
    """What `import_truth` asks for: noise as radiance, and where it is from."""

    def make(seed: int) -> tuple[np.ndarray, dict[str, Any]]:
        radiance = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), dtype=np.float32)
        provenance = TruthProvenance(
            sources=("mine.exr",), checksums=("cd" * 32,), fix=TruthFix(), made="2026-11-22T15:03"
        )
        return radiance, {"provenance": provenance}

    return make


@pytest.fixture(scope="session")
def drive() -> Callable[[Any], Any]:
    """Lets a generator run to its end; what it returned."""

    def to_its_end(generator: Any) -> Any:
        while True:
            try:
                next(generator)
            except StopIteration as stop:
                return stop.value

    return to_its_end


@pytest.fixture(scope="session")
def new_round(drive: Callable[[Any], Any]) -> Callable[..., Any]:
    """Makes the next round of a run; the event with which it ends."""
    return lambda run, folder: drive(run.new_round(folder=folder))
