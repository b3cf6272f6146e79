"""Numbers and their nouns, and numbers as people read and type them."""

from math import isfinite, nan


def counted(count: int, what: str, *, more: str = "") -> str:
    """A number and its noun, which has an s, or is `more`, where there is not one of them."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {more or what + 's'}"


def telling(value: float) -> str:
    """A number with three telling digits, however small it is: 0.500, 0.00123, 1.23e-05, or 0."""
    return "0" if value == 0 else f"{value:#.3g}".rstrip(".")


def number(text: str) -> float:
    """A number as somebody types it, with a decimal point or a decimal comma.

    ValueError for anything else, what is not finite included.
    """
    try:
        found = float(text.strip().replace(",", ".").replace("−", "-"))
    except ValueError:
        found = nan
    if not isfinite(found):
        raise ValueError(f"“{text}” is no number")
    return found
