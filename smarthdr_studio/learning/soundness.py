"""Files that a run learns from: told and left out where they are not what was frozen."""

from collections.abc import Mapping
from dataclasses import replace

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.label_files import check_label
from smarthdr_studio.core.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.roster import LabelFile, Roster


def damage(roster: Roster) -> dict[str, str]:
    """The scenes whose promoted label or brought ground truth is damaged, each with a sentence."""
    found: dict[str, str] = {}
    for name, file in roster.files.items():
        try:
            _check(file, brought=name not in roster.promoted)
        except LabelError as error:
            found[name] = str(error)
    return found


def refuse_damaged(roster: Roster) -> None:
    """Raises LabelError where a label, a brought truth or a painted mask is damaged."""
    for sentence in {**roster.damaged, **damage(roster)}.values():
        raise LabelError(sentence)


def sound(roster: Roster) -> Roster:
    """The roster without scenes that are damaged.

    Raises LabelError where that leaves nothing labelled.
    """
    found = damage(roster)
    left = roster.setting_aside(found)
    if found and not left.labels:
        raise LabelError(next(iter(found.values())))
    return left


def mended(roster: Roster, now: Roster) -> Roster:
    """The roster of a checkpoint, where a damaged scene takes the part the project gives it now.

    Raises LabelError where that is damaged as well.
    """
    bad = damage(roster)
    if not bad:
        return roster
    again = now.holding_out(roster.held_out)
    plain = roster.setting_aside(bad)
    then = replace(
        plain,
        labelled=tuple(sorted({*plain.labelled, *(set(bad) & set(again.labelled))})),
        promoted={**plain.promoted, **_of(bad, again.promoted)},
        truths=_not_of(bad, plain.truths) | _of(bad, again.truths),
        damaged=roster.damaged,
    )
    for sentence in damage(then).values():
        raise LabelError(sentence)
    return then


def _check(file: LabelFile, *, brought: bool) -> None:
    if file.checksum is None:  # frozen before labels had checksums: at least it can be read
        read_pseudo_label(file.path)
    check_label(file.path, file.checksum, brought=brought)


def _of(names: Mapping[str, str], files: Mapping[str, LabelFile]) -> dict[str, LabelFile]:
    return {name: file for name, file in files.items() if name in names}


def _not_of(names: Mapping[str, str], files: Mapping[str, LabelFile]) -> dict[str, LabelFile]:
    return {name: file for name, file in files.items() if name not in names}
