"""The verbs of curation: list, rank, propose, promote, demote, annotate, undo and history."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from smarthdr_studio.cli import DONE, PARTLY
from smarthdr_studio.cli.output import (
    Json,
    left_out_as_json,
    percent,
    print_json,
    print_left_out,
    print_line,
    print_note,
    print_table,
    progress,
)
from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.files import is_file
from smarthdr_studio.core.words import counted

if TYPE_CHECKING:
    from smarthdr_studio.core.curation.project_facts import ProjectFacts
    from smarthdr_studio.core.curation.proposals import Outlook, Proposal
    from smarthdr_studio.core.curation.queues import QueueItem
    from smarthdr_studio.core.curation.scene_facts import SceneFacts
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.journal import DecisionSubject
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.trust.masking import MaskSettings, Range

ProjectFolder = Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")]
SceneIds = Annotated[list[str], typer.Argument(metavar="SCENE...", help="Scene ids.")]
Note = Annotated[str, typer.Option(help="Why; kept in the project's journal.")]
Tags = Annotated[list[str] | None, typer.Option(metavar="TAG", help="One word; repeatable.")]


def promote(
    project: ProjectFolder,
    scenes: SceneIds,
    *,
    whole: Annotated[
        bool, typer.Option("--whole", help="Learn from every pixel, not the trusted ones alone.")
    ] = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Learn from the pseudo-labels of scenes.

    Each is frozen as it is now, masked with the project's thresholds and the person's brush.
    """
    with _decisions(project) as (opened, decisions):
        ranges = dict.fromkeys(scenes, _pool_ranges(opened, decisions.masks()))
        decisions.promote(scenes, whole=whole, note=note, ranges=ranges)
        _print_statuses(opened, scenes, verb="promote", as_json=as_json)


def demote(
    project: ProjectFolder, scenes: SceneIds, *, note: Note = "", as_json: Json = False
) -> None:
    """Take scenes back to unlabelled.

    Their label files stay, so that undo finds them.
    """
    with _decisions(project) as (opened, decisions):
        decisions.demote(scenes, note=note)
        _print_statuses(opened, scenes, verb="demote", as_json=as_json)


def exclude(
    project: ProjectFolder, scenes: SceneIds, *, note: Note = "", as_json: Json = False
) -> None:
    """Leave scenes out of training."""
    with _decisions(project) as (opened, decisions):
        decisions.exclude(scenes, note=note)
        _print_statuses(opened, scenes, verb="exclude", as_json=as_json)


def restore(project: ProjectFolder, scenes: SceneIds, *, as_json: Json = False) -> None:
    """Bring excluded scenes back to what they were."""
    with _decisions(project) as (opened, decisions):
        decisions.restore(scenes)
        _print_statuses(opened, scenes, verb="restore", as_json=as_json)


def annotate(
    project: ProjectFolder,
    scenes: SceneIds,
    *,
    note: Annotated[str | None, typer.Option(help="In place of the note there is.")] = None,
    tag: Tags = None,
    untag: Tags = None,
    as_json: Json = False,
) -> None:
    """Give scenes a note and tags, or take them away.

    Training does not look at either.
    """
    add, remove = tag or [], untag or []
    if note is None and not add and not remove:
        raise ProjectError(f"{project}: nothing to note; give --note, --tag or --untag")
    with _decisions(project) as (opened, decisions):
        decisions.annotate(scenes, note=note, add=add, remove=remove)
        states = {name: opened.state(name) for name in scenes}
    if as_json:
        told = [{"id": name, "note": of.note, "tags": of.tags} for name, of in states.items()]
        print_json({"note": told})
        return
    for name, of in states.items():
        print_line(" ".join((f"{name}:", *(f"#{each}" for each in of.tags), of.note)).rstrip())


def history(
    project: ProjectFolder,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many decisions.")] = 20,
    as_json: Json = False,
) -> None:
    """Say what was decided, the latest first.

    When, by whom, what and why; with --json also the scenes, thresholds, run and round.
    """
    from smarthdr_studio.core.environment import time_words
    from smarthdr_studio.core.project.journal import decision_history
    from smarthdr_studio.core.project.project import Project

    with Project.open(project) as opened:
        lines = decision_history(opened.entries())[:limit]
    if as_json:
        print_json({"history": [asdict(line) for line in lines]})
        return
    rows = [
        (
            time_words(line.at),
            line.who,
            f"{line.what} (undone)" if line.undone else line.what,
            line.note,
        )
        for line in lines
    ]
    print_table(("when", "who", "what", "why"), rows, title="What was decided", words=4)


