"""A proposal as a person reads it: one sentence, and figures before and after."""

from smarthdr_studio.core.curation.proposals import Outlook, Proposal
from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.studio.panels.parts import percent


def summary(found: Proposal, chosen: Proposal) -> str:
    """How many scenes are proposed, and how many of them are ticked."""
    many = len(found.candidates)
    if not many:
        return "No scene is proposed"
    words = "1 scene is proposed" if many == 1 else f"{many} scenes are proposed"
    ticked = len(chosen.candidates)
    return words if ticked == many else f"{words}, {ticked} ticked"


def promote_in_words(chosen: Proposal | None) -> str:
    """What the button does."""
    many = len(chosen.candidates) if chosen is not None else 0
    if not many:
        return "Promote none"
    return "Promote this one" if many == 1 else f"Promote these {many}"


def before_and_after(chosen: Proposal) -> tuple[Fact, ...]:
    """What there is to learn from now, and what there would be."""
    before, after = chosen.before, chosen.after
    counted = [f"{outlook.labelled_pixels / 1e6:.2f}" for outlook in (before, after)]
    rows = (
        ("new labels", scenes(len(chosen.candidates)), millions(chosen.pixels)),
        ("labelled", f"{before.labelled} → {scenes(after.labelled)}", "now → then"),
        ("counted of them", f"{counted[0]} → {counted[1]} million pixels", ""),
        ("pool", f"{before.pool} → {scenes(after.pool)}", _warning(after)),
        ("trusted of it", f"{_trusted(before)} → {_trusted(after)}", ""),
    )
    return tuple(Fact(name=name, value=value, beside=beside) for name, value, beside in rows)


def millions(pixels: int) -> str:
    """So many pixels, short."""
    return f"{pixels / 1e6:.2f} million pixels"


def scenes(many: int) -> str:
    """So many scenes."""
    return "1 scene" if many == 1 else f"{many} scenes"


def _warning(after: Outlook) -> str:
    return "" if after.pool else "no pseudo-label is left to learn from"


def _trusted(outlook: Outlook) -> str:
    return percent(outlook.retained) if outlook.pool else "–"
