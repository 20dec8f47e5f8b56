"""What to call a process in one or two words."""

from __future__ import annotations

from homeport.model.addresses import IPAddress
from homeport.model.owners import Process

_INTERPRETERS = frozenset(
    "python pypy node nodejs ruby perl php bun deno lua Rscript dotnet tclsh bash sh dash zsh ksh fish".split()  # noqa: SIM905
)
# options that take the next argument; the first other word is the script
_WITH_VALUE = frozenset(("-W", "-X", "-r", "--require", "--import", "--loader", "-I", "-C", "--env-file", "-d"))


def address_text(address: IPAddress) -> str:
    """An address as RFC 5952 writes it; Python before 3.13 has `::ffff:7f00:1` for `::ffff:127.0.0.1` (§5)."""
    mapped = address.ipv4_mapped if address.version == 6 else None
    return str(address) if mapped is None else f"::ffff:{mapped}"


def label(process: Process) -> str:
    """`python3 -m http.server`, `node server.js`, `java app.jar`; else the kernel's name of the process.

    From the command line, which a process can overwrite: a name for people, not an identity.
    """
    if not process.cmdline:
        return process.name
    first, *rest = process.cmdline
    program = first.rsplit("/", 1)[-1]
    if not rest:
        return process.name if len(program) > 40 or " " in first else program or process.name
    if program.endswith("java"):
        return _java(program, rest)
    if program.rstrip("0123456789.") not in _INTERPRETERS:
        return program if program.startswith(process.name) else process.name
    words = iter(rest)
    for word in words:
        if word == "-m":
            module = next(words, "")
            return f"{program} -m {module}"
        if word in ("-c", "-e", "-p", "--eval", "--print"):
            return f"{program} {word}"
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return f"{program} {word.rsplit('/', 1)[-1]}"[:60]
    return program


def _java(program: str, rest: list[str]) -> str:
    words = iter(rest)
    for word in words:
        if word == "-jar":
            return f"{program} {next(words, '').rsplit('/', 1)[-1]}"
        if word in ("-cp", "-classpath", "--class-path", "-p", "--module-path"):
            next(words, None)
        elif not word.startswith("-"):
            return f"{program} {word.rsplit('.', 1)[-1]}"
    return program