def undo(project: ProjectFolder, *, as_json: Json = False) -> None:
    """Take back the last decision."""
    _step_through(project, step=lambda decisions: decisions.undo(), verb="undo", as_json=as_json)


def redo(project: ProjectFolder, *, as_json: Json = False) -> None:
    """Do again what was undone last."""
    _step_through(project, step=lambda decisions: decisions.redo(), verb="redo", as_json=as_json)


def _step_through(
    folder: Path, *, step: "Callable[[Decisions], DecisionSubject | None]", verb: str, as_json: bool
) -> None:
    with _decisions(folder) as (_, decisions):
        what = step(decisions)
    if what is None:
        raise ProjectError(f"{folder}: there is nothing to {verb}")
    if as_json:
        print_json({verb: what.words})
    else:
        print_line(f"{verb}: {what.words}")


@contextmanager
def _decisions(folder: Path) -> "Iterator[tuple[Project, Decisions]]":
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project

    with Project.open(folder) as project:
        yield project, Decisions(project)


def _pool_ranges(project: "Project", masks: "MaskSettings") -> "tuple[Range, Range | None]":
    """What σ of the whole pool scores 0 and 1 now; a label is frozen as the screen shows it."""
    from smarthdr_studio.core.project.journal import Status
    from smarthdr_studio.core.trust.masking import Range
    from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
    from smarthdr_studio.core.trust.pool import PoolStatistics

    scenes = {}
    for name, status in project.statuses().items():
        # A scene without readable statistics takes no part, as in the window.
        with suppress(LabelError):
            if status is Status.UNLABELLED and is_file(project.statistics_path(name)):
                scenes[name] = SceneStatistics.load(project.statistics_path(name))
    found = PoolStatistics(scenes).retention(masks)
    return found.patch_range or Range(0.0, 0.0), found.pixel_range


