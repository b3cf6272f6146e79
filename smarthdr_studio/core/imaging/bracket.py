"""One scene as files on disk, the same scene decoded, and decoded scenes kept within a budget."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.files import AnyPath, is_file, replacing
from smarthdr_studio.core.imaging.handheld import HandShake, Shakes, all_laid_onto, hand_shakes
from smarthdr_studio.core.imaging.image_files import read_bracket_frames, read_radiance
from smarthdr_studio.core.imaging.radiometry import Floats, Frame, stops_above_shortest
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.records import parse_json, read_json
from smarthdr_studio.core.remedies import FIND_DATASET
from smarthdr_studio.core.words import counted

Split = Literal["train", "test"]
Half = npt.NDArray[np.float16]


Three = tuple[int, int, int]
"""Under, reference and over as places in a whole bracket, which rises by exposure."""


class ExposedFrame(NamedTuple):
    """One frame of a bracket and its exposure value."""

    path: Path
    ev: float


def curve_in_words(curve: str) -> str:
    """How frames are read under a curve, by its short name: "with gamma 2.2"."""
    return f"under the camera's curve {curve}" if curve else "with gamma 2.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReading:
    """How the frames of all scenes are read: a setting of the project, never of the dataset.

    `response` is the camera's curve, None for gamma 2.2; `aligned` lays under and over frame onto
    the reference.
    """

    response: ResponseCurve | None = None
    aligned: bool = False

    @property
    def curve(self) -> str:
        """The short name of the response, "" for gamma 2.2: what light depends on."""
        return "" if self.response is None else self.response.digest[:8]

    @property
    def words(self) -> str:
        """In words as a journal or a card has it: "with gamma 2.2, aligned"."""
        curve = curve_in_words(self.curve)
        return f"{curve}, aligned" if self.aligned else curve

    def as_text(self) -> str:
        """JSON, as projects keep it."""
        tables = None if self.response is None else self.response.tables
        return json.dumps({"aligned": self.aligned, "response": tables}, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "FrameReading":
        """What `as_text` gave. Raises KeyError, TypeError or ValueError."""
        told = parse_json(text)
        of = told["response"]
        response = None if of is None else ResponseCurve.from_plain(of)
        return cls(response=response, aligned=bool(told["aligned"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where one bracket lies; the frames are ordered under, reference, over.

    These three are what networks and views use. Where the bracket has another number of frames,
    `every` holds all of them by rising exposure; where nothing was shot darker (or brighter) than
    the reference, the reference stands in for the under (or over) frame, with its own EV. `reading`
    says under which curve they are decoded, and whether under and over are laid onto the reference;
    `shakes` is the file that keeps how they lie against it, made when they are first decoded.
    `chosen` are the places of the three in the whole bracket where a person chose them, and `found`
    is then the scene with the three that the program had.

    `id` is unique in its dataset and safe as a file name: the scene folder's path inside the
    dataset joined by "-", without a leading "Training". What the ground truth file holds reaches
    the scale of METHOD §1 (h ≤ 1 where the under frame clips) once it is multiplied by
    `ground_truth_gain` and raised to the power `ground_truth_gamma`.
    """

    id: str
    frames: tuple[Path, Path, Path]
    evs: tuple[float, float, float]
    height: int
    width: int
    split: Split = "train"
    ground_truth: Path | None = None
    ground_truth_gain: float = 1.0
    ground_truth_gamma: float = 1.0
    layout: str = "folder"
    every: tuple[ExposedFrame, ...] = ()
    reading: FrameReading = FrameReading()
    shakes: Path | None = None
    chosen: Three | None = None
    found: "Scene | None" = None

    @property
    def whole_bracket(self) -> tuple[ExposedFrame, ...]:
        """All frames of the bracket by rising exposure, two of them or more."""
        return self.every or tuple(map(ExposedFrame, self.frames, self.evs))

    @property
    def stops(self) -> tuple[float, float, float]:
        """Exposure values counted from the under frame: (0, a, b)."""
        under, reference, over = stops_above_shortest(self.evs)
        return under, reference, over

    @property
    def pixels(self) -> int:
        """How many pixels one frame has."""
        return self.height * self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What looked like a scene and could not be used, with the sentence that says why.

    A folder, or a `picture` that belongs to no bracket.
    """

    path: Path
    reason: str
    picture: bool = False


TRUTH_LEFT_OUT: Final = "ground truths left out"
TRUTH_ODD: Final = "ground truths"  # the topic of warnings of those that are used all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneNote:
    """One sentence about a scene that can be used; `topic` tells which of them are alike."""

    scene: str
    topic: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What a dataset folder holds: scenes sorted by id, what was left out, and what was odd."""

    root: Path
    scenes: tuple[Scene, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[SceneNote, ...] = ()

    @property
    def truths_left_out(self) -> frozenset[str]:
        """The scenes that are there without their ground truth; `notes` say why."""
        return frozenset(note.scene for note in self.notes if note.topic == TRUTH_LEFT_OUT)

    @property
    def odd_truths(self) -> frozenset[str]:
        """The scenes whose ground truth is used although `notes` warn of it."""
        return frozenset(note.scene for note in self.notes if note.topic == TRUTH_ODD)

    @property
    def odd(self) -> frozenset[str]:
        """The scenes about which `notes` say anything else."""
        return frozenset(note.scene for note in self.notes if note.topic != TRUTH_LEFT_OUT)


@dataclass(frozen=True, slots=True, eq=False)
class Bracket:
    """A decoded scene: three H×W×3 RGB uint16 frames, and their stops above the shortest.

    `shakes` says how under and over were laid onto the reference, None where they were not.
    """

    under: Frame
    reference: Frame
    over: Frame
    stops: tuple[float, float, float]
    shakes: Shakes | None = None

    @property
    def frames(self) -> Sequence[Frame]:
        """Under, reference, over: H×W×3 uint16 camera values."""
        return self.under, self.reference, self.over

    @property
    def nbytes(self) -> int:
        """Memory held by the frames."""
        return sum(frame.nbytes for frame in self.frames)


def with_imported_truth(scene: Scene, path: AnyPath) -> Scene:
    """The scene with a ground truth of the project, which holds radiance of METHOD §1."""
    return replace(scene, ground_truth=Path(path), ground_truth_gain=1.0, ground_truth_gamma=1.0)


def with_three(scene: Scene, three: Three) -> Scene:
    """The scene with these three frames of its bracket, as a person chose them.

    The ground truth of its dataset follows the under frame, in which 1 is what clips (METHOD §1).
    """
    bracket = scene.whole_bracket
    under, reference, over = (bracket[place] for place in three)
    brighter = (under.ev - scene.evs[0]) / scene.ground_truth_gamma  # stops
    return replace(
        scene,
        frames=(under.path, reference.path, over.path),
        evs=(under.ev, reference.ev, over.ev),
        ground_truth_gain=scene.ground_truth_gain * 2.0**brighter,
        every=bracket,
        chosen=three,
        found=scene,
    )


def as_chosen(scene: Scene, three: Three | None) -> Scene:
    """The scene as it is where a person chose these three, None for as it was found."""
    if scene.chosen == three:
        return scene
    found = scene if scene.found is None else scene.found
    return found if three is None else with_three(found, three)


def refuse_three(scene: Scene, three: Sequence[int]) -> None:
    """Raises BadScene unless these are places of the bracket: under, reference and over.

    The reference may stand in for one of the others.
    """
    count = len(scene.whole_bracket)
    rising = len(three) == 3 and all(0 <= place < count for place in three)
    rising = rising and three[0] <= three[1] <= three[2] and three[0] < three[2]
    if not rising:
        raise BadScene(
            f"{scene.id}: has {counted(count, 'frame')} by rising exposure; choose an under, a "
            "reference and an over frame of them, each no darker than the one before, and not one "
            "frame as all three"
        )


_Decoded = Bracket | Half
_Key = tuple[Literal["frames", "ground truth"], Scene]
_D = TypeVar("_D", Bracket, Half)


class FrameStore:
    """Brackets and ground truths, decoded once; the least used leave when the budget is full.

    Any thread may ask. Nothing is decoded while the lock is held, and two threads that ask for
    the same scene wait for one decoding. What is handed out is shared: never write into it.
    """

    def __init__(self, budget_bytes: int = 2 * 2**30) -> None:
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, _Decoded] = OrderedDict()
        self._coming: dict[_Key, Future[_Decoded]] = {}

    @property
    def used_bytes(self) -> int:
        """Memory held by what is kept; above the budget only for one scene larger than it."""
        with self._lock:
            return self._used()

    def bracket(self, scene: Scene) -> Bracket:
        """The three frames, H×W×3 RGB uint16. Raises BadScene or UnreadableImage."""
        return self._fetch(("frames", scene), read=lambda: decode_bracket(scene))

    def ground_truth(self, scene: Scene) -> Half:
        """The ground truth, H×W×3 linear RGB half floats in [0, 1] on the scale of METHOD §1.

        Raises BadScene where the scene has none, and UnreadableImage.
        """
        return self._fetch(("ground truth", scene), read=lambda: decode_ground_truth(scene))

    def held(self, scene: Scene) -> tuple[Bracket | None, Half | None]:
        """Frames and H×W×3 linear ground truth of a scene as far as they are decoded already."""
        with self._lock:
            frames = self._kept.get(("frames", scene))
            truth = self._kept.get(("ground truth", scene))
            for kind in ("ground truth", "frames"):
                if (kind, scene) in self._kept:
                    self._kept.move_to_end((kind, scene))
        return cast("Bracket | None", frames), cast("Half | None", truth)

    def resize(self, budget_bytes: int) -> None:
        """Another budget; what no longer fits leaves at once, the least used first."""
        with self._lock:
            self._budget = budget_bytes
            self._make_room()

    def drop(self, scene_id: str) -> None:
        """Forgets what is kept of a scene; whoever holds it keeps it."""
        with self._lock:
            for key in [key for key in (*self._kept, *self._coming) if key[1].id == scene_id]:
                self._kept.pop(key, None)
                self._coming.pop(key, None)

    def _fetch(self, key: _Key, *, read: Callable[[], _D]) -> _D:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast("_D", self._kept[key])
            future = self._coming.get(key)
            mine = future is None
            if future is None:
                future = self._coming[key] = Future()
        if mine:
            self._decode(key, future, read=read)
        return cast("_D", future.result())

    def _decode(self, key: _Key, future: Future[_Decoded], *, read: Callable[[], _D]) -> None:
        try:
            decoded = read()
        except BaseException as error:
            # Others may wait for this future, so they must hear of it, whatever it is.
            self._settle(key, future, decoded=None)
            future.set_exception(error)
            raise
        self._settle(key, future, decoded=decoded)
        future.set_result(decoded)

    def _settle(self, key: _Key, future: Future[_Decoded], *, decoded: _Decoded | None) -> None:
        with self._lock:
            # A scene that was dropped meanwhile is answered but not kept.
            if self._coming.get(key) is not future:
                return
            del self._coming[key]
            if decoded is None:
                return
            self._kept[key] = decoded
            self._make_room()

    def _make_room(self) -> None:
        while self._used() > self._budget and len(self._kept) > 1:
            self._kept.popitem(last=False)

    def _used(self) -> int:
        return sum(each.nbytes for each in self._kept.values())


