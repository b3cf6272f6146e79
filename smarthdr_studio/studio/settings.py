"""What is remembered between two starts: by the window, and in each project of its view."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Self

import platformdirs

from smarthdr_studio.core.curation.proposals import Rule
from smarthdr_studio.core.display import DisplaySettings, Layer
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.trust.masking import masks_as_text, masks_from_text
from smarthdr_studio.studio.state import (
    FIRST_CURATED,
    FIRST_VIEWS,
    MOST_VIEWS,
    ProposalState,
    QueueKind,
    QueueState,
    Snapshot,
    StudioState,
    ViewSetup,
    Workspace,
)
from smarthdr_studio.studio.theme import Wish

FIRST_BUDGET: Final = 2**30  # bytes
_LEAST_BUDGET: Final = 2**28
_APP: Final = "smarthdr-studio"
_MOST_RECENT: Final = 12
_LOOKS: Final[dict[str, Wish]] = {"system": "system", "dark": "dark", "light": "light"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where this person's files of the program lie."""

    preferences: Path
    thumbnails: Path
    sample: Path

    @property
    def presets(self) -> Path:
        """Where this person's presets lie."""
        return self.preferences.parent / "presets"

    @classmethod
    def of_this_person(cls) -> Self:
        """Where the system wants them."""
        return cls.under(
            config=platformdirs.user_config_path(_APP, appauthor=False),
            cache=platformdirs.user_cache_path(_APP, appauthor=False),
            data=platformdirs.user_data_path(_APP, appauthor=False),
        )

    @classmethod
    def under(cls, *, config: Path, cache: Path, data: Path) -> Self:
        """Where they lie below three folders."""
        return cls(preferences=config / "window.json", thumbnails=cache / "thumbnails", sample=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Recent projects, newest first, the look, and the keys a person gave to actions by id.

    `budget` is how many bytes of pictures may be kept in memory, `window` where the window stood
    and `layouts` where panels stood in each workspace, in their own words.
    """

    recent: tuple[str, ...] = ()
    look: Wish = "system"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    budget: int = FIRST_BUDGET
    window: Mapping[str, Any] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was written last; the defaults where nothing usable is there."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            recent = tuple(str(folder) for folder in values.get("recent", ()))
            wish = str(values.get("look", "system"))
            keys = {str(id_): tuple(map(str, held)) for id_, held in values["keys"].items()}
            budget = max(int(values["budget"]), _LEAST_BUDGET)
        except KeyError:
            keys, budget = {}, FIRST_BUDGET  # written by an earlier version
        except (OSError, ValueError, AttributeError, TypeError):
            return cls()
        window, layouts = values.get("window"), values.get("layouts")
        return cls(
            recent=recent,
            look=_LOOKS.get(wish, "system"),
            keys=keys,
            budget=budget,
            window=window if isinstance(window, dict) else {},
            layouts={str(name): str(held) for name, held in layouts.items()}
            if isinstance(layouts, dict)
            else {},
        )

    def write(self, path: Path) -> None:
        """Keep them; a home that cannot be written to costs the memory, not the work."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as draft:
                draft.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        except OSError:
            return

    def with_project(self, folder: Path) -> Self:
        """The same with this project the most recent one."""
        name = str(folder)
        others = [entry for entry in self.recent if entry != name]
        return replace(self, recent=(name, *others)[:_MOST_RECENT])

    def folders(self) -> tuple[Path, ...]:
        """Recent projects that are still there."""
        there = (Path(entry) for entry in self.recent)
        return tuple(folder for folder in there if (folder / "project.sqlite").is_file())


_NAME: Final = "window.json"
_PLAIN: Final = DisplaySettings()
_FIRST_RULE: Final = Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Workspace, views, display, snapshots, the queue that was walked, the rule that proposes.

    `panes` are choices of the page, in its own words.
    """

    scene: str = ""
    workspace: Workspace = Workspace.INSPECT
    views: tuple[ViewSetup, ...] = FIRST_VIEWS
    columns: int = 2
    aside: tuple[ViewSetup, ...] = FIRST_CURATED
    aside_columns: int = 2
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
            workspace=state.workspace,
            views=state.views,
            columns=state.columns,
            aside=state.aside,
            aside_columns=state.aside_columns,
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
            "workspace": self.workspace,
            "views": self.views,
            "columns": self.columns,
            "aside": self.aside,
            "aside_columns": self.aside_columns,
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
                workspace=Workspace(held.get("workspace", Workspace.INSPECT)),
                views=_views(held["views"]),
                columns=min(max(int(held["columns"]), 1), MOST_VIEWS),
                aside=_views(held["aside"]) if "aside" in held else FIRST_CURATED,
                aside_columns=min(max(int(held.get("aside_columns", 2)), 1), MOST_VIEWS),
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
            "workspace": str(self.workspace),
            "views": [asdict(view) for view in self.views],
            "columns": self.columns,
            "aside": [asdict(view) for view in self.aside],
            "aside_columns": self.aside_columns,
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
