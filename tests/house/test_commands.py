"""What the papers tell a person to type is there: verbs, options, scripts and extras."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

from smarthdr_studio import cli
from smarthdr_studio.cli import EXIT_CODES, VERBS
from smarthdr_studio.cli.app import build

ROOT = Path(__file__).resolve().parents[2]
PAPERS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "resources" / "guide").glob("*.md")),
    *sorted((ROOT / "smarthdr_studio").rglob("*.md")),
]
_PROGRAM = re.compile(r"(?:smarthdr-studio|-m smarthdr_studio)\s+(.+)")
_SCRIPT = re.compile(r"(?:bash|python) ((?:packaging|tests)/[\w/.]+)(.*)")


@pytest.fixture(scope="module")
def command():
    return typer.main.get_command(build())


def code_of(text):
    """Every piece of code of a page: lines of fences and of indented blocks, and between ticks."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for block in fences:
        yield from re.sub(r"\\\n\s*", " ", block).splitlines()
    yield from re.findall(r"^ {4}(\S.*)$", prose, re.MULTILINE)
    for part in re.findall(r"`([^`]+)`", prose):
        yield " ".join(part.split())


def commands_of(text):
    """The words behind the name of the program, but where they open a window."""
    for line in code_of(text):
        if found := _PROGRAM.search(line):
            words = shlex.split(found.group(1), comments=True)
            if not re.search(r"^[A-Z]+$|\.shdr$|^…$", words[0]):
                yield words


def parsed(command, words):
    """Goes through if the words are a verb with its arguments and options; else a UsageError."""
    group = command.make_context("smarthdr-studio", list(words), resilient_parsing=True)
    rest = list(words)
    while hasattr(command, "commands") and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    assert not hasattr(command, "commands") or rest[:1] == ["--help"] or rest == ["--version"]
    if rest and "--help" not in rest and "--version" not in rest:  # a verb alone is only named
        command.make_context(words[0], rest, parent=group)


def test_every_command_of_the_papers_is_understood(command):
    told = [(paper.name, words) for paper in PAPERS for words in commands_of(paper.read_text())]
    assert len(told) > 10
    assert {name for name, _ in told} >= {"README.md", "1-first-steps.md", "7-benchmark.md"}
    wrong = []
    for name, words in told:
        try:
            parsed(command, words)
        except (typer.BadParameter.__bases__[0], AssertionError) as error:
            wrong.append(f"{name}: {shlex.join(words)}: {error}")
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "`smarthdr-studio trian P --preset quick`",
        "```sh\nsmarthdr-studio train P --preest quick\n```",
        "    torchrun -m smarthdr_studio train --preset paper\n",
        "`smarthdr-studio queue P --kind anything`",
        "`smarthdr-studio runs shwo P RUN`",
    ],
)
def test_a_command_that_is_not_there_would_be_found(text, command):
    (words,) = commands_of(text)
    with pytest.raises((typer.BadParameter.__bases__[0], AssertionError)):
        parsed(command, words)


def rows_of_the_verbs():
    """The verbs of each line of the README's table, a group's name and its verb joined, and why."""
    table = (ROOT / "README.md").read_text().split("| verb | |\n|---|---|\n")[1].split("\n\n")[0]
    for line in table.splitlines():
        told, says = line.strip("| ").split(" | ", maxsplit=1)
        group = ""
        verbs = []
        for words in map(str.split, re.findall(r"`([^`]+)`", told)):
            if words[0] in ("runs", "presets", "desktop"):
                group = words.pop(0) + " "
            verbs.append(group + words[0])
        more = re.findall(r"`([a-z][a-z-]*)`", says) if "also `" in says else []
        yield [*verbs, *more], [*re.findall(r"--[a-z-]+", told), *re.findall(r"`(--[a-z-]+)", says)]


def verbs_of(command):
    for name, verb in command.commands.items():
        if hasattr(verb, "commands"):
            yield from ((f"{name} {word}", each) for word, each in verb.commands.items())
        else:
            yield name, verb


def test_the_table_of_the_readme_has_every_verb_and_no_other(command):
    told = {verb for verbs, _ in rows_of_the_verbs() for verb in verbs}
    assert told == {name for name, _ in verbs_of(command)}
    assert set(command.commands) == VERBS


