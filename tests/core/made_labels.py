"""A small project whose unlabelled scenes have pseudo-labels, for tests of decisions."""

from contextlib import contextmanager

import numpy as np

from smarthdr_studio.core.imaging.bracket import Catalogue, Scene
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label

HEIGHT, WIDTH = 48, 64
TRAIN = ("a", "b", "c", "d")


def scene_in(root, name, *, split="train"):
    folder = root / name
    return Scene(
        id=name,
        frames=(folder / "1.tif", folder / "2.tif", folder / "3.tif"),
        evs=(0, 2, 4),
        height=HEIGHT,
        width=WIDTH,
        split=split,
        ground_truth=folder / "HDRImg.hdr" if name in "at" else None,
    )


def pseudo_label(name, *, seed=0, size=(HEIGHT, WIDTH)):
    random = np.random.default_rng(seed)
    return PseudoLabel(
        scene=name,
        hdr=random.random((*size, 3)).astype(np.float16),
        sigma=random.gamma(2.0, 0.01, size).astype(np.float32),
        person=None,
        provenance=Provenance(
            run="20261122-150301-quick",
            round=3,
            epoch=5,
            checkpoint="ab" * 32,
            network="light",
            masks=MaskSettings(patch_size=16),
            patch_range=Range(0.005, 0.04),
            pixel_range=Range(0.001, 0.1),
            made="2026-11-22T15:03:01.000+00:00",
        ),
    )


@contextmanager
def a_project(folder):
    """One ground truth, a; b, c and d with pseudo-labels; t for testing."""
    scenes = [scene_in(folder, name) for name in TRAIN]
    scenes.append(scene_in(folder, "t", split="test"))
    catalogue = Catalogue(root=folder, scenes=tuple(scenes), skipped=())
    with Project.create(folder / "p.shdr", catalogue, labelled=("a",)) as project:
        for name in "bcd":
            write_pseudo_label(project.pseudo_path(name), pseudo_label(name))
        yield project
