"""What a reader says of a text that is none is ours, and fits into a sentence."""

import pytest

from smarthdr_studio.core.records import (
    parse_json,
    parse_lines,
    parse_toml,
    read_json,
    read_text,
    read_toml,
)


@pytest.mark.parametrize("parse", [parse_json, parse_lines])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[" + b"9" * 6000 + b"]", "it holds a whole number that is far too large"),
        (b"", "it is no JSON from line 1, column 1 on"),
        (b'{"a": 1,\n "b": ?}', "it is no JSON from line 2, column 7 on"),
        (b'"a\xff"', "it is no text in UTF-8 from byte 2 on"),
    ],
)
def test_json_that_is_none_is_told_in_our_words(parse, text, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        parse(text)


def test_toml_of_a_number_nobody_can_hold_is_told_alike():
    with pytest.raises(ValueError, match=r"^it holds a whole number that is far too large$"):
        parse_toml("a = " + "9" * 6000)


def test_a_byte_order_mark_is_no_fault_and_other_bytes_are_told(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 3\n")
    assert read_toml(path) == {"seed": 3}
    path.write_bytes(b"ab\xff")
    for read in (read_text, read_toml, read_json):
        with pytest.raises(ValueError, match=r"^it is no text in UTF-8 from byte [02] on$"):
            read(path)
