"""Writes the sample dataset in the Kalantari layout: whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.images import write_frame_tiff, write_radiance_hdr
from smarthdr_studio.core.radiance import Floats, stops_above_shortest
from smarthdr_studio.core.sample.camera import Sensor, exposed, through_lens, tone_of
from smarthdr_studio.core.sample.from_maps import MapShelf, staged
from smarthdr_studio.core.sample.scenery import built
from smarthdr_studio.core.sample.settings import SampleSettings, SceneWritten
from smarthdr_studio.core.sample.stage import INSTANTS, drift, seen

_DEFAULTS = SampleSettings()
_README = """Sample dataset made by SmartHDR Studio (smarthdr-studio sample), seed {seed}.

{training} training and {test} test brackets of {width}x{height} in the layout of Kalantari and
Ramamoorthi (2017): input_1.tif, input_2.tif, input_3.tif are 16-bit frames (linear radiance with
shot and read noise, gamma 1/2.2) at the exposure values in exposure.txt; HDRImg.hdr is the exact
linear radiance at the middle frame's instant, 1 where the first frame clips.
labelled.txt names the training scenes whose ground truth counts as known.
{origin}
"""


def write_sample(folder: AnyPath, settings: SampleSettings = _DEFAULTS) -> Iterator[SceneWritten]:
    """Write a dataset to `folder`, saying each scene as it is done, in order.

    The folder appears under its name when all is written; closing the iterator earlier leaves
    nothing behind. The same settings give the same bytes on one machine.

    Raises:
        BadDataset: `folder` holds something, cannot be written, or `maps` has no radiance map.
        UnreadableImage: a radiance map is damaged.
    """
    folder = Path(folder)
    _refuse_occupied(folder)
    shelf = None if settings.maps is None else MapShelf.found(settings.maps)
    draft = _draft_beside(folder)
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="sample")
    try:
        waiting = [
            pool.submit(_write_scene, draft / _place(index, settings), index, settings, shelf)
            for index in range(settings.scenes)
        ]
        yield from _told(waiting, folder, settings)
        _write_notes(draft, settings)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(draft, ignore_errors=True)


def _told(
    waiting: list[Future[None]], folder: Path, settings: SampleSettings
) -> Iterator[SceneWritten]:
    for index, scene in enumerate(waiting):
        scene.result()
        place = _place(index, settings)
        name = "-".join(part for part in place.parts if part != "Training")
        yield SceneWritten(index=index + 1, total=len(waiting), id=name, path=folder / place)


def _refuse_occupied(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadDataset(f"{folder} is not empty: name a new folder for the sample dataset.")


def _draft_beside(folder: Path) -> Path:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        draft.chmod(0o755)
    except OSError as error:
        raise BadDataset(
            f"{folder.parent} cannot be written ({error.strerror}): choose another folder."
        ) from error
    return draft


def _place(index: int, settings: SampleSettings) -> Path:
    return Path("Training" if index < settings.training else "Test") / f"{index + 1:03d}"


def _write_scene(
    folder: Path, index: int, settings: SampleSettings, shelf: MapShelf | None
) -> None:
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(index,)))
    instants = _radiance(rng, index, settings, shelf)
    folder.mkdir(parents=True)
    stops = stops_above_shortest(settings.evs)
    for number, (radiance, stop) in enumerate(zip(instants, stops, strict=True), start=1):
        frame = exposed(radiance, stops=stop, sensor=Sensor(), rng=rng)
        write_frame_tiff(folder / f"input_{number}.tif", frame)
    write_radiance_hdr(folder / "HDRImg.hdr", np.minimum(instants[1], 1))
    lines = "".join(f"{ev:g}\n" for ev in settings.evs)
    (folder / "exposure.txt").write_text(lines, encoding="utf-8")


def _radiance(
    rng: np.random.Generator, index: int, settings: SampleSettings, shelf: MapShelf | None
) -> list[Floats]:
    """The scene at its three instants, scaled so that 1 clips the under frame."""
    size = {"height": settings.height, "width": settings.width}
    if shelf is None:
        stage, bend = built(rng, index=index, **size), True
    else:
        stage, bend = staged(rng, shelf=shelf, **size), False
    raw = [seen(stage, time=t, camera=c) for t, c in zip(INSTANTS, drift(rng), strict=True)]
    stops = stops_above_shortest(settings.evs)
    tone = tone_of(raw[1], stops=stops, bend="contrast" if bend else "none")
    return [through_lens(tone.applied(radiance)) for radiance in raw]


def _write_notes(draft: Path, settings: SampleSettings) -> None:
    names = "".join(f"{index + 1:03d}\n" for index in settings.labelled_scenes())
    (draft / "labelled.txt").write_text(names, encoding="utf-8")
    origin = "The pictures are computed; nothing in them was photographed."
    if settings.maps is not None:
        origin = f"The pictures are cut from the radiance maps in {settings.maps.name}."
    text = _README.format(
        seed=settings.seed, training=settings.training, test=settings.test,
        width=settings.width, height=settings.height, origin=origin,
    )  # fmt: skip
    (draft / "README.txt").write_text(text, encoding="utf-8")
