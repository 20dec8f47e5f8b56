from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.cli.document import emit

TEXT = st.text(st.characters(), max_size=9)  # lone surrogates too


def written(capsys: pytest.CaptureFixture[str], facts: dict[str, object]) -> str:
    emit("x", facts)
    return capsys.readouterr().out


def test_bytes_that_are_no_text_spoil_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    text = written(capsys, {"a": "caf\udce9 \U0001f600 é", "b": [{"\udcff": ("\ud800\udc00x",)}]})
    assert text.isascii()
    assert msgspec.json.decode(text) == json.loads(text)
    assert json.loads(text)["a"] == "caf\ufffd \U0001f600 é"


def test_an_iterator_is_an_array(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"a": 1}, {"a": 2}]
    assert written(capsys, {"rows": iter(rows), "none": iter(()), "end": None}) == written(
        capsys, {"rows": rows, "none": [], "end": None}
    )


@given(TEXT)
def test_every_text_can_be_read_by_a_strict_reader(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("sys.stdout.write", said.append)
        emit("x", {"text": [text]})
    (found,) = msgspec.json.decode("".join(said))["text"]
    if not any(0xD800 <= ord(one) < 0xE000 for one in text):
        assert found == text
