"""A model in one file: a zip of its weights and of what it says of itself, written whole.

NAME.shdrmodel
├── model.json            the card, in words that need no program
└── weights.safetensors   the very bytes of the checkpoint, so that their hash stays the same
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from smarthdr_studio.core.errors import CheckpointError, ExportError
from smarthdr_studio.core.files import AnyPath, replacing, shown_name
from smarthdr_studio.core.imaging.radiometry import GAMMA, MU
from smarthdr_studio.core.project.places import MODEL_SUFFIX, MODEL_SUFFIXES
from smarthdr_studio.core.records import parse_json

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
    `overlap` are pixels. `uncertainty` says whose σ is meant: the judge's, which is in the weights,
    or how far five views differ, for which the network is asked five times. `frames` says in words
    how the frames were read that it was trained on, "" where that is not known; what it is given is
    always of gamma 2.2.
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
    uncertainty: Literal["judge", "views"] = "judge"
    frames: str = ""

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
        run = values["run"]
        if not isinstance(run, str) or len(run) > _LONGEST_NAME:
            raise ValueError("its run has no name")
        return cls(
            network=str(values["network"]),
            part=part,
            tile=tile,
            overlap=overlap,
            precision=str(values["precision"]),
            run=run,
            step=int(values["step"]),
            epoch=int(values["epoch"]),
            round=int(values["round"]),
            plan=str(values["plan"]),
            weights=str(values["weights"]),
            metrics={str(name): float(value) for name, value in values["metrics"].items()},
            uncertainty="views" if values.get("uncertainty") == "views" else "judge",
            frames=str(values.get("frames", "")),
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


SUFFIX: Final = MODEL_SUFFIX
_CARD: Final = "model.json"
_WEIGHTS: Final = "weights.safetensors"
_MOST_CARD: Final = 2**20
_LONGEST_NAME: Final = 255  # letters of the name of a run
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
_FOR_OTHERS: Final = frozenset(MODEL_SUFFIXES.values()) - {MODEL_SUFFIX}
_REMEDY: Final = "export the model again, or copy the file again"


def write_bundle(path: AnyPath, card: ModelCard, weights: bytes) -> None:
    """Writes the file whole or not at all; `weights` is safetensors.

    Raises ExportError where it cannot be written.
    """
    path = Path(path)
    try:
        with replacing(path) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as file:
            for name, content in ((_CARD, card.as_text().encode()), (_WEIGHTS, weights)):
                file.writestr(zipfile.ZipInfo(name, _MOMENT), content)
    except OSError as error:
        raise cannot_write(path, error) from None


def read_bundle(path: AnyPath) -> tuple[ModelCard, bytes]:
    """The card and the weights, as safetensors, after comparing their hash.

    Raises CheckpointError: no such file, no model, damaged, or made by a newer version.
    """
    path = Path(path)
    card, parts = _read(path, _WEIGHTS)
    weights = parts[_WEIGHTS]
    if hashlib.sha256(weights).hexdigest() != card.weights:
        raise CheckpointError(f"{path}: damaged, the SHA-256 of its weights has changed; {_REMEDY}")
    return card, weights


def read_bundle_card(path: AnyPath) -> ModelCard:
    """The card alone, without reading the weights. Raises CheckpointError."""
    return _read(Path(path))[0]


def cannot_write(path: AnyPath, error: OSError) -> ExportError:
    """What to say where a model cannot be written."""
    path = Path(path)
    reason = error.strerror or type(error).__name__
    return ExportError(
        f"{path}: cannot be written ({reason}); free some space or choose another place"
    )


def _read(path: Path, *wanted: str) -> tuple[ModelCard, dict[str, bytes]]:
    if path.suffix in _FOR_OTHERS and path.is_file():
        raise CheckpointError(
            f"{path}: a {path.suffix} is for other programs; export the model as a {SUFFIX} as well"
        )
    try:
        with zipfile.ZipFile(path) as file:
            found = {entry.filename: entry for entry in file.infolist()}
            if set(found) != {_CARD, _WEIGHTS} or len(file.infolist()) != len(found):
                raise CheckpointError(_not_a_bundle(path, "it does not hold what a model holds"))
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in found.values()):
                raise CheckpointError(_not_a_bundle(path, "its parts are compressed"))
            if found[_CARD].file_size > _MOST_CARD:
                raise CheckpointError(_not_a_bundle(path, "its description is too long"))
            card = _card(path, file.read(_CARD))
            return card, {name: file.read(name) for name in wanted}
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; give a checkpoint or a {SUFFIX}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CheckpointError(f"{path}: cannot be read ({reason}); allow reading it") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(_not_a_bundle(path, f"{error}".partition("\n")[0])) from None


def _card(path: Path, text: bytes) -> ModelCard:
    try:
        values: Any = parse_json(text)
        if values["format"] != FORMAT:
            raise CheckpointError(_not_a_bundle(path, f"it is {shown_name(values['format'])}"))
        version = int(values["version"])
        if version > VERSION:
            raise CheckpointError(f"{path}: of a newer format ({version}); update SmartHDR Studio")
        return ModelCard.from_plain(values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        missing = f": {shown_name(error.args[0])} is missing" if isinstance(error, KeyError) else ""
        why = f"its description is not understood{missing}"
        raise CheckpointError(_not_a_bundle(path, why)) from None


def _not_a_bundle(path: Path, why: str) -> str:
    return f"{path}: no whole model file ({why}); {_REMEDY}"
