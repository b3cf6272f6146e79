"""Whether the ground truth a dataset brings fits its frames, asked when a project is made."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from smarthdr_studio.core.datasets.ground_truth import (
    TruthFindings,
    inspect_radiance,
    of_another_size,
)
from smarthdr_studio.core.imaging.bracket import (
    TRUTH_LEFT_OUT,
    TRUTH_ODD,
    Bracket,
    Scene,
    SceneNote,
    to_ground_truth,
)
from smarthdr_studio.core.imaging.image_files import read_radiance
from smarthdr_studio.core.remedies import IMPORT_FIXED_TRUTH

_SAMPLES: Final = 40_000  # pixels; all scenes of a dataset are looked at in one go
# Stops that a scale may be off. Published sets and camera curves stay below the first, which is
# noted; a scale that is another frame's stays below the second from it.
_SCALE_OFF: Final = 0.5
_SCALE_NOTED: Final = 0.15
_OTHER_FRAME: Final = 0.25
_SCALES: Final = "scales of ground truths"  # the topic of notes on them


def checked_truth(scene: Scene, bracket: Bracket) -> tuple[Scene, tuple[SceneNote, ...]]:
    """Hold a scene's ground truth against its decoded frames, as the verb `truth` does.

    Answers the scene as it can be used: with its ground truth, brought to the scale of METHOD §1
    where it is on that of another frame, or without one that does not fit. Raises BadScene and
    UnreadableImage where it cannot be read.
    """
    path = str(scene.ground_truth)
    found = of_another_size(path, scene, source=path)
    if found is None:
        radiance = to_ground_truth(read_radiance(path), scene)
        found = inspect_radiance(radiance, scene, bracket, source=path, samples=_SAMPLES)
    if found.problems:
        return _without(scene), (left_out(scene, found.summary),)
    if found.suggested.shift != (0, 0):
        return _without(scene), (left_out(scene, _mendable(found)),)
    return _scaled(scene, found)


def left_out(scene: Scene, sentence: str) -> SceneNote:
    """The note on a ground truth that is not used."""
    return SceneNote(
        scene=scene.id,
        topic=TRUTH_LEFT_OUT,
        text=f"{sentence.rstrip('.')}; {scene.id} has no ground truth until then.",
    )


def _scaled(scene: Scene, found: TruthFindings) -> tuple[Scene, tuple[SceneNote, ...]]:
    off = math.log2(found.suggested.gain)
    if abs(off) <= _SCALE_OFF:
        return scene, _odd(scene, found, off)
    # A frame that the networks do not see may be darker than their under frame.
    stops = {frame.path: frame.ev - scene.evs[0] for frame in scene.whole_bracket}
    frame = next((path for path, stop in stops.items() if abs(off + stop) < _OTHER_FRAME), None)
    if frame is None:
        return _without(scene), (left_out(scene, _mendable(found)),)
    gain = 2.0 ** (-stops[frame] / scene.ground_truth_gamma)
    note = SceneNote(
        scene=scene.id,
        topic=_SCALES,
        text=f"{scene.ground_truth}: counts from what clips {frame.name}; multiplied "
        f"by {2.0 ** -stops[frame]:.4g}, so that 1 is what clips the under frame.",
    )
    scaled = replace(scene, ground_truth_gain=scene.ground_truth_gain * gain)
    return scaled, (note, *_odd(scene, found, 0.0))


def _odd(scene: Scene, found: TruthFindings, off: float) -> tuple[SceneNote, ...]:
    """What the check warns of, and a scale that is a little off."""
    told = [(TRUTH_ODD, each) for each in found.warnings]
    if abs(off) > _SCALE_NOTED:
        side = "dark" if off > 0 else "bright"
        told.append((_SCALES, f"It is {abs(off):.2f} stops too {side}."))
    return tuple(
        SceneNote(scene=scene.id, topic=topic, text=f"{scene.ground_truth}: {each}")
        for topic, each in told
    )


def _mendable(found: TruthFindings) -> str:
    return (
        f"{found.source}: fits only once {found.suggested.sentence}; import it with: "
        f"{IMPORT_FIXED_TRUTH}"
    )


def _without(scene: Scene) -> Scene:
    return replace(scene, ground_truth=None, ground_truth_gain=1.0, ground_truth_gamma=1.0)


_SHOWN: Final = 3


def in_few_lines(notes: Sequence[SceneNote]) -> tuple[str, ...]:
    """The sentences of notes; of many about the same topic three, and how many more there are."""
    counts = Counter(note.topic for note in notes)
    told: Counter[str] = Counter()
    lines = []
    for note in sorted(notes, key=lambda each: list(counts).index(each.topic)):
        told[note.topic] += 1
        if told[note.topic] <= _SHOWN or counts[note.topic] == _SHOWN + 1:
            lines.append(note.text)
        elif told[note.topic] == counts[note.topic]:
            lines.append(f"{counts[note.topic] - _SHOWN} more like these, of {note.topic}.")
    return tuple(lines)
