"""The model that ships: where it lies, what its card says, and which scenes are unlike its own.

resources/starter/
├── starter.shdrmodel   the weights; named "starter" wherever a model is asked for
└── card.json           recipe, duration, figures on held-out scenes, and what its scenes were like

`packaging/starter.py` makes both anew from packaging/starter.toml.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.environment import resource
from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import unit_ldr
from smarthdr_studio.core.records import read_json

STARTER: Final = "starter"
MODEL_FILE: Final = "starter.shdrmodel"
CARD_FILE: Final = "card.json"

_CLIPPED: Final = 0.99  # of camera values: a channel from here on says nothing of the light
_QUANTILES: Final = (0.01, 0.99)
_SLACK: Final = 0.05  # of the width of a range, so that its own ends are never called unlike


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What of a scene is held against the scenes a model has learned from.

    `span` is stops from the shortest to the longest frame, `clipped` the share of the reference's
    pixels with a clipped channel, `sigma` the mean σ of the model's answer in μ-law values.
    """

    span: float
    clipped: float
    sigma: float


_IN_WORDS: Final[Mapping[str, str]] = {
    "span": "its exposures span {value:.1f} stops ({low:.1f} to {high:.1f} there)",
    "clipped": "{value:.1%} of its reference is clipped ({low:.1%} to {high:.1%} there)",
    "sigma": "its mean σ is {value:.4f} ({low:.4f} to {high:.4f} there)",
}


def traits_of(bracket: Bracket, sigma: npt.NDArray[np.floating]) -> Traits:
    """The traits of a decoded bracket and the H×W σ a model answered for it."""
    clipped = (unit_ldr(bracket.reference) >= _CLIPPED).any(axis=2)
    return Traits(
        span=float(bracket.stops[-1] - bracket.stops[0]),
        clipped=float(clipped.mean()),
        sigma=float(sigma.mean(dtype=np.float64)),
    )


def ranges_of(scenes: Sequence[Traits]) -> dict[str, tuple[float, float]]:
    """The 1 % and 99 % quantiles of every trait over scenes, as the card keeps them."""
    found = {name: [asdict(each)[name] for each in scenes] for name in _IN_WORDS}
    return {
        name: (float(low), float(high))
        for name, values in found.items()
        for low, high in [np.quantile(values, _QUANTILES)]
    }


def unlike(traits: Traits, ranges: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
    """What of a scene lies outside the ranges, each a twentieth wider at both ends; in clauses."""
    found = []
    for name, words in _IN_WORDS.items():
        (low, high), value = ranges[name], asdict(traits)[name]
        spare = _SLACK * (high - low)
        if not low - spare <= value <= high + spare:
            found.append(words.format(value=value, low=low, high=high))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterCard:
    """What is known of the model that ships; `ranges` are the quantiles of its scenes' traits."""

    about: str
    weights: str
    ranges: Mapping[str, tuple[float, float]]
    figures: Mapping[str, Any]

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "StarterCard":
        """What card.json holds. Raises KeyError, TypeError or ValueError."""
        ranges = {name: tuple(map(float, values["ranges"][name])) for name in _IN_WORDS}
        return cls(
            about=str(values["about"]),
            weights=str(values["weights"]),
            ranges={name: (low, high) for name, (low, high) in ranges.items()},
            figures=dict(values["figures"]),
        )


def starter_model() -> Path:
    """The bundle that ships."""
    return resource(STARTER, MODEL_FILE)


def meant_model(path: AnyPath) -> Path:
    """The path itself, or the bundle that ships where the word "starter" names nothing else."""
    path = Path(path)
    return starter_model() if str(path) == STARTER and not path.exists() else path


@cache
def starter_card() -> StarterCard:
    """The card of the model that ships. Raises CheckpointError where it is missing or damaged."""
    path = resource(STARTER, CARD_FILE)
    try:
        return StarterCard.from_plain(read_json(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: the card of the starter model cannot be read ({error}); install SmartHDR "
            "Studio anew"
        ) from None
