"""Numbers and their nouns, and numbers as people read and type them."""

import re
from collections.abc import Mapping
from math import isfinite, nan
from typing import Any, Final

_HYPHEN: Final = "\u2011"  # at which no line ends
_SPACE: Final = "\u00a0"
_UNIT: Final = re.compile(r"(?<=[0-9]) (?=(?:%|dB|px|min|s|h|EV|MiB|GiB)(?:\W|$))")
_METRIC: Final = re.compile(r"\b(PSNR|SSIM)-(?=\S)")


def counted(count: int, what: str, *, more: str = "") -> str:
    """A number and its noun, which has an s, or is `more`, where there is not one of them."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {more or what + 's'}"


def unbroken(text: str) -> str:
    """The same words, but that no line ends within PSNR-μ, nor between a number and its unit."""
    return _UNIT.sub(_SPACE, _METRIC.sub(rf"\1{_HYPHEN}", text))


def plain_hyphens(text: str) -> str:
    """What `unbroken` was given, for files and other programs."""
    return text.replace(_HYPHEN, "-").replace(_SPACE, " ")


def unit_for(text: str, unit: str) -> str:
    """The unit behind a value as it is typed: “scenes” is “scene” behind 1, and px stays px."""
    if text.strip() != "1" or not unit.endswith("s"):
        return unit
    return unit.removesuffix("es" if unit.endswith("ches") else "s")


def percent(share: float, *, decimals: int = 0) -> str:
    """A share in [0, 1]; what is neither nothing nor all never reads so: 37 %, < 1 %, > 99.9 %."""
    told = f"{100 * share:.{decimals}f}"
    least = f"{10.0**-decimals:.{decimals}f}"
    if 0 < share < 1 and float(told) == 0:
        return f"< {least} %"
    if 0 < share < 1 and float(told) == 100:
        return f"> {100 - float(least):.{decimals}f} %"
    return f"{told} %"


_NO_NUMBER: Final = "should be a number"
_DEMANDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("float_parsing", "float_type"), _NO_NUMBER),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "should be true or false"),
    "string_type": "should be text",
    "finite_number": "should be a finite number",
    "greater_than_equal": "should be at least {ge}",
    "greater_than": "should be more than {gt}",
    "less_than_equal": "should be at most {le}",
    "less_than": "should be less than {lt}",
}


def demand(complaint: Mapping[str, Any]) -> str:
    """What a value should have been, of one complaint of pydantic, in our words where we have some.

    A bound that refuses "nan" does not explain it.
    """
    known = _DEMANDS.get(complaint["type"])
    if known is not None:
        is_nan = str(complaint["input"]).strip().lstrip("+-").casefold() == "nan"
        bounds = {k: str(v).removesuffix(".0") for k, v in complaint.get("ctx", {}).items()}
        return f"{_NO_NUMBER}, not nan" if is_nan else known.format(**bounds)
    said: str = complaint["msg"].removeprefix("Value error, ")
    said = said.removeprefix("Input ")
    return f"{said[:1].lower()}{said[1:]}"


def tau_words(value: float) -> str:
    """A threshold with two decimals, or as many more, up to four, as it has: 0.40, 0.305."""
    least = f"{value:.4f}".rstrip("0")
    return max(least, f"{value:.2f}", key=len)


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
