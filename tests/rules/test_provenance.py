from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.addresses import Protocol
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Container, Owner, Process, Project, Unit
from homeport.model.provenance import Origin, Provenance
from homeport.model.publishing import Published
from homeport.rules.provenance import MAX_EVIDENCE, Facts, Part, Text, judge, wanted

PORT = 62893


def process(
    *words: str, pid: int = 42, exe: str | None = None, cwd: str | None = "/srv/shop", name: str = ""
) -> Process:
    comm = name or words[0].rsplit("/", 1)[-1]
    return Process(pid, pid, None, comm, words, exe or words[0], False, cwd, 1000, "ann", 1, None, None, "S", None)


def facts(*words: str, port: int = PORT, **more: Any) -> Facts:
    known: dict[str, Any] = {
        "chain": (), "heirs": (), "environment": {}, "texts": (), "ephemeral": (32768, 60999), "published": None,
        "searched": ("/proc/42/cmdline",),
    }  # fmt: skip
    return Facts(port=port, process=process(*words), **{**known, **more})


def text(path: str, part: Part, content: str, kind: str | None = None) -> Text:
    return Text(path, part, content, kind)


def check(found: Provenance, origin: Origin, place: str | None = None) -> Provenance:
    where = None if found.file is None else f"{found.file}:{found.line}"
    assert (found.origin, where) == (origin, place), found
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("/usr/bin/python3", "-m", "http.server", "62893"),
        ("/usr/bin/serve", "--port", "62893"),
        ("/usr/bin/serve", "--port=62893"),
        ("/usr/bin/serve", "-p", "62893"),
        ("/usr/bin/serve", "-p62893"),
        ("/usr/bin/serve", "--listen", "127.0.0.1:62893"),
        ("/usr/bin/serve", ":62893"),
        ("/usr/bin/serve", "[::1]:62893"),
        ("/usr/bin/serve", "http://localhost:62893/x"),
        ("/usr/bin/java", "-Dserver.port=62893", "-jar", "shop.jar"),
    ],
)
def test_arguments(words: tuple[str, ...]) -> None:
    found = check(judge(facts(*words)), Origin.ARGUMENT)
    assert found.confidence is Confidence.CERTAIN
    assert "62893" in found.statement


def test_a_bare_number_is_likely() -> None:
    assert check(judge(facts("/usr/bin/node", "server.js", "62893")), Origin.ARGUMENT).confidence is Confidence.LIKELY


@pytest.mark.parametrize("word", ["162893", "628930", "62893ms", "6.62893", "a62893", "--seed62893x"])
def test_near_misses(word: str) -> None:
    assert judge(facts("/usr/bin/serve", word)).origin is Origin.UNKNOWN


def test_a_secret_next_to_the_port_is_masked() -> None:
    found = judge(facts("/usr/bin/serve", "--db=postgres://u:hunter2@h:62893/x", "--password", "hunter2"))
    assert "hunter2" not in str(found)


def test_a_variable() -> None:
    found = check(judge(facts("/usr/bin/serve", environment={"PORT": "62893", "HOME": "/"})), Origin.ENVIRONMENT)
    assert "PORT=62893" in found.statement
    other = judge(facts("/usr/bin/serve", environment={"DATABASE_URL": "postgres://u:hunter2@h:62893/x"}))
    assert "hunter2" not in str(other)


def test_the_line_that_made_the_argument_is_where_to_change_it() -> None:
    driver = text("/srv/shop/package.json", Part.DRIVER, '{\n "scripts": {\n  "dev": "node server.js 62893"\n }\n}')
    found = check(
        judge(facts("/usr/bin/node", "server.js", "62893", texts=(driver,))), Origin.FILE, "/srv/shop/package.json:3"
    )
    assert found.confidence is Confidence.CERTAIN
    assert "/proc/42/cmdline" in [one.source for one in found.evidence]


def test_a_bare_number_in_a_driver_alone_convinces_nobody() -> None:
    driver = text("/srv/shop/package.json", Part.DRIVER, '"x": "sleep 62893"')
    assert judge(facts("/usr/bin/node", "server.js", texts=(driver,), ephemeral=(60000, 65000))).origin is Origin.KERNEL


