"""What is remembered between two starts: by the window, and in each project of its view."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Final, Self

import platformdirs

from smarthdr_studio.core.curation.proposals import Rule
from smarthdr_studio.core.display import DisplaySettings, Layer
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.logbook import state_folder
from smarthdr_studio.core.records import read_json
from smarthdr_studio.core.trust.masking import masks_as_text, masks_from_text
from smarthdr_studio.core.words import counted
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
_MOST_BUDGET: Final = 2**44
_APP: Final = "smarthdr-studio"
_MOST_RECENT: Final = 12
_MOST_ROUNDS: Final = 10**6
_LOOKS: Final[dict[str, Wish]] = {
    "system": "system",
    "dark": "dark",
    "light": "light",
    "contrast": "contrast",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where this person's files of the program lie."""

    preferences: Path
    thumbnails: Path
    sample: Path
    logs: Path

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
            state=state_folder(),
        )

    @classmethod
    def under(cls, *, config: Path, cache: Path, data: Path, state: Path | None = None) -> Self:
        """Where they lie below four folders; logs below `data` where no fourth is given."""
        return cls(
            preferences=config / "window.json",
            thumbnails=cache / "thumbnails",
            sample=data,
            logs=state or data / "state",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Recent projects, newest first, the look, and the keys a person gave to actions by id.

    `budget` is how many bytes of pictures may be kept in memory, `window` where the window stood
    and `layouts` where panels stood in each workspace, in their own words; `folders_by_purpose` are
    those a file dialog was last in. `told` is a sentence about what was read, "" where all is well.
    """

    recent: tuple[str, ...] = ()
    look: Wish = "system"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    budget: int = FIRST_BUDGET
    window: Mapping[str, Any] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)
    folders_by_purpose: Mapping[str, str] = field(default_factory=dict)
    told: str = ""

    @classmethod
    def opened(cls, path: Path) -> Self:
        """The same; a file that cannot be used is set aside, so that nobody writes over it."""
        found = cls.read(path)
        if not found.told:
            return found
        aside = path.with_name(f"{path.name}.damaged")
        try:
            path.replace(aside)
        except OSError:
            return replace(found, told=f"{found.told}; preferences are as at first")
        return replace(
            found, told=f"{found.told}; it is kept as {aside.name}, and preferences are as at first"
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was written last; the defaults where nothing usable is there."""
        try:
            values = read_json(path)
            recent = _texts(values.get("recent", []))
            wish = str(values.get("look", "system"))
            keys = {str(id_): _texts(held) for id_, held in values["keys"].items()}
            budget = min(max(int(values["budget"]), _LEAST_BUDGET), _MOST_BUDGET)
        except KeyError:
            keys, budget = {}, FIRST_BUDGET  # written by an earlier version
        except FileNotFoundError:
            return cls()
        except _DAMAGE as error:
            return cls(told=f"{path}: cannot be used ({_why(error)})")
        window = values.get("window")
        return cls(
            recent=recent,
            look=_LOOKS.get(wish, "system"),
            keys=keys,
            budget=budget,
            window=window if isinstance(window, dict) else {},
            layouts=_words(values.get("layouts")),
            folders_by_purpose=_words(values.get("folders_by_purpose")),
        )

    def write(self, path: Path) -> None:
        """Keep them; a home that cannot be written to costs the memory, not the work."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as draft:
                held = {name: value for name, value in asdict(self).items() if name != "told"}
                draft.write_text(json.dumps(held, indent=2), encoding="utf-8")
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


class LateWriter:
    """Writes one small file on whichever thread has time; what is newer is never written over.

    To be safe on its disk a file takes some 20 ms, and on a busy one many times that.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        self._writing = Lock()

    def take(self, write: Callable[[], object]) -> None:
        """This is to be written in place of whatever waits."""
        self._waiting.append(write)

    def finish(self) -> None:
        """Write the newest that waits, if any does, once what is being written is whole."""
        with self._writing:
            newest = None
            while self._waiting:
                newest = self._waiting.popleft()
            if newest is not None:
                newest()


_DAMAGE: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError)


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return (
        "it holds something else" if isinstance(error, AttributeError | TypeError) else f"{error}"
    )


def _texts(held: object) -> tuple[str, ...]:
    """A list of texts. Raises TypeError."""
    if not isinstance(held, list) or not all(isinstance(each, str) for each in held):
        raise TypeError("no list of texts")
    return tuple(held)


def _words(held: object) -> dict[str, str]:
    """Words by words; nothing where it is anything else."""
    if not isinstance(held, dict):
        return {}
    return {str(name): str(value) for name, value in held.items()}


_NAME: Final = "window.json"
_PLAIN: Final = DisplaySettings()
_FIRST_RULE: Final = Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Workspace, views, display, snapshots, the queue that was walked, the rule that proposes.

    `panes` are choices of the page, in its own words.
    """

    PARTS: ClassVar[frozenset[str]] = frozenset(
        {
            *("current", "workspace", "views", "columns", "aside", "aside_columns", "display"),
            *("snapshots", "queue", "proposal"),
        }
    )

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
            held = read_json(project / _NAME)
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
                rule=_rule(held["rule"]) if "rule" in held else _FIRST_RULE,
                telling=bool(held.get("telling", False)),
                panes=dict(held["panes"]),
            )
        except _DAMAGE:
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
            exposure_ev=None
            if view["exposure_ev"] is None
            else _number(view["exposure_ev"], *_ALLOWED["exposure_ev"]),
            zebra=bool(view["zebra"]),
        )
        for view in held
    )
    if not 1 <= len(views) <= MOST_VIEWS:
        raise ValueError(counted(len(views), "view"))
    return views


def _display(held: dict[str, Any]) -> DisplaySettings:
    """Every value as the kind its field has; a field nobody wrote keeps its default."""
    kinds = {each.name: type(getattr(_PLAIN, each.name)) for each in fields(_PLAIN)}
    told = {name: kinds[name](held[name]) for name in kinds if name in held}
    numbers = {name: _number(told[name], *_ALLOWED[name]) for name in _ALLOWED if name in told}
    return replace(_PLAIN, **told | numbers)


def _rule(held: dict[str, Any]) -> Rule:
    return Rule(
        share=_number(held["share"], 0.0, 1.0), rounds=int(_number(held["rounds"], 1, _MOST_ROUNDS))
    )


# What pictures can be made with, further than any dial goes.
_ALLOWED: Final = {
    "exposure_ev": (-30.0, 30.0),
    "mu": (1.0, 1e6),
    "gamma": (0.1, 20.0),
    "gain": (1e-3, 1e6),
    "overlay": (0.0, 1.0),
}


def _number(told: object, least: float, greatest: float) -> float:
    """A number in these bounds. Raises ValueError or TypeError."""
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise TypeError("no number")
    if not least <= told <= greatest:  # nor is what is no number
        raise ValueError(f"{told} is not in {least:g} to {greatest:g}")
    return float(told)


def _snapshot(held: dict[str, Any]) -> Snapshot:
    return Snapshot(
        name=str(held["name"]),
        masks=masks_from_text(held["masks"]),
        pool=None if held["pool"] is None else _number(held["pool"], 0.0, 1.0),
        scene=None if held["scene"] is None else _number(held["scene"], 0.0, 1.0),
    )
