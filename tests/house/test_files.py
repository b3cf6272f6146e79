"""What every file of the house keeps to; each test names the files that do not."""

import ast
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from sources import nodes_of, text_of, tree_of

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "smarthdr_studio").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAPERS = [
    ROOT / "README.md",
    ROOT / "pyproject.toml",
    *sorted(
        path
        for folder in ("smarthdr_studio", "packaging", "resources", "tests", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sh", ".md", ".toml", ""} and path.is_file()
    ),
]

# Any host where packages are kept: what pip is configured with is the machine's own business.
_REGISTRY = re.compile(
    r"(pypi|pythonhosted|anaconda)\.(org|com)|download\.pytorch\.org/whl|--(extra-)?index-url"
)
_LOADERS = {"load", "load_state_dict_from_url"}
# A graph that was written a moment before is asked whether it answers as ours does.
_THREADS = {
    "smarthdr_studio/cli/output.py",  # says that work in one piece goes on, where there is no bar
    "smarthdr_studio/core/logbook.py",  # watches the event loop, which cannot watch itself
    "smarthdr_studio/core/training/run_lock.py",  # the heartbeat of a lease
    "smarthdr_studio/studio/tasks.py",
    "smarthdr_studio/studio/training/controller.py",
}
_BUTTONS = ("button(", "_button(")
_OWN_GRAPHS = "smarthdr_studio/learning/export.py"


def test_a_module_says_in_its_docstring_what_it_is():
    silent = [
        _name(path)
        for path in MODULES
        if not (ast.get_docstring(tree_of(path)) or "").partition("\n\n")[0].endswith((".", "?"))
    ]
    assert silent == []


def test_a_module_has_at_most_600_lines():
    sizes = {_name(path): len(text_of(path).splitlines()) for path in MODULES}
    assert {name: size for name, size in sizes.items() if size > 600} == {}


def test_only_tasks_and_training_start_threads():
    """Everything slow goes through the task runner; a run at work has the one other thread."""
    thread = re.compile(r"\((QThread|QRunnable)\)|\bQThreadPool\b|threading\.Thread\(")
    assert {_name(path) for path in MODULES if thread.search(text_of(path))} <= _THREADS


def test_a_button_that_is_called_otherwise_is_so_to_a_screen_reader_too():
    """`button` names it to the eye and to a screen reader; `rename` alone changes both."""
    half = []
    for path in MODULES:
        nodes = nodes_of(path)
        made = {
            target.attr
            for node in nodes
            if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith(_BUTTONS)
            for target in node.targets
            if isinstance(target, ast.Attribute)
        }
        half += [
            f"{_name(path)}: {ast.unparse(node.func)}"
            for node in nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "setText"
            and isinstance(node.func.value, ast.Attribute)
            and node.func.value.attr in made
            and f"{ast.unparse(node.func.value)}.setAccessibleName(" not in text_of(path)
        ]
    assert half == []


# What they read is the program's own, or the system's.
_OWN_READERS = {
    "smarthdr_studio/cli/desktop.py",
    "smarthdr_studio/core/environment.py",
    "smarthdr_studio/core/reporting/problem.py",
    "smarthdr_studio/core/training/benchmark_results.py",
    "smarthdr_studio/core/logbook.py",
    "smarthdr_studio/core/project/repair.py",  # to be read and written, which waits for no pipe
    "smarthdr_studio/core/training/run_lock.py",  # the same
    "smarthdr_studio/learning/benchmark_runs.py",
    "smarthdr_studio/learning/compute.py",
    "smarthdr_studio/studio/widgets/icons.py",
    "smarthdr_studio/studio/window/keys_dialog.py",
}


def test_what_somebody_may_have_put_there_is_opened_in_one_place():
    """A pipe is waited for by whoever opens it as a file, and a device never ends."""
    opens = re.compile(r"\.open\((\"[ra]|encoding=|newline=)|\.read_(text|bytes)\(")
    assert {_name(path) for path in MODULES if opens.search(text_of(path))} == _OWN_READERS


def test_a_function_has_at_most_40_lines_and_rarely_more_than_30():
    sizes = {
        f"{_name(path)}: {node.name}": _body_lines(node)
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: size for name, size in sizes.items() if size > 40} == {}
    assert sum(size > 30 for size in sizes.values()) <= 0.02 * len(sizes)


def test_weights_are_loaded_without_executing_anything():
    careless = [
        f"{_name(path)}:{node.lineno}"
        for path in [*MODULES, *TESTS]
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and _loads_with_torch(node) and not _weights_only(node)
        if (_name(path), ast.unparse(node.func)) != (_OWN_GRAPHS, "torch.jit.load")
    ]
    assert careless == []


def test_weights_are_loaded_only_from_what_was_opened_as_a_plain_file():
    """torch and safetensors wait for a pipe that they are given by its path."""
    careless = [
        f"{_name(path)}: {node.name}"
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef)
        if re.search(r"\b(torch\.load|load_file)\(", text := ast.unparse(node))
        if not re.search(r"\b(open_plain|_intact)\(", text) and "draft.write_bytes(" not in text
    ]
    assert careless == []


