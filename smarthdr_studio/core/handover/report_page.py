"""A report as one HTML page that needs nothing beside itself: no scripts, no files, no network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from smarthdr_studio.core.display import KeyEntry
from smarthdr_studio.core.display.hatch import PATCH_HATCH, PIXEL_HATCH, SHUT
from smarthdr_studio.core.handover.report_pictures import Picture, swatch_uri
from smarthdr_studio.core.handover.report_scenes import Figure, percent
from smarthdr_studio.core.handover.report_story import Deed
from smarthdr_studio.core.handover.report_style import SLUGS, STYLE
from smarthdr_studio.core.journal import Status

LEGEND: Final = (
    KeyEntry(
        colour=PATCH_HATCH.colour,
        pattern=PATCH_HATCH.pattern,
        words="patch dropped by the first gate",
    ),
    KeyEntry(
        colour=PIXEL_HATCH.colour,
        pattern=PIXEL_HATCH.pattern,
        words="pixel dropped by the second gate",
    ),
    KeyEntry(colour=SHUT.colour, pattern=SHUT.pattern, words="in a dropped patch"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One scene of the page, everything in it finished."""

    id: str
    status: Status
    about: str
    retained: float | None
    rounds: tuple[float, ...]
    pictures: tuple[Picture, ...]
    figures: tuple[Figure, ...]
    deeds: tuple[Deed, ...]
    note: str
    tags: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The top of the page: names, and figures in their order."""

    title: str
    about: str
    figures: tuple[Figure, ...]
    problems: tuple[str, ...]
    made: str


def page(head: Head, cards: Sequence[Card]) -> str:
    """The whole page; scenes lie together by status, in the order of `Status`."""
    groups = {status: [card for card in cards if card.status is status] for status in Status}
    groups = {status: some for status, some in groups.items() if some}
    scenes = "".join(
        f'<h2 class="{SLUGS[status]}">{escape(status.capitalize())} '
        f'<span class="quiet">{len(some)}</span></h2>{"".join(map(_card, some))}'
        for status, some in groups.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(head.title)}</title><style>{STYLE}{_swatches(cards)}</style></head>\n"
        f'<body><div class="page">{_head(head)}{_contents(groups)}{scenes}'
        f"<footer>{escape(head.made)}</footer></div></body></html>\n"
    )


def _head(head: Head) -> str:
    figures = "".join(
        f'<div title="{escape(each.tip)}"><dt>{escape(each.name)}</dt>'
        f"<dd{'' if each.value[:1].isdecimal() else _WORDS}>{escape(each.value)}</dd></div>"
        for each in head.figures
    )
    return (
        f'<h1>{escape(head.title)}</h1><div class="quiet break">{escape(head.about)}</div>'
        f'<dl class="facts">{figures}</dl>{_problems(head.problems)}'
        "<h2>How to read the masks</h2>"
        f'<div class="key legend">{_key(LEGEND)}<span>Uncertainty σ: bright is unsure.</span>'
        "<span>What is not hatched is trusted.</span></div>"
    )


_WORDS: Final = ' class="words"'


def _contents(groups: Mapping[Status, Sequence[Card]]) -> str:
    rows = "".join(
        f'<div><span class="status {SLUGS[status]}">{escape(status)}</span></div>'
        f"<ul>{''.join(map(_entry, some))}</ul>"
        for status, some in groups.items()
    )
    return f'<h2>Contents</h2><nav class="contents">{rows}</nav>'


def _entry(card: Card) -> str:
    share = "" if card.retained is None else f"{card.retained:.0%}".replace("%", " %")
    return (
        f'<li><a href="#scene-{escape(card.id)}">{escape(card.id)}</a>'
        f'<span class="quiet">{share}</span></li>'
    )


def _card(card: Card) -> str:
    tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in card.tags)
    note = f"<blockquote>{escape(card.note)}</blockquote>" if card.note else ""
    figures = "".join(
        f'<dt title="{escape(each.tip)}">{escape(each.name)}</dt><dd>{escape(each.value)}</dd>'
        for each in card.figures
    )
    told = f'<div><h4>Figures</h4><dl class="figures">{figures}</dl></div>' if figures else ""
    return (
        f'<article class="scene" id="scene-{escape(card.id)}"><header><h3>{escape(card.id)}</h3>'
        f'<span class="status {SLUGS[card.status]}">{escape(card.status)}</span>'
        f'<span class="quiet">{escape(card.about)}</span>{tags}{_kept(card)}</header>'
        f'{_problems(card.problems)}<div class="views">{"".join(map(_figure, card.pictures))}</div>'
        f'<div class="told">{told}<div>{note}<h4>Decisions</h4><table>'
        f"{''.join(map(_deed, card.deeds))}</table></div></div></article>\n"
    )


def _kept(card: Card) -> str:
    """The retained share as a figure, a bar, and a line over the rounds."""
    if card.retained is None:
        return ""
    return (
        f'<span class="last">{percent(card.retained)} retained<span class="kept">'
        f'<i style="width:{100 * card.retained:.1f}%"></i></span>{_rounds(card.rounds)}</span>'
    )


def _rounds(shares: Sequence[float]) -> str:
    known = [share for share in shares if share == share]  # not a number: it took no part
    if len(known) < 2:
        return ""
    across = 70 / (len(known) - 1)
    points = " ".join(f"{1 + i * across:.1f},{15 - 14 * s:.1f}" for i, s in enumerate(known))
    title = f"Retained over {len(known)} rounds"
    return (
        f'<svg class="rounds" viewBox="0 0 72 16" role="img"><title>{title}</title>'
        f'<polyline points="{points}"/></svg>'
    )


def _figure(picture: Picture) -> str:
    bar = ""
    if picture.bar:
        bar = (
            f'<div class="bar"><span>{escape(picture.low)}</span><i style="background:'
            f'linear-gradient(to right,{",".join(picture.bar)})"></i>'
            f"<span>{escape(picture.high)}</span></div>"
        )
    words = " · ".join(part for part in (picture.detail, picture.warning) if part)
    key = f'<div class="key">{_key(picture.key)}</div>' if picture.key else ""
    return (
        f'<figure><img src="{picture.uri}" width="{picture.width}" height="{picture.height}" '
        f'alt="{escape(picture.title)}" loading="lazy"><figcaption><b>{escape(picture.title)}</b> '
        f'<span class="quiet">{escape(words)}</span>{bar}{key}</figcaption></figure>'
    )


def _deed(deed: Deed) -> str:
    made = f' <span class="quiet">{escape(deed.made_with)}</span>' if deed.made_with else ""
    why = f' <span class="why">“{escape(deed.note)}”</span>' if deed.note else ""
    undone = ' class="undone"' if deed.undone else ""
    later = ' <span class="quiet">undone</span>' if deed.undone else ""
    return (
        f"<tr{undone}><td>{escape(deed.at)}</td><td>{escape(deed.who)}</td>"
        f'<td><span class="what">{escape(deed.what)}</span>{later}{made}{why}</td></tr>'
    )


def _problems(sentences: Iterable[str]) -> str:
    return "".join(f'<p class="warn">{escape(sentence)}</p>' for sentence in sentences)


def _key(entries: Iterable[KeyEntry]) -> str:
    return "".join(
        f'<span><i class="{_swatch(entry)}"></i>{escape(entry.words)}</span>' for entry in entries
    )


def _swatch(entry: KeyEntry) -> str:
    return f"{entry.pattern}-{bytes(entry.colour).hex()}"


def _swatches(cards: Sequence[Card]) -> str:
    """Every swatch of the page once, as CSS."""
    entries = {_swatch(entry): entry for entry in LEGEND}
    for card in cards:
        entries |= {_swatch(entry): entry for p in card.pictures for entry in p.key}
    return "".join(
        f".{name}{{background-image:url({swatch_uri(entry)})}}" for name, entry in entries.items()
    )