def test_an_environment_file() -> None:
    env = text("/srv/shop/.env", Part.STARTED, "A=1\nPORT=62893")
    check(judge(facts("/usr/bin/node", "--env-file=.env", "server.js", texts=(env,))), Origin.FILE, "/srv/shop/.env:2")
    # read by a library: the variable is not in the start environment
    env = text("/srv/shop/.env", Part.PROJECT, "PORT=62893")
    found = check(judge(facts("/usr/bin/node", "server.js", texts=(env,))), Origin.FILE, "/srv/shop/.env:1")
    assert found.confidence is Confidence.LIKELY
    # exported: file and variable agree
    found = judge(facts("/usr/bin/node", "server.js", texts=(env,), environment={"PORT": "62893"}))
    check(found, Origin.FILE, "/srv/shop/.env:1")


def test_a_servers_configuration() -> None:
    conf = text("/srv/odd-name", Part.CONFIGURATION, "server {\n listen 62893;\n}", "nginx")
    found = check(judge(facts("/usr/sbin/nginx", "-c", "/srv/odd-name", texts=(conf,))), Origin.FILE, "/srv/odd-name:2")
    assert found.confidence is Confidence.CERTAIN


def test_an_argument_beats_the_configuration() -> None:
    conf = text("/d/postgresql.conf", Part.CONFIGURATION, "port = 62893", "postgresql")
    found = judge(facts("/usr/bin/postgres", "-D", "/d", "-p", "62893", texts=(conf,)))
    check(found, Origin.ARGUMENT)
    assert "/d/postgresql.conf:1" in [one.source for one in found.evidence]


def test_the_kernels_choice() -> None:
    found = check(judge(facts("/usr/bin/serve", ephemeral=(32768, 65000))), Origin.KERNEL)
    assert found.confidence is Confidence.LIKELY
    assert "32768-65000" in found.statement
    assert judge(facts("/usr/bin/serve", ephemeral=(32768, 60999))).origin is Origin.UNKNOWN
    assert judge(facts("/usr/bin/serve", ephemeral=None)).origin is Origin.UNKNOWN
    asked = judge(facts("/usr/bin/serve", "--port", "0", ephemeral=(32768, 65000)))
    assert "asks for port 0" in check(asked, Origin.KERNEL).statement
    script = text("/srv/shop/server.js", Part.STARTED, "x\napp.listen(0)")
    asked = judge(facts("/usr/bin/node", "server.js", ephemeral=(32768, 65000), texts=(script,)))
    assert "/srv/shop/server.js:2" in check(asked, Origin.KERNEL).statement


def test_a_bare_mention_does_not_outweigh_the_kernel() -> None:
    log = text("/srv/shop/main.py", Part.PROJECT, "x = 62893")
    assert judge(facts("/usr/bin/serve", texts=(log,), ephemeral=(32768, 65000))).origin is Origin.KERNEL


def test_a_title_that_names_the_port_speaks_against_the_kernel() -> None:
    found = judge(facts("redis-server 127.0.0.1:62893", ephemeral=(32768, 65000)))
    assert (found.origin, found.confidence) == (Origin.UNKNOWN, Confidence.POSSIBLE)
    assert "process title" in found.statement
    assert judge(facts("redis-server ready", ephemeral=(32768, 65000))).origin is Origin.KERNEL


def test_a_default() -> None:
    check(judge(facts("/usr/bin/redis-server", "--daemonize", "no", port=6379)), Origin.DEFAULT)
    assert judge(facts("/usr/bin/redis-server", port=6380)).origin is Origin.UNKNOWN


def test_socket_activation() -> None:
    handed = {"LISTEN_FDS": "1", "LISTEN_PID": "42"}
    check(judge(facts("/usr/bin/serve", "--port", "62893", environment=handed)), Origin.INHERITED)
    assert judge(facts("/usr/bin/serve", environment={**handed, "LISTEN_PID": "7"})).origin is Origin.UNKNOWN


def test_a_socket_that_was_handed_on() -> None:
    heir = Owner(process("/usr/bin/worker", pid=43), (3,), None, None, None, Confidence.CERTAIN, ())
    found = check(judge(facts("/usr/bin/keeper", heirs=(heir,))), Origin.INHERITED)
    assert found.statement == "keeper made the socket and handed it to worker"
    twin = Owner(process("/usr/sbin/nginx", pid=44), (3,), None, None, None, Confidence.CERTAIN, ())
    assert judge(facts("/usr/sbin/nginx", heirs=(twin,))).origin is Origin.UNKNOWN


