"""A small server whose manners are told by words: `serve.py 127.0.0.1 3000 http reuseport`.

`http` answers each request, `greet` speaks first, `mute` accepts and says nothing, `hang-up` accepts and closes,
`sleep` never accepts, `busy` accepts ten times a second,
`babble` answers with what is no HTTP; `short`, `stall` and `half` announce more than they send: they close in the body,
say nothing more in it, or close in the header. `v6only`, `reuseport`, `backlog=N`, `device=NAME` and
`descriptors=N` (so many are left when it begins to accept) are about the socket; `delay=N` waits before listening,
`udp` has no connections.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import threading
import time
from typing import Any

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nhello\n"
BEGUN = {
    "babble": b"\x00\x01\x02 what?\r\n",
    "short": ANSWER.replace(b"Length: 6", b"Length: 60"),
    "stall": ANSWER.replace(b"Length: 6", b"Length: 60"),
    "half": ANSWER[:40],
}
kept: list[Any] = []


def main(address: str, port: int, manner: str, words: list[str]) -> None:
    told = dict(word.partition("=")[::2] for word in words)
    time.sleep(float(told.get("delay", 0)))
    one = socket.socket(
        socket.AF_INET6 if ":" in address else socket.AF_INET,
        socket.SOCK_DGRAM if "udp" in told else socket.SOCK_STREAM,
    )
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in address:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, "v6only" in told)
    if "reuseport" in told:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if "device" in told:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, told["device"].encode())
    one.bind((address, port))
    if "udp" in told:
        time.sleep(1000)
    one.listen(int(told.get("backlog", 128)))
    if "descriptors" in told:
        exhaust(int(told["descriptors"]))
    while manner == "sleep":
        time.sleep(1000)
    while True:
        try:
            peer, _ = one.accept()
        except OSError:  # EMFILE: nobody is served until there are descriptors again
            time.sleep(0.05)
            continue
        if manner == "busy":
            time.sleep(0.1)
        threading.Thread(target=serve, args=(peer, manner), daemon=True).start()


def exhaust(left: int) -> None:
    """Open descriptors until so many are left of the limit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    while True:
        try:
            kept.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:  # all are in use
            break
    for _ in range(left):
        os.close(kept.pop())
    print(limit, flush=True)


def serve(peer: socket.socket, manner: str) -> None:
    try:
        if manner == "mute":
            kept.append(peer)
            return
        if manner == "greet":
            peer.sendall(b"220 hello there\r\n")
        while manner in ("http", "busy", "greet", *BEGUN):
            asked = b""
            while b"\r\n\r\n" not in asked:
                more = peer.recv(65536)
                if not more:
                    return
                asked += more
            peer.sendall(BEGUN.get(manner, ANSWER))
            if manner == "stall":
                kept.append(peer)
            return
    except OSError:  # the client went away
        return
    finally:
        if manner not in ("mute", "stall"):
            peer.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
