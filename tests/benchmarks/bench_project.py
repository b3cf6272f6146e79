"""A project of 10,000 scenes: opened, decided upon, taken back; and what freezing a label costs."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from table import Row, row, show, timed

from smarthdr_studio.core.imaging.bracket import Catalogue, Scene
from smarthdr_studio.core.project.backups import back_up
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.places import DATABASE_NAME
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, write_pseudo_label

SCENES = 10_000
SMALL, LARGE = (64, 96), (1000, 1500)


def a_scene(root: Path, number: int) -> Scene:
    """A scene of which only the record is there."""
    folder = root / "Training" / f"{number:05}"
    return Scene(
        id=f"{number:05}",
        frames=(folder / "1.tif", folder / "2.tif", folder / "3.tif"),
        evs=(0, 2, 4),
        height=SMALL[0],
        width=SMALL[1],
        ground_truth=folder / "HDRImg.hdr",
    )


def a_pseudo_label(scene: Scene) -> PseudoLabel:
    """Noise of the scene's size: nothing packs worse."""
    rng, size = np.random.default_rng(0), (scene.height, scene.width)
    return PseudoLabel(
        scene=scene.id,
        hdr=rng.random((*size, 3)).astype(np.float16),
        sigma=rng.gamma(2.0, 0.01, size).astype(np.float32),
        person=None,
        provenance=Provenance(
            run="fabricated",
            round=1,
            epoch=1,
            checkpoint="0",
            network="light",
            masks=MaskSettings(),
            patch_range=Range(0.005, 0.04),
            pixel_range=Range(0.001, 0.1),
            made="2026-11-22T10:00:00Z",
        ),
    )


def a_large_project(place: Path) -> Project:
    """The project; its first scenes have small pseudo-labels, the very last a large one."""
    scenes = [a_scene(place / "data", number) for number in range(SCENES)]
    scenes[-1] = replace(scenes[-1], height=LARGE[0], width=LARGE[1])
    catalogue = Catalogue(root=place / "data", scenes=tuple(scenes), skipped=())
    project = Project.create(place / "large.shdr", catalogue, labelled=())
    for scene in (*scenes[:60], scenes[-1]):
        write_pseudo_label(project.pseudo_path(scene.id), a_pseudo_label(scene))
    return project


def opened(folder: Path) -> None:
    """Open, and know every status, as the window does first."""
    with Project.open(folder) as project:
        project.statuses()


def main() -> list[Row]:
    """Opening, single and bulk decisions, and a backup."""
    with tempfile.TemporaryDirectory() as place, a_large_project(Path(place)) as project:
        decisions, ids = Decisions(project), [scene.id for scene in project.scenes]
        path, copy = project.folder / DATABASE_NAME, Path(place) / "copy.sqlite"
        new = timed(lambda _: opened(project.folder), times=10)
        promoted = timed(lambda k: decisions.promote([ids[k % 60]]), times=58)
        frozen = timed(lambda _: decisions.promote([ids[-1]]), times=8)
        undone = timed(lambda _: decisions.undo(), times=50)
        noted = timed(lambda k: decisions.annotate([ids[k]], note=f"{k}"), times=50)
        bulk = timed(lambda k: decisions.annotate(ids, note=f"bulk {k}"), times=3, warm_up=1)
        taken_back = timed(lambda _: decisions.undo(), times=2, warm_up=1)
        opening = timed(lambda _: opened(project.folder), times=4, warm_up=1)
        backed_up = timed(lambda _: back_up(project._connection, path, to=copy), times=8)
        entries = f"{len(project.entries()):,} entries"
    of = f"of {SCENES:,} scenes"
    return [
        row(f"open {SCENES:,} scenes, new", new, unit="ms", reach="1 s", stretch="400 ms"),
        row(f"promote 1 {of}, 96×64", promoted, unit="ms", reach="20 ms", stretch="10 ms"),
        row("… a label of 1500×1000", frozen, unit="ms", reach="–", stretch="500 ms"),
        row(f"undo 1 {of}", undone, unit="ms", reach="20 ms", stretch="10 ms"),
        row(f"a note on 1 {of}", noted, unit="ms", reach="20 ms", stretch="10 ms"),
        row(f"a note on {SCENES:,} scenes", bulk, unit="ms", reach="–", stretch="500 ms"),
        row("… taken back", taken_back, unit="ms", reach="–", stretch="500 ms"),
        row(f"open {SCENES:,} scenes, {entries}", opening, unit="ms", reach="–", stretch="–"),
        row("… back up and verify", backed_up, unit="ms", reach="–", stretch="200 ms"),
    ]


if __name__ == "__main__":
    show(main())
