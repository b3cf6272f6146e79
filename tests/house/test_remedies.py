"""No sentence that a window may show names a shell; what a shell is told to type is there."""

import ast
import re
from pathlib import Path

import pytest
import typer
from sources import nodes_of

from smarthdr_studio.cli.app import build
from smarthdr_studio.core import remedies
from smarthdr_studio.core.remedies import Way, speak_in_window

ROOT = Path(remedies.__file__).parents[1]
ROOMS = ("core", "learning", "studio", "synthetic")
WAYS = {name: each for name, each in vars(remedies).items() if isinstance(each, Way)}
# What is about the shell by itself, by file and the beginning of the text.
OF_THE_SHELL = {
    ("core/reporting/report.py", "\n:root {"),  # a style sheet, whose variables begin so
    ("core/training/plan.py", "--set "),  # of what was typed behind --set
    ("core/training/plan_schema.py", "--preset"),  # the command to be copied
    ("core/training/plan_schema.py", "--set"),
    ("studio/app.py", "There is no display here"),  # where no window can be
    ("studio/runs/benchmark.py", "--into"),  # of the process that is started
    ("studio/window/run_commands.py", "smarthdr-studio train "),  # the command to be copied
    ("studio/window/run_commands.py", " --resume "),
    ("synthetic/benchmark_set.py", "Benchmark set made by"),  # what made a folder, in its README
    ("synthetic/dataset.py", "Sample dataset made by"),
    ("synthetic/displaced_set.py", "Test scenes made by"),
}


@pytest.fixture(autouse=True)
def in_the_shell():
    yield
    speak_in_window(on=False)


@pytest.fixture(scope="module")
def command():
    return typer.main.get_command(build())


@pytest.fixture(scope="module")
def shell_words(command):
    """An option, the program with a verb, or a verb alone where a command is to come."""
    verbs = "|".join(sorted(command.commands))
    return re.compile(
        rf"(?<![\w-])--[a-z]|smarthdr-studio (?:[a-z]|$)|(?:with|see|run): (?:{verbs})\b"
    )


def texts(nodes):
    """Every text of a module that is no docstring."""
    docs = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_text_of_the_window_names_an_option_or_a_verb_of_the_shell(shell_words):
    found = [
        (path.relative_to(ROOT).as_posix(), text)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if path != Path(remedies.__file__)
        for text in texts(nodes_of(path))
        if shell_words.search(text)
    ]
    told = {
        place: [text for file, text in found if file == place[0] and text.startswith(place[1])]
        for place in OF_THE_SHELL
    }
    known = {(place[0], text) for place, each in told.items() for text in each}
    assert [each for each in found if each not in known] == []
    assert [place for place, each in told.items() if not each] == []


@pytest.mark.parametrize(
    "line",
    [
        'raise E(f"{path}: damaged; mend it with: smarthdr-studio doctor PROJECT --repair")',
        'raise E(f"{path}: say where with: " f"smarthdr-studio {verb} PROJECT")',
        'raise E("make the project with --labelled")',
        'raise E(f"{run}: is not in the trash; see: runs list")',
        'raise E(f"{path}: give one EV for each frame " "with --evs")',
    ],
)
def test_a_sentence_for_the_shell_alone_would_be_found(line, shell_words):
    assert any(shell_words.search(text) for text in texts(list(ast.walk(ast.parse(line)))))


@pytest.mark.parametrize(
    "line",
    [
        'raise E(f"{path}: damaged; mend it with: {MEND}")',
        'name = platformdirs.user_config_path("smarthdr-studio")',
        'note = "install smarthdr-studio[raw] -- and try again"',
        'def f():\n    """The verb smarthdr-studio label --all."""',
    ],
)
def test_what_names_no_command_is_not_found(line, shell_words):
    assert not any(shell_words.search(text) for text in texts(list(ast.walk(ast.parse(line)))))


@pytest.mark.parametrize("name", WAYS)
def test_a_remedy_of_the_window_has_no_word_of_the_shell(name, shell_words):
    speak_in_window()
    assert not shell_words.search(str(WAYS[name]))


@pytest.mark.parametrize("name", WAYS)
def test_a_remedy_of_the_shell_names_verbs_and_options_that_are_there(name, command):
    words = str(WAYS[name])
    assert "▸" not in words
    named = re.search(r"smarthdr-studio ([a-z ]+)", words)
    options = re.findall(r"--[a-z-]+", words)
    assert named or options
    if named:
        verb = _verb(command, named.group(1).split())
        assert set(options) <= {each for option in verb.params for each in option.opts}
    else:
        everywhere = {o for each in command.commands.values() for p in each.params for o in p.opts}
        assert set(options) <= everywhere


def _verb(command, words):
    """The verb that these words begin with, which may be one of a group."""
    for word in words:
        if not hasattr(command, "commands"):
            break
        command = command.commands[word]
    assert not hasattr(command, "commands")
    return command


def test_what_is_unknown_stands_in_capitals_and_is_quoted_when_it_is_known():
    assert remedies.MEND.of(PROJECT="a b.shdr") == "smarthdr-studio doctor 'a b.shdr' --repair"
    speak_in_window()
    assert remedies.MEND.of(PROJECT="a b.shdr") == "File ▸ Mend a project…"
