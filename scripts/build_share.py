"""Writes `share/`, which a wheel installs as it is: the man page and the completions, made from the click commands.

build_share.py            write the files
build_share.py --check    write nothing; 1 when a file is not what it would be
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

import homeport
from homeport.cli.completion import script
from homeport.cli.main import cli

SHARE = Path(__file__).resolve().parent.parent / "share"

_ENVIRONMENT = (
    ("NO_COLOR", "If not empty, no colour is used, not even on a terminal."),
    ("HOMEPORT_NO_HISTORY", "If not empty or 0, nothing is remembered of what lives where."),
    ("HOMEPORT_DEBUG", "If not empty, a bug shows its traceback."),
    ("XDG_STATE_HOME", "Its folder homeport holds the history; by default ~/.local/state."),
    ("XDG_CONFIG_HOME", "Its folder homeport holds config.toml; by default ~/.config."),
    ("XDG_RUNTIME_DIR", "Where sockets of the user's own container engines are looked for."),
    ("DOCKER_HOST", "A container engine of this machine to ask first."),
)
_SEE_ALSO = r"\fBss\fP(8), \fBlsof\fP(8), \fBnetstat\fP(8), \fBproc\fP(5), \fBsock_diag\fP(7), \fBcapabilities\fP(7)"


def files() -> dict[str, str]:
    """Every file of `share/`, by its path there."""
    return {
        "man/man1/homeport.1": "".join(f"{line}\n" for line in manual(cli)),
        "bash-completion/completions/homeport": script(cli, "bash"),
        "zsh/site-functions/_homeport": script(cli, "zsh"),
        "fish/vendor_completions.d/homeport.fish": script(cli, "fish"),
    }


def manual(group: click.Group) -> Iterator[str]:
    """The lines of homeport(1) in the language of man(7)."""
    context = click.Context(group, info_name="homeport", **group.context_settings)
    blocks = _blocks(group.epilog)
    yield r".\" Made by scripts/build-share from the commands; do not edit."
    yield f'.TH HOMEPORT 1 "" "homeport {homeport.__version__}" "User Commands"'
    yield ".SH NAME"
    first, *paragraphs = _paragraphs(group.help)
    yield rf"homeport \- {_escaped(first.rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield from _usage(group, context)
    yield ".SH DESCRIPTION"
    yield from _prose(paragraphs)
    yield ".SH OPTIONS"
    yield from _options(group, context)
    yield ".SH COMMANDS"
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None  # noqa: S101  # it was listed
        yield from _command(command, click.Context(command, parent=context, info_name=name))
    yield '.SH "EXIT STATUS"'
    yield from _verbatim(blocks["Exit codes"])
    yield ".SH ENVIRONMENT"
    for name, text in _ENVIRONMENT:
        yield from (".TP", rf"\fB{name}\fP", _escaped(text))
    yield ".SH EXAMPLES"
    yield from _verbatim(blocks["Examples"])
    yield ".SH SEE ALSO"
    yield _SEE_ALSO


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f'.SS "{_escaped(context.info_name or "")}"'
    yield from _usage(command, context)
    yield from _prose(_paragraphs(command.help))
    yield from _options(command, context)
    for title, lines in _blocks(command.epilog).items():
        yield from (".PP", f"{title}:")
        yield from _verbatim(lines)


def _usage(command: click.Command, context: click.Context) -> Iterator[str]:
    words = " ".join(one for one in command.collect_usage_pieces(context) if one)
    yield rf"\fB{_escaped(context.command_path.split(' [')[0])}\fP {_escaped(words)}"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            names, text = record
            yield from (".TP", rf"\fB{_escaped(names)}\fP", _escaped(text))


def _prose(paragraphs: list[str]) -> Iterator[str]:
    for one in paragraphs:
        yield from (".PP", _escaped(one))


def _verbatim(lines: list[str]) -> Iterator[str]:
    yield from (".PP", ".nf", *(_escaped(line) for line in lines), ".fi")


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(one.split()) for one in (text or "").split("\n\n")]


def _blocks(epilog: str | None) -> dict[str, list[str]]:
    r"""The verbatim blocks of an epilog, each `\b`, a title with a colon, and lines."""
    found = {}
    for block in (epilog or "").split("\b\n")[1:]:
        title, *lines = block.strip("\n").splitlines()
        found[title.rstrip(":")] = lines
    return found


def _escaped(text: str) -> str:
    """Text that roff takes as it stands (groff_char(7))."""
    plain = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    plain = "".join(one if one.isascii() else rf"\[u{ord(one):04X}]" for one in plain)
    return rf"\&{plain}" if plain.startswith(".") else plain


def main() -> int:
    """Write, or compare."""
    stale = []
    for name, text in files().items():
        path = SHARE / name
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    for name in stale:
        print(f"share/{name} {'is stale: run scripts/build-share' if '--check' in sys.argv[1:] else 'written'}")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
