"""What a process really runs: its executable, or the script or module that an interpreter was given.

The executable is the kernel's word (/proc/PID/exe). Arguments and titles are the process's own, and are read by their
place, never by searching in them: `vim npm.txt` is vim, and `python3 -m http.server gunicorn` is http.server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Process

_PYTHON = ("-W", "-X", "--check-hash-based-pycs")
_NODE = ("-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file")
_JAVA = ("-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens", "--add-exports")

INTERPRETERS: dict[str, tuple[str, ...]] = {
    "python": _PYTHON,
    "pypy": _PYTHON,
    "node": _NODE,
    "nodejs": _NODE,
    "ruby": ("-r", "-I", "-C", "-E"),
    "perl": ("-I",),
    "php": ("-d", "-c", "-z", "-S", "-t"),
    "java": _JAVA,
}
"""Programs that run the first word that is no option, each with its options that take the next word."""

_CODE = frozenset(("-c", "-e", "-E", "-p", "--eval", "--print", "-r"))
"""Options whose value is a program text; `-r` only for php, since elsewhere it is listed as taking a word."""
_LONGEST_WORD = 40


class Command(NamedTuple):
    """What runs: `program` is a basename or module, `path` where it lies, `words` the arguments after it.

    `title` is what the process has written over its arguments (setproctitle(3)). `confidence` is CERTAIN where the
    kernel names the program, LIKELY where the process's own arguments do, POSSIBLE where only comm does.
    """

    program: str
    path: str | None
    title: str | None
    words: tuple[str, ...]
    confidence: Confidence
    evidence: Evidence


def read(process: Process) -> Command:
    """What a process runs, by its executable, else by its arguments, else by its name."""
    arguments = process.cmdline or ()
    first = arguments[0] if arguments else ""
    title = first if len(arguments) == 1 and (" " in first or ": " in first) else None
    if process.exe is None:
        if title is not None:
            return _titled(process, title)
        if not arguments or not base(first):
            name = process.name.split(":", 1)[0]
            return _by(process, name, None, None, (), Confidence.POSSIBLE, "comm", process.name)
    path = process.exe or first
    program = base(path).removeprefix("-")
    interpreter = _interpreter(program)
    if interpreter is not None and len(arguments) == 1 and _interpreter(base(first.partition(" ")[0])) is None:
        return _titled(process, first)  # what was python or node calls itself something else
    if interpreter is not None and (script := _script(interpreter, arguments[1:])) is not None:
        place, words = script
        return _by(process, base(place), place, None, words, Confidence.LIKELY, "cmdline", f"{program} {place}")
    if program == "busybox" and base(first):
        program = base(first)  # an applet: busybox is called by its name
    if process.exe is None:
        return _by(process, program, path, None, arguments[1:], Confidence.LIKELY, "cmdline", first)
    return _by(process, program, path, title, arguments[1:], Confidence.CERTAIN, "exe", process.exe)


def base(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rsplit("/", 1)[-1]


def plain_words(words: tuple[str, ...], valued: tuple[str, ...] = ()) -> Iterator[str]:
    """Words before `--` that are neither options nor the values of the options in `valued`."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            return
        if word in valued:
            next(rest, None)
        elif not word.startswith("-"):
            yield word


def presentable(word: str) -> str | None:
    """A word that may stand in a summary: a short name, never what could hold a secret or an assignment."""
    short = base(word)
    return short if 0 < len(short) <= _LONGEST_WORD and not set(short) & set("=@?&\n\t ") else None


def _titled(process: Process, title: str) -> Command:
    first, *rest = title.split()
    program = base(first.split(":", 1)[0])
    return _by(process, program, None, title, tuple(rest), Confidence.LIKELY, "cmdline", title[:120])


def _by(
    process: Process,
    program: str,
    path: str | None,
    title: str | None,
    words: tuple[str, ...],
    confidence: Confidence,
    source: str,
    text: str,
) -> Command:
    return Command(program, path, title, words, confidence, Evidence(f"/proc/{process.pid}/{source}", text))


def _interpreter(program: str) -> str | None:
    """`python3.11` is python, `nodejs` is node."""
    stem = program if program in INTERPRETERS else program.rstrip("0123456789.")
    return stem if stem in INTERPRETERS else None


def _script(interpreter: str, arguments: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """The script, module, class or archive that an interpreter was given, and the words after it."""
    valued = INTERPRETERS[interpreter]
    index = 0
    while index < len(arguments):
        word = arguments[index]
        if (word == "-m" and interpreter in ("python", "pypy")) or (word == "-jar" and interpreter == "java"):
            return (arguments[index + 1], arguments[index + 2 :]) if index + 1 < len(arguments) else None
        if word in valued:
            index += 2
        elif word in _CODE and interpreter != "java":
            return None
        elif word.startswith("-") or not base(word):
            index += 1
        else:
            return word, arguments[index + 1 :]
    return None
