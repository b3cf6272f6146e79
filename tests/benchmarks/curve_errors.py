"""How far estimated response curves are from the cameras', as the table of decision 0016 has it.

Computed brackets of cameras whose curve is known, as JPEG of quality 95 with the noise of a small
sensor; beside ours the two estimators of OpenCV on the same frames. Run it as a program with how
many brackets of each camera and step are measured:

    python tests/benchmarks/curve_errors.py 8
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

sys.path.append(str(Path(__file__).parents[1] / "core"))

from made_curves import EVERY_CAMERA, LIGHTS, curve_error, photograph, shot

from smarthdr_studio.core.imaging import response
from smarthdr_studio.core.imaging.response import (
    GAMMA_2_2,
    PairSamples,
    ResponseCurve,
    fit_response,
    sample_pair,
)

Frames = Sequence[npt.NDArray[np.uint8]]
Lights = npt.NDArray[np.float64]  # of the values that a camera writes for LIGHTS, N×1 or N×3

STEPS = {"2": (0.0, 2.0, 4.0), "3": (0.0, 3.0, 6.0), "1.3 and 2": (0.0, 1.3, 3.3)}
SCENES = 2  # of one camera, which are measured together


def photographed(camera: str, stops: Sequence[float], *, seed: int) -> Frames:
    """The frames of one scene as JPEG of quality 95 keeps them, H×W×3 RGB uint8."""
    light = photograph(seed)
    frames = [shot(light, stop, camera, seed=10 * seed + k) for k, stop in enumerate(stops)]
    best = [cv2.IMWRITE_JPEG_QUALITY, 95]
    coded = (cv2.imencode(".jpg", frame[..., ::-1], best)[1] for frame in frames)
    return [np.ascontiguousarray(cv2.imdecode(each, 1)[..., ::-1]) for each in coded]


def pairs_of(scenes: Sequence[Frames], stops: Sequence[float]) -> list[PairSamples]:
    """What the estimate is given of them."""
    return [
        sample_pair(
            scene[dark].astype(np.uint16) * 257,
            scene[bright].astype(np.uint16) * 257,
            stops=stops[bright] - stops[dark],
        )
        for scene in scenes
        for dark, bright in pairwise(range(len(stops)))
    ]


def by_pairs(scenes: Sequence[Frames], stops: Sequence[float], camera: str) -> Lights:
    """Ours, one curve for all channels."""
    fit = fit_response(pairs_of(scenes, stops))
    return (GAMMA_2_2 if fit is None else fit.curve).light(EVERY_CAMERA[camera](LIGHTS))


def by_channel(scenes: Sequence[Frames], stops: Sequence[float], camera: str) -> Lights:
    """Ours, a curve for each channel."""
    pairs = pairs_of(scenes, stops)
    tables = tuple(
        response._as_table(response._solved([response._binned(pair, channel) for pair in pairs]))
        for channel in range(3)
    )
    return ResponseCurve(tables=tables).light(EVERY_CAMERA[camera](LIGHTS))


def by_opencv(
    make: Callable[[], cv2.CalibrateCRF], scenes: Sequence[Frames], stops: Sequence[float],
    camera: str,
) -> Lights:  # fmt: skip
    """OpenCV's curve of the first scene: it takes one view at a time."""
    times = np.exp2(np.array(stops, np.float32))
    table = make().process(list(scenes[0]), times).reshape(256, 3).astype(np.float64)
    values = EVERY_CAMERA[camera](LIGHTS) * 255
    return np.stack([np.interp(values, np.arange(256), each) for each in table.T], axis=1) / table[
        -1
    ].clip(1e-9)


METHODS: dict[str, Callable[[Sequence[Frames], Sequence[float], str], Lights]] = {
    "pairs, one curve": by_pairs,
    "pairs, a curve a channel": by_channel,
    "OpenCV Debevec": lambda *given: by_opencv(cv2.createCalibrateDebevec, *given),
    "OpenCV Robertson": lambda *given: by_opencv(cv2.createCalibrateRobertson, *given),
}


def measure(step: str, *, brackets: int) -> Iterator[tuple[str, str, float, float]]:
    """Method, camera, median error of light but for one scale, and error of white, each time."""
    stops = STEPS[step]
    for camera in EVERY_CAMERA:
        for first in range(0, SCENES * brackets, SCENES):
            scenes = [photographed(camera, stops, seed=first + k) for k in range(SCENES)]
            for name, method in METHODS.items():
                yield name, camera, *curve_error(method(scenes, stops, camera))


def main() -> None:
    """Two tables in Markdown, and ours by camera."""
    brackets = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    found = {step: list(measure(step, brackets=brackets)) for step in STEPS}
    for title, index in (("light, but for one scale", 2), ("what white stands for", 3)):
        print(f"\nMedian error of {title}, over {len(EVERY_CAMERA)} cameras, {brackets} of each:\n")
        print("| stops between frames |", " | ".join(METHODS), "|")
        print("|---" * (len(METHODS) + 1) + "|")
        for step, rows in found.items():
            cells = [_median(each[index] for each in rows if each[0] == name) for name in METHODS]
            print(f"| {step} |", " | ".join(cells), "|")
    print("\nOurs by camera, median and worst of light:\n")
    print("| stops between frames |", " | ".join(EVERY_CAMERA), "|")
    print("|---" * (len(EVERY_CAMERA) + 1) + "|")
    for step, rows in found.items():
        ours = [
            [each[2] for each in rows if each[:2] == ("pairs, one curve", c)] for c in EVERY_CAMERA
        ]
        cells = [f"{np.median(each):.1%}, {max(each):.1%}" for each in ours]
        print(f"| {step} |", " | ".join(cells), "|")


def _median(errors: Iterator[float]) -> str:
    return f"{np.median(list(errors)):.1%}"


if __name__ == "__main__":
    main()
