"""The plan of the next run as a person edits it, and what it will take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from smarthdr_studio.core.plan_field import PlanField
from smarthdr_studio.core.presets import Preset
from smarthdr_studio.core.run_estimate import Estimate

EDITED: Final = "edited plan"  # stands for a preset where a run is started


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """A device as it is offered; bytes are None where the system does not tell."""

    id: str
    title: str
    free_bytes: int | None
    total_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanBook:
    """All that can be planned: every setting, and every preset with its values by dotted key."""

    fields: tuple[PlanField, ...] = ()
    presets: tuple[Preset, ...] = ()
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)  # presets that cannot be read, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningState:
    """What is planned: a preset, and the texts that were typed over its values by dotted key.

    `complaints` and `idle` are clauses by key: what is not allowed, and what does nothing beside
    the rest. `differs` are the keys whose values are not the preset's, in the plan's order.
    `aside` are texts typed over another preset. Of the estimate `estimating` says what is being
    done; `stale` that the plan has changed since.
    """

    book: PlanBook | None = None
    preset: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    aside: Mapping[str, str] = field(default_factory=dict)
    complaints: Mapping[str, str] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)
    differs: tuple[str, ...] = ()
    command: str = ""
    devices: tuple[DeviceLine, ...] = ()
    estimating: str = ""
    estimate: Estimate | None = None
    stale: bool = False
    refused: str = ""  # why there is no estimate
    name_complaint: str = ""  # why a preset cannot be saved under the name that is typed
    told: str = ""  # what became of saving or deleting a preset
    failed: bool = False  # whether `told` is bad news

    @property
    def valid(self) -> bool:
        """Whether a run could be started by it."""
        return self.book is not None and bool(self.preset) and not self.complaints
