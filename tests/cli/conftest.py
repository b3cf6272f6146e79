"""A small dataset, a project over it with pseudo-labels, and the command itself."""

import json
import shutil
from datetime import UTC, datetime

import numpy as np
import pytest
from brackets import write_dataset
from made_once import made_once

from smarthdr_studio.cli import main
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label

HEIGHT, WIDTH = 128, 192


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


def _make_project(folder):
    write_dataset(folder / "dataset", train=5, size=(HEIGHT, WIDTH))
    (folder / "projects").mkdir()
    path, scenes = folder / "projects" / "trial.shdr", find_scenes(folder / "dataset")
    with Project.create(path, scenes, labelled=("001", "002")) as made:
        for seed, name in enumerate(("003", "004", "005")):
            write_label(made, name, seed=seed)


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    return made_once(tmp_path_factory, "cli", _make_project)


@pytest.fixture(scope="session")
def dataset(_made):
    """Five training scenes and one for testing; nobody changes them."""
    return _made / "dataset"


@pytest.fixture
def project(_made, tmp_path):
    """A project with two labelled scenes and pseudo-labels for the other three."""
    return shutil.copytree(_made / "projects" / "trial.shdr", tmp_path / "trial.shdr")


@pytest.fixture(autouse=True)
def _nobody_changes_the_dataset(request):
    """What is made once is shared by all processes: who changed it would fail another's test."""
    if "_made" not in request.fixturenames:
        yield
        return
    made = request.getfixturevalue("_made") / "dataset"
    before = _stamps(made)
    yield
    assert _stamps(made) == before, "a test changed the dataset that all of them share"


def _stamps(folder):
    found = ((path, path.stat()) for path in sorted(folder.rglob("*")))
    return [(path, told.st_size, told.st_mtime_ns) for path, told in found]


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
