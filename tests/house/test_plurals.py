"""What puts a number before a noun says one of it as one."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sources import tree_of

import smarthdr_studio

ROOT = Path(smarthdr_studio.__file__).parent
NOUNS = (
    "batch|bracket|cell|change|check|checkpoint|crop|decision|epoch|error|figure|file|folder|frame|"
    "ground truth|hour|image|job|label|line|minute|network|patch|picture|pixel|point|process|"
    "project|promotion|pseudo-label|round|row|run|scene|second|seed|setting|step|stop|thread|tile|"
    "version|view"
)
# "3 scenes", "3 labelled scenes"; the other words of a noun are no verbs.
PLURAL = re.compile(rf"^ (?:[a-z-]+ )?(?:{NOUNS})e?s\b")
# "2 of 7 scenes", "640×480 pixels" and "4 + 4 crops" are of many whatever the last number is.
WHOLE = re.compile(r"(?:\bof |×|\+ |\ball )$")


# What stands there is no number but words, or a number with decimals that is read with a plural.
WORDS = {"allowed", "answer['split']", "_size(sigma)", "' and '.join(counts)", "counted[1]"}


def _is_count(number: ast.expr) -> bool:
    if not isinstance(number, ast.FormattedValue) or number.conversion != -1:
        return False
    if ast.unparse(number.value) in WORDS or ast.unparse(number.value).isupper():
        return False
    if not isinstance(number.format_spec, ast.JoinedStr):
        return True
    how = [each.value for each in number.format_spec.values if isinstance(each, ast.Constant)]
    return not "".join(map(str, how)).endswith(("f", "g", "%"))


def _asks_for_one(node: ast.AST) -> bool:
    """Whether this is a choice by a comparison with 1."""
    return isinstance(node, ast.IfExp) and any(
        isinstance(each, ast.Constant) and each.value == 1 for each in ast.walk(node.test)
    )


def plurals(tree: ast.Module) -> Iterator[str]:
    """Every text with a number before a plural that no comparison with 1 has chosen."""

    def look(node: ast.AST, *, chosen: bool) -> Iterator[str]:
        chosen = chosen or _asks_for_one(node)
        if isinstance(node, ast.JoinedStr) and not chosen:
            parts = node.values
            for place, (number, words) in enumerate(pairwise(parts)):
                before = parts[place - 1] if place else None
                said = before.value if isinstance(before, ast.Constant) else ""
                if (
                    _is_count(number)
                    and isinstance(words, ast.Constant)
                    and PLURAL.match(words.value)
                    and not WHOLE.search(said)
                ):
                    yield f"{node.lineno}: {ast.unparse(node)}"
        for child in ast.iter_child_nodes(node):
            yield from look(child, chosen=chosen)

    yield from look(tree, chosen=False)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"{n} scenes"', 1),
        ('f"{n:,} labelled scenes are there"', 1),
        ('"1 scene" if n == 1 else f"{n} scenes"', 0),
        ('f"{n} scenes" if n != 1 else "a scene"', 0),
        ('f"{done} of {n} scenes"', 0),
        ('f"{w}×{h} pixels"', 0),
        ('counted(n, "scene")', 0),
        ('f"{name} says"', 0),
    ],
)
def test_a_plural_behind_any_number_is_found(source: str, found: int) -> None:
    assert len(list(plurals(ast.parse(source)))) == found


def test_one_of_anything_is_never_told_as_many() -> None:
    """`core.words.counted` makes the words; a choice of one's own has to ask for 1."""
    found = [
        f"{path.relative_to(ROOT)}:{each}"
        for path in sorted(ROOT.rglob("*.py"))
        for each in plurals(tree_of(path))
    ]
    assert found == []
