"""The query line: a few words that say which scenes are meant.

    query        = alternative { "or" alternative }
    alternative  = term { term }                      all of them must hold
    term         = [ "-" ] ( field comparison number | field ":" value | word )

Words and values with spaces stand in double quotes. A figure nobody knows matches no comparison,
negated or not.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.errors import QueryError
from smarthdr_studio.core.project.journal import Status

Test = Callable[[SceneFacts], bool | None]

FIELDS: Final[Mapping[str, str]] = {
    "status": "what a scene is to training: status:unlabelled, status:ground",
    "retained": "share of its pixels that is trusted: retained<0.6, retained>=60%",
    "trend": "how much that share rose over the last rounds: trend<0",
    "sigma": "mean uncertainty σ of its pseudo-label: sigma>0.01",
    "motion": "share of its pixels that move: motion>5%",
    "saturation": "share of its pixels that are saturated in the reference: saturation>0.1",
    "psnr": "PSNR-μ in dB against its ground truth, where there is one: psnr<35",
    "painted": "share of its pixels that the brush decides: painted>0",
    "tag": "a tag it has, or how one begins: tag:indoor, tag:in",
    "note": 'what its note contains: note:window, note:"too dark"',
    "reviewed": "whether a person has looked at it: reviewed:no",
    "whole": "whether the loss counts the whole picture: whole:yes",
    "id": "what its id contains: id:00",
}

_FIGURES: Final[Mapping[str, Callable[[SceneFacts], float | None]]] = {
    "retained": operator.attrgetter("retained"),
    "trend": operator.attrgetter("trend"),
    "sigma": operator.attrgetter("sigma_mean"),
    "motion": operator.attrgetter("motion"),
    "saturation": operator.attrgetter("saturation"),
    "psnr": operator.attrgetter("psnr_mu"),
    "painted": operator.attrgetter("painted"),
}
_SHARES: Final = frozenset({"retained", "trend", "motion", "saturation", "painted"})
_COMPARISONS: Final = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "≤": operator.le,
    "≥": operator.ge,
}
_YES_OR_NO: Final = {"yes": True, "no": False}

_PIECE: Final = re.compile(r'(?:"[^"]*"|[^\s"])+')
_FIELD: Final = re.compile(r"([^\W\d]+)(<=|>=|[<>≤≥:=])(.*)", re.DOTALL)
_APART: Final = re.compile(r'("[^"]*")|\s*(<=|>=|[<>≤≥])\s*')
_NUMBER: Final = re.compile(r"[-+−]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?%?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; `test` answers None where nothing is known."""

    words: str
    negated: bool = False
    test: Test = field(compare=False, repr=False, kw_only=True)

    def matches(self, facts: SceneFacts) -> bool:
        """Whether the scene is known to meet it."""
        answer = self.test(facts)
        return answer not in (None, self.negated)


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked: one of the alternatives, and of that all terms; none at all mean every."""

    alternatives: tuple[tuple[Term, ...], ...] = ()

    def matches(self, facts: SceneFacts) -> bool:
        """Whether the scene is meant."""
        if not self.alternatives:
            return True
        return any(all(term.matches(facts) for term in terms) for terms in self.alternatives)

    def chosen(self, facts: Iterable[SceneFacts]) -> tuple[SceneFacts, ...]:
        """The scenes that are meant, in their order; quicker than asking one by one."""
        every = tuple(facts)
        if not self.alternatives:
            return every
        first, *others = (_narrowed(every, terms) for terms in self.alternatives)
        if not others:
            return tuple(first)
        meant = {id(each) for found in (first, *others) for each in found}
        return tuple(each for each in every if id(each) in meant)


def parse(text: str) -> Query:
    """What the line asks for; an empty one asks for every scene.

    Raises QueryError: one sentence that says what was not understood and what is allowed.
    """
    if text.count('"') % 2:
        raise QueryError('A quotation mark is open; close it: note:"too dark".')
    together = _APART.sub(lambda found: found[1] or found[2], text)  # "retained < 0.6"
    pieces = [piece for piece in _PIECE.findall(together) if piece.casefold() != "and"]
    if not pieces:
        return Query()
    alternatives: list[list[Term]] = [[]]
    for piece in pieces:
        if piece.casefold() == "or":
            alternatives.append([])
        else:
            alternatives[-1].append(_term(piece))
    if not all(alternatives):
        raise QueryError('"or" stands between two terms: status:unlabelled or retained<0.6.')
    return Query(tuple(map(tuple, alternatives)))


def _narrowed(facts: Iterable[SceneFacts], terms: Iterable[Term]) -> Iterable[SceneFacts]:
    """The scenes that meet all of these terms."""
    for term in terms:
        test, refused = term.test, (None, term.negated)
        facts = [each for each in facts if test(each) not in refused]
    return facts


def _term(piece: str) -> Term:
    negated = piece.startswith("-")
    body = piece[1:] if negated else piece
    if not body.replace('"', ""):
        raise QueryError(f"{piece} stands alone; put a word behind it: -tag:indoor, -window.")
    found = _FIELD.fullmatch(body)
    if found is None:
        _refuse_unread(piece, body)
        return Term(piece, negated, test=_word(body))
    name, sign, value = found[1].casefold(), found[2], found[3]
    if name not in FIELDS:
        near = get_close_matches(name, FIELDS, n=1)
        meant = f"perhaps {near[0]} is meant." if near else f"there are {_listed(FIELDS)}."
        raise QueryError(f"{name} is no field; {meant}")
    if name in _FIGURES:
        return Term(piece, negated, test=_comparison(name, sign, value))
    if sign not in ":=":
        raise QueryError(f"{name} cannot be compared; write {_example(name)}.")
    return Term(piece, negated, test=_value(name, value))


def _refuse_unread(piece: str, body: str) -> None:
    """Raises QueryError where a word is meant as more than a word; in quotation marks it is one."""
    if piece.casefold() == "not":
        raise QueryError('A minus stands for "not": -tag:indoor.')
    if not body.startswith('"') and re.search(r"[<>≤≥]", body):
        raise QueryError(f"“{piece}” is not understood; write {_example('retained')}.")


def _comparison(name: str, sign: str, value: str) -> Test:
    if sign not in _COMPARISONS:
        raise QueryError(f"{name} is a number; compare it with <, <=, > or >=: {_example(name)}.")
    compare, bound, figure = _COMPARISONS[sign], _number(name, value), _FIGURES[name]
    if name in _SHARES and abs(bound) > 1:  # nothing is: a percentage is meant
        typed = value.removesuffix("%")
        meant = typed if abs(_number(name, typed)) <= 100 else "100"
        raise QueryError(f"{name} is a share, 1 or 100% at most; write {name}{sign}{meant}%.")

    def test(facts: SceneFacts) -> bool | None:
        known = figure(facts)
        return None if known is None else compare(known, bound)

    return test


def _number(name: str, value: str) -> float:
    if _NUMBER.fullmatch(value) is None:
        got = f"“{value}”" if value else "nothing"
        raise QueryError(f"{name} is compared with a number, not with {got}: {_example(name)}.")
    plain = value.replace(",", ".").replace("−", "-")
    return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)


def _value(name: str, value: str) -> Test:
    exactly = value.startswith('"')
    wanted = value.replace('"', "").casefold()
    if not wanted:
        raise QueryError(f"{name}: wants a value; write {_example(name)}.")
    match name:
        case "status":
            return _status(wanted)
        case "reviewed" | "whole":
            return _flag(name, wanted)
        case "tag" if exactly:
            return lambda facts: any(tag.casefold() == wanted for tag in facts.tags)
        case "tag":
            return lambda facts: any(tag.casefold().startswith(wanted) for tag in facts.tags)
        case "note":
            return lambda facts: wanted in facts.note.casefold()
        case _:
            return lambda facts: wanted in facts.id.casefold()


def _status(wanted: str) -> Test:
    meant = frozenset(status for status in Status if status.startswith(wanted))
    if not meant:
        raise QueryError(f"{wanted} is no status; there are {_listed(Status)}.")
    return lambda facts: facts.status in meant


def _flag(name: str, wanted: str) -> Test:
    meant = {answer for word, answer in _YES_OR_NO.items() if word.startswith(wanted)}
    if not meant:
        raise QueryError(f"{name} is yes or no, not “{wanted}”: {_example(name)}.")
    (answer,) = meant
    read = operator.attrgetter(name)
    return lambda facts: read(facts) == answer


def _word(body: str) -> Test:
    wanted = body.replace('"', "").casefold()

    def test(facts: SceneFacts) -> bool:
        return (
            wanted in facts.id.casefold()
            or wanted in facts.status
            or wanted in facts.note.casefold()
            or any(wanted in tag.casefold() for tag in facts.tags)
        )

    return test


def _example(name: str) -> str:
    return FIELDS[name].partition(": ")[2].partition(", ")[0]


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}"
