"""A review report as one HTML page that needs nothing beside itself: no scripts, files, network."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path, PurePosixPath
from typing import Final

from smarthdr_studio import __version__
from smarthdr_studio.core.curation.project_facts import ProjectFacts, read_project_facts
from smarthdr_studio.core.display import DisplaySettings, KeyEntry, Painter
from smarthdr_studio.core.display.overlay import PATCH_HATCH, PIXEL_HATCH, SHUT
from smarthdr_studio.core.environment import time_words, utc_now
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.project.journal import SceneState, Status
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import lost_dataset
from smarthdr_studio.core.reporting.report_scenes import (
    Figure,
    Picture,
    PoolThresholds,
    SceneDecision,
    SceneReport,
    SceneRequest,
    decisions_by_scene,
    pictures_of,
    read_scene_report,
    scene_request,
    swatch_uri,
)
from smarthdr_studio.core.reporting.tables import Progress, no_progress, write_text
from smarthdr_studio.core.trust.pseudo_label import Provenance
from smarthdr_studio.core.words import counted, percent

SLUGS: Final[Mapping[Status, str]] = {
    Status.GROUND_TRUTH: "truth",
    Status.PROMOTED: "promoted",
    Status.UNLABELLED: "unlabelled",
    Status.EXCLUDED: "excluded",
    Status.TEST: "test",
}

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #f4f4f2; --card: #fdfdfc; --ink: #1d1d1b; --quiet: #62625d; --line: #deded9;
  --accent: #2d6ea8; --well: #e9e9e5; --warn: #9a3412;
  --truth: #2d6ea8; --promoted: #1c7c54; --unlabelled: #6d6d68; --excluded: #a4471c;
  --test: #7048a6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1b1a; --card: #242423; --ink: #e7e7e3; --quiet: #9d9d96; --line: #3a3a38;
    --accent: #7fb4e3; --well: #151514; --warn: #f0a070;
    --truth: #7fb4e3; --promoted: #62c698; --unlabelled: #a3a39c; --excluded: #e8935f;
    --test: #b795e6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums lining-nums;
}
.page { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; font-weight: 600; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 17px; font-weight: 600; margin: 40px 0 12px; }
h3 { font-size: 16px; font-weight: 600; margin: 0; }
h4 { font-size: 11px; font-weight: 600; margin: 0 0 6px; color: var(--quiet);
  letter-spacing: .06em; text-transform: uppercase; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.quiet { color: var(--quiet); }
.break { overflow-wrap: anywhere; }
h1, h3, td, dd, li a, blockquote, .break, .tag, .warn, .why, figcaption {
  unicode-bidi: isolate; }
.facts { display: flex; flex-wrap: wrap; gap: 1px; margin: 24px 0 0; background: var(--line);
  border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.facts div { flex: 1 0 auto; max-width: 100%; background: var(--card); padding: 10px 14px; }
.facts dt, .figures dt { font-size: 12px; color: var(--quiet); }
.facts dd { margin: 0; font-size: 20px; line-height: 1.3; }
.facts dd.words { font-size: 14px; line-height: 1.5; overflow-wrap: anywhere; }
.status { white-space: nowrap; font-weight: 600; }
.status::before { content: ""; display: inline-block; width: .62em; height: .62em;
  margin-right: .45em; border-radius: 50%; background: currentColor; }
.status.unlabelled::before { background: none; border: 2px solid currentColor; }
.status.excluded::before { border-radius: 0; height: .2em; vertical-align: .22em; }
.status.test::before { border-radius: 0; }
.truth { color: var(--truth); } .promoted { color: var(--promoted); }
.unlabelled { color: var(--unlabelled); } .excluded { color: var(--excluded); }
.test { color: var(--test); }
.contents { display: grid; grid-template-columns: max-content 1fr; gap: 8px 20px; }
.contents ul { list-style: none; margin: 0; padding: 0; display: grid;
  grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 2px 16px; }
.contents li { display: flex; justify-content: space-between; gap: 8px; min-width: 0; }
.contents li a { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.scene { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  margin: 0 0 20px; overflow: hidden; }
.scene header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px;
  padding: 12px 16px; }
.scene header .last { margin-left: auto; }
.kept { display: inline-block; width: 120px; height: 6px; margin-left: 8px; border-radius: 3px;
  background: var(--well); overflow: hidden; vertical-align: 1px; }
.kept i { display: block; height: 100%; background: var(--accent); }
.rounds { width: 72px; height: 16px; margin-left: 10px; vertical-align: -3px; }
.rounds polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; }
.views { display: grid; grid-template-columns: repeat(4, 1fr); gap: 2px; background: var(--well); }
figure { margin: 0; background: var(--card); display: flex; flex-direction: column; }
figure img { display: block; width: 100%; height: auto; }
figcaption { padding: 8px 12px 10px; font-size: 12px; }
figcaption b { font-weight: 600; }
.bar { display: flex; align-items: center; gap: 6px; margin-top: 4px; color: var(--quiet); }
.bar i { flex: 1; height: 8px; border-radius: 2px; }
.key { display: flex; flex-wrap: wrap; gap: 2px 12px; margin-top: 4px; color: var(--quiet); }
.key i { display: inline-block; width: 21px; height: 13px; margin-right: 5px; border-radius: 2px;
  vertical-align: -2px; background-size: cover; }
.told { display: grid; grid-template-columns: minmax(200px, 1fr) 3fr; gap: 20px 32px;
  padding: 14px 16px 16px; }
.told > :only-child { grid-column: 1 / -1; }
.figures { margin: 0; display: grid; grid-template-columns: 1fr max-content; gap: 1px 16px; }
.figures dd { margin: 0; text-align: right; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
td { padding: 2px 16px 2px 0; vertical-align: top; }
td:nth-child(-n + 2) { white-space: nowrap; width: 1%; color: var(--quiet); }
tr.undone .what { text-decoration: line-through; color: var(--quiet); }
blockquote { margin: 0 0 12px; padding: 2px 0 2px 12px; border-left: 3px solid var(--accent);
  white-space: pre-wrap; }
.why { font-style: italic; }
.tag { display: inline-block; padding: 0 8px; border: 1px solid var(--line); border-radius: 9px;
  font-size: 12px; }
.warn { color: var(--warn); padding: 0 16px 10px; margin: 0; overflow-wrap: anywhere; }
.warn::before { content: "! "; font-weight: 700; }
.legend { gap: 6px 24px; }
footer { margin-top: 40px; font-size: 12px; color: var(--quiet); }
@media (max-width: 900px) {
  .views { grid-template-columns: repeat(2, 1fr); }
  .told { grid-template-columns: 1fr; }
}
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --quiet: #555; --line: #ccc; --well: #eee;
    --accent: #2d6ea8; --warn: #9a3412; --truth: #2d6ea8; --promoted: #1c7c54;
    --unlabelled: #6d6d68; --excluded: #a4471c; --test: #7048a6; color-scheme: light; }
  body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .page { max-width: none; padding: 0; }
  .scene { break-inside: avoid; }
  h2 { break-after: avoid; }
  .views { grid-template-columns: repeat(2, 1fr); }
  @page { margin: 14mm; }
}
"""


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
    deeds: tuple[SceneDecision, ...]
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
        f'<span class="quiet">{len(some)}</span></h2>{"".join(map(_card_html, some))}'
        for status, some in groups.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_ALLOWED}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(head.title)}</title><style>{STYLE}{_swatches(cards)}</style></head>\n"
        f'<body><div class="page">{_head_html(head)}{_contents(groups)}{scenes}'
        f"<footer>{escape(head.made)}</footer></div></body></html>\n"
    )


