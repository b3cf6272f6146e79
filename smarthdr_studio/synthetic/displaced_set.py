"""Test scenes of real photographs: static brackets in which something is made to move.

A bracket of a still view from a tripod gives an exact answer, the merge of all its frames, but no
ghost. Here the three frames a network sees are shifted against one another as a hand would shift
them, and pieces of the view are set down elsewhere, in each frame at another place. Pixels are
moved whole and never mixed, so every one of them is what the camera recorded, its noise included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.datasets.proposal import propose
from smarthdr_studio.core.datasets.scan import CAMERA_CURVES, check
from smarthdr_studio.core.datasets.static_merge import merge_static
from smarthdr_studio.core.errors import BadDataset, BadScene, UnreadableImage
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Scene, decode_bracket
from smarthdr_studio.core.imaging.radiometry import Frame
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.remedies import READ_STATIC
from smarthdr_studio.core.words import counted
from smarthdr_studio.synthetic.benchmark_set import DIFFICULTIES, Difficulty
from smarthdr_studio.synthetic.dataset import refuse_occupied, write_bracket, write_whole
from smarthdr_studio.synthetic.settings import SceneWritten
from smarthdr_studio.synthetic.textures import fractal

LEAST_FRAMES: Final = 4  # of a bracket: three that are displaced, and more that know better
_SHAKE: Final = 1.2  # pixels; a hand's standard deviation in the sample, see `rendering.drift`
_PIECES: Final = (2, 5)
_SIZES: Final = (0.06, 0.16)  # of the shorter side, the radius of a piece
_FURTHEST: Final = 0.12  # of the shorter side; small pictures move less

Place = tuple[int, int]


class Piece(NamedTuple):
    """A part of the view: its outline, where it is cut from, and where it lies in each frame."""

    outline: npt.NDArray[np.bool_]
    source: Place
    places: tuple[Place, Place, Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacement:
    """Where the three frames are cut from, in pixels from the corner, and what moves in them."""

    corners: tuple[Place, Place, Place]
    size: Place
    pieces: tuple[Piece, ...]
    motion: float
    """Pixels that the fastest piece moves from one frame to the next."""

    def applied(self, picture: npt.NDArray[Any], *, frame: int) -> npt.NDArray[Any]:
        """The picture as `frame` 0, 1 or 2 shows it, at `size`; every value is one it had."""
        moved = picture.copy()
        for piece in self.pieces:
            height, width = piece.outline.shape
            (from_y, from_x), (to_y, to_x) = piece.source, piece.places[frame]
            cut = picture[from_y : from_y + height, from_x : from_x + width]
            moved[to_y : to_y + height, to_x : to_x + width][piece.outline] = cut[piece.outline]
        top, left = self.corners[frame]
        return moved[top : top + self.size[0], left : left + self.size[1]]


def displacement(
    rng: np.random.Generator, *, height: int, width: int, difficulty: Difficulty
) -> Displacement:
    """How a bracket of this size is displaced; the reference is cut from the middle."""
    shorter = min(height, width)
    fastest = min(float(rng.uniform(*difficulty.motion)), _FURTHEST * shorter)
    shake = [np.zeros(2), *(rng.normal(0, _SHAKE * difficulty.shake, 2) for _ in range(2))]
    most = max(1, round(float(np.abs(shake).max())))
    under, over = (tuple(round(float(x)) + most for x in each) for each in shake[1:])
    count = int(rng.integers(*_PIECES))
    pieces = tuple(
        _piece(rng, height=height, width=width, step=fastest if i == 0 else fastest * rng.uniform())
        for i in range(count)
    )
    return Displacement(
        corners=(under, (most, most), over),  # type: ignore[arg-type]  # two numbers each
        size=(height - 2 * most, width - 2 * most),
        pieces=pieces,
        motion=fastest,
    )


def _piece(rng: np.random.Generator, *, height: int, width: int, step: float) -> Piece:
    """A blob that moves by `step` pixels a frame along a straight way inside the picture."""
    radius = max(4, int(min(height, width) * rng.uniform(*_SIZES)))
    side = 2 * radius
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    bumps = fractal(rng, size=(side, side), cell=side / 2, octaves=4)
    outline = np.asarray(np.hypot(axis[None, :], axis[:, None]) < 0.8 + 0.15 * bumps, np.bool_)
    way = float(rng.uniform(0, 2 * np.pi))
    move = np.array((np.sin(way), np.cos(way))) * step
    room = np.array((height - side, width - side))
    reach = np.minimum(np.abs(move), room / 2)
    middle = rng.uniform(reach, room - reach)
    source = rng.uniform(0, room)
    places = tuple(
        tuple(int(x) for x in np.clip(np.round(middle + time * move), 0, room))
        for time in (-1, 0, 1)
    )
    return Piece(outline, (int(source[0]), int(source[1])), places)  # type: ignore[arg-type]


def write_displaced(
    folder: AnyPath,
    *,
    brackets: AnyPath,
    seed: int = 0,
    response: ResponseCurve | None = None,
    even_bent: bool = False,
) -> Iterator[SceneWritten | BadScene]:
    """Write test scenes made of the static brackets in or below `brackets`; nothing is changed.

    The layout is that of Kalantari 2017, all scenes under Test; the ground truth is the merge of
    all frames of a bracket, displaced as the reference is. Frames are read under `response`, the
    camera's curve, None for gamma 2.2, and written with gamma 2.2. A bracket that will not do is
    yielded as the reason: one too whose exposures gamma 2.2 does not fit, as what is merged of it
    would not be its light, unless it is to be taken `even_bent`. The same seed and brackets give
    the same bytes.

    Raises:
        BadDataset: `folder` holds something, or no bracket has four frames or more.
    """
    folder = Path(folder)
    refuse_occupied(folder)
    found = check(propose(brackets), response=response)
    scenes = [each for each in found.scenes if len(each.whole_bracket) >= LEAST_FRAMES]
    bent = {note.scene for note in found.notes if note.topic == CAMERA_CURVES and not even_bent}
    remedy = READ_STATIC.of(DIR=folder, BRACKETS=brackets)
    if not scenes:
        raise BadDataset(
            f"{brackets}: no bracket has {LEAST_FRAMES} frames or more; the more exposures of a "
            "still view, the better the merge that serves as ground truth."
        )
    facts: dict[int, str] = {}
    refused: dict[int, BadScene] = {}

    def write_scene(index: int, path: Path) -> None:
        if scenes[index].id in bent:
            refused[index] = BadScene(
                f"{scenes[index].frames[1]}: gamma 2.2 does not fit the exposures of its bracket, "
                f"so what is merged of it would not be its light; {remedy}"
            )
            return
        try:
            facts[index] = _write(path, scenes[index], index=index, seed=seed)
        except (BadScene, UnreadableImage) as error:
            refused[index] = BadScene(str(error))

    def write_notes(draft: Path) -> None:
        if not facts:
            raise BadDataset(f"{brackets}: no bracket will do; the first: {refused[min(refused)]}")
        lines = [f"{_place(scenes[i])},{fact}" for i, fact in sorted(facts.items())]
        table = "\n".join(("scene,frames,motion_px,clipped", *lines))
        (draft / "scenes.csv").write_text(table + "\n", encoding="utf-8")
        about = _about(len(facts), seed=seed, read=scenes[0].reading.words)
        (draft / "README.txt").write_text(about, encoding="utf-8")

    places = [_place(scene) for scene in scenes]
    written = write_whole(folder, places, write_scene=write_scene, write_notes=write_notes)
    for each in written:
        reason = refused.get(each.index - 1)
        yield each if reason is None else reason


def _place(scene: Scene) -> Path:
    return Path("Test") / scene.id.removeprefix("Test-")


def _write(path: Path, scene: Scene, *, index: int, seed: int) -> str:
    """Displace one bracket and write it; its facts as a line of scenes.csv."""
    bracket = decode_bracket(scene)
    everything = scene.whole_bracket
    merged = merge_static(
        [frame.path for frame in everything], [frame.ev for frame in everything], scene, bracket
    )
    if merged.findings.problems:
        raise BadScene(merged.findings.summary)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(11, index)))
    difficulty = DIFFICULTIES[index % len(DIFFICULTIES)]
    moved = displacement(rng, height=scene.height, width=scene.width, difficulty=difficulty)
    # 1 is what clips the shortest of all frames; the networks count from their under frame.
    gain = 2.0 ** (scene.evs[0] - everything[0].ev)
    truth = np.minimum(np.asarray(merged.radiance * np.float32(gain), np.float32), 1)
    shown = moved.applied(truth, frame=1)
    frames = _displaced(bracket.frames, moved)
    write_bracket(path, frames, truth=np.ascontiguousarray(shown), evs=scene.evs)
    clipped = float((shown.max(axis=2) >= 2.0 ** -scene.stops[1]).mean())
    return f"{len(everything)},{moved.motion:.1f},{clipped:.4f}"


def _displaced(frames: Sequence[Frame], moved: Displacement) -> list[Frame]:
    return [
        np.ascontiguousarray(moved.applied(frame, frame=place))
        for place, frame in enumerate(frames)
    ]


def _about(count: int, *, seed: int, read: str) -> str:
    return f"""Test scenes made by SmartHDR Studio (smarthdr-studio sample), seed {seed}.

{counted(count, "static bracket")} in which something was made to move: the frames are
shifted against one another, and pieces of the view lie in each frame at another place. No pixel was
mixed or resampled. The camera's frames were read {read}; those here are of gamma 2.2.
HDRImg.hdr is the merge of all frames of the bracket, as the reference shows it, 1 where the first
of the three frames clips. scenes.csv says how many frames were merged, how many pixels the fastest
piece moves from frame to frame, and which share of the reference is clipped.
"""