def decode_bracket(scene: Scene) -> Bracket:
    """The scene's frames from disk. Raises BadScene where they are gone or changed size."""
    paths = tuple(dict.fromkeys(scene.frames))  # a frame that stands in for another comes twice
    for path in paths:
        _is_there(path)
    response, stamp = scene.reading.response, frames_stamp(scene)
    frames = dict(zip(paths, read_bracket_frames(paths, response=response), strict=True))
    for path, frame in frames.items():
        _has_size(path, frame, scene=scene)
    shown = (frames[scene.frames[0]], frames[scene.frames[1]], frames[scene.frames[2]])
    shakes = _shakes(scene, shown, stamp=stamp) if scene.reading.aligned else None
    laid = shown if shakes is None else all_laid_onto(shown, shakes, stops=scene.stops)
    return Bracket(*laid, stops=scene.stops, shakes=shakes)


def frames_stamp(scene: Scene) -> str:
    """Sizes and times of the scene's frame files, and how they are read where it is not plainly.

    "" where one of them is away.
    """
    try:
        found = [path.stat() for path in scene.frames]
    except OSError:
        return ""
    stamps = " ".join(f"{each.st_size}:{each.st_mtime_ns}" for each in found)
    return stamps if scene.reading == FrameReading() else f"{stamps} {scene.reading.words}"


