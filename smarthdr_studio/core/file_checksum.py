"""The checksum by which a file is known again."""

import hashlib
from pathlib import Path


def file_checksum(path: Path) -> str:
    """The SHA-256 of a file, hex. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
