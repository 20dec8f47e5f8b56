"""Who would be harmed by a connection is known by its command line: the right port and program, and nothing else."""

from __future__ import annotations

import pytest

from homeport.services.kind import Clues, Match
from homeport.services.speakers import SPEAKERS


def known(port: int, *words: str) -> list[Match]:
    clues = Clues(port, (), (words,))
    return [match for speaker in SPEAKERS if speaker.fragile and (match := speaker.fragile(clues))]


@pytest.mark.parametrize(
    ("port", "words", "protocol"),
    [
        (5005, ("java", "-agentlib:jdwp=transport=dt_socket,server=y,address=5005", "-jar", "a.jar"), "jdwp"),
        (5005, ("java", "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=*:5005", "A"), "jdwp"),
        (8000, ("java", "-Xrunjdwp:transport=dt_socket,address=127.0.0.1:8000,server=y", "A"), "jdwp"),
        (2345, ("gdbserver", "--once", ":2345", "./a.out"), "gdb-remote"),
        (2345, ("/usr/bin/gdbserver", "localhost:2345", "--attach", "7"), "gdb-remote"),
        (1234, ("/usr/lib/llvm-14/bin/lldb-server", "g", "*:1234"), "gdb-remote"),
        (38697, ("dlv", "--headless", "--listen=127.0.0.1:38697", "debug"), "delve"),
        (38697, ("/go/bin/dlv", "dap", "--listen", ":38697"), "dap"),
        (5678, ("python3", "-m", "debugpy", "--listen", "5678", "app.py"), "dap"),
        (5678, ("python3", "-Xfrozen_modules=off", "-m", "debugpy", "--listen", "0.0.0.0:5678", "app.py"), "dap"),
        (5901, ("/usr/bin/Xtigervnc", ":1", "-auth", "/home/u/.Xauthority"), "vnc"),
        (15900, ("Xvnc", ":1", "-rfbport", "15900"), "vnc"),
        (15900, ("Xvnc", ":1", "-rfbport=15900"), "vnc"),
        (5678, ("python3", "/v/debugpy/adapter", "--for-server", "4", "--host", "::", "--port", "5678"), "dap"),
    ],
)  # fmt: skip
def test_by_the_command_line(port: int, words: tuple[str, ...], protocol: str) -> None:
    (match,) = known(port, *words)
    assert match.protocol == protocol


@pytest.mark.parametrize(
    ("port", "words"),
    [
        (8080, ("java", "-agentlib:jdwp=transport=dt_socket,server=y,address=5005", "-jar", "a.jar")),
        (5005, ("java", "-agentlib:jdwp=transport=dt_socket,server=n,address=5005", "-jar", "a.jar")),
        (5005, ("java", "-jar", "a.jar", "--port", "5005")),
        (5005, ("echo", "the option is -agentlib:jdwp=server=y,address=5005")),
        (2345, ("gdbserver", ":12345", "./a.out")),
        (2345, ("vim", "gdbserver", ":2345")),
        (38697, ("dlv", "debug")),
        (5678, ("python3", "-m", "debugpy", "--connect", "5678", "app.py")),
        (8000, ("python3", "-m", "debugpy", "--listen", "5678", "manage.py", "runserver")),
        (5678, ("python3", "-m", "http.server", "5678")),
        (6001, ("/usr/bin/Xtigervnc", ":1")),
        (5901, ("Xvnc", ":1", "-rfbport", "15900")),
        (5901, ("Xorg", ":1")),
        (0, ()),
    ],
)
def test_near_misses(port: int, words: tuple[str, ...]) -> None:
    assert known(port, *words) == []


def test_whether_a_jvm_waits_for_its_debugger_is_told() -> None:
    (match,) = known(5005, "java", "-agentlib:jdwp=server=y,suspend=y,address=5005")
    assert match.facts == (("suspended at start", "yes"),)
    (match,) = known(5005, "java", "-agentlib:jdwp=server=y,suspend=n,address=5005")
    assert match.facts == (("suspended at start", "no"),)
