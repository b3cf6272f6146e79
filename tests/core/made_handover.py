"""A small dataset on disk and a project over it, for tests of what is handed on."""

from contextlib import contextmanager

import numpy as np
from made_labels import pseudo_label

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.imaging.image_files import write_frame_tiff, write_radiance_hdr
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import write_pseudo_label

HEIGHT, WIDTH = 48, 64
POOL = ("002", "003", "004")


def radiance(seed):
    return np.random.default_rng(seed).uniform(0.01, 1, (HEIGHT, WIDTH, 3)).astype(np.float32)


def frames(seed, evs=(0, 2, 4)):
    for ev in evs:
        ldr = np.clip(radiance(seed) * 2.0**ev, 0, 1) ** (1 / 2.2)
        yield np.rint(ldr * 65535).astype(np.uint16)


def put_scene(folder, *, seed, evs=(0, 2, 4), truth=True):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames(seed, [ev - evs[0] for ev in evs]), 1):
        write_frame_tiff(folder / f"photo_{number}.tif", frame)
    (folder / "exposure.txt").write_text("".join(f"{ev}\n" for ev in evs))
    if truth:
        write_radiance_hdr(folder / "HDRImg.hdr", radiance(seed))


@contextmanager
def a_project(home):
    """001 is ground truth; 002 to 004 have pseudo-labels, 004 no truth; 005 lacks both."""
    root = home / "brackets"
    for number in range(1, 6):
        put_scene(root / "Training" / f"{number:03}", seed=number, truth=number < 4)
    put_scene(root / "Test" / "006", seed=6, evs=(-2, 0, 2))
    with Project.create(home / "p.shdr", find_scenes(root), labelled=("001",)) as project:
        for seed, name in enumerate(POOL):
            label = pseudo_label(name, seed=seed)
            write_pseudo_label(project.pseudo_path(name), label)
            SceneStatistics.of(label.sigma).save(project.statistics_path(name))
        decisions = Decisions(project)
        # A scene is one patch here, so only the pixel gate can drop a part of it.
        decisions.set_masks(MaskSettings(tau_patch=1.0, tau_pixel=0.3))
        yield project, decisions


def painting(mask):
    """A change for `Decisions.paint`: trust in the left corner, distrust in the right one."""
    mask = np.zeros((HEIGHT, WIDTH), np.int8)
    mask[:8, :8], mask[:8, -8:] = 1, -1
    return mask
