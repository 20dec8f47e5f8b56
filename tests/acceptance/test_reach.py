"""What `homeport reach` computes and what really happens, in situations made with real namespaces, rules and sockets.

Each situation is a network namespace of its own ("the box") that stands for a machine with a network card `eth0`, and
where needed a second one behind it ("the inner", as a container is). homeport runs in the box; the rules of the machine
that runs the tests are not touched. Every connection that `--prove` tries must end as computed, and as written here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.reach_situations import DUAL, SITUATIONS, V4, Situation, at, chain

LISTEN = """
import json, socket, sys, time
for one in json.loads(sys.argv[1]):
    made = socket.socket(socket.AF_INET6 if ":" in one["address"] else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if ":" in one["address"]:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, one.get("v6only", 0))
    if "device" in one:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, one["device"].encode())
    made.bind((one["address"], one["port"]))
    made.listen(16)
    one["kept"] = made
    globals().setdefault("all", []).append(made)
print("ready", flush=True)
while True:
    time.sleep(1000)
"""
BOX = """
set -e
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
sysctl -qw net.ipv4.conf.all.route_localnet=0 net.ipv4.conf.default.route_localnet=0
ip link set lo up
ip link add eth0 type veth peer name wire0
ip addr add 192.0.2.2/24 dev eth0
ip addr add 2001:db8:1::2/64 dev eth0 nodad
ip link set eth0 up
ip link set wire0 up
echo ready
exec sleep 1000
"""
INNER = """
set -e
ip link set lo up
echo ready
exec sleep 1000
"""
CABLE = """
set -e
ip link add ct0 type veth peer name eth0 netns {inner}
ip addr add 10.7.0.1/24 dev ct0
ip addr add fd07::1/64 dev ct0 nodad
ip link set ct0 up
nsenter -t {inner} -n ip addr add 10.7.0.2/24 dev eth0
nsenter -t {inner} -n ip addr add fd07::2/64 dev eth0 nodad
nsenter -t {inner} -n ip link set eth0 up
nsenter -t {inner} -n ip route add default via 10.7.0.1
nsenter -t {inner} -n ip -6 route add default via fd07::1
"""


class Boxes:
    """Namespaces, each kept by a process of its own, ended by pid."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *words: str) -> subprocess.Popen[str]:
        one = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self._running.append(one)
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        return one

    def namespace(self, script: str) -> int:
        return self.start("unshare", "--net", "--mount", "sh", "-c", script).pid

    def listen(self, pid: int, sockets: tuple[Mapping[str, Any], ...]) -> None:
        if sockets:
            self.start(*inside(pid), sys.executable, "-c", LISTEN, json.dumps(sockets))

    def close(self) -> None:
        for one in reversed(self._running):
            one.kill()
        for one in self._running:
            one.wait()
            assert one.stdout is not None
            one.stdout.close()


@pytest.fixture
def boxes() -> Iterator[Boxes]:
    made = Boxes()
    try:
        yield made
    finally:
        made.close()


def inside(pid: int, enter: Sequence[str] = ("-n", "-m")) -> list[str]:
    return ["nsenter", "-t", str(pid), *enter]


def run(pid: int, command: str, text: str | None = None) -> None:
    done = subprocess.run(
        [*inside(pid), "sh", "-c", command], input=text, text=True, check=False, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def build(boxes: Boxes, one: Situation) -> int:
    """The namespaces of a situation; the pid of the box."""
    box = boxes.namespace(BOX)
    if one.inner:
        inner = boxes.namespace(INNER)
        run(box, CABLE.format(inner=inner))
        boxes.listen(inner, one.inner)
        if one.inner_rules:
            run(inner, "nft -f -", one.inner_rules)
    for command in one.commands:
        run(box, command)
    if one.rules:
        run(box, "nft -f -", one.rules)
    boxes.listen(box, one.listen)
    return box


def ask(box: int, *words: str, home: Path, enter: Sequence[str] = ("-n", "-m")) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [*inside(box, enter), sys.executable, "-P", "-m", "homeport", "reach", *words, "--json"],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "XDG_STATE_HOME": str(home)},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def seen(report: dict[str, Any], kind: str) -> dict[str, bool | None]:
    """What was seen from one of the places, by address and port."""
    found = {}
    for one in report["proofs"]:
        origin = one["from"]
        beside = origin.startswith("beside this machine")
        place = "beside" if beside else "here" if origin == "this machine" else "inside"
        if place == "inside" and origin.startswith("inside "):
            place = "its own"
        if place == kind:
            found[at(one["address"], one["port"])] = one["connected"]
    return found


