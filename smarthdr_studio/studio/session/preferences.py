"""What the window remembers between two starts, in a small file of our own."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Self

import platformdirs

from smarthdr_studio.core.files import replacing
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

    `budget` is how many bytes of pictures may be kept in memory.
    """

    recent: tuple[str, ...] = ()
    look: Wish = "system"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    budget: int = FIRST_BUDGET

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
        return cls(recent=recent, look=_LOOKS.get(wish, "system"), keys=keys, budget=budget)

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
