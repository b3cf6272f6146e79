"""The verbs that help to choose: scenes, queue, propose."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from smarthdr_studio.cli.output import (
    Json,
    note,
    percent,
    print_json,
    print_table,
    progress,
    say,
)

if TYPE_CHECKING:
    from smarthdr_studio.core.curation.gather import Gathered
    from smarthdr_studio.core.curation.proposals import Outlook, Proposal
    from smarthdr_studio.core.curation.queues import QueueItem
    from smarthdr_studio.core.curation.scene_facts import SceneFacts
    from smarthdr_studio.core.project import Project

ProjectFolder = Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")]
Where = Annotated[str, typer.Option(help='Which scenes, such as "status:unlabelled retained<0.6".')]
_SORTED_BY = Literal[
    "id",
    "status",
    "retained",
    "trend",
    "sigma",
    "motion",
    "saturation",
    "psnr",
    "painted",
    "tag",
    "note",
    "reviewed",
    "whole",
]


def scenes(
    project: ProjectFolder,
    *,
    where: Where = "",
    sort: Annotated[_SORTED_BY, typer.Option(help="The figure they are sorted by.")] = "id",
    descending: Annotated[bool, typer.Option("--descending", help="The largest first.")] = False,
    as_json: Json = False,
) -> None:
    """List scenes with their figures.

    Filtered and sorted; motion and saturation are known of scenes that a queue has looked at.
    """
    from smarthdr_studio.core.curation.gather import gather
    from smarthdr_studio.core.curation.query import parse
    from smarthdr_studio.core.curation.sorting import SortKey, sorted_scenes
    from smarthdr_studio.core.project import Project

    query = parse(where)
    with Project.open(project) as opened:
        found = gather(opened)
    _tell_problems(found.problems)
    facts = sorted_scenes(query.chosen(found.facts), SortKey(sort), descending=descending)
    if as_json:
        print_json({"scenes": [asdict(each) for each in facts]})
    else:
        _print_scenes(facts, of=len(found.facts))


def queue(
    project: ProjectFolder,
    *,
    kind: Annotated[
        Literal["safest", "worth"], typer.Option(help="Safest to promote, or most worth labelling.")
    ] = "worth",
    top: Annotated[int, typer.Option(min=1, help="How many scenes.")] = 10,
    where: Where = "",
    as_json: Json = False,
) -> None:
    """Rank the scenes that wait, each with its reason.

    Looks once at the frames of scenes that were never looked at, and keeps what it found.
    """
    from smarthdr_studio.core.curation import queues
    from smarthdr_studio.core.curation.gather import gather
    from smarthdr_studio.core.curation.moments import unlabelled_at_first
    from smarthdr_studio.core.curation.query import parse
    from smarthdr_studio.core.project import Project

    query = parse(where)
    with Project.open(project) as opened:
        found = _looked_at(opened, gather(opened))
        seen = queues.progress(unlabelled_at_first(opened.entries()), opened.reviewed())
    _tell_problems(found.problems)
    rank = queues.safest if kind == "safest" else queues.most_worth
    wanted = {each.id for each in query.chosen(found.facts)}
    items = [item for item in rank(found.material()) if item.scene in wanted][:top]
    if as_json:
        answer = {"reviewed": seen.reviewed, "of": seen.total}
        print_json({"kind": kind, **answer, "queue": [asdict(item) for item in items]})
    else:
        _print_queue(items, title=f"{_TITLES[kind]} ({seen.words})")


def propose(
    project: ProjectFolder,
    *,
    retained: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="The least retained share.")
    ] = 0.95,
    rounds: Annotated[int, typer.Option(min=1, help="In so many last rounds.")] = 3,
    promote: Annotated[
        bool, typer.Option("--promote", help="Do it; one undo takes it back.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which scenes a rule would promote.

    Those that were trusted enough in each of the last rounds. Changes nothing without --promote.
    """
    from smarthdr_studio.core.curation import proposals
    from smarthdr_studio.core.curation.gather import gather
    from smarthdr_studio.core.project import Project

    with Project.open(project) as opened:
        found = gather(opened)
        rule = proposals.Rule(share=retained, rounds=rounds)
        proposal = proposals.propose(rule, found.shares, found.pool_now())
        if promote and proposal.scenes:
            _promote(opened, found, proposal)
    _tell_problems(found.problems)
    if as_json:
        print_json(_as_json(proposal, promoted=promote))
    else:
        _print_proposal(proposal, promoted=promote)


