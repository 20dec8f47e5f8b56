"""Listeners whose bytes would leave this machine, or whose first connection is their last: they are not asked.

What a tunnel takes it carries to its other end, which may be anybody's machine (ssh(1) -L, -D and -R, kubectl
port-forward, the proxies of clouds); netcat and socat without `fork` serve one client and end.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from homeport.model.owners import Process
from homeport.rules.commands import Command, base, read

_TUNNELS = {
    "ssh": "ssh carries it to its other end",
    "autossh": "autossh carries it to its other end",
    "plink": "plink carries it to its other end",
    "cloudflared": "cloudflared carries it to its other end",
    "cloud_sql_proxy": "the proxy of Cloud SQL carries it there",
    "cloud-sql-proxy": "the proxy of Cloud SQL carries it there",
    "alloydb-auth-proxy": "the proxy of AlloyDB carries it there",
    "session-manager-plugin": "the session manager of AWS carries it there",
    "tsh": "Teleport carries it to its other end",
    "chisel": "chisel carries it to its other end",
    "frpc": "frp carries it to its other end",
    "boundary": "Boundary carries it to its other end",
    "stunnel": "stunnel carries it to its other end",
    "stunnel4": "stunnel carries it to its other end",
    "redsocks": "redsocks carries it to a proxy",
    "rinetd": "rinetd carries it where its configuration says",
    "wstunnel": "wstunnel carries it to its other end",
    "udp2raw": "udp2raw carries it to its other end",
    "ss-tunnel": "Shadowsocks carries it to its other end",
}
_WITH_WORD = {
    "kubectl": ("port-forward", "the cluster"),
    "oc": ("port-forward", "the cluster"),
    "k9s": ("", "the cluster"),
    "tailscale": ("nc", "another machine"),
    "gcloud": ("start-iap-tunnel", "another machine"),
    "gcloud.py": ("start-iap-tunnel", "another machine"),
    "flyctl": ("proxy", "another machine"),
    "fly": ("proxy", "another machine"),
}
_TO = frozenset(("systemd-socket-proxyd", "6tunnel", "redir", "simpleproxy"))
"""Programs that carry what they take to the host that their arguments name."""
PROGRAMS = frozenset((*_TUNNELS, *_WITH_WORD, *_TO, "sshd", "sshd-session", "socat"))
"""What programs are called of which `reason` may say that bytes leave this machine."""
_ONCE = frozenset(("nc", "ncat", "netcat", "nc.openbsd", "nc.traditional"))
_SOCAT_PEER = re.compile(
    r"(?i)\A(?:(?:tcp|udp|udplite|sctp|dccp|ip|vsock|openssl|openssl-dtls|ssl|dtls)[46]?"
    r"(?:-(?:connect|client|sendto|datagram))?|socks[\w-]*|proxy|proxy-connect):(\[[^\]]*\]|[^:,]*)"
)
_SOCAT_RUNS = re.compile(r"(?i)\A(?:exec|system|shell):(.*)", re.DOTALL)
_SOCAT_LISTENS = re.compile(r"(?i)[\w-]*listen:|(?:tcp|udp)\d?-l:")


_ENDS = "would end with its first connection"


def leaves(process: Process) -> bool:
    """Whether the reason is that bytes would leave this machine, and not that the listener serves but one client."""
    return not (reason(process) or _ENDS).endswith(_ENDS)


def reason(process: Process) -> str | None:
    """Why a listener of this process is not to be asked; None: it may be."""
    command = read(process)
    program = command.program.lower()
    if program in _TUNNELS:
        return f"what is sent there would leave this machine: {_TUNNELS[program]}"
    if program in ("sshd", "sshd-session"):
        return _of_a_session(command)
    if program in _WITH_WORD:
        word, where = _WITH_WORD[program]
        return f"{program} carries what is sent there to {where}" if not word or word in command.words else None
    if program in _TO:
        to = next((host for word in command.words if (host := _host(word)) is not None and not _is_here(host)), None)
        return None if to is None else f"{program} carries what is sent there to {to[:80]}"
    if program in _ONCE:
        keeps = any(one in ("-k", "--keep-open") or re.fullmatch(r"-[a-z]*k[a-z]*", one) for one in command.words)
        return None if keeps else f"{program} {_ENDS}"
    return _socat(command) if program == "socat" else None


def _of_a_session(command: Command) -> str | None:
    """A session of sshd listens for its client (ssh -R, X11): only the one that waits for clients calls itself so."""
    title = command.title or ""
    if not re.match(r"sshd(?:-session)?: ", title) or "[listener]" in title:
        return None
    return "what is sent there would leave this machine: sshd carries it to the client of a session"


def _socat(command: Command) -> str | None:
    plain = [word for word in command.words if not word.startswith("-")]
    for word in plain:
        found = _SOCAT_PEER.match(word)
        if found and not _is_here(found[1].strip("[]")):
            return f"socat carries what is sent there to {found[1][:80]}"
        run = _SOCAT_RUNS.match(word)
        names = () if run is None else (base(each) for each in re.findall(r"[\w./-]{1,400}", run[1][:4096]))
        carrier = next((each for each in names if each in PROGRAMS or each in _ONCE), None)
        if carrier is not None:
            return f"socat carries what is sent there to {carrier}, and that to where its arguments say"
    listens = [word for word in plain if _SOCAT_LISTENS.match(word)]
    if listens and not any("fork" in word.split(",")[1:] for word in listens):
        return f"socat {_ENDS}"
    return None


def _host(word: str) -> str | None:
    """The host that an argument names, alone or with a port; None: a number, an option, a path."""
    value = word.partition("=")[2] if word.startswith("--") else word
    if value.count(":") > 1 and not value.startswith("["):  # of IPv6, and no port behind it
        return value
    host = value.rpartition(":")[0] or value
    return None if not host or value[0] in "-/" or host.isdigit() else host.strip("[]")


def _is_here(host: str) -> bool:
    if host.lower() in ("localhost", ""):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: it may be anybody's
        return False