Answers = Mapping[str, Future[tuple[int, dict[str, Any]]]]


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """The reports of the chosen situations, several made at once: most of their time is waiting for what is dropped."""
    home = tmp_path_factory.mktemp("home")

    def report(one: Situation) -> tuple[int, dict[str, Any]]:
        made = Boxes()
        try:
            return ask(build(made, one), one.ask, "--prove", home=home)
        finally:
            made.close()

    chosen = [item.callspec.params.get("name") for item in request.session.items if isinstance(item, pytest.Function)
              and hasattr(item, "callspec") and item.path == request.path]  # fmt: skip
    with ThreadPoolExecutor(5) as pool:
        yield {name: pool.submit(report, one) for name, one in SITUATIONS.items() if name in chosen}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_computed_is_what_happens(name: str, answers: Answers) -> None:
    one = SITUATIONS[name]
    code, report = answers[name].result(300)
    assert report["reaches"]
    # processes of others may end during the look; of the rules nothing may be missing
    assert [one for one in report["limits"] if "firewall" in one or "rules" in one] == []
    for proof in report["proofs"]:
        assert proof["agrees"] is True, proof
    assert (code, report["agrees"]) == (0, True)
    for kind, expected in (("beside", one.beside), ("here", one.here), ("inside", one.inside)):
        found = seen(report, kind)
        assert {key: found.get(key) for key in expected} == dict(expected)


def state(pid: int) -> dict[str, str]:
    """All that a proof may not change: links, addresses, routes, neighbours, rules and settings of a namespace."""
    questions = {
        "links": "ip -o link", "addresses": "ip -o address", "routes": "ip route show table all",
        "six": "ip -6 route show table all", "neighbours": "ip neigh", "rules": "nft list ruleset",
        "forwarding": "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter",
        "mounts": "cat /proc/self/mountinfo",
    }  # fmt: skip
    return {name: told(pid, question) for name, question in questions.items()}


