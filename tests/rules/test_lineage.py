"""Chains of parents as they are, and as nobody should believe them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.evidence import Confidence, Evidence
from homeport.model.lineage import Cause
from homeport.model.owners import Container, Process, Unit
from homeport.rules.lineage import MAX_DEPTH, Hints, trace, tty_name

PTS3 = os.makedev(136, 3)
A = "a1" * 32


def process(
    pid: int, ppid: int | None, *cmdline: str, exe: str | None = None, name: str | None = None, **changes: object
) -> Process:
    first = cmdline[0] if cmdline else ""
    made = Process(
        pid=pid, start_ticks=pid, start_time=None, name=name or first.rsplit("/", 1)[-1][:15], cmdline=cmdline,
        exe=exe or (f"/usr/bin/{first.removeprefix('-')}" if first and " " not in first else None), exe_deleted=False,
        cwd="/", uid=0, user="root", ppid=ppid, session=pid, terminal=None, state="S", cgroup=None,
    )  # fmt: skip
    return made._replace(**changes)  # type: ignore[arg-type]


INIT = process(1, 0, "init")
SYSTEMD = process(1, 0, "/sbin/init", name="systemd", exe="/usr/lib/systemd/systemd")
SERVER = process(90, 80, "python3", "-m", "http.server", exe="/usr/bin/python3.11", session=80, terminal=PTS3)
BASH = process(80, 70, "-bash", exe="/usr/bin/bash", terminal=PTS3)


def test_a_server_in_a_pane_of_tmux() -> None:
    tmux = process(70, 1, "tmux", "new", "-s", "main", name="tmux: server")
    chain = [SERVER, BASH, tmux, INIT]
    found = trace(chain, hints=Hints(sessions={70: "work"}))
    assert found.summary == 'python3 -m http.server ← bash (pts/3) ← tmux "work" ← init'
    assert (found.cause, found.confidence, found.broken) == (Cause.MULTIPLEXER, Confidence.CERTAIN, None)
    assert Evidence("/proc/70/exe", "/usr/bin/tmux") in found.evidence
    assert [one.role for one in found.ancestors] == [None, "shell", "terminal multiplexer", "init"]
    first = Hints({80: {"TMUX": "/tmp/tmux-0/default,70,0", "TMUX_PANE": "%0"}})
    assert 'tmux "main"' in trace(chain, hints=first).summary
    later = Hints({80: {"TMUX": "/tmp/tmux-0/default,70,3", "TMUX_PANE": "%4"}})
    assert "tmux pane %4" in trace(chain, hints=later).summary


def test_a_server_in_a_session_of_screen_or_zellij() -> None:
    screen = process(70, 1, "SCREEN", "-S", "work", exe="/usr/bin/screen")
    assert 'screen "work"' in trace([SERVER, BASH, screen, INIT], hints=Hints({80: {"STY": "70.work"}})).summary
    zellij = process(70, 1, "zellij", "--server", "/run/x")
    named = Hints({80: {"ZELLIJ_SESSION_NAME": "calm"}})
    assert 'zellij "calm"' in trace([SERVER, BASH, zellij, INIT], hints=named).summary


def test_a_server_of_an_ssh_session() -> None:
    chain = [
        SERVER,
        BASH,
        process(70, 60, "sshd: ada@pts/3", exe="/usr/sbin/sshd", name="sshd"),
        process(60, 50, "sshd: ada [priv]", exe="/usr/sbin/sshd", name="sshd"),
        process(50, 1, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", exe="/usr/sbin/sshd", name="sshd"),
        SYSTEMD,
    ]
    unit = Unit("ssh.service", "system", "system.slice", ())
    found = trace(chain, unit=unit, hints=Hints({80: {"SSH_CONNECTION": "192.0.2.4 50000 192.0.2.1 22"}}))
    assert found.cause is Cause.SSH
    assert found.summary == (
        "python3 -m http.server ← bash (pts/3) ← sshd (ada from 192.0.2.4) ← unit ssh.service ← init (systemd)"
    )
    forged = trace(chain, hints=Hints({80: {"SSH_CONNECTION": "nonsense 1"}}))
    assert "sshd (ada)" in forged.summary
    # the daemon itself is no session: why it runs is its unit
    assert trace(chain[4:], unit=unit).cause is Cause.UNIT


def test_go_betweens_are_left_out_of_the_summary_only() -> None:
    shell = process(85, 82, "sh", "-c", "node server.js", exe="/usr/bin/dash")
    npm = process(82, 80, "npm run dev", exe="/usr/bin/node")
    server = process(90, 85, "node", "server.js")
    found = trace([server, shell, npm, BASH._replace(ppid=1), INIT])
    assert found.summary == "node server.js ← npm run dev ← bash (pts/3) ← init"
    assert (found.cause, len(found.ancestors)) == (Cause.TERMINAL, 5)
    assert found.evidence[0] == Evidence("/proc/80/stat", "controlling terminal pts/3")
    assert trace([server, shell, npm, process(80, 1, "x"), INIT]).cause is Cause.SUPERVISOR


@pytest.mark.parametrize(
    ("words", "label"),
    [
        (("bash", "run.sh", "--token=x"), "bash run.sh"),
        (("bash", "--init-file", "/x/shell.sh", "-i"), "bash (pts/3)"),
        (("bash", "-o", "pipefail", "-lc", "secret"), None),
        (("zsh", "-i"), "zsh (pts/3)"),
        (("sh", "TOKEN=hunter2"), "sh"),
    ],
)
def test_what_a_shell_is_called(words: tuple[str, ...], label: str | None) -> None:
    shell = process(80, 1, *words, terminal=PTS3)
    assert trace([SERVER, shell, INIT]).ancestors[1].label == label


DECIDING = [
    (process(70, 1, "code", exe="/usr/share/code/code"), Cause.EDITOR),
    (process(70, 1, "claude", exe="/usr/bin/node"), Cause.AGENT),
    (process(70, 1, "/usr/sbin/CRON", "-f", exe="/usr/sbin/cron"), Cause.CRON),
    (process(70, 1, "konsole"), Cause.TERMINAL),
    (process(70, 1, "python3", "/usr/bin/supervisord", exe="/usr/bin/python3.11"), Cause.SUPERVISOR),
    (process(70, 1, "gnome-shell"), Cause.DESKTOP),
    (process(70, 1, "gitlab-runner", "run"), Cause.CI),
]


@pytest.mark.parametrize(("parent", "cause"), DECIDING)
def test_the_nearest_that_decides_is_the_cause(parent: Process, cause: Cause) -> None:
    unit = Unit("some.service", "system", None, ())
    found = trace([SERVER, BASH, parent, SYSTEMD], unit=unit)
    assert found.cause is cause
    assert found.evidence


def test_what_is_kept_by_a_manager_is_named() -> None:
    keeper = process(80, 1, "PM2 v5.3.0: God Daemon (/root/.pm2)", exe="/usr/bin/node")
    found = trace([SERVER, keeper, INIT], hints=Hints({90: {"name": "shop"}}))
    assert found.summary == 'python3 -m http.server ← pm2 "shop" ← init'


def test_a_service_and_its_master() -> None:
    worker = process(90, 80, "gunicorn: worker [app]", exe="/usr/bin/python3.11", name="gunicorn")
    master = process(80, 1, "gunicorn: master [app]", exe="/usr/bin/python3.11", name="gunicorn")
    unit = Unit("web.service", "system", "system.slice", (Evidence("cgroup", "0::/system.slice/web.service"),))
    found = trace([worker, master, SYSTEMD], unit=unit)
    assert found.summary == "gunicorn ← gunicorn ← unit web.service ← init (systemd)"
    assert (found.cause, found.confidence) == (Cause.UNIT, Confidence.CERTAIN)
    assert found.evidence[0].text.endswith("web.service")


def test_a_process_in_a_container_ends_its_summary_there() -> None:
    inside = f"0::/system.slice/docker-{A}.scope"
    container = Container("docker", A, "web", "nginx:1", 80, (), (Evidence("cgroup", inside),))
    worker = process(90, 80, "nginx: worker process", exe="/usr/sbin/nginx", name="nginx", cgroup=inside)
    master = process(80, 70, "nginx: master process nginx", exe="/usr/sbin/nginx", name="nginx", cgroup=inside)
    shim = process(70, 1, "containerd-shim-runc-v2", cgroup="0::/system.slice/containerd.service")
    found = trace([worker, master, shim, SYSTEMD], container=container)
    assert found.summary == "nginx ← nginx ← container web"
    assert (found.cause, len(found.ancestors)) == (Cause.CONTAINER, 4)
    hidden = [one._replace(cgroup="0::/") for one in (worker, master, shim, SYSTEMD)]
    assert trace(hidden, container=container._replace(name=None)).summary == f"nginx ← nginx ← container {A[:12]}"
    assert trace(hidden).cause is Cause.CONTAINER


def test_an_orphan_is_named_as_such() -> None:
    orphan = SERVER._replace(ppid=1)
    found = trace([orphan, INIT], hints=Hints({90: {"TMUX": "/tmp/x,7,0", "name": "secret"}}, {80: None}))
    assert found.summary == "python3 -m http.server ← (its parent ended) ← init"
    assert (found.cause, found.confidence) == (Cause.ORPHAN, Confidence.CERTAIN)
    assert "the leader of the session has ended too" in found.evidence[0].text
    assert Evidence("/proc/90/environ", "TMUX=/tmp/x,7,0") in found.evidence
    assert "secret" not in str(found.evidence)
    alive = trace([orphan, INIT], hints=Hints(leaders={80: BASH}))
    assert alive.evidence[0].text.endswith("the session is that of bash (pts/3)")


def test_an_orphan_of_a_subreaper_is_likely_one() -> None:
    manager = process(70, 1, "systemd", "--user")
    found = trace([SERVER._replace(ppid=70), manager, SYSTEMD])
    assert (found.cause, found.confidence) == (Cause.ORPHAN, Confidence.LIKELY)


def test_what_decides_beyond_an_adoption_is_no_cause() -> None:
    editor = process(70, 1, "code", exe="/usr/share/code/code")
    assert trace([SERVER._replace(ppid=70), editor, INIT]).cause is Cause.ORPHAN
    # a multiplexer below it is
    tmux = process(70, 1, "tmux", session=60)
    assert trace([SERVER, BASH, tmux, INIT]).cause is Cause.MULTIPLEXER


def test_a_unit_that_let_its_first_process_end_is_the_cause() -> None:
    unit = Unit("web.service", "system", None, ())
    assert trace([SERVER._replace(ppid=1), SYSTEMD], unit=unit).cause is Cause.UNIT
    scope = Unit("vte-spawn-1.scope", "user", None, ())
    assert trace([SERVER._replace(ppid=1), SYSTEMD], unit=scope).cause is Cause.ORPHAN


def test_children_of_init_are_judged_with_care() -> None:
    own = SERVER._replace(ppid=1, session=90, terminal=None)
    found = trace([own, INIT])
    assert (found.cause, found.confidence) == (Cause.INIT, Confidence.POSSIBLE)
    assert trace([own._replace(session=1), INIT]).confidence is Confidence.LIKELY
    assert trace([own, SYSTEMD]).cause is Cause.ORPHAN
    assert trace([INIT]).cause is Cause.INIT


def test_threads_of_the_kernel() -> None:
    thread = process(30, 2, name="nfsd", session=0)
    kthreadd = process(2, 0, name="kthreadd", session=0)
    found = trace([thread, kthreadd])
    assert (found.cause, found.summary) == (Cause.KERNEL, "nfsd ← kernel")


def test_a_younger_parent_is_never_shown() -> None:
    found = trace([SERVER, BASH._replace(start_ticks=91), INIT])
    assert len(found.ancestors) == 1
    assert found.cause is not Cause.MULTIPLEXER
    assert found.broken == "pid 80 is not the process that started 90: it started after its child"
    assert found.summary == "python3 -m http.server ← ?"
    assert len(trace([SERVER, BASH._replace(start_ticks=90)]).ancestors) == 2  # in one clock tick: as good as it gets


def test_without_ticks_the_time_of_day_decides() -> None:
    child = SERVER._replace(start_ticks=None, start_time=datetime(2026, 1, 2, tzinfo=UTC))
    parent = BASH._replace(start_ticks=None, start_time=datetime(2026, 1, 1, tzinfo=UTC))
    assert len(trace([child, parent]).ancestors) == 2
    assert len(trace([parent._replace(ppid=90), child]).ancestors) == 1
    unknown = trace([child, parent._replace(start_time=None)])
    assert unknown.broken is not None and unknown.broken.endswith("its start time is not known")


def test_circles_and_endless_chains_end() -> None:
    circle = trace([process(5, 4, start_ticks=1), process(4, 5, start_ticks=1), process(5, 4, start_ticks=1)])
    assert circle.broken == "the parents of 4 run in a circle"
    deep = trace([process(pid, pid - 1, "x") for pid in range(500, 100, -1)])
    assert len(deep.ancestors) == MAX_DEPTH
    assert deep.broken is not None and len(deep.summary) < 300


@pytest.mark.parametrize(
    ("device", "name"),
    [((136, 3), "pts/3"), ((136, 70000), "pts/70000"), ((4, 1), "tty1"), ((4, 64), "ttyS0"), ((5, 1), "console"),
     ((204, 64), "ttyAMA0"), ((229, 0), "hvc0"), ((8, 1), None),
        ((204, 3), None)],
)  # fmt: skip
def test_terminals_have_names(device: tuple[int, int], name: str | None) -> None:
    assert tty_name(os.makedev(*device)) == name


TEXT = st.text(max_size=12) | st.binary(max_size=12).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
WORDS = TEXT | st.sampled_from(
    [
        "sshd: a@b",
        "sshd:",
        "/usr/bin/tmux",
        "node",
        "npm run dev",
        "-bash",
        "-c",
        "--",
        "python3",
        "-m",
        "bun",
        "/",
        " ",
    ]
)
NUMBERS = st.none() | st.integers(0, 12)
PROCESSES = st.builds(
    Process,
    pid=st.integers(0, 12), start_ticks=NUMBERS, start_time=st.none(), name=TEXT,
    cmdline=st.none() | st.lists(WORDS, max_size=5).map(tuple), exe=st.none() | WORDS, exe_deleted=st.booleans(),
    cwd=st.none(), uid=NUMBERS, user=st.none(), ppid=NUMBERS, session=NUMBERS,
    terminal=st.none() | st.integers(0, 1 << 31), state=st.none(), cgroup=st.none() | TEXT,
)  # fmt: skip
ENVIRONMENTS = st.dictionaries(
    st.integers(0, 12), st.dictionaries(st.sampled_from(["TMUX", "TMUX_PANE", "STY", "SSH_CONNECTION", "name"]), TEXT)
)


@given(st.lists(PROCESSES, min_size=1, max_size=20), ENVIRONMENTS, st.dictionaries(st.integers(0, 12), PROCESSES))
def test_no_table_of_processes_makes_a_younger_parent_or_an_error(
    table: list[Process], environments: dict[int, dict[str, str]], leaders: dict[int, Process | None]
) -> None:
    by_pid = {one.pid: one for one in table}
    chain = [table[0]]
    while chain[-1].ppid in by_pid and len(chain) < 100:
        chain.append(by_pid[chain[-1].ppid])
    for given_chain in (chain, table):
        found = trace(given_chain, hints=Hints(environments, leaders, {}))
        shown = [one.process for one in found.ancestors]
        assert shown == given_chain[: len(shown)] and len(shown) <= MAX_DEPTH
        assert len({one.pid for one in shown}) == len(shown)
        for child, parent in pairwise(shown):
            assert child.ppid == parent.pid
            assert parent.start_ticks is not None and child.start_ticks is not None
            assert parent.start_ticks <= child.start_ticks
        assert found.broken is not None or len(shown) == len(given_chain)
