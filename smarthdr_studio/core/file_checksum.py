"""The checksum by which a file is known again."""

import hashlib
from pathlib import Path

from smarthdr_studio.core.files import AnyPath


def file_checksum(path: AnyPath) -> str:
    """The SHA-256 of a file, hex. Raises OSError."""
    path = Path(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
