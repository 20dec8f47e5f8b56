"""Forwarders by their real command lines."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.addresses import Protocol
from homeport.model.owners import Process
from homeport.rules.publishing import Forwarder, forwarder, monitored_by

ID = "3d" * 32


def process(line: str | tuple[str, ...], pid: int = 7) -> Process:
    words = tuple(line.split()) if isinstance(line, str) else line
    return Process(
        pid=pid, start_ticks=1, start_time=None, name="x", cmdline=words, exe=None, exe_deleted=False, cwd=None, uid=0,
        user=None, ppid=1, session=None, terminal=None, state="S", cgroup=None,
    )  # fmt: skip


def recognised(line: str) -> Forwarder:
    found = forwarder(process(line))
    assert found is not None
    return found


def test_docker_proxy_tells_everything() -> None:
    line = "/usr/bin/docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port 8080 -container-ip 172.17.0.2"
    found = recognised(f"{line} -container-port 80 -use-listen-fd")
    (forward,) = found.forwards
    assert (found.kind, found.engine) == ("docker-proxy", "docker")
    assert (forward.protocol, forward.address, forward.first) == (Protocol.TCP, ip_address("127.0.0.1"), 8080)
    assert (forward.target_address, forward.target_of(8080)) == (ip_address("172.17.0.2"), 80)
    assert forward.covers(Protocol.TCP, ip_address("127.0.0.1"), 8080)
    assert not forward.covers(Protocol.TCP, ip_address("127.0.0.2"), 8080)
    (every,) = recognised("docker-proxy -proto=udp -host-ip=0.0.0.0 -host-port=53 -container-port=5353").forwards
    assert (every.protocol, every.address, every.target_address) == (Protocol.UDP, None, None)
    assert recognised("docker-proxy -proto sctp -host-port 1").forwards == ()


def test_conmon_names_its_container() -> None:
    found = recognised(f"/usr/bin/conmon --api-version 1 -c {ID} -u {ID} -r /usr/bin/runc -n web")
    assert (found.kind, found.engine, found.container_id) == ("conmon", "podman", ID)
    assert found.evidence.source == "/proc/7/cmdline"


def test_slirp4netns_tells_its_api_and_namespace() -> None:
    api = f"/run/user/1000/libpod/tmp/{ID}.net"
    netns = "/run/user/1000/netns/netns-9cb2eb33"
    found = recognised(f"/usr/bin/slirp4netns --mtu=65520 -c -r 4 --api-socket {api} --netns-type=path {netns} tap0")
    assert (found.container_id, found.api, found.netns) == (ID, api, netns)
    assert recognised("slirp4netns -c 4242 tap0").container_id is None


def test_pasta_lists_its_ports() -> None:
    found = recognised(
        "/usr/bin/pasta.avx2 --config-net -t 127.0.0.1/8080-8082:80-82 -t 0.0.0.0/443,9000:90 -u [::1]/53 -u ::1%lo/54 "
        "-T none -U none --quiet --netns /run/user/1000/netns/netns-1"
    )
    assert (found.kind, found.netns) == ("pasta", "/run/user/1000/netns/netns-1")
    assert [(one.protocol.value, str(one.address), one.first, one.last, one.target_port) for one in found.forwards] == [
        ("tcp", "127.0.0.1", 8080, 8082, 80),
        ("tcp", "None", 443, 443, 443),
        ("tcp", "None", 9000, 9000, 90),
        ("udp", "::1", 53, 53, 53),
        ("udp", "::1", 54, 54, 54),
    ]
    assert found.forwards[0].target_of(8082) == 82
    (every,) = recognised("pasta -t all --netns=/x").forwards
    assert every.target_of(8080) == 8080
    assert recognised("pasta -t none -u ~53 --netns=/x").forwards == ()


def test_rootless_forwarders_and_desktops() -> None:
    assert recognised("rootlessport").kind == "rootlessport"
    assert recognised("rootlessport-child").kind == "rootlessport"
    (one,) = recognised("/usr/bin/rootlesskit -p 127.0.0.1:8080:80/tcp --net=slirp4netns true").forwards
    assert (str(one.address), one.first, one.target_port) == ("127.0.0.1", 8080, 80)
    (one,) = recognised("rootlesskit --publish=8080:80 true").forwards
    assert (one.address, one.first, one.target_port) == (None, 8080, 80)
    assert recognised("/Applications/Docker.app/com.docker.backend").engine == "unknown"


@pytest.mark.parametrize(
    "line", ["ssh -L 8080:localhost:80 host", "nginx", "", "python3 conmon.py", "socat TCP-LISTEN:1 TCP:x:2", "dockerd"]
)
def test_who_is_no_forwarder(line: str) -> None:
    assert forwarder(process(line)) is None


def test_a_monitor_among_the_ancestors_names_the_container() -> None:
    shell = process("sh -c run")
    conmon = process(f"/usr/bin/conmon --cid {ID}", 8)
    mark = monitored_by([shell, conmon, process("init", 1)])
    assert mark is not None
    assert (mark.engine, mark.id, mark.evidence.source) == ("podman", ID, "/proc/8/cmdline")
    shim = process(f"/usr/bin/containerd-shim-runc-v2 -namespace moby -id {ID} -address /run/x.sock")
    assert (mark := monitored_by([shim])) and mark.engine == "docker"
    shim = process(f"/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id {ID}")
    assert (mark := monitored_by([shim])) and mark.engine == "containerd"
    assert monitored_by([shell, process("conmon -c short"), process(())]) is None


WORDS = ["docker-proxy", "conmon", "pasta", "passt", "slirp4netns", "rootlesskit", "-c", "-t", "-u", "-p", "--netns",
         "--api-socket", "-host-port", "-proto", "tcp", "8080", "1-9:2-3", "::1/5,~6", "0:0:0/tcp", "="]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=12).map(tuple))
def test_hostile_arguments_never_raise(words: tuple[str, ...]) -> None:
    found = forwarder(process(words))
    monitored_by([process(words)])
    for one in found.forwards if found else ():
        assert 0 < one.first <= one.last < 65_536
        assert (target := one.target_of(one.last)) is None or 0 < target < 65_536
