"""The option `--evs`: the exposure values of frames, as a person writes them."""

import typer


def evs_of(text: str | None, *, count: int) -> tuple[float, ...] | None:
    """One EV for each of `count` frames, None where the option was not given.

    Raises BadParameter: no numbers, or not as many.
    """
    if text is None:
        return None
    try:
        evs = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        evs = ()
    if len(evs) != count:
        raise typer.BadParameter(f"--evs {text}: write one number for each frame, as in -2,0,2")
    return evs
