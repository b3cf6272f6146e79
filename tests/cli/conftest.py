"""A small dataset, a project over it with pseudo-labels, and the command itself."""

import json
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from smarthdr_studio.cli import main
from smarthdr_studio.core.layouts import find_scenes
from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import Provenance, PseudoLabel, write_pseudo_label
from smarthdr_studio.core.statistics import SceneStatistics

HEIGHT, WIDTH = 128, 192


def write_scene(folder, *, seed):
    """A bracket in the Kalantari layout: smooth radiance, three exposures, exact ground truth."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    rough = generator.random((4, 6, 3), dtype=np.float32)
    radiance = np.clip(cv2.resize(rough, (WIDTH, HEIGHT)), 0.01, 1) ** 3
    for index, stops in enumerate((0.0, 2.0, 4.0), start=1):
        ldr = np.clip(radiance * 2**stops, 0, 1) ** (1 / 2.2)
        cv2.imwrite(str(folder / f"input_{index}.tif"), (ldr[..., ::-1] * 65535).astype(np.uint16))
    (folder / "exposure.txt").write_text("0\n2\n4\n", encoding="utf-8")
    cv2.imwrite(str(folder / "HDRImg.hdr"), radiance[..., ::-1])


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Five training scenes and one for testing."""
    root = tmp_path_factory.mktemp("cli") / "dataset"
    for number in range(1, 6):
        write_scene(root / "Training" / f"{number:03d}", seed=number)
    write_scene(root / "Test" / "006", seed=6)
    return root


def write_label(project, name, *, seed):
    """A pseudo-label whose σ has surer and less sure patches, with its statistics."""
    generator = np.random.default_rng(seed)
    rough = generator.random((2, 3), dtype=np.float32)
    sigma = np.kron(rough, np.ones((64, 64), np.float32)) * 0.02
    sigma += generator.random((HEIGHT, WIDTH), dtype=np.float32) * 0.004
    provenance = Provenance(
        run="a-run",
        round=0,
        epoch=1,
        checkpoint="abc",
        network="light",
        masks=MaskSettings(),
        patch_range=Range(0.0, 0.022),
        pixel_range=Range(0.0, 0.024),
        made=datetime.now(UTC).isoformat(),
    )
    hdr = generator.random((HEIGHT, WIDTH, 3)).astype(np.float16)
    label = PseudoLabel(scene=name, hdr=hdr, sigma=sigma, person=None, provenance=provenance)
    write_pseudo_label(project.pseudo_path(name), label)
    SceneStatistics.of(sigma).save(project.statistics_path(name))


@pytest.fixture
def project(dataset, tmp_path):
    """A project with two labelled scenes and pseudo-labels for the other three."""
    folder = tmp_path / "trial.shdr"
    with Project.create(folder, find_scenes(dataset), labelled=("001", "002")) as made:
        for seed, name in enumerate(("003", "004", "005")):
            write_label(made, name, seed=seed)
    return folder


class Answer:
    """What one command said and with which status it ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(capfd):
    """Runs a command in this process: run("masks", project, "--json")."""

    def command(*words):
        capfd.readouterr()
        status = main([str(word) for word in words])
        return Answer(status, *capfd.readouterr())

    return command
