"""HDR-FLIP and ColorVideoVDP, by their authors' own packages, where those are installed."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.environment import pip_install
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.metrics import SHOWN_PEAK

Metric = Literal["flip", "cvvdp"]
Picture = npt.NDArray[np.floating[Any]]

_PACKAGES: Final[Mapping[Metric, tuple[str, str]]] = {
    "flip": ("flip_evaluator", "flip-evaluator"),
    "cvvdp": ("pycvvdp", "cvvdp"),
}
TITLES: Final[Mapping[Metric, str]] = {"flip": "HDR-FLIP", "cvvdp": "ColorVideoVDP"}
_DISPLAY: Final = "standard_hdr_linear"  # of cvvdp: linear light, 1500 cd/m², seen in a dim room


def require_metrics(wanted: Sequence[Metric]) -> None:
    """Raises StudioError that names the packages of those metrics that are not installed."""
    missing = [_PACKAGES[name][1] for name in wanted if find_spec(_PACKAGES[name][0]) is None]
    if missing:
        raise StudioError(
            f"{' and '.join(TITLES[name] for name in wanted if _PACKAGES[name][1] in missing)} "
            f"needs {' and '.join(missing)}, not installed here; "
            f"install with: {pip_install('metrics')}"
        )


def measure(name: Metric, picture: Picture, truth: Picture) -> float:
    """One figure of linear radiance against its ground truth, both H×W×3 in [0, 1].

    `flip` is the mean HDR-FLIP error, 0 at best, NaN for a truth too dark or even to have its range
    of exposures; `cvvdp` is ColorVideoVDP in JOD, 10 at best, radiance 1 shown at 1000 cd/m².
    """
    return _MEASURES[name](picture.astype(np.float32), truth.astype(np.float32))


def _flip(picture: Picture, truth: Picture) -> float:
    luminance = truth @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    # Its library ends the process where brightest and median give no range.
    if not luminance.max() > np.median(luminance) > 0:
        return float("nan")
    import flip_evaluator  # noqa: PLC0415 - an extra that few install

    _, error, _ = flip_evaluator.evaluate(truth, picture, "HDR", applyMagma=False)
    return float(error)


def _cvvdp(picture: Picture, truth: Picture) -> float:
    import pycvvdp  # noqa: PLC0415 - an extra that few install

    metric = pycvvdp.cvvdp(display_name=_DISPLAY, quiet=True)
    shown = (SHOWN_PEAK * picture, SHOWN_PEAK * truth)
    jod, _ = metric.predict(*shown, dim_order="HWC")
    return float(jod)


_MEASURES: Final[Mapping[Metric, Callable[[Picture, Picture], float]]] = {
    "flip": _flip,
    "cvvdp": _cvvdp,
}
