"""Who is not to be asked, and near misses."""

from __future__ import annotations

import pytest

from homeport.model.owners import Process
from homeport.services import forwarders


def process(*words: str, exe: str | None) -> Process:
    return Process(7, 1, None, "x", words, exe, False, "/", 0, "root", 1, 1, None, "S", None)


@pytest.mark.parametrize(
    ("exe", "words"),
    [
        ("/usr/bin/ssh", "ssh -N -L 5432:db:5432 host"),
        ("/usr/sbin/sshd", "sshd: alice@pts/0"),
        ("/usr/lib/openssh/sshd-session", "sshd-session: alice"),
        ("/usr/local/bin/kubectl", "kubectl -n x port-forward svc/db 5432:5432"),
        ("/usr/bin/cloudflared", "cloudflared access tcp --hostname x"),
        ("/usr/bin/cloud-sql-proxy", "cloud-sql-proxy p:r:i"),
        ("/usr/bin/stunnel4", "stunnel4 /etc/stunnel/x.conf"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork TCP:db.example:5432"),
        ("/usr/bin/socat", "socat TCP4-LISTEN:80,fork,reuseaddr openssl:[2001:db8::1]:443"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80 EXEC:cat"),
        ("/usr/lib/systemd/systemd-socket-proxyd", "systemd-socket-proxyd --exit-idle-time=30s db.example:5432"),
        ("/usr/bin/redir", "redir -n :8080 [2001:db8::1]:80"),
        ("/usr/bin/redir", "redir --lport=8080 --caddr=198.51.100.7 --cport=80"),
        ("/usr/bin/simpleproxy", "simpleproxy -L 8080 -R 198.51.100.7:80"),
        ("/usr/bin/6tunnel", "6tunnel -4 8080 db.example 80"),
        ("/usr/bin/6tunnel", "6tunnel 8080 2001:db8::5 80"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork SCTP4-CONNECT:198.51.100.7:9"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork OPENSSL-DTLS-CLIENT:198.51.100.7:9"),
        ("/usr/bin/socat", "socat UDP-LISTEN:80,fork UDP4-DATAGRAM:198.51.100.7:9"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork VSOCK-CONNECT:2:9"),
        ("/usr/sbin/redsocks", "redsocks -c /etc/redsocks.conf"),
        ("/usr/sbin/rinetd", "rinetd -c /etc/rinetd.conf"),
        ("/usr/bin/nc.openbsd", "nc -l 80"),
        ("/usr/bin/ncat", "ncat -l 80"),
    ],
)
def test_left_alone(exe: str, words: str) -> None:
    one = process(words, exe=exe) if words.startswith("sshd") else process(*words.split(), exe=exe)
    assert forwarders.reason(one)


@pytest.mark.parametrize(
    ("exe", "words"),
    [
        ("/usr/sbin/sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork TCP:127.0.0.1:8080"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork TCP:localhost:8080"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork TCP6:[::1]:8080"),
        ("/usr/lib/systemd/systemd-socket-proxyd", "systemd-socket-proxyd -c 16 127.0.0.1:8080"),
        ("/usr/lib/systemd/systemd-socket-proxyd", "systemd-socket-proxyd /run/app.sock"),
        ("/usr/bin/simpleproxy", "simpleproxy -L 8080 -R localhost:80"),
        ("/usr/bin/6tunnel", "6tunnel -6 8080 ::1 80"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork EXEC:cat"),
        ("/usr/bin/socat", "socat TCP-LISTEN:80,fork SCTP:127.0.0.1:9"),
        ("/usr/bin/kubectl", "kubectl proxy"),
        ("/usr/bin/nc.openbsd", "nc -lk 80"),
        ("/usr/bin/ncat", "ncat -l --keep-open 80"),
        ("/usr/sbin/nginx", "nginx: master process nginx"),
        ("/usr/bin/docker-proxy", "docker-proxy -proto tcp"),
        (None, "ls"),
    ],
)
def test_asked(exe: str | None, words: str) -> None:
    one = process(words, exe=exe) if ": " in words else process(*words.split(), exe=exe)
    assert forwarders.reason(one) is None


@pytest.mark.parametrize(
    "run", ["EXEC:ssh host nc db 5432", "SYSTEM:exec '/usr/bin/ssh' host", "exec:kubectl exec -i x"]
)
def test_what_socat_runs_may_carry_it_away(run: str) -> None:
    found = forwarders.reason(process("socat", "UNIX-LISTEN:/run/x.sock,fork", run, exe="/usr/bin/socat"))
    assert found is not None
    assert found.startswith(f"socat carries what is sent there to {'kubectl' if 'kubectl' in run else 'ssh'}")


def test_every_tunnel_is_known_by_a_name() -> None:
    """Who looks for tunnels by their names alone finds them."""
    assert {"ssh", "socat", "kubectl", "systemd-socket-proxyd"} <= forwarders.PROGRAMS