def _shakes(scene: Scene, frames: Sequence[Frame], *, stamp: str) -> Shakes:
    """How the frames lie against the reference: as it is kept of these very files, or found."""
    kept = _kept_shakes(scene, stamp)
    if kept is not None:
        return kept
    found = hand_shakes(frames, stops=scene.stops)
    if scene.shakes is not None and stamp:
        told = {"stamp": stamp, "stops": scene.stops, "frames": [s.as_plain() for s in found]}
        with suppress(OSError):  # of a project that is only looked at, it is found again
            scene.shakes.parent.mkdir(exist_ok=True)
            with replacing(scene.shakes) as draft:
                draft.write_text(json.dumps(told), encoding="utf-8")
    return found


def reading_in_words(scene: Scene) -> str:
    """How the scene's frames are read, and once that is known how they lay against the reference.

    "" where they are read with gamma 2.2 as they were shot.
    """
    if scene.reading == FrameReading():
        return ""
    kept = _kept_shakes(scene, frames_stamp(scene)) if scene.reading.aligned else None
    outer = {scene.frames[0]: 0, scene.frames[2]: 1}
    outer.pop(scene.frames[1], None)
    told = [] if kept is None else [f"{path.name} {kept[at].words}" for path, at in outer.items()]
    return "; ".join((scene.reading.words, *told))


