"""A pool whose run had patches of its own: screen, pool and what if count in those."""

from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label

SIZE = 16
HEIGHT, WIDTH = 96, 128


def in_patches(project, scene, size):
    """Write the scene's pseudo-label anew as a run with patches of this size makes it."""
    path = project.pseudo_path(scene)
    label = read_pseudo_label(path)
    sigma = label.sigma + np.linspace(0, 0.05, HEIGHT, dtype=np.float32)[:, None]
    masks = replace(label.provenance.masks, patch_size=size)
    write_pseudo_label(
        path, replace(label, sigma=sigma, provenance=replace(label.provenance, masks=masks))
    )
    SceneStatistics.of(sigma, size=size).save(project.statistics_path(scene))
    return sigma


@pytest.mark.parametrize("sizes", [(SIZE,) * 4, (SIZE, SIZE, SIZE, 32)], ids=["all", "one differs"])
def test_the_window_counts_in_the_patches_of_the_run(session, until, qtbot, tiny_project, sizes):
    names = ("003", "004", "005", "006")
    with Project.open(tiny_project) as project:
        sigmas = {n: in_patches(project, n, size) for n, size in zip(names, sizes, strict=True)}
        brush = np.zeros((HEIGHT, WIDTH), np.int8)
        brush[:20, :20] = 1
        Decisions(project).paint("005", lambda _: brush)
    with qtbot.captureExceptions() as thrown:
        session.take(tiny_project)
        until(session, lambda s: s.shown == "003" and s.what_if is not None)
        stage = session.screen.stage
        assert session.state.masks.patch_size == SIZE
        assert session.state.what_if.patches == sum(
            (HEIGHT // size) * (WIDTH // size) for size in sizes
        )
        pool = session.screen.pool.retention(session.state.masks)
        expected = trust(
            sigmas["003"],
            replace(MaskSettings(), patch_size=SIZE),
            patch_range=pool.patch_range,
            pixel_range=pool.pixel_range,
        ).trusted
        assert np.array_equal(stage.material.trust.trusted, expected)
        last = names[-1]
        session.screen.pick(last)
        until(session, lambda s: s.shown == last)
        assert stage.material.trust.patch_mask.shape == (HEIGHT // sizes[-1], WIDTH // sizes[-1])
    assert thrown == []
    assert session.state.notice is None or "patches" not in session.state.notice.text
