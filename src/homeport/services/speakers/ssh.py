"""SSH (RFC 4253 §4.2): the server names itself unasked; lines of other text may come first."""

from __future__ import annotations

import re

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import named, quoted, text

_LINE = re.compile(rb"^SSH-(1\.\d{1,2}|2\.0)-([!-,.-~][!-~]{0,120})(?: ([ -~]{1,120}))?\r?$", re.MULTILINE)
_PRODUCTS = (
    ("OpenSSH", r"^OpenSSH_(?:for_Windows_)?(\d[\w.]*)"),
    ("Dropbear", r"^dropbear_(\d[\w.]*)"),
    ("Dropbear", r"^dropbear$"),
    ("libssh", r"^libssh[_-](\d[\w.]*)"),
    ("Paramiko", r"^paramiko_(\d[\w.]*)"),
    ("AsyncSSH", r"^AsyncSSH_(\d[\w.]*)"),
    ("Twisted Conch", r"^Twisted(?:_(\d[\w.]*))?"),
    ("Apache MINA SSHD", r"^APACHE-SSHD-(\d[\w.]*)"),
    ("ProFTPD mod_sftp", r"^mod_sftp(?:/(\d[\w.]*))?"),
    ("ssh2 (Node.js)", r"^ssh2js(\d[\w.]*)"),
    ("Russh", r"^russh_(\d[\w.]*)"),
    ("Gitea", r"^Gitea"),
    ("GitLab Shell", r"^GitLab-SSHD"),
    ("Go x/crypto/ssh", r"^Go$"),
)


def greeting(data: bytes) -> Match | None:
    """Recognise the identification string."""
    found = _LINE.search(data)
    if not found:
        return None
    product, version = named(text(found[2]), _PRODUCTS)
    facts = [("protocol version", text(found[1]))]
    if found[3]:
        facts.append(("comment", text(found[3]).strip()))
    return Match("ssh", product, version, f"it greets with {quoted(found[0])}", tuple(facts))


SPEAKER = Speaker("ssh", ports=(22, 2222), programs=("sshd", "dropbear", "sshd-session"), greeting=greeting)