def _head_html(head: Head) -> str:
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
# A page of names and notes of anybody runs nothing and fetches nothing.
_ALLOWED: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


def _contents(groups: Mapping[Status, Sequence[Card]]) -> str:
    rows = "".join(
        f'<div><span class="status {SLUGS[status]}">{escape(status)}</span></div>'
        f"<ul>{''.join(map(_entry_html, some))}</ul>"
        for status, some in groups.items()
    )
    return f'<h2>Contents</h2><nav class="contents">{rows}</nav>'


def _entry_html(card: Card) -> str:
    share = "" if card.retained is None else percent(card.retained)
    return (
        f'<li><a href="#scene-{escape(card.id)}">{escape(card.id)}</a>'
        f'<span class="quiet">{share}</span></li>'
    )


def _card_html(card: Card) -> str:
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
        f'<span class="last">{percent(card.retained, decimals=1)} retained<span class="kept">'
        f'<i style="width:{100 * card.retained:.1f}%"></i></span>{_rounds(card.rounds)}</span>'
    )


def _rounds(shares: Sequence[float]) -> str:
    known = [share for share in shares if share == share]  # not a number: it took no part
    if len(known) < 2:
        return ""
    across = 70 / (len(known) - 1)
    points = " ".join(f"{1 + i * across:.1f},{15 - 14 * s:.1f}" for i, s in enumerate(known))
    title = f"Retained over {counted(len(known), 'round')}"
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


def _deed(deed: SceneDecision) -> str:
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


_AS_SHOWN = DisplaySettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWritten:
    """How many scenes a page shows, and every sentence in it about what could not be used."""

    scenes: int
    problems: tuple[str, ...]


