"""The benchmark set: computed brackets on which it matters how many scenes have labels.

The sample (`synthetic.dataset`) is for looking at: its labels show every kind of scene, and its
movements are mild. Here labels are few, of few kinds and of calm scenes, while the pool and the
test scenes are of all kinds; things move by up to 60 pixels and hide what is behind them, up to a
sixth of the reference is clipped, cameras shake, and sensors are of all sorts. Everything follows
from the seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.radiometry import Floats, Frame, stops_above_shortest
from smarthdr_studio.core.words import counted
from smarthdr_studio.synthetic.dataset import (
    MapShelf,
    build,
    cut_out,
    refuse_occupied,
    staged,
    write_bracket,
    write_whole,
)
from smarthdr_studio.synthetic.geometry import Actor, View
from smarthdr_studio.synthetic.rendering import (
    INSTANTS,
    OVERSAMPLING,
    Sensor,
    Stage,
    Tone,
    drift,
    exposed,
    seen,
    through_lens,
    tone_of,
)
from smarthdr_studio.synthetic.settings import SceneWritten

COMPUTED: Final = ("valley", "street", "room", "forest", "arcade")
PHOTOGRAPHED: Final = "photograph"


class Difficulty(NamedTuple):
    """What a third of the scenes are like; ranges are drawn from evenly."""

    motion: tuple[float, float]
    """Of the fastest thing, in pixels from one frame to the next."""
    clipped: tuple[float, float]
    """Share of the reference's pixels that are clipped."""
    shake: float
    """Standard deviation of the camera's shift, as a multiple of the sample's 1.2 pixels."""


