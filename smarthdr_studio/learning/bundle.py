"""A model in one file: a zip of its weights and of what it says of itself, written whole.

NAME.shdrmodel
├── model.json            the card, in words that need no program
└── weights.safetensors   the very bytes of the checkpoint, so that their hash stays the same

Nothing is compressed, so that any program can read either part where it lies. No pickle.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.errors import CheckpointError, ExportError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.learning.model_card import FORMAT, VERSION, ModelCard

SUFFIX: Final = ".shdrmodel"
_CARD: Final = "model.json"
_WEIGHTS: Final = "weights.safetensors"
_MOST_CARD: Final = 2**20
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
_FOR_OTHERS: Final = frozenset({".safetensors", ".pt", ".onnx"})
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
        raise unwritable(path, error) from None


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


def unwritable(path: AnyPath, error: OSError) -> ExportError:
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
                raise CheckpointError(_stranger(path, "it does not hold what a model holds"))
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in found.values()):
                raise CheckpointError(_stranger(path, "its parts are compressed"))
            if found[_CARD].file_size > _MOST_CARD:
                raise CheckpointError(_stranger(path, "its description is too long"))
            card = _card(path, file.read(_CARD))
            return card, {name: file.read(name) for name in wanted}
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; give a checkpoint or a {SUFFIX}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CheckpointError(f"{path}: cannot be read ({reason}); allow reading it") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(_stranger(path, f"{error}".partition("\n")[0])) from None


def _card(path: Path, text: bytes) -> ModelCard:
    try:
        values: Any = json.loads(text)
        if values["format"] != FORMAT:
            raise CheckpointError(_stranger(path, f"it is {values['format']!r}"))
        if values["version"] > VERSION:
            raise CheckpointError(
                f"{path}: of a newer format ({values['version']}); update SmartHDR Studio"
            )
        return ModelCard.from_plain(values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            _stranger(path, f"its description is not understood: {error}")
        ) from None


def _stranger(path: Path, why: str) -> str:
    return f"{path}: no whole model file ({why}); {_REMEDY}"
