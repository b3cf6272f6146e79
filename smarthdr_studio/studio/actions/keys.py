"""Which command has which key: in a mode, with a person's own keys, and where two clash."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from smarthdr_studio.studio.actions.action import Action, Mode


def claims(actions: Iterable[Action], key: str, *, mode: Mode = "") -> tuple[Action, ...]:
    """The actions that claim this key for themselves in a mode."""
    return tuple(action for action in actions if key in action.keys and action.mode == mode)


def clashes(actions: Iterable[Action]) -> dict[str, tuple[Action, ...]]:
    """Keys that more than one action of the same mode claims, and all who do."""
    claimed: dict[tuple[str, Mode], list[Action]] = {}
    for action in actions:
        for key in action.keys:
            claimed.setdefault((key, action.mode), []).append(action)
    found: dict[str, tuple[Action, ...]] = {}
    for (key, _), who in sorted(claimed.items()):
        if len(who) > 1:
            found[key] = (*found.get(key, ()), *who)
    return found


def in_mode(actions: Iterable[Action], mode: Mode) -> tuple[Action, ...]:
    """The actions with the keys they have in a mode: its own come first, others yield to them."""
    known = tuple(actions)
    taken = {key for action in known if action.mode == mode for key in action.keys if mode}
    return tuple(
        action
        if action.mode
        else replace(action, keys=tuple(key for key in action.keys if key not in taken))
        for action in known
    )


def with_keys(
    actions: Iterable[Action], changes: Mapping[str, tuple[str, ...]]
) -> tuple[Action, ...]:
    """The actions with a person's own keys, by id; what the table does not know is left out."""
    return tuple(
        replace(action, keys=tuple(changes.get(action.id, action.keys))) for action in actions
    )


def changed_keys(actions: Iterable[Action], table: Iterable[Action]) -> dict[str, tuple[str, ...]]:
    """What `with_keys` needs to make these actions of the table's: only the keys that differ."""
    plain = {action.id: action.keys for action in table}
    return {a.id: a.keys for a in actions if a.keys != plain.get(a.id, a.keys)}