DIFFICULTIES: Final = (
    Difficulty(motion=(0, 3), clipped=(0.02, 0.04), shake=0.1),
    Difficulty(motion=(6, 30), clipped=(0.03, 0.09), shake=1.0),
    Difficulty(motion=(20, 60), clipped=(0.06, 0.15), shake=1.6),
)
# (1, 4, 16) twice as often as (1, 8, 64), as recent rendered sets have it (METHOD §11).
_EXPOSURES: Final = ((0.0, 2.0, 4.0), (0.0, 2.0, 4.0), (0.0, 3.0, 6.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkSettings:
    """How large the set is; `maps` is a folder of radiance maps, which adds a kind.

    Of every kind there are `training` scenes in the pool and `test` scenes. The `labelled` scenes
    with a label are of the kinds in `labelled_kinds`, and of the calmest third.
    """

    width: int
    height: int
    training: int
    test: int
    labelled: int = 5
    labelled_kinds: tuple[str, ...] = ("room",)
    seed: int = 0
    maps: Path | None = None
    exposures: tuple[tuple[float, float, float], ...] = _EXPOSURES
    """Exposure values that scenes draw from, each as often as it is listed."""

    def __post_init__(self) -> None:
        if unknown := set(self.labelled_kinds) - set(self.kinds):
            raise PlanError(f"No kind of scene is called {min(unknown)}: {', '.join(self.kinds)}.")
        if self.labelled > len(self.labelled_scenes()):
            raise PlanError(
                f"Those kinds have fewer easy scenes than {counted(self.labelled, 'label')}."
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of scene."""
        return COMPUTED if self.maps is None else (*COMPUTED, PHOTOGRAPHED)

    @property
    def pool(self) -> int:
        """How many training scenes there are."""
        return self.training * len(self.kinds)

    @property
    def scenes(self) -> int:
        """How many scenes there are, those for testing included."""
        return (self.training + self.test) * len(self.kinds)

    def kind_of(self, index: int) -> str:
        """The kind of the scene at a position: kinds take turns."""
        return self.kinds[index % len(self.kinds)]

    def difficulty_of(self, index: int) -> Difficulty:
        """How hard the scene at a position is: every kind goes round the three."""
        within = index if index < self.pool else index - self.pool
        return DIFFICULTIES[within // len(self.kinds) % len(DIFFICULTIES)]

    def labelled_scenes(self) -> tuple[int, ...]:
        """Positions of the labelled scenes: of their kinds in turns, the easiest of the pool.

        A ground truth is taken of what can be held still, and of what is at hand.
        """
        easiest = [
            i
            for i in range(self.pool)
            if self.kind_of(i) in self.labelled_kinds and self.difficulty_of(i) is DIFFICULTIES[0]
        ]
        return tuple(easiest[: self.labelled])


SMALL: Final = BenchmarkSettings(width=144, height=96, training=15, test=6)
LARGE: Final = BenchmarkSettings(width=960, height=640, training=15, test=6)
SETS: Final = {"small": SMALL, "large": LARGE}


class Shot(NamedTuple):
    """A bracket and what is known of it."""

    frames: tuple[Frame, ...]
    """Under, reference, over: H×W×3 uint16."""
    truth: Floats
    """H×W×3 linear radiance at the reference's instant, 1 where the under frame clips."""
    evs: tuple[float, float, float]
    motion: float
    clipped: float


def shoot(index: int, *, settings: BenchmarkSettings, shelf: MapShelf | None) -> Shot:
    """The scene at a position; it depends on the seed and its position alone."""
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(7, index)))
    difficulty = settings.difficulty_of(index)
    stage = _stage(rng, settings.kind_of(index), index=index, settings=settings, shelf=shelf)
    motion = float(rng.uniform(*difficulty.motion))
    stage = replace(stage, actors=_moving(rng, stage.actors, view=stage.view, fastest=motion))
    shaken = [_shaken(camera, by=difficulty.shake) for camera in drift(rng)]
    raw = [seen(stage, time=t, camera=c) for t, c in zip(INSTANTS, shaken, strict=True)]
    evs = settings.exposures[int(rng.integers(len(settings.exposures)))]
    stops = stops_above_shortest(evs)
    share = float(rng.uniform(*difficulty.clipped))
    tone = _clipping(raw[1], share=share, stops=stops)
    instants = [through_lens(tone.applied(radiance)) for radiance in raw]
    sensor = Sensor(
        full_well=float(np.exp(rng.uniform(np.log(5000), np.log(30000)))),
        read_noise=float(rng.uniform(2, 6)),
    )
    frames = tuple(
        exposed(radiance, stops=stop, sensor=sensor, rng=rng)
        for radiance, stop in zip(instants, stops, strict=True)
    )
    truth = np.minimum(instants[1], 1)
    clipped = float((truth.max(axis=2) >= 2.0 ** -stops[1]).mean())
    return Shot(frames=frames, truth=truth, evs=evs, motion=motion, clipped=clipped)


def _stage(
    rng: np.random.Generator,
    kind: str,
    *,
    index: int,
    settings: BenchmarkSettings,
    shelf: MapShelf | None,
) -> Stage:
    """The place of a kind with its own actors, and two to four cut-outs that pass in front."""
    size = {"height": settings.height, "width": settings.width}
    if kind == PHOTOGRAPHED:
        assert shelf is not None
        return staged(rng, shelf=shelf, **size)
    stage = build(rng, family=COMPUTED.index(kind), turn=index // len(settings.kinds), **size)
    # What passes in front is cut from the place itself, but none of it is a lamp: what is clipped
    # in the reference *and* gone in the under frame can be known by nobody.
    scenery = MapShelf((_dimmed(stage.backdrop),))
    passing = tuple(cut_out(rng, scenery, stage.view) for _ in range(int(rng.integers(2, 5))))
    return replace(stage, actors=(*stage.actors, *passing))


def _dimmed(backdrop: Floats) -> Floats:
    """The picture with its lights turned down to four times its middle radiance; hues stay."""
    bright = backdrop.max(axis=2, keepdims=True)
    most = np.float32(4 * max(float(np.median(bright)), 1e-9))
    return np.asarray(backdrop * (most / (most + bright)), np.float32)


def _moving(
    rng: np.random.Generator, actors: tuple[Actor, ...], *, view: View, fastest: float
) -> tuple[Actor, ...]:
    """Every actor on its way at a speed of its own; the fastest by so many pixels a frame."""
    speeds = fastest * rng.uniform(0, 1, len(actors))
    if len(actors):
        speeds[int(rng.integers(len(actors)))] = fastest
    moved = []
    for actor, speed in zip(actors, speeds, strict=True):
        x, y, _ = actor.velocity
        way = np.arctan2(y, x) if x or y else float(rng.uniform(0, 6.28))
        if actor.shadow > 0:  # what stands on the ground stays on it
            way = 0.0 if np.cos(way) > 0 else np.pi
        step = float(speed) * OVERSAMPLING * actor.place[2] / view.focal
        velocity = (float(step * np.cos(way)), float(step * np.sin(way)), 0.0)
        moved.append(replace(actor, velocity=velocity))
    return tuple(moved)


def _shaken(camera: Floats, *, by: float) -> Floats:
    """A camera's shift and turn, so many times as large (cf. `rendering.drift`)."""
    turned = float(np.arctan2(camera[0, 1], camera[0, 0])) * by
    shift = camera[:, 2] * by
    cos, sin = np.cos(turned), np.sin(turned)
    return np.array([[cos, sin, shift[0]], [-sin, cos, shift[1]]], np.float32)


def _clipping(reference: Floats, *, share: float, stops: tuple[float, ...]) -> Tone:
    """The sample's tone, scaled so that this share of the reference is clipped."""
    tone = tone_of(reference, stops=stops, bend="contrast")
    bright = tone.applied(reference).max(axis=2)
    at = max(float(np.quantile(bright, 1 - share)), 1e-9)
    gain = (2.0 ** -stops[1] / at) ** (1 / tone.contrast)
    return replace(tone, scale=tone.scale * gain)


def write_benchmark(folder: AnyPath, settings: BenchmarkSettings) -> Iterator[SceneWritten]:
    """Write the set to `folder` in the layout of Kalantari 2017; see `dataset.write_sample`.

    labelled.txt names the labelled scenes, scenes.csv says of what kind and how hard each is.
    """
    folder = Path(folder)
    refuse_occupied(folder)
    shelf = None if settings.maps is None else MapShelf.found(settings.maps)
    facts: dict[int, str] = {}

    def write_scene(index: int, path: Path) -> None:
        shot = shoot(index, settings=settings, shelf=shelf)
        write_bracket(path, shot.frames, truth=shot.truth, evs=shot.evs)
        facts[index] = f"{settings.kind_of(index)},{shot.motion:.1f},{shot.clipped:.4f}"

    def write_notes(draft: Path) -> None:
        names = "".join(f"{index + 1:03d}\n" for index in settings.labelled_scenes())
        (draft / "labelled.txt").write_text(names, encoding="utf-8")
        lines = [f"{_place(i, settings).as_posix()},{facts[i]}" for i in sorted(facts)]
        table = "\n".join(("scene,kind,motion_px,clipped", *lines))
        (draft / "scenes.csv").write_text(table + "\n", encoding="utf-8")
        (draft / "README.txt").write_text(_about(settings), encoding="utf-8")

    places = [_place(index, settings) for index in range(settings.scenes)]
    yield from write_whole(folder, places, write_scene=write_scene, write_notes=write_notes)


def _place(index: int, settings: BenchmarkSettings) -> Path:
    return Path("Training" if index < settings.pool else "Test") / f"{index + 1:03d}"


def _about(settings: BenchmarkSettings) -> str:
    cut = "" if settings.maps is None else f" or cut from radiance maps ({settings.maps.name})"
    tests, kinds = settings.scenes - settings.pool, " and ".join(settings.labelled_kinds)
    return f"""Benchmark set made by SmartHDR Studio (smarthdr-studio sample), seed {settings.seed}.

{settings.pool} training and {counted(tests, "test bracket")} of {settings.width}x{settings.height},
computed{cut}, of {len(settings.kinds)} kinds: {", ".join(settings.kinds)}.
labelled.txt names {counted(settings.labelled, "labelled scene")}, all of {kinds}.
scenes.csv says of what kind each scene is, how many pixels its fastest part moves from frame
to frame, and which share of the reference is clipped. HDRImg.hdr is the exact linear radiance
of the reference's instant, 1 where the first frame clips.
"""
