"""A public function of core or learning that takes or returns arrays says of which shape."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from sources import tree_of

import smarthdr_studio

PACKAGE = Path(smarthdr_studio.__file__).parent
ARRAYS = {"NDArray", "ndarray", "Tensor"}
SHAPE = re.compile(r"\w×\w|\b(scalars?|[Ff]lat|same shape|one shape|any shape)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    return sorted(path for room in ("core", "learning") for path in (PACKAGE / room).rglob("*.py"))


@cache
def array_names(path: Path) -> frozenset[str]:
    """Every name of a module that is an array type: imported, or an alias made of such names."""
    found = set(ARRAYS)
    for node in tree_of(path).body:
        for statement in node.body if isinstance(node, ast.If) else [node]:
            match statement:
                case ast.ImportFrom(module=str(source), names=names):
                    file = PACKAGE.parent / f"{source.replace('.', '/')}.py"
                    theirs = array_names(file) if file.is_file() else frozenset()
                    found |= {each.asname or each.name for each in names if each.name in theirs}
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if (
                    isinstance(value, ast.Subscript | ast.BinOp | ast.Attribute)
                    and names_in(value) & found
                ):
                    found.add(name)
    return frozenset(found)


def names_in(annotation: ast.AST | None) -> set[str]:
    """Names in an annotation, also of one that is written as text."""
    found: set[str] = set()
    for node in ast.walk(annotation) if annotation is not None else ():
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                found.add(name)
            case ast.Constant(value=str(text)) if text.isidentifier() or "[" in text:
                found |= names_in(ast.parse(text, mode="eval"))
    return found


def public_functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Function]]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if not name.startswith("_"):
                    yield prefix + name, node
            case ast.ClassDef(name=name, body=inner) if not name.startswith("_"):
                yield from public_functions(inner, f"{name}.")


def takes_or_returns(function: Function, arrays: frozenset[str]) -> bool:
    of = function.args
    given = (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg)
    annotations = [each.annotation for each in given if each is not None] + [function.returns]
    return any(names_in(each) & arrays for each in annotations)


def without_shape(path: Path) -> list[str]:
    """Public functions of a module with arrays in their signature and no shape in their words."""
    return [
        f"{path.relative_to(PACKAGE)}:{function.lineno} {name}"
        for name, function in public_functions(tree_of(path).body)
        if takes_or_returns(function, array_names(path))
        and not SHAPE.search(ast.get_docstring(function) or "")
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_whoever_takes_or_gives_an_array_says_its_shape(path):
    assert without_shape(path) == []
