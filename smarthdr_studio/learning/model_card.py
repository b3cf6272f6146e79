"""What a model says of itself beside its weights, readable without this program."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from smarthdr_studio.core.radiance import GAMMA, MU

Part = Literal["teacher", "student"]

FORMAT: Final = "smarthdr-model"
VERSION: Final = 1
INPUTS: Final = ("under", "reference", "over")
OUTPUTS: Final = ("hdr", "sigma")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Which network it is, how it is asked, and where it is from.

    `weights` is the SHA-256 of the weights as the checkpoint had them, by which the teacher is
    named in the provenance of its pseudo-labels; `plan` is that of the run's plan. `tile` and
    `overlap` are pixels.
    """

    network: str
    part: Part
    tile: int
    overlap: int
    precision: str
    run: str
    step: int
    epoch: int
    round: int
    plan: str
    weights: str
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Where it is from, in a few words."""
        return f"{self.part} of {self.run}, step {self.step}"

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON, with what goes in and comes out told in words."""
        return {
            "format": FORMAT,
            "version": VERSION,
            **asdict(self),
            "metrics": dict(self.metrics),
            **_contract(),
        }

    def as_text(self) -> str:
        """The same as JSON, always the same for the same card."""
        return json.dumps(self.as_plain(), indent=2, ensure_ascii=False)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "ModelCard":
        """What `as_plain` gave. Raises ValueError, KeyError or TypeError where something is odd."""
        part: Part = "student" if values["part"] == "student" else "teacher"
        tile, overlap = int(values["tile"]), int(values["overlap"])
        if not 0 < overlap < tile or tile % 8 or overlap % 8:
            raise ValueError(f"tile {tile} and overlap {overlap}")
        return cls(
            network=str(values["network"]),
            part=part,
            tile=tile,
            overlap=overlap,
            precision=str(values["precision"]),
            run=str(values["run"]),
            step=int(values["step"]),
            epoch=int(values["epoch"]),
            round=int(values["round"]),
            plan=str(values["plan"]),
            weights=str(values["weights"]),
            metrics={str(name): float(value) for name, value in values["metrics"].items()},
        )


def overlap_of(tile: int) -> int:
    """How many pixels neighbouring tiles share: 32, or less where tiles are too small for it."""
    return min(32, tile // 3 // 8 * 8)


def _contract() -> dict[str, Any]:
    """What goes in and what comes out, for whoever has nothing but the file."""
    return {
        "input": {
            "names": list(INPUTS),
            "shape": "B×6×H×W float32, one for each frame, shortest exposure first",
            "channels": ["H red", "H green", "H blue", "L red", "L green", "L blue"],
            "L": "camera values in [0, 1]: 16-bit frames divided by 65535, 8-bit ones by 255",
            "H": "L^gamma / 2^(EV − EV of the shortest frame), linear radiance in [0, 1]",
            "gamma": GAMMA,
        },
        "output": {
            "names": list(OUTPUTS),
            "hdr": "B×3×H×W linear radiance in [0, 1], RGB, aligned to the reference frame",
            "sigma": "B×1×H×W uncertainty, in values of T(h) = log(1 + mu·h) / log(1 + mu)",
            "mu": MU,
        },
        "tiling": "larger pictures are cut into tiles that share overlap pixels, blended in T",
    }
