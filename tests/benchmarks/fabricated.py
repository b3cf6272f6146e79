"""Projects made for measuring: many scenes over the files of one, and small samples to train on."""

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from smarthdr_studio.core.datasets.scan import find_scenes, labelled_by_default
from smarthdr_studio.core.imaging.bracket import Catalogue, decode_ground_truth
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label
from smarthdr_studio.synthetic.dataset import write_sample
from smarthdr_studio.synthetic.settings import SampleSettings

HEIGHT, WIDTH = 1000, 1500


def write_dataset(folder: Path, settings: SampleSettings) -> Path:
    """A sample dataset, whole."""
    for _ in write_sample(folder, settings):
        pass
    return folder


def project_over(place: Path, dataset: Path) -> Path:
    """A new project with the labels that the dataset names."""
    catalogue = find_scenes(dataset)
    with Project.create(place, catalogue, labelled=labelled_by_default(catalogue)) as project:
        return project.folder


def one_large_scene(folder: Path) -> Path:
    """A dataset of one scene of 1500×1000."""
    settings = SampleSettings(scenes=1, labelled=0, test=0, width=WIDTH, height=HEIGHT)
    return write_dataset(folder, settings)


def crowded_project(place: Path, dataset: Path, *, scenes: int) -> Path:
    """A project whose many scenes, each with a pseudo-label, share the files of the first one.

    Nothing that is kept in memory is shared: every scene is read and decoded for itself.
    """
    found = find_scenes(dataset)
    crowd = tuple(replace(found.scenes[0], id=f"{k:04}") for k in range(scenes))
    catalogue = Catalogue(root=found.root, scenes=crowd, skipped=())
    with Project.create(place, catalogue, labelled=()) as project:
        fabricate_pseudo_label(project, crowd[0].id)
        for scene in crowd[1:]:
            os.link(project.pseudo_path(crowd[0].id), project.pseudo_path(scene.id))
            os.link(project.statistics_path(crowd[0].id), project.statistics_path(scene.id))
        return project.folder


def fabricate_pseudo_label(project: Project, scene_id: str) -> None:
    """The ground truth as a teacher might see it, with heavy-tailed uncertainty."""
    scene, rng = project.scene(scene_id), np.random.default_rng(0)
    noise = rng.normal(size=(scene.height, scene.width)).astype(np.float32)
    sigma = np.exp(cv2.GaussianBlur(noise, (0, 0), 20) * 25 - 4).astype(np.float32)
    extremes = Range(float(sigma.min()), float(sigma.max()))
    label = PseudoLabel(
        scene=scene_id,
        hdr=decode_ground_truth(scene),
        sigma=sigma,
        person=None,
        provenance=Provenance(
            run="fabricated",
            round=1,
            epoch=1,
            checkpoint="0",
            network="light",
            masks=MaskSettings(),
            patch_range=extremes,
            pixel_range=extremes,
            made="2026-11-22T10:00:00Z",
        ),
    )
    project.pseudo_path(scene_id).parent.mkdir(exist_ok=True)
    write_pseudo_label(project.pseudo_path(scene_id), label)
    SceneStatistics.of(sigma).save(project.statistics_path(scene_id))