def write_report(
    project: Project,
    target: AnyPath,
    *,
    scenes: Collection[str] | None = None,
    settings: DisplaySettings = _AS_SHOWN,
    tell: Progress = no_progress,
) -> ReportWritten:
    """Write a page about these scenes, or all of them.

    Pictures are painted as the screen paints them with `settings`. A file that cannot be read
    leaves its sentence in the page, and so do pictures that are lost or not those the project
    knows. `tell` may raise to stop; then nothing is written.

    Raises:
        ProjectError: one of the scenes is unknown.
        ExportError: the file cannot be written, is no .html, or lies in the dataset folder.
    """
    target = Path(target).expanduser().absolute()
    _refuse_unusable(target, project)
    chosen = {project.scene(name).id for name in scenes} if scenes is not None else None
    tell("gathering figures", 0, 1)
    known, missing = read_project_facts(project), lost_dataset(project)
    pictures = project.compare_pictures(chosen)
    deeds = decisions_by_scene(project.entries())
    errands = [
        scene_request(project, facts, pictures)
        for facts in known.facts
        if chosen is None or facts.id in chosen
    ]
    pool = known.pool.retention(known.masks) if len(known.pool) else None
    cards, seen = [], []
    painter = Painter()
    for done, shown in enumerate(
        _read_ahead(errands, PoolThresholds(masks=known.masks, pool=pool))
    ):
        tell(f"drawing {shown.scene.id}", done, len(errands))
        cards.append(_card(shown, painter, settings, deeds.get(shown.scene.id, ())))
        if shown.provenance is not None and shown.state.label is None:
            seen.append(shown.provenance)
    tell("writing the page", len(errands), len(errands))
    head = _head(project, known, cards, seen)
    if missing is not None:
        head = replace(head, problems=(missing.sentence, *head.problems))
    write_text(target, page(head, cards))
    told = (*head.problems, *(sentence for card in cards for sentence in card.problems))
    return ReportWritten(scenes=len(cards), problems=tuple(dict.fromkeys(told)))


def _read_ahead(
    errands: Sequence[SceneRequest], thresholds: PoolThresholds
) -> Iterator[SceneReport]:
    """Every scene in order; the next one is read while this one is painted."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(read_scene_report, errands[0], thresholds) if errands else None
        for index in range(len(errands)):
            shown = coming.result() if coming else read_scene_report(errands[index], thresholds)
            later = errands[index + 1] if index + 1 < len(errands) else None
            coming = reader.submit(read_scene_report, later, thresholds) if later else None
            yield shown


def _card(
    shown: SceneReport,
    painter: Painter,
    settings: DisplaySettings,
    deeds: tuple[SceneDecision, ...],
) -> Card:
    scene, state = shown.scene, shown.state
    return Card(
        id=scene.id,
        status=state.status,
        about=_about(shown),
        retained=shown.retained,
        rounds=shown.rounds,
        pictures=pictures_of(painter, shown.material, settings),
        figures=shown.figures,
        deeds=deeds,
        note=state.note,
        tags=state.tags,
        problems=shown.problems,
    )


def _about(shown: SceneReport) -> str:
    """Size, exposures, and what the scene is learned from."""
    scene = shown.scene
    stops = " ".join(f"+{stop:g}" if stop else "0" for stop in scene.stops)
    about = f"{scene.width}×{scene.height} · {stops} EV"
    label = _label_words(shown.state)
    return f"{about} · {label}" if label else about


def _label_words(state: SceneState) -> str:
    if state.label is not None:
        version = PurePosixPath(state.label).stem
        return f"label {version}, {'whole picture' if state.whole else 'trusted pixels only'}"
    if state.status is Status.GROUND_TRUTH:
        return "an imported ground truth" if state.truth else "the dataset's ground truth"
    return ""


def _head(
    project: Project, known: ProjectFacts, cards: Sequence[Card], seen: Sequence[Provenance]
) -> Head:
    masks, states = known.masks, project.ledger().scenes
    counts = Counter(state.status for state in states.values())
    reviewed = sum(facts.reviewed for facts in known.facts)
    share = known.pool.retention(masks).retained if len(known.pool) else None
    some = (
        "" if len(cards) == len(states) else f"{len(cards)} of {counted(len(states), 'scene')} · "
    )
    return Head(
        title=f"{project.name}: review of its labels",
        about=f"{some}{time_words(utc_now())} · dataset {project.dataset.name}",
        figures=(
            *_counted(counts),
            Figure(
                name="pool retained", value="–" if share is None else percent(share, decimals=1)
            ),
            Figure(name="thresholds", value=f"τ_pa {masks.tau_patch:g} · τ_pi {masks.tau_pixel:g}"),
            Figure(name="looked at", value=f"{reviewed} of {len(states)}"),
            *_newest(seen),
        ),
        problems=known.problems,
        made=f"Made by SmartHDR Studio {__version__}.",
    )


def _counted(counts: Mapping[Status, int]) -> tuple[Figure, ...]:
    return tuple(
        Figure(name=status, value=str(counts[status])) for status in Status if counts[status]
    )


def _newest(seen: Sequence[Provenance]) -> tuple[Figure, ...]:
    """Who made the newest of the pseudo-labels that are shown."""
    newest = max(seen, key=lambda each: each.made, default=None)
    if newest is None:
        return ()
    made = f"run {newest.run}, {newest.words}" if newest.round else newest.words
    words = f"{made}, checkpoint {newest.checkpoint[:12]}"
    return (Figure(name="pseudo-labels", value=words),)


def _refuse_unusable(target: Path, project: Project) -> None:
    if target.suffix.casefold() not in (".html", ".htm"):
        raise ExportError(f"{target}: name a file that ends in .html")
    if target.is_dir():
        raise ExportError(f"{target}: is a folder; name a file that ends in .html")
    refuse_inside(project.dataset, target)
