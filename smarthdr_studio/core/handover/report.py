"""A review report to hand on: one HTML file with every scene's views, figures and decisions."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from smarthdr_studio import __version__
from smarthdr_studio.core.authorship import now
from smarthdr_studio.core.curation.gather import Gathered, gather
from smarthdr_studio.core.display import DisplaySettings, Painter
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.handover.report_page import Card, Head, page
from smarthdr_studio.core.handover.report_pictures import pictures_of
from smarthdr_studio.core.handover.report_scenes import (
    Errand,
    Exhibit,
    Figure,
    Judge,
    errand_of,
    exhibit,
    percent,
)
from smarthdr_studio.core.handover.report_story import Deed, deeds_by_scene, time_words
from smarthdr_studio.core.handover.tables import Tell, refuse_inside, silent, write_text
from smarthdr_studio.core.journal import SceneState, Status
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import Provenance

_AS_SHOWN = DisplaySettings()


def write_report(
    project: Project,
    target: AnyPath,
    *,
    scenes: Collection[str] | None = None,
    settings: DisplaySettings = _AS_SHOWN,
    tell: Tell = silent,
) -> int:
    """Write a page about these scenes, or all of them; the answer is how many it shows.

    Pictures are painted as the screen paints them with `settings`. A file that cannot be read
    leaves its sentence in the page. `tell` may raise to stop; then nothing is written.

    Raises:
        ProjectError: one of the scenes is unknown.
        ExportError: the file cannot be written, is no .html, or lies in the dataset folder.
    """
    target = Path(target).expanduser().absolute()
    _refuse_unusable(target, project)
    chosen = {project.scene(name).id for name in scenes} if scenes is not None else None
    tell("gathering figures", 0, 1)
    known = gather(project)
    deeds = deeds_by_scene(project.entries())
    errands = [
        errand_of(project, facts) for facts in known.facts if chosen is None or facts.id in chosen
    ]
    pool = known.pool.retention(known.masks) if len(known.pool) else None
    cards, seen = [], []
    painter = Painter()
    for done, shown in enumerate(_read_ahead(errands, Judge(masks=known.masks, pool=pool))):
        tell(f"drawing {shown.scene.id}", done, len(errands))
        cards.append(_card(shown, painter, settings, deeds.get(shown.scene.id, ())))
        if shown.provenance is not None and shown.state.label is None:
            seen.append(shown.provenance)
    tell("writing the page", len(errands), len(errands))
    write_text(target, page(_head(project, known, cards, seen), cards))
    return len(cards)


def _read_ahead(errands: Sequence[Errand], judge: Judge) -> Iterator[Exhibit]:
    """Every scene in order; the next one is read while this one is painted."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(exhibit, errands[0], judge) if errands else None
        for index in range(len(errands)):
            shown = coming.result() if coming else exhibit(errands[index], judge)
            later = errands[index + 1] if index + 1 < len(errands) else None
            coming = reader.submit(exhibit, later, judge) if later else None
            yield shown


def _card(
    shown: Exhibit, painter: Painter, settings: DisplaySettings, deeds: tuple[Deed, ...]
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


def _about(shown: Exhibit) -> str:
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
        return "a ground truth that was brought" if state.truth else "the dataset's ground truth"
    return ""


def _head(
    project: Project, known: Gathered, cards: Sequence[Card], seen: Sequence[Provenance]
) -> Head:
    masks, states = known.masks, project.ledger().scenes
    counts = Counter(state.status for state in states.values())
    reviewed = sum(facts.reviewed for facts in known.facts)
    share = known.pool.retention(masks).retained if len(known.pool) else None
    some = "" if len(cards) == len(states) else f"{len(cards)} of {len(states)} scenes · "
    return Head(
        title=f"{project.name}: review of its labels",
        about=f"{some}{time_words(now())} · dataset {project.dataset.name}",
        figures=(
            *_counted(counts),
            Figure(name="pool retained", value="–" if share is None else percent(share)),
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
    words = f"run {newest.run}, round {newest.round}, checkpoint {newest.checkpoint[:12]}"
    return (Figure(name="pseudo-labels", value=words),)


def _refuse_unusable(target: Path, project: Project) -> None:
    if target.suffix.casefold() not in (".html", ".htm"):
        raise ExportError(f"{target}: name a file that ends in .html")
    if target.is_dir():
        raise ExportError(f"{target}: is a folder; name a file that ends in .html")
    refuse_inside(project.dataset, target, what="dataset folder")
