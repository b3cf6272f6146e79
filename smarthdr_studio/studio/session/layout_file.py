"""How a project was looked at last, kept in a small file inside the project."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Self

from smarthdr_studio.core.curation.proposals import Rule
from smarthdr_studio.core.display import DisplaySettings, Layer
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.trust_files import masks_as_text, masks_from_text
from smarthdr_studio.studio.state import (
    FIRST_VIEWS,
    MOST_VIEWS,
    ProposalState,
    QueueKind,
    QueueState,
    Snapshot,
    StudioState,
    ViewSetup,
)

_NAME: Final = "window.json"
_PLAIN: Final = DisplaySettings()
_FIRST_RULE: Final = Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Views, display, snapshots, the queue that was walked and the rule that proposes.

    `panes` are the sizes and tabs of the page, in its own words.
    """

    scene: str = ""
    views: tuple[ViewSetup, ...] = FIRST_VIEWS
    columns: int = 2
    display: DisplaySettings = _PLAIN
    snapshots: tuple[Snapshot, ...] = ()
    queue: QueueKind = QueueKind.ALL
    rule: Rule = _FIRST_RULE
    telling: bool = False
    panes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, state: StudioState, panes: Mapping[str, Any]) -> Self:
        """What is worth remembering of a state."""
        return cls(
            scene=state.current or "",
            views=state.views,
            columns=state.columns,
            display=state.display,
            snapshots=state.snapshots,
            queue=state.queue.kind,
            rule=state.proposal.rule,
            telling=state.proposal.telling,
            panes=panes,
        )

    def remembered(self) -> dict[str, Any]:
        """The fields of a state as they were."""
        return {
            "views": self.views,
            "columns": self.columns,
            "display": self.display,
            "snapshots": self.snapshots,
            "queue": QueueState(kind=self.queue),
            "proposal": ProposalState(rule=self.rule, telling=self.telling),
        }

    @classmethod
    def read(cls, project: Path) -> Self:
        """What was written last; what cannot be understood is as if it had never been."""
        try:
            held = json.loads((project / _NAME).read_text(encoding="utf-8"))
            return cls(
                scene=str(held.get("scene", "")),
                views=_views(held["views"]),
                columns=min(max(int(held["columns"]), 1), MOST_VIEWS),
                display=_display(held["display"]),
                snapshots=tuple(_snapshot(each) for each in held["snapshots"]),
                queue=QueueKind(held.get("queue", QueueKind.ALL)),
                rule=Rule(**held["rule"]) if "rule" in held else _FIRST_RULE,
                telling=bool(held.get("telling", False)),
                panes=dict(held["panes"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self, project: Path) -> None:
        """Keep it; a project that cannot be written to costs the memory, not the work."""
        held = {
            "scene": self.scene,
            "views": [asdict(view) for view in self.views],
            "columns": self.columns,
            "display": asdict(self.display),
            "snapshots": [
                {**asdict(kept), "masks": masks_as_text(kept.masks)} for kept in self.snapshots
            ],
            "queue": str(self.queue),
            "rule": asdict(self.rule),
            "telling": self.telling,
            "panes": dict(self.panes),
        }
        try:
            with replacing(project / _NAME) as draft:
                draft.write_text(json.dumps(held, indent=2, ensure_ascii=False), encoding="utf-8")
        except OSError:
            return


def _views(held: list[dict[str, Any]]) -> tuple[ViewSetup, ...]:
    views = tuple(
        ViewSetup(
            layer=Layer(view["layer"]),
            exposure_ev=None if view["exposure_ev"] is None else float(view["exposure_ev"]),
            zebra=bool(view["zebra"]),
        )
        for view in held
    )
    if not 1 <= len(views) <= MOST_VIEWS:
        raise ValueError(f"{len(views)} views")
    return views


def _display(held: dict[str, Any]) -> DisplaySettings:
    """Every value as the kind its field has; a field nobody wrote keeps its default."""
    kinds = {each.name: type(getattr(_PLAIN, each.name)) for each in fields(_PLAIN)}
    return replace(_PLAIN, **{name: kinds[name](held[name]) for name in kinds if name in held})


def _snapshot(held: dict[str, Any]) -> Snapshot:
    return Snapshot(
        name=str(held["name"]),
        masks=masks_from_text(held["masks"]),
        pool=held["pool"],
        scene=held["scene"],
    )
