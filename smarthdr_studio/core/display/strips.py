"""A large picture worked through in strips of rows, so that what lies between stays small."""

from collections.abc import Iterator

PIXELS = 1 << 18  # of one strip: its floats fit the processor's cache


def strips(height: int, width: int, *, multiple: int = 1, pixels: int = PIXELS) -> Iterator[slice]:
    """Slices that cover all rows in order; each but the last has a multiple of `multiple` rows."""
    rows = max(pixels // max(width, 1) // multiple, 1) * multiple
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))