def _print_statuses(project: "Project", ids: list[str], *, verb: str, as_json: bool) -> None:
    statuses, told = project.statuses(), tuple(dict.fromkeys(ids))
    if as_json:
        print_json({verb: [{"id": name, "status": str(statuses[name])} for name in told]})
        return
    for name in told:
        print_line(f"{name}: {statuses[name]}")


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
    What doctor finds of their pictures is told too. Retained shares are counted by histograms of σ,
    to about 0.1 %; masks counts every pixel.
    """
    from smarthdr_studio.core.curation.project_facts import read_project_facts
    from smarthdr_studio.core.curation.query import parse
    from smarthdr_studio.core.curation.scene_facts import SortKey, sorted_scenes
    from smarthdr_studio.core.project.project import Project

    query = parse(where)
    with Project.open(project) as opened:
        found, findings = read_project_facts(opened), _of_the_dataset(opened)
    _print_problems(found.problems)
    facts = sorted_scenes(query.chosen(found.facts), SortKey(sort), descending=descending)
    if as_json:
        print_json({"scenes": [asdict(each) for each in facts], "findings": findings})
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
    from smarthdr_studio.core.curation.project_facts import read_project_facts
    from smarthdr_studio.core.curation.query import parse
    from smarthdr_studio.core.project.journal import Status, initially_unlabelled
    from smarthdr_studio.core.project.project import Project

    query = parse(where)
    with Project.open(project) as opened:
        findings = _of_the_dataset(opened)
        found = _with_clues(opened, read_project_facts(opened))
        statuses = opened.statuses().items()
        seen = queues.progress(
            initially_unlabelled(opened.entries()),
            reviewed=opened.reviewed(),
            decided=[name for name, status in statuses if status is not Status.UNLABELLED],
        )
    _print_problems(found.problems)
    rank = queues.safest if kind == "safest" else queues.most_worth
    wanted = {each.id for each in query.chosen(found.facts)}
    items = [item for item in rank(found.material()) if item.scene in wanted][:top]
    if as_json:
        answer = {"reviewed": seen.reviewed, "of": seen.total}
        told = {"queue": [asdict(item) for item in items], "findings": findings}
        print_json({"kind": kind, **answer, **told})
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
) -> int:
    """Say which scenes a rule would promote.

    Those whose retained share was large enough in each of the last rounds. Changes nothing
    without --promote, which leaves out what cannot be promoted and tells why: exit status 6. What
    stays in the pool is counted by histograms of σ, to about 0.1 %.
    """
    from smarthdr_studio.core.curation import proposals
    from smarthdr_studio.core.curation.project_facts import read_project_facts
    from smarthdr_studio.core.project.project import Project

    with Project.open(project) as opened:
        found = read_project_facts(opened)
        rule = proposals.Rule(share=retained, rounds=rounds)
        proposal = proposals.propose(rule, found.shares, found.pool_now())
        findings = _of_the_dataset(opened)
        left_out = _promote(opened, found, proposal) if promote and proposal.scenes else {}
    _print_problems(found.problems)
    print_left_out(left_out)
    if as_json:
        answer = _proposal_as_json(proposal, promoted=promote, left_out=left_out)
        print_json(answer | {"findings": findings})
    else:
        _print_proposal(proposal, promoted=promote, left_out=left_out)
    return PARTLY if left_out else DONE


def _of_the_dataset(project: "Project") -> list[dict[str, Any]]:
    """What `doctor --json` would find of the pictures, in its words and fields; told as well."""
    from smarthdr_studio.core.project.integrity import dataset_findings

    found = list(dataset_findings(project))
    _print_problems([f"{each.sentence}; {each.remedy}" for each in found])
    return [asdict(each) for each in found]


_TITLES = {"safest": "Safest to promote", "worth": "Most worth labelling"}


def _with_clues(project: "Project", found: "ProjectFacts") -> "ProjectFacts":
    """The same, with clues of every scene that waits or is labelled."""
    from smarthdr_studio.core.curation.clues import compute_records
    from smarthdr_studio.core.curation.queues import LABELLED, waiting
    from smarthdr_studio.core.project.relocation import lost_dataset

    wanted = {each.id for each in waiting(found.facts)}
    wanted |= {each.id for each in found.facts if each.status in LABELLED}
    # Of a dataset that is gone one finding says more than a problem of each of its scenes.
    unseen = () if lost_dataset(project) is not None else wanted - set(found.records)
    missing = [project.scene(name) for name in sorted(unseen)]
    with progress() as bar:
        task = bar.add_task("looking at frames", total=len(missing))
        more, problems = compute_records(project, missing, seen=lambda _: bar.advance(task))
    _print_problems(problems)
    return found.with_records(more)


def _promote(project: "Project", found: "ProjectFacts", proposal: "Proposal") -> dict[str, str]:
    """Decide as proposed, in one go, with the pool's ranges of now; why scenes were left out."""
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.trust.masking import Range

    pool = found.pool.retention(found.masks)
    ranges = (pool.patch_range or Range(0.0, 0.0), pool.pixel_range)
    why = f"by rule: {proposal.rule.words}"
    return Decisions(project).promote_those_that_can(
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
    names = ("scene", "status", "tags", "note", "retained", "trend", "mean σ")
    print_table(
        (*names, "motion", "saturated", "painted"),
        rows,
        title=f"{len(facts)} of {counted(of, 'scene')}",
        words=4,
    )


def _print_queue(items: "Sequence[QueueItem]", *, title: str) -> None:
    rows = [
        (item.scene, item.reason, f"{item.score:.3f}", _shown(item.sigma_mean, "{:.5f}".format))
        for item in items
    ]
    print_table(("scene", "why", "score", "mean σ"), rows, title=title, words=2)


def _print_proposal(proposal: "Proposal", *, promoted: bool, left_out: Mapping[str, str]) -> None:
    rows = [(each.scene, each.reason, f"{each.pixels:,}") for each in proposal.candidates]
    if rows:
        title = f"Promote what has {proposal.rule.words}"
        print_table(("scene", "why", "pixels"), rows, title=title, words=2)
    print_line(f"{proposal.words}.")
    for name, outlook in (("before", proposal.before), ("after", proposal.after)):
        print_line(f"{name}: {_outlook_in_words(outlook)}")
    if rows and not promoted:
        print_line("Nothing is changed; add --promote to do it.")
    elif rows and left_out:
        done = len(rows) - len(left_out)
        print_line(f"Promoted {done} of {counted(len(rows), 'scene')}; the others were left out.")
    elif rows:
        print_line("Promoted.")


def _outlook_in_words(outlook: "Outlook") -> str:
    scenes = counted(outlook.labelled, "labelled scene")
    pixels = f"{scenes}, {counted(outlook.labelled_pixels, 'pixel')} counted"
    return f"{pixels}; {outlook.pool} in the pool, {percent(outlook.retained)} retained"


def _proposal_as_json(
    proposal: "Proposal", *, promoted: bool, left_out: Mapping[str, str]
) -> dict[str, Any]:
    return {
        **asdict(proposal),
        "pixels": proposal.pixels,
        "promoted": promoted and len(proposal.candidates) > len(left_out),
        "left_out": left_out_as_json(left_out),
    }


def _shown(value: float | None, how: Callable[[float], str]) -> str:
    return "" if value is None else how(value)


def _print_problems(problems: Sequence[str]) -> None:
    for sentence in problems:
        print_note(sentence)
