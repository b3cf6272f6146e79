"""Which decisions are allowed about which scenes, and the sentence where one is not."""

from collections.abc import Iterable, Mapping
from typing import Final

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.journal import Kind, Ledger, Status

_TRAINING: Final = frozenset(set(Status) - {Status.TEST})

ALLOWED_FROM: Final[Mapping[Kind, frozenset[Status]]] = {
    Kind.PROMOTE: frozenset({Status.UNLABELLED, Status.EXCLUDED, Status.PROMOTED}),
    Kind.DEMOTE: frozenset({Status.PROMOTED, Status.GROUND_TRUTH}),
    Kind.EXCLUDE: _TRAINING - {Status.EXCLUDED},
    Kind.RESTORE: frozenset({Status.EXCLUDED}),
    Kind.USE_GROUND_TRUTH: _TRAINING - {Status.GROUND_TRUTH},
    Kind.BRING_TRUTH: frozenset(Status),
    Kind.PAINT: frozenset(Status),
    Kind.ANNOTATE: frozenset(Status),
    Kind.SPLIT: frozenset(Status),
}
_DONE: Final[Mapping[Kind, str]] = {
    Kind.PROMOTE: "promoted",
    Kind.DEMOTE: "demoted",
    Kind.EXCLUDE: "excluded",
    Kind.RESTORE: "restored",
    Kind.USE_GROUND_TRUTH: "given back its ground truth",
}
_SPLIT_INTO: Final = frozenset(
    {Status.GROUND_TRUTH, Status.UNLABELLED, Status.EXCLUDED, Status.TEST}
)


def refuse(kind: Kind, scenes: Iterable[Scene], ledger: Ledger) -> None:
    """Raises ProjectError at the first scene about which this may not be decided."""
    for scene in scenes:
        status = ledger.scenes[scene.id].status
        if status not in ALLOWED_FROM[kind]:
            allowed = " or ".join(sorted(ALLOWED_FROM[kind]))
            raise ProjectError(
                f"{scene.id}: its status is {status}, so it cannot be {_DONE[kind]}; "
                f"only {allowed} scenes can"
            )


def refuse_without_truth(scenes: Iterable[Scene]) -> None:
    """Raises ProjectError at the first scene that has no ground truth file."""
    for scene in scenes:
        if scene.ground_truth is None:
            raise ProjectError(
                f"{scene.id}: has no ground truth file; bring one with: smarthdr-studio truth, or "
                "promote it instead"
            )


def as_tags(words: Iterable[str]) -> frozenset[str]:
    """Tags without the space around them. Raises ProjectError where one is not one word."""
    tags = frozenset(word.strip() for word in words)
    for tag in sorted(tags):
        if len(tag.split()) != 1:
            raise ProjectError(f"{tag!r}: a tag is one word; join words with a hyphen")
    return tags


def refuse_split(wanted: Mapping[str, Status]) -> None:
    """Raises ProjectError where a split asks for a status that only a decision gives."""
    for name, status in wanted.items():
        if status not in _SPLIT_INTO:
            allowed = ", ".join(sorted(_SPLIT_INTO))
            raise ProjectError(f"{name}: a split cannot make it {status}; it can say {allowed}")
