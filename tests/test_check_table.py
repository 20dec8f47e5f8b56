"""docs/check.md: its table is what the tests make, and it documents every verdict, layer and option."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from homeport.cli.commands import check
from homeport.model.diagnosis import Layer, Verdict

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/check.md").read_text("utf-8")


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_check_table", ROOT / "scripts/build_check_table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_table_is_what_the_tests_make(builder: ModuleType) -> None:
    assert builder.page() == PAGE, "run scripts/build-check-table"


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_real_case_and_a_near_miss(verdict: Verdict, builder: ModuleType) -> None:
    found = builder.cases()
    assert any(one.verdict == verdict.value for one in found)
    assert any(one.near == verdict.value for one in found)


def test_cases_name_verdicts_that_there_are(builder: ModuleType) -> None:
    known = {one.value for one in Verdict}
    assert {one.verdict for one in builder.cases()} <= known
    assert {one.near for one in builder.cases() if one.near is not None} <= known


def test_no_situation_is_told_twice(builder: ModuleType) -> None:
    situations = [one.situation for one in builder.cases()]
    assert len(situations) == len(set(situations))


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_documented(verdict: Verdict) -> None:
    verdicts = PAGE.partition("## Verdicts")[2].partition("## Cases")[0]
    assert re.search(rf"^\| `{verdict.value}` \| \w", verdicts, re.MULTILINE)


def test_every_layer_and_option_is_documented() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## Options")[0], re.MULTILINE) == [
        one.value for one in Layer
    ]
    options = {name for one in check.params for name in one.opts if name.startswith("--")}
    table = PAGE.partition("## Options")[2].partition("## Verdicts")[0]
    assert options - {"--source", "--help"} == set(re.findall(r"`(--[a-z0-9]+)", table))