def _kept_shakes(scene: Scene, stamp: str) -> Shakes | None:
    if scene.shakes is None or not stamp:
        return None
    try:
        told = read_json(scene.shakes)
        if (told["stamp"], tuple(told["stops"])) != (stamp, scene.stops):
            return None
        under, over = (HandShake.from_plain(each) for each in told["frames"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return under, over


def decode_ground_truth(scene: Scene) -> Half:
    """The scene's ground truth from disk: H×W×3 linear in [0, 1] (METHOD §1), half floats."""
    radiance = read_ground_truth(scene)
    return np.clip(radiance, 0, 1, out=radiance).astype(np.float16)


def read_ground_truth(scene: Scene) -> Floats:
    """The same before it is clipped: H×W×3 linear float32 on the scale of METHOD §1.

    Raises BadScene where the scene has none or it is gone, and UnreadableImage.
    """
    path = scene.ground_truth
    if path is None:
        raise BadScene(f"{scene.frames[1].parent}: has no ground truth; put HDRImg.hdr beside it.")
    _is_there(path)
    radiance = read_radiance(path)
    _has_size(path, radiance, scene=scene)
    return to_ground_truth(radiance, scene)


def to_ground_truth(stored: Floats, scene: Scene) -> Floats:
    """What a scene's ground truth file holds, H×W×3, as radiance of METHOD §1, in place."""
    np.multiply(stored, np.float32(scene.ground_truth_gain), out=stored)
    if scene.ground_truth_gamma != 1:
        np.power(stored, np.float32(scene.ground_truth_gamma), out=stored)
    return stored


def _is_there(path: Path) -> None:
    if not is_file(path):
        raise BadScene(
            f"{path}: is gone; put the dataset back, or say where it is now with: {FIND_DATASET}"
        )


def _has_size(path: Path, pixels: Frame | np.ndarray, *, scene: Scene) -> None:
    height, width = pixels.shape[:2]
    if (height, width) != (scene.height, scene.width):
        raise BadScene(
            f"{path}: is now {width}×{height}, but was {scene.width}×{scene.height} when the "
            "project was made; put the first file back or make the project anew."
        )