def test_the_readme_and_the_help_tell_the_same_statuses_by_the_same_verbs():
    table = (ROOT / "README.md").read_text().split("| exit status | |\n|---|---|\n")[1]
    told = dict(re.findall(r"^\| (\d+) \| (.+) \|$", table.split("\n\n")[0], re.MULTILINE))
    assert set(map(int, told)) == set(EXIT_CODES)
    for code, words in told.items():
        for verb in re.findall(r"`(truth|doctor|benchmark)", words):
            if int(code) != 130:
                assert verb in EXIT_CODES[int(code)], code


def test_the_guide_tells_every_exit_status():
    page = (ROOT / "resources" / "guide" / "1-first-steps.md").read_text()
    table = page.split("| exit status | |\n|---|---|\n")[1].split("\n\n")[0]
    told = dict(re.findall(r"^\| (\d+) \| (.+) \|$", table, re.MULTILINE))
    assert {int(code): words.replace("`", "") for code, words in told.items()} == EXIT_CODES


def test_every_verb_ends_with_a_status_of_the_table_and_says_the_rare_ones_in_its_help(command):
    """What a verb answers is one of the names of `cli`, never a number of its own."""
    names = {"DONE", "FAILED", "BAD_INPUT", "STOPPED", "BROKEN_OFF", "NOT_SHOWN", "PARTLY"}
    assert {getattr(cli, name) for name in names} | {cli.INTERRUPTED} == set(EXIT_CODES)
    for path in sorted((ROOT / "smarthdr_studio" / "cli").glob("*.py")):
        tree = ast.parse(path.read_text())
        for verb in ast.walk(tree):
            # A status is what such a function answers: `-> int` or `-> int | None`.
            if not isinstance(verb, ast.FunctionDef) or verb.returns is None:
                continue
            if "int" not in ast.unparse(verb.returns).split(" | "):
                continue
            answers = [node.value for node in ast.walk(verb) if isinstance(node, ast.Return)]
            for answer in filter(None, answers):
                plain = [
                    node.value
                    for node in [answer, *_branches(answer)]
                    if isinstance(node, ast.Constant) and node.value is not None
                ]
                assert plain == [], f"{path.name}: {verb.name} answers {plain}"
    for name, verb in verbs_of(command):
        told = re.findall(r"[Ee]xit status:? (\d)|; (\d) ", verb.help or "")
        assert {int(code) for pair in told for code in pair if code} <= set(EXIT_CODES), name


def _branches(answer):
    return [answer.body, answer.orelse] if isinstance(answer, ast.IfExp) else []


def test_an_option_in_the_table_of_the_readme_is_one_of_its_verbs(command):
    known = dict(verbs_of(command))
    for verbs, options in rows_of_the_verbs():
        there = {each for verb in verbs for param in known[verb].params for each in param.opts}
        assert set(options) <= there, verbs


def test_every_script_of_the_papers_is_there_with_its_options():
    told = [found for paper in PAPERS for found in _SCRIPT.findall(paper.read_text())]
    assert {path for path, _ in told} >= {"packaging/start.sh", "packaging/test.sh"}
    for path, rest in told:
        script = (ROOT / path).read_text()
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in script, (path, option)


def named_in(text):
    """What a page calls commands of the window: emphasised, with an ellipsis or the way to it."""
    for words in re.findall(r"\*{1,2}([A-Z][^*\n]+?)\*{1,2}", text):
        if "▸" in words or words.endswith("…"):
            yield from (part.strip() for part in words.split("▸"))


@pytest.fixture(scope="module")
def said_by_the_window():
    """Every text in the code of the studio."""
    files = (ROOT / "smarthdr_studio" / "studio").rglob("*.py")
    trees = [ast.parse(path.read_text()) for path in files]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str)}


def test_every_command_of_the_window_that_the_papers_name_is_called_so(said_by_the_window):
    told = [(paper.name, words) for paper in PAPERS for words in named_in(paper.read_text())]
    assert len(told) > 10
    assert [each for each in told if each[1] not in said_by_the_window] == []


def test_every_extra_of_the_papers_can_be_installed():
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    told = {
        name
        for paper in PAPERS
        for names in re.findall(r"smarthdr-studio\[([\w,]+)\]", paper.read_text())
        for name in names.split(",")
    }
    assert told
    assert told <= set(known)