def told(pid: int, question: str) -> str:
    done = subprocess.run([*inside(pid), "sh", "-c", question], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def wait_until(holds: Callable[[], bool], say: Callable[[], object] = str) -> None:
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"it never came to hold: {say()}")
        time.sleep(0.05)


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_a_proof_stays(number: signal.Signals | None, boxes: Boxes, tmp_path: Path) -> None:
    """The proof is interrupted while its connections hang: a rule drops them."""
    box = build(boxes, Situation(rules=chain("input", 'iifname "hp*" drop'), listen=(DUAL,)))
    wait_until(lambda: "tentative" not in told(box, "ip -o address"))
    before = state(box)
    command = [*inside(box), sys.executable, "-P", "-m", "homeport", "reach", ":8080", "--prove"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        if number is not None:
            wait_until(lambda: "198.18." in told(box, "ip -o address"))
            running.send_signal(number)
        code = running.wait(60)
    finally:
        running.kill()
        running.wait()
    expected = {None: 0, signal.SIGINT: 130}
    assert code == (expected[number] if number in expected else -int(number or 0))
    after: dict[str, str] = {}

    def restored() -> bool:
        after.update(state(box))
        # mounts of others may go meanwhile, where their mount points are removed
        came = set(after["mounts"].splitlines()) - set(before["mounts"].splitlines())
        return not came and all(after[key] == before[key] for key in before if key != "mounts")

    wait_until(restored, lambda: [key for key in before if after[key] != before[key]])


def test_a_range_that_is_in_use_is_left_alone(boxes: Boxes, tmp_path: Path) -> None:
    box = build(
        boxes, Situation(commands=("ip route add 198.18.0.0/16 dev eth0", "ip addr add 198.19.0.9/24 dev eth0"))
    )
    _, report = ask(box, ":8080", "--prove", home=tmp_path)
    own = {one["address"] for one in report["proofs"] if one["address"].startswith("198.19.1.")}
    assert own == {"198.19.1.1"}
    assert report["agrees"] is True


def test_what_cannot_be_told_is_no_disagreement(boxes: Boxes, tmp_path: Path) -> None:
    rules = chain("input", "iif lo accept", "tcp dport 8080 limit rate 5/minute accept", policy="drop")
    box = build(boxes, Situation(rules=rules + chain("output", "accept")))
    code, report = ask(box, ":8080", "--prove", home=tmp_path)
    (limited,) = [one for one in report["proofs"] if one["from"].startswith("beside") and one["address"] == V4]
    assert limited["expected"]["answer"] == "unknown"
    assert limited["expected"]["conditions"] == ["limit rate 5/minute"]
    assert (limited["agrees"], code) == (None, 0)


@pytest.mark.parametrize(
    "one",
    [
        Situation(rules=chain("input", "iif lo accept", "tcp dport 1-9000 drop")),
        Situation(rules=chain("input", "iif lo accept", policy="drop")),
        Situation(rules="table inet a { chain o { counter reject; }; chain c { type filter hook input priority 0;"
                  " iif lo accept; jump o; }; }"),
        Situation(commands=("iptables-nft -A INPUT -i lo -j ACCEPT",
                            "iptables-nft -A INPUT -p tcp -m multiport --dports 80,8080 -j DROP")),
        Situation(commands=("iptables-legacy -A INPUT -i lo -j ACCEPT", "iptables-legacy -P INPUT DROP")),
    ],
)  # fmt: skip
def test_the_command_that_is_told_lets_the_neighbours_in(one: Situation, boxes: Boxes, tmp_path: Path) -> None:
    box = build(boxes, one)
    _, before = ask(box, ":8080", home=tmp_path)
    (told_command,) = [each["text"] for each in before["advice"] if each["kind"] == "firewall" and each["command"]]
    client = boxes.namespace(INNER)
    run(box, f"ip link set wire0 netns {client}")
    run(client, "ip addr add 192.0.2.1/24 dev wire0; ip link set wire0 up")
    connect = f"timeout 2 {sys.executable} -c 'import socket; socket.create_connection((\"{V4}\", 8080), 1)'"
    tried = subprocess.run([*inside(client), "sh", "-c", connect], capture_output=True, check=False, timeout=60)
    assert tried.returncode != 0
    run(box, told_command)
    _, after = ask(box, ":8080", home=tmp_path)
    assert after["summary"][0].startswith(f"Yes, from another machine it is {V4}:8080")
    run(client, connect.replace("timeout 2", "").replace(", 1)", ", 20)"))


def test_a_disagreement_is_told(boxes: Boxes, tmp_path: Path) -> None:
    """A rule that is made while the proof runs: what was read before does not hold any more."""
    box = build(boxes, Situation())
    script = """
import sys
from homeport.cli import reach
from homeport.system import proving
tried = proving.connect_all
def late(places, *more):
    import subprocess
    rule = "add table inet late { chain c { type filter hook input priority 0; policy drop; }; }"
    subprocess.run(["nft", rule], check=True)
    return tried(places, *more)
proving.connect_all = late
sys.exit(reach.show(":8080", source=None, prove=True, as_json=False))
"""
    command = [*inside(box), sys.executable, "-P", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "DISAGREE" in done.stdout
    assert "believe what was seen" in done.stdout


def test_where_nothing_listens(boxes: Boxes, tmp_path: Path) -> None:
    code, report = ask(build(boxes, Situation()), "127.0.0.1:8081", "--prove", home=tmp_path)
    assert (code, report["reaches"], report["proofs"]) == (1, [], [])
    assert report["summary"] == ["Nothing listens at 127.0.0.1:8081: nobody can connect."]


# --- containers ------------------------------------------------------------------------------------------------------


class Engine:
    """Podman with a store of its own, its network in the box."""

    def __init__(self, box: int, folder: Path) -> None:
        self._command = [
            "nsenter", "-t", str(box), "-n", "podman", "--root", str(folder / "store"),
            "--runroot", str(folder / "run"), "--runtime", "runc", "--cgroup-manager", "cgroupfs",
        ]  # fmt: skip
        root = folder / "root"
        for name in ("bin", "www", "tmp", "etc"):
            (root / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin" / "busybox")
        subprocess.run(["tar", "-C", root, "-cf", folder / "root.tar", "."], check=True)
        self("import", str(folder / "root.tar"), "localhost/hp-reach:1")

    def __call__(self, *words: str) -> str:
        done = subprocess.run([*self._command, *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, published: str, bound: str) -> str:
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
        server = ("/bin/busybox", "httpd", "-f", "-p", bound, "-h", "/www")
        return self("run", "-d", *limits, "-p", published, "localhost/hp-reach:1", *server)


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[int, Engine]]:
    """A box, and an engine in it with three containers, at ports 8080 to 8082."""
    made = Boxes()
    podman = None
    folder = Path(tempfile.mkdtemp(prefix="hp-"))  # podman's run root may not be longer than 50 characters
    try:
        box = made.namespace(BOX)
        podman = Engine(box, folder)
        podman.run("8080:80", "80")
        podman.run("127.0.0.1:8081:80", "80")
        podman.run("8082:80", "127.0.0.1:80")
        yield box, podman
    finally:
        if podman is not None:
            podman("rm", "-f", "-t", "0", "-a")
        shutil.rmtree(folder, ignore_errors=True)
        made.close()


@pytest.mark.parametrize(
    ("asked", "here", "beside"),
    [
        # published everywhere
        (":8080", {at("127.0.0.1"): True, at(V4): True}, {at(V4): True}),
        # published at loopback: yet the translation comes before the kernel looks for martians
        ("127.0.0.1:8081", {at("127.0.0.1", 8081): True}, {at("127.0.0.1", 8081): True}),
        # published, but the server in the container keeps to its own loopback
        (":8082", {at("127.0.0.1", 8082): False, at(V4, 8082): False}, {at(V4, 8082): False}),
    ],
)
def test_published_containers(
    asked: str, here: dict[str, bool], beside: dict[str, bool], engine: tuple[int, Engine], tmp_path: Path
) -> None:
    code, report = ask(engine[0], asked, "--prove", home=tmp_path, enter=["-n"])
    (reach,) = report["reaches"]
    assert [one["name"] for one in reach["listener"]["owners"]] == ["busybox"]
    assert [proof for proof in report["proofs"] if proof["agrees"] is not True] == []
    assert (code, report["agrees"]) == (0, True)
    for kind, expected in (("here", here), ("beside", beside)):
        found = seen(report, kind)
        assert {key: found.get(key) for key in expected} == expected


def test_there_are_enough_situations() -> None:
    assert len(SITUATIONS) >= 30
