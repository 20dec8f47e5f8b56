"""The rack itself: whole, in order, and proof against whatever a server may answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import homeport.services.sites
from homeport.services.kind import Answer, Clues, Match, Site
from homeport.services.sites import APPLICATIONS, AT_MOST, FRAMEWORKS, SERVERS, site, wanted

Recorded = Callable[[str], tuple[Answer, ...]]

EVERYBODY = (*APPLICATIONS, *FRAMEWORKS, *SERVERS)
RECORDED = Path(__file__).parent / "recorded"
HEADERS = """
    server via location set-cookie x-powered-by vary content-type content-security-policy www-authenticate upgrade
    x-jenkins x-runtime x-request-id kbn-name x-clickhouse-exception-code host sec-websocket-version
""".split()  # noqa: SIM905 (a list of words is easier to read so)
TARGETS = ("/", "/api", "/version", "/mcp", "/sse", "/metrics", "/json/version", "/v1/models", "/docs", "/api/health")
FRAGMENTS = [
    fragment
    for path in sorted(RECORDED.glob("*.txt"))
    for fragment in re.split(rb"(?<=[\n>;])", path.read_bytes())[:60]
]  # what products say, to be mixed up

STRANGE = ("nginx/", "nginx/\x00", "Apache/" + "9" * 500, "(" * 300, "\N{ARABIC-INDIC DIGIT ONE}")

hostile = st.one_of(st.text(max_size=80), st.sampled_from(STRANGE))
bodies = st.one_of(
    st.binary(max_size=200),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=8)), max_size=12).map(b"".join),
    st.sampled_from(
        [
            b"{" * 100_000,
            b'{"a":' * 50_000,
            b"[" * 100_000,
            b'{"version":' + b"9" * 5_000 + b"}",
            b'{"version":null}',
            b"\xff{",
        ]
    ),
)
answers = st.builds(
    Answer,
    st.one_of(st.sampled_from(TARGETS), st.text(max_size=20)),
    st.sampled_from(["1.0", "1.1", ""]),
    st.integers(min_value=0, max_value=999),
    st.lists(st.tuples(st.sampled_from(HEADERS), hostile), max_size=6).map(tuple),
    bodies,
)
clues = st.builds(Clues, st.integers(0, 65_535), st.lists(st.text(max_size=12), max_size=3).map(tuple))


@settings(max_examples=60, deadline=None)
@given(st.lists(answers, max_size=3).map(tuple), clues)
def test_no_answer_can_make_an_entry_raise(said: tuple[Answer, ...], known: Clues) -> None:
    match = site(said, known)

    assert isinstance(match, Match)
    assert match.evidence
    assert "\n" not in match.evidence
    assert len(match.evidence) < 600
    assert match.version is None or (match.version.isprintable() and len(match.version) <= 60)
    for entry in EVERYBODY:
        for answer in said:
            if entry.more:
                entry.more(answer, known)


@settings(max_examples=60, deadline=None)
@given(answers, clues)
def test_what_is_wanted_can_always_be_sent(answer: Answer, known: Clues) -> None:
    targets = wanted(answer, known)

    assert len(targets) <= AT_MOST
    assert len(set(targets)) == len(targets)
    assert all(re.fullmatch(r"/[\x21-\x7e]*", target) and not target.startswith("//") for target in targets)


UNITS = (b"<title>", b"<address>Apache ", b'{"errors":', b'"buildInfo":{', b"a_exporter_build_info{", b"\n", b"a")


@pytest.mark.parametrize("unit", UNITS)
def test_a_body_of_one_thing_repeated_is_read_in_bounded_steps(unit: bytes) -> None:
    body = unit * (400_000 // len(unit))

    assert site((Answer("/", "1.1", 404, (), body),), Clues(1, ())).product is None


def test_every_file_is_in_a_tuple_and_every_name_means_one_product() -> None:
    files = {path.stem for path in Path(homeport.services.sites.__file__).parent.glob("*.py")} - {"__init__", "signs"}
    held = {
        name
        for name in files
        if any(getattr(homeport.services.sites, name).SITE is entry for entry in (*APPLICATIONS, *FRAMEWORKS, *SERVERS))
    }
    names = [entry.name for entry in (*APPLICATIONS, *FRAMEWORKS)]

    assert held == files
    assert len(names) - len(set(names)) == 1  # MCP, which has two transports


def test_names_of_programs_are_patterns_in_lower_case() -> None:
    assert all(pattern == pattern.lower() and pattern.strip("*?") for entry in EVERYBODY for pattern in entry.programs)


STACKS = {  # who is built of what, where both can be seen in one answer
    ("code-server", "VS Code server"),
    ("Dask", "Bokeh server"),
    ("Panel", "Bokeh server"),
    ("Voila", "Jupyter Server"),
    ("Forgejo", "Gitea"),
    ("Jupyter Notebook", "Jupyter Server"),
    ("Podman API", "Docker API"),
    ("Nuxt", "Vite"),
    ("React Router", "Vite"),
    ("Astro", "Vite"),
    ("Angular development server", "Vite"),
    ("vLLM", "OpenAI-compatible API"),
    ("MinIO", "S3-compatible API"),
    ("SeaweedFS", "S3-compatible API"),
    ("Moto", "S3-compatible API"),
}


@pytest.mark.parametrize("name", [path.stem for path in sorted(RECORDED.glob("*.txt"))])
def test_no_product_is_taken_for_another(name: str, recorded: Recorded) -> None:
    claims = tuple(entry.name for entry in APPLICATIONS if entry.recognise(recorded(name)))

    assert len(claims) < 2 or claims in STACKS


def test_a_site_that_asks_for_nothing_has_no_question() -> None:
    entry = next(entry for entry in SERVERS if entry.name == "nginx")

    assert isinstance(entry, Site)
    assert entry.more is None
