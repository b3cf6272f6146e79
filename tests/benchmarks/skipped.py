"""A row of the table that was not measured, and why."""

import math

from table import Row


def skipped(what: str, *, reason: str, unit: str = "", reach: str = "–", stretch: str = "–") -> Row:
    """A row without a sample; its figures are no numbers."""
    return Row(
        what=f"{what} ({reason})",
        median=math.nan,
        worst=math.nan,
        unit=unit,
        reach=reach,
        stretch=stretch,
        samples=0,
    )
