"""Which commands are meant by a few letters: every word typed must be found, best hits first."""

from collections.abc import Sequence
from typing import Final, NamedTuple

# A keyboard without Greek letters finds them all the same.
_SPELT: Final = {"τ": "tau", "σ": "sigma", "μ": "mu", "γ": "gamma", "_": " ", "…": ""}

_BEGINS, _INITIALS, _INSIDE, _SCATTERED = 0.0, 0.5, 1.0, 2.0
_IN_MENU, _IN_TIP = 2.5, 5.0
_LOOSEST: Final = 2.0  # letters of room per letter typed, beyond which nobody meant it


class Entry(NamedTuple):
    """What is known of one command in words."""

    title: str
    menu: str = ""
    tip: str = ""


def ranked(typed: str, entries: Sequence[Entry]) -> list[int]:
    """The places of the entries that hold every word typed, best first, ties in their order.

    A word is best at the beginning of a word of the title, then as the initials of the title,
    then inside a word, then scattered; in the name of the menu or in the tip it counts less.
    """
    words = _plain(typed).split()
    if not words:
        return list(range(len(entries)))
    grades = ((place, _grade(words, entry)) for place, entry in enumerate(entries))
    found = [(grade, place) for place, grade in grades if grade is not None]
    return [place for _, place in sorted(found)]


def _grade(words: Sequence[str], entry: Entry) -> float | None:
    """How far an entry is from what was typed; None where a word is not in it."""
    title, menu, tip = (_plain(text) for text in entry)
    total = 0.0
    for word in words:
        hits = [_in_title(word, title)]
        if menu.startswith(word):
            hits.append(_IN_MENU)
        if f" {word}" in f" {tip}":
            hits.append(_IN_TIP)
        best = min((hit for hit in hits if hit is not None), default=None)
        if best is None:
            return None
        total += best
    # Of equals, the title of which more was typed.
    return total + len(title) / 1000


def _in_title(word: str, title: str) -> float | None:
    if f" {word}" in f" {title}":
        return _BEGINS if title.startswith(word) else _BEGINS + 0.25
    if len(word) > 1 and "".join(part[0] for part in title.split()).startswith(word):
        return _INITIALS
    if word in title:
        return _INSIDE
    room = tightest(word, title)
    if room is None or room > _LOOSEST * len(word):
        return None
    return _SCATTERED + room / (_LOOSEST * len(word))


def tightest(word: str, text: str) -> int | None:
    """The length of the shortest stretch of text that holds the letters of a word in order."""
    lengths = []
    for start, letter in enumerate(text):
        if letter != word[0]:
            continue
        end = start
        for following in word[1:]:
            end = text.find(following, end + 1)
            if end < 0:
                break
        else:
            lengths.append(end - start + 1)
    return min(lengths, default=None)


def _plain(text: str) -> str:
    lowered = text.casefold()
    for sign, spelt in _SPELT.items():
        lowered = lowered.replace(sign, spelt)
    return lowered