def test_published() -> None:
    container = Container("podman", "c" * 64, "web", "busybox", None, (), ())
    way = Published(Protocol.TCP, None, PORT, None, 80, container, "conmon", (), (Evidence("rule", "text"),))
    assert "container web" in check(judge(facts("/usr/bin/conmon", published=way)), Origin.PUBLISHED).statement


def test_an_argument_of_a_parent() -> None:
    parent = process("/usr/bin/launch", "--port", "62893", pid=41)
    check(judge(facts("/usr/bin/serve", chain=(parent,))), Origin.ARGUMENT)
    shell = process("/bin/sh", "-c", "exec serve --port 62893", pid=41)
    check(judge(facts("/usr/bin/serve", chain=(shell,))), Origin.ARGUMENT)


def test_a_title_is_not_an_argument() -> None:
    found = judge(facts("/usr/bin/redis-server 127.0.0.1:62893"))
    assert found.origin is Origin.UNKNOWN
    assert found.confidence is Confidence.POSSIBLE


def test_nothing_read_is_said() -> None:
    assert judge(facts("/usr/bin/serve", searched=())).statement == "nothing about it could be read"
    assert judge(facts("/usr/bin/serve")).searched == ("/proc/42/cmdline",)


def test_what_is_wanted() -> None:
    project = Project("shop", "/srv/shop", "package.json", None, False, None)
    unit = Unit("shop@1.service", "system", None, ())
    npm = process("/usr/bin/node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "run", "dev", pid=41)
    places = wanted(process("/usr/bin/node", "--env-file=.env", "web/server.js"), (npm,), project, unit)
    paths = {(one.path, one.part) for one in places}
    assert ("/srv/shop/package.json", Part.DRIVER) in paths
    assert ("/etc/systemd/system/shop@1.socket", Part.DRIVER) in paths
    assert ("/etc/systemd/system/shop@.service", Part.DRIVER) in paths
    assert ("/srv/shop/.env", Part.STARTED) in paths
    assert ("/srv/shop/web/server.js", Part.STARTED) in paths
    assert ("/srv/shop/compose.yaml", Part.PROJECT) in paths
    assert {one.within for one in places if one.part is Part.PROJECT} == {"/srv/shop"}


def test_a_monorepo_is_read_from_the_nearest_folder() -> None:
    project = Project("shop", "/srv/shop", ".git", None, False, None)
    places = wanted(process("/usr/bin/node", cwd="/srv/shop/packages/web"), (), project, None)
    assert places[0].path == "/srv/shop/packages/web/package.json"


@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=8),
    st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=4),
    st.integers(1, 65535),
    st.text(max_size=200),
)
def test_anything(words: list[str], environment: dict[str, str], port: int, content: str) -> None:
    some = facts(*words, port=port, environment=environment, texts=(text("/x/y.conf", Part.OPEN, content),))
    found = judge(some)
    assert found.origin in Origin
    assert len(found.evidence) <= MAX_EVIDENCE
    wanted(some.process, (some.process,), None, None)


def test_a_compose_file_speaks_of_containers_alone() -> None:
    compose = text("/srv/shop/compose.yaml", Part.PROJECT, 'services:\n  web:\n    ports:\n      - "62893:80"')
    ephemeral = (32768, 65000)
    assert judge(facts("/usr/bin/serve", texts=(compose,), ephemeral=ephemeral)).confidence is not Confidence.CERTAIN
    outside = judge(facts("/usr/bin/serve", texts=(compose,)))
    assert outside.confidence is Confidence.POSSIBLE
    check(judge(facts("/usr/bin/serve", texts=(compose,), contained=True)), Origin.FILE, "/srv/shop/compose.yaml:4")


def test_a_program_text_that_listens() -> None:
    code = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 62893)); s.listen()"
    assert check(judge(facts("/usr/bin/python3", "-c", code)), Origin.ARGUMENT).confidence is Confidence.CERTAIN
    assert judge(facts("/usr/bin/python3", "-c", "print(162893)")).origin is Origin.UNKNOWN
