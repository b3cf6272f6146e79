"""The present split as a table: what every scene is, why, and what its label was made with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from smarthdr_studio.core.authorship import now
from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.curation.gather import facts_of
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.handover.tables import (
    Cell,
    below,
    is_json,
    refuse_inside,
    write_json,
    write_rows,
)
from smarthdr_studio.core.journal import JournalEntry, Kind, SceneState
from smarthdr_studio.core.project import Project

FORMAT: Final = 1

COLUMNS: Final = (
    *("id", "status", "label", "version", "whole", "label_sha256", "ground_truth"),
    *("ground_truth_sha256", "tau_patch", "tau_pixel", "run", "round", "checkpoint"),
    *("decided_at", "decided_by", "reason", "note", "tags", "retained", "sigma_mean"),
    *("under", "reference", "over", "ev_under", "ev_reference", "ev_over", "width", "height"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the journal says of one scene: the decisions that gave it its status and its label."""

    state: SceneState
    decision: JournalEntry | None
    promotion: JournalEntry | None


def export_split(project: Project, path: AnyPath) -> int:
    """Write every scene's line as CSV or JSON, by the suffix; the answer is how many.

    Labels and brought ground truths are relative to the project, frames and the dataset's ground
    truths to the dataset. `retained` and `sigma_mean` are of the latest pseudo-label with the
    thresholds of now, `tau_patch` and `tau_pixel` those a label was frozen
    with. Raises ExportError.
    """
    path = Path(path)
    as_json = is_json(path)
    refuse_inside(project.dataset, path, what="dataset folder")
    rows = split_rows(project)
    if as_json:
        masks = project.ledger().masks
        about = {
            "format": FORMAT,
            "project": project.name,
            "dataset": str(project.dataset),
            "exported": now(),
            "tau_patch": masks.tau_patch,
            "tau_pixel": masks.tau_pixel,
        }
        write_json(path, {**about, "scenes": rows})
    else:
        write_rows(path, [_flat(row) for row in rows], columns=COLUMNS)
    return len(rows)


def split_rows(project: Project) -> list[dict[str, Any]]:
    """One line for every scene, in the order of `project.scenes`; keys are `COLUMNS`."""
    facts = {each.id: each for each in facts_of(project)}
    decisions, promotions = _latest(project.entries())
    states, rows = project.ledger().scenes, []
    for scene in project.scenes:
        state = states[scene.id]
        promotion = promotions.get((scene.id, state.label)) if state.label else None
        known = _Known(state=state, decision=decisions.get(scene.id), promotion=promotion)
        rows.append(_row(scene, known, facts[scene.id], dataset=project.dataset))
    return rows


def label_version(label: str | None) -> int | None:
    """The version a label file is of, by its name."""
    stem = PurePosixPath(label or "").stem
    return int(stem) if stem.isdecimal() else None


def _row(scene: Scene, known: _Known, facts: SceneFacts, *, dataset: Path) -> dict[str, Any]:
    state, decision = known.state, known.decision
    own_truth = None if scene.ground_truth is None else below(dataset, scene.ground_truth)
    return {
        "id": scene.id,
        "status": str(state.status),
        "label": state.label,
        "version": label_version(state.label),
        "whole": state.whole if state.label else None,
        "label_sha256": state.checksum,
        "ground_truth": state.truth or own_truth,
        "ground_truth_sha256": state.truth_checksum,
        **_made_with(known.promotion),
        "decided_at": decision.at if decision else None,
        "decided_by": decision.who if decision else None,
        "reason": decision.note if decision else "",
        "note": state.note,
        "tags": list(state.tags),
        "retained": facts.retained,
        "sigma_mean": facts.sigma_mean,
        **dict(
            zip(
                ("under", "reference", "over"),
                (below(dataset, frame) for frame in scene.frames),
                strict=True,
            )
        ),
        **dict(zip(("ev_under", "ev_reference", "ev_over"), scene.evs, strict=True)),
        "width": scene.width,
        "height": scene.height,
    }


def _made_with(promotion: JournalEntry | None) -> dict[str, Cell]:
    masks = promotion.masks if promotion else None
    return {
        "tau_patch": masks.tau_patch if masks else None,
        "tau_pixel": masks.tau_pixel if masks else None,
        "run": promotion.run if promotion else None,
        "round": promotion.round if promotion else None,
        "checkpoint": promotion.checkpoint if promotion else None,
    }


def _latest(
    entries: Iterable[JournalEntry],
) -> tuple[dict[str, JournalEntry], dict[tuple[str, str], JournalEntry]]:
    """By scene, the entry that gave it its status; by scene and label, the one that froze it."""
    decisions: dict[str, JournalEntry] = {}
    promotions: dict[tuple[str, str], JournalEntry] = {}
    for entry in entries:
        if entry.scene is None:
            continue
        if entry.before is not entry.after or entry.kind in (Kind.PROMOTE, Kind.BRING_TRUTH):
            decisions[entry.scene] = entry
        if entry.kind is Kind.PROMOTE and entry.label is not None:
            promotions[entry.scene, entry.label] = entry
    return decisions, promotions


def _flat(row: Mapping[str, Any]) -> dict[str, Cell]:
    """A line whose cells hold plain values."""
    return {**row, "tags": " ".join(row["tags"])}