_DECODERS = {"json.load", "json.loads", "tomllib.load", "tomllib.loads"}


def test_what_somebody_else_may_have_written_is_decoded_in_one_place():
    elsewhere = [
        f"{_name(path)}:{node.lineno}"
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _DECODERS
        if _name(path) != "smarthdr_studio/core/records.py"
    ]
    assert elsewhere == []


def test_nothing_whose_types_are_not_read_is_ever_imported_or_reached():
    """What mypy skips inside torch would be anything at all to it, and so no check of ours."""
    settings = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["mypy"]["overrides"]
    skipped = [
        name.removesuffix(".*")
        for each in settings
        if each.get("follow_imports") == "skip"
        for name in each["module"]
    ]
    assert skipped
    reached = [
        (_name(path), name)
        for path in MODULES
        for name in skipped
        if name in text_of(path)
        and re.search(rf"(import|from) {re.escape(name)}\b|\b{re.escape(name)}\.", text_of(path))
    ]
    assert reached == []


def test_no_file_names_a_package_registry():
    mine = Path(__file__)
    assert [_name(p) for p in PAPERS if p != mine and _REGISTRY.search(text_of(p))] == []


def test_folders_that_are_no_packages_stay_none():
    for folder in ("packaging", "resources", "tests"):
        assert not (ROOT / folder / "__init__.py").exists()


def test_no_decision_record_is_longer_than_a_screen():
    records = sorted((ROOT / "smarthdr_studio" / "decisions").glob("*.md"))
    assert records
    for path in records:
        assert re.match(r"\d{4}-[a-z0-9-]+\.md$", path.name)
        assert 20 <= len(text_of(path).splitlines()) <= 60, path.name


def test_the_picture_of_the_house_names_only_what_is_there():
    """Every `a/b` in it is a file or folder of the package, or ends one."""
    text = text_of(ROOT / "smarthdr_studio" / "ARCHITECTURE.md")
    assert len(text.splitlines()) <= 100
    places = [path.relative_to(ROOT).with_suffix("").as_posix() for path in [*MODULES, *TESTS]]
    places += [path.parent.relative_to(ROOT).as_posix() for path in MODULES]
    places += [path.relative_to(ROOT).as_posix() for path in (ROOT / "resources").iterdir()]
    named = re.findall(r"`([a-z_]+/[a-z_/*]+)(?:\.[a-z_]+)?`", text)
    assert len(named) > 40
    gone = {
        name
        for name in named
        if not any(
            f"/{place}".endswith(f"/{name.rstrip('/')}") or fnmatch(f"/{place}", f"*/{name}")
            for place in places
        )
    }
    assert gone == set()


def test_no_small_module_is_a_slice_of_another():
    """One under 40 lines that a single other module imports belongs inside that one."""
    texts = {_name(path): text_of(path) for path in MODULES}
    lonely = []
    for name, text in texts.items():
        if name.endswith("__init__.py") or len(text.splitlines()) >= 40:
            continue
        parent, _, leaf = name.removesuffix(".py").replace("/", ".").rpartition(".")
        asked = re.compile(rf"from {parent}\.{leaf} import|from {parent} import {leaf}\b")
        if sum(bool(asked.search(other)) for other in texts.values()) == 1:
            lonely.append(name)
    assert lonely == []


def test_docstrings_name_only_what_is_there():
    """Names in backticks with a dot, a call or an underscore, and class names, exist somewhere."""
    known = {path.stem for path in MODULES}
    for path in MODULES:
        for node in nodes_of(path):
            known |= {
                str(getattr(node, part))
                for part in ("name", "arg", "id", "attr")
                if isinstance(getattr(node, part, None), str)
            }
    gone = [
        f"{_name(path)}: {word}"
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        for word in _names_in(ast.get_docstring(node) or "")
        if word.rpartition(".")[2] not in known
    ]
    assert gone == []


def _names_in(docstring: str) -> set[str]:
    quoted = set(re.findall(r"`([A-Za-z_]\w*(?:\.\w+)*)(?:\(\))?`", docstring))
    files = {
        word for word in quoted if re.search(r"\.(json|jsonl|toml|exr|npz|pt|txt|sqlite)$", word)
    }
    named = {word for word in quoted - files if "." in word or "_" in word}
    return named | (set(re.findall(r"Raises:? ([A-Z]\w+)", docstring)))


def _loads_with_torch(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _LOADERS
        and ast.unparse(function).startswith("torch.")
    )


def _weights_only(call: ast.Call) -> bool:
    return any(
        word.arg == "weights_only" and isinstance(word.value, ast.Constant) and word.value.value
        for word in call.keywords
    )


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code from the first statement on; neither signature nor docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