_TITLES = {"safest": "Safest to promote", "worth": "Most worth labelling"}


def _looked_at(project: "Project", found: "Gathered") -> "Gathered":
    """The same, with clues of every scene that waits or is labelled."""
    from smarthdr_studio.core.curation.queues import LABELLED, waiting
    from smarthdr_studio.core.curation.record_keeping import look_at

    wanted = {each.id for each in waiting(found.facts)}
    wanted |= {each.id for each in found.facts if each.status in LABELLED}
    missing = [project.scene(name) for name in sorted(wanted - set(found.records))]
    with progress() as bar:
        task = bar.add_task("looking at frames", total=len(missing))
        more, problems = look_at(project, missing, seen=lambda _: bar.advance(task))
    _tell_problems(problems)
    return found.with_records(more)


def _promote(project: "Project", found: "Gathered", proposal: "Proposal") -> None:
    """Decide as proposed, in one go, with the pool's ranges of now."""
    from smarthdr_studio.core.decisions import Decisions
    from smarthdr_studio.core.masking import Range

    pool = found.pool.retention(found.masks)
    ranges = (pool.patch_range or Range(0.0, 0.0), pool.pixel_range)
    why = f"by rule: {proposal.rule.words}"
    Decisions(project).promote(
        proposal.scenes, note=why, ranges=dict.fromkeys(proposal.scenes, ranges)
    )


def _print_scenes(facts: "Sequence[SceneFacts]", *, of: int) -> None:
    rows = [
        (
            *(each.id, each.status, ", ".join(each.tags), each.note),
            *(_shown(share, percent) for share in (each.retained, each.trend)),
            _shown(each.sigma_mean, "{:.5f}".format),
            *(
                _shown(share, percent)
                for share in (each.motion, each.saturation, each.painted or None)
            ),
        )
        for each in facts
    ]
    names = ("scene", "status", "tags", "note", "trusted", "trend", "mean σ")
    print_table(
        (*names, "motion", "saturated", "painted"),
        rows,
        title=f"{len(facts)} of {of} scenes",
        words=4,
    )


def _print_queue(items: "Sequence[QueueItem]", *, title: str) -> None:
    rows = [
        (item.scene, item.reason, f"{item.score:.3f}", _shown(item.sigma_mean, "{:.5f}".format))
        for item in items
    ]
    print_table(("scene", "why", "score", "mean σ"), rows, title=title, words=2)


def _print_proposal(proposal: "Proposal", *, promoted: bool) -> None:
    rows = [(each.scene, each.reason, f"{each.pixels:,}") for each in proposal.candidates]
    if rows:
        title = f"Promote what has {proposal.rule.words}"
        print_table(("scene", "why", "pixels"), rows, title=title, words=2)
    say(f"{proposal.words}.")
    for name, outlook in (("before", proposal.before), ("after", proposal.after)):
        say(f"{name}: {_outlook_in_words(outlook)}")
    if rows:
        say("Promoted." if promoted else "Nothing is changed; add --promote to do it.")


def _outlook_in_words(outlook: "Outlook") -> str:
    pixels = f"{outlook.labelled} labelled scenes, {outlook.labelled_pixels:,} pixels counted"
    return f"{pixels}; {outlook.pool} in the pool, {percent(outlook.retained)} trusted"


def _as_json(proposal: "Proposal", *, promoted: bool) -> dict[str, Any]:
    return {
        **asdict(proposal),
        "pixels": proposal.pixels,
        "promoted": promoted and bool(proposal.candidates),
    }


def _shown(value: float | None, how: Callable[[float], str]) -> str:
    return "" if value is None else how(value)


def _tell_problems(problems: Sequence[str]) -> None:
    for sentence in problems:
        note(sentence)
