"""Numbers and their nouns, and numbers as people type them."""


def counted(count: int, what: str, *, more: str = "") -> str:
    """A number and its noun, which has an s, or is `more`, where there is not one of them."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {more or what + 's'}"
