"""Writes the sample dataset in the Kalantari layout: whole or not at all."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.files import AnyPath, flush_folder
from smarthdr_studio.core.imaging.image_files import (
    read_radiance,
    write_frame_tiff,
    write_radiance_hdr,
)
from smarthdr_studio.core.imaging.radiometry import Floats, Frame, stops_above_shortest
from smarthdr_studio.core.project.debris import sweep_beside
from smarthdr_studio.synthetic.city import arcade, street
from smarthdr_studio.synthetic.geometry import Actor, Light, Sprite, View
from smarthdr_studio.synthetic.landscapes import forest, valley
from smarthdr_studio.synthetic.rendering import (
    INSTANTS,
    MARGIN,
    OVERSAMPLING,
    Sensor,
    Stage,
    drift,
    exposed,
    seen,
    through_lens,
    tone_of,
)
from smarthdr_studio.synthetic.room import room
from smarthdr_studio.synthetic.settings import SampleSettings, SceneWritten
from smarthdr_studio.synthetic.textures import fractal, looked_up, ramp, resized

_SUFFIXES = (".hdr", ".exr")


@dataclass(frozen=True, slots=True, eq=False)
class MapShelf:
    """Pictures of linear radiance to cut from; those of a folder are each of middle radiance 1."""

    maps: tuple[Floats, ...]

    @classmethod
    def found(cls, folder: AnyPath) -> "MapShelf":
        """Every .hdr and .exr below a folder.

        Raises:
            BadDataset: there is none.
            UnreadableImage: one is damaged.
        """
        folder = Path(folder)
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
        if not paths:
            raise BadDataset(f"{folder} holds no radiance map: put .hdr or .exr files into it.")
        return cls(tuple(_levelled(read_radiance(path)) for path in paths))


def staged(rng: np.random.Generator, *, shelf: MapShelf, height: int, width: int) -> Stage:
    """A stage of a random window with four to seven moving cut-outs."""
    size = (OVERSAMPLING * (height + 2 * MARGIN), OVERSAMPLING * (width + 2 * MARGIN))
    view = View(height=size[0], width=size[1], focal=float(size[1]), horizon=size[0] / 2, eye=0.6)
    backdrop = _window(rng, shelf, size=size, share=(0.7, 1.0))
    actors = tuple(cut_out(rng, shelf, view) for _ in range(int(rng.integers(4, 8))))
    return Stage(backdrop=backdrop, view=view, actors=actors)


class _CutOut:
    """A piece of a map with a soft irregular outline that swells and bends with the time."""

    def __init__(self, rng: np.random.Generator, piece: Floats) -> None:
        self._piece = piece
        size = piece.shape[0]
        axis = np.linspace(-1, 1, size, dtype=np.float32)
        x, y = axis[None, :], axis[:, None]
        bumps = fractal(rng, size=(size, size), cell=size / 2, octaves=4)
        self._alpha = ramp(
            0.80 + 0.12 * bumps - np.hypot(x, y * float(rng.uniform(1, 1.5))), 0, 0.03
        )
        self._phase, self._bend = float(rng.uniform(0, 6.28)), float(rng.uniform(0.01, 0.05))

    def __call__(self, pixels: int, time: float) -> Sprite:
        """The cut-out, `pixels` square, at a time in frames."""
        y, x = np.mgrid[0:pixels, 0:pixels].astype(np.float32)
        sway = self._bend * pixels * np.sin(self._phase + 0.9 * time + y * (5.0 / pixels))
        scale = np.float32(self._piece.shape[0] / pixels)
        maps = (((x + sway) * scale).astype(np.float32), y * scale)
        radiance = looked_up(self._piece, *maps)
        alpha = looked_up(self._alpha, *maps, border=cv2.BORDER_CONSTANT)
        nothing = np.zeros_like(radiance)
        return Sprite(nothing, alpha, nothing, radiance)


def cut_out(rng: np.random.Generator, shelf: MapShelf, view: View) -> Actor:
    """A soft piece of a random map that passes in front of a view."""
    depth = float(rng.uniform(1.5, 5))
    tall = float(rng.uniform(0.45, 0.9))
    pixels = max(16, int(tall * view.focal / depth))
    piece = _window(rng, shelf, size=(pixels, pixels), share=(0.12, 0.4))
    place = rng.uniform(-0.42, 0.42, 2) * depth
    step = rng.uniform(3, 36) * OVERSAMPLING * depth / view.focal
    way = float(rng.uniform(0, 6.28))
    return Actor(
        draw=_CutOut(rng, piece),
        height=tall,
        place=(float(place[0]), float(place[1] * view.height / view.width), depth),
        velocity=(step * np.cos(way), 0.5 * step * np.sin(way), 0.0),
        roll=float(rng.normal(0, 0.12)),
        light=Light(towards=(0, 0, 1), key=(0, 0, 0), ambient=(0, 0, 0)),
        shadow=0.0,
    )


def _window(
    rng: np.random.Generator,
    shelf: MapShelf,
    *,
    size: tuple[int, int],
    share: tuple[float, float],
) -> Floats:
    """A random part of a random map, as large as `share` of what fits, resampled to `size`."""
    source = shelf.maps[int(rng.integers(len(shelf.maps)))]
    rows, columns = source.shape[:2]
    fit = min(rows / size[0], columns / size[1]) * float(rng.uniform(*share))
    tall, wide = max(2, int(size[0] * fit)), max(2, int(size[1] * fit))
    # Panoramas hold little but sky and floor at their poles: keep near the middle.
    middle = float(np.clip(rng.normal(0.5, 0.15), 0, 1))
    top, left = int(middle * (rows - tall)), int(rng.integers(0, columns - wide + 1))
    part = source[top : top + tall, left : left + wide]
    kind = cv2.INTER_AREA if fit > 1 else cv2.INTER_LINEAR
    return resized(part, (size[1], size[0]), kind=kind)


def _levelled(radiance: Floats) -> Floats:
    clean = np.maximum(np.nan_to_num(radiance, nan=0.0, posinf=6e4, neginf=0.0), 0)
    key = float(np.exp(np.log(clean.max(axis=2) + 1e-6).mean()))
    return np.asarray(clean / max(key, 1e-6), np.float32)


_Build = Callable[..., Stage]

# Scene k is of family k mod 5: every five neighbours, and the labelled ones, show all of them.
_FAMILIES: Final[tuple[_Build, ...]] = (valley, street, room, forest, arcade)


def build(rng: np.random.Generator, *, family: int, turn: int, height: int, width: int) -> Stage:
    """A stage of a family (valley, street, room, forest, arcade), for frames of that size."""
    tall = OVERSAMPLING * (height + 2 * MARGIN)
    wide = OVERSAMPLING * (width + 2 * MARGIN)
    view = View(
        height=tall,
        width=wide,
        focal=max(wide, 1.2 * tall) * float(rng.uniform(0.80, 0.95)),
        horizon=tall * float(rng.uniform(0.44, 0.54)),
    )
    return _FAMILIES[family](rng, view=view, turn=turn)


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
    refuse_occupied(folder)
    shelf = None if settings.maps is None else MapShelf.found(settings.maps)
    yield from write_whole(
        folder,
        [_place(index, settings) for index in range(settings.scenes)],
        write_scene=lambda index, path: _write_scene(path, index, settings, shelf),
        write_notes=lambda draft: _write_notes(draft, settings),
    )


def write_whole(
    folder: Path,
    places: Sequence[Path],
    *,
    write_scene: Callable[[int, Path], None],
    write_notes: Callable[[Path], None],
) -> Iterator[SceneWritten]:
    """Scenes at their places in `folder`, several at a time; see `write_sample`."""
    draft = _draft_beside(folder)
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="sample")
    try:
        waiting = [
            pool.submit(write_scene, index, draft / place) for index, place in enumerate(places)
        ]
        for index, (place, scene) in enumerate(zip(places, waiting, strict=True), start=1):
            scene.result()
            name = "-".join(part for part in place.parts if part != "Training")
            yield SceneWritten(index=index, total=len(places), id=name, path=folder / place)
        write_notes(draft)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
        flush_folder(folder.parent)
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(draft, ignore_errors=True)


def refuse_occupied(folder: Path) -> None:
    """Raises BadDataset where a folder holds something already, or is a link that leads nowhere."""
    if folder.is_symlink() and not folder.exists():
        raise BadDataset(
            f"{folder} is a link that leads nowhere: name a new folder for the dataset."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadDataset(f"{folder} is not empty: name a new folder for the sample dataset.")


def _draft_beside(folder: Path) -> Path:
    """A new folder for what is being written; those that a kill has left are swept."""
    sweep_beside(folder)
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        draft.mkdir(parents=True)
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
    stops = stops_above_shortest(settings.evs)
    frames = [
        exposed(radiance, stops=stop, sensor=Sensor(), rng=rng)
        for radiance, stop in zip(instants, stops, strict=True)
    ]
    write_bracket(folder, frames, truth=np.minimum(instants[1], 1), evs=settings.evs)


def write_bracket(
    folder: Path, frames: Sequence[Frame], *, truth: Floats, evs: Sequence[float]
) -> None:
    """Three frames, their exposure values and the ground truth in the layout of Kalantari 2017."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        write_frame_tiff(folder / f"input_{number}.tif", frame)
    write_radiance_hdr(folder / "HDRImg.hdr", truth)
    lines = "".join(f"{ev:g}\n" for ev in evs)
    (folder / "exposure.txt").write_text(lines, encoding="utf-8")


def _radiance(
    rng: np.random.Generator, index: int, settings: SampleSettings, shelf: MapShelf | None
) -> list[Floats]:
    """The scene at its three instants, scaled so that 1 clips the under frame."""
    size = {"height": settings.height, "width": settings.width}
    if shelf is None:
        turn, family = divmod(index, len(_FAMILIES))
        stage, bend = build(rng, family=family, turn=turn, **size), True
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
