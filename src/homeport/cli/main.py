"""The command line as a whole: the list of commands, and where a word leads that is none of them."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem, shell_complete

import homeport
from homeport.cli import commands
from homeport.cli.completion import COMPLETE, AddressType
from homeport.cli.logs_command import logs
from homeport.cli.ls import command as ls
from homeport.cli.reach_command import reach
from homeport.errors import AddressError, HomeportError, UsageError

COMMANDS = (ls, commands.show, commands.check, reach, logs, commands.explain, commands.doctor, commands.completion)

_EPILOG = """\b
Examples:
  homeport                          what listens here, whose it is, who can reach it
  homeport 62893                    everything about one port
  homeport ls --project shop        what the servers of one project listen on
  homeport check localhost:3000     why it does not answer
  homeport logs 3000 --follow       what its owner logs
  homeport explain 127.0.0.1:62893  what the address means, though nothing listens
  homeport doctor                   what can be seen here, and what rights would add
  homeport --json                   the same for programs

\b
Exit codes:
  0    yes
  1    the answer is no (nothing listens there, no source works), or an error
  2    the words do not fit together
  3    needs more rights
  70   a bug in homeport; HOMEPORT_DEBUG=1 shows where
  130  interrupted"""

_OWN_OPTIONS = ("-h", "--help", "--version")


class Commands(click.Group):
    """An address is `show` (`homeport 8080`), and options or nothing at all are `ls` (`homeport --udp`)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order in which they are listed, which is that of use."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, with the command in front that they leave out."""
        return super().parse_args(ctx, self._routed(ctx, args))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and what may follow the commands that can be left out."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            found += self.commands["ls"].shell_complete(click.Context(self.commands["ls"], parent=ctx), incomplete)
        elif incomplete:
            found += AddressType().shell_complete(ctx, None, incomplete)
        return list({one.value: one for one in found}.values())

    def _routed(self, ctx: click.Context, words: list[str]) -> list[str]:
        if not words:
            return [] if ctx.resilient_parsing else ["ls"]
        first = words[0]
        if first in self.commands or first in _OWN_OPTIONS:
            return words
        if first.startswith("-"):
            return ["ls", *words]
        if _is_address(first):
            return ["show", *words]
        if ctx.resilient_parsing:  # a word being completed
            return words
        raise UsageError(f"{first!r} is neither a command nor an address", remedy=self._suggestion(first))

    def _suggestion(self, word: str) -> str:
        from difflib import get_close_matches

        close = [f"homeport {one}" for one in get_close_matches(word, self.commands)]
        return f"did you mean {' or '.join(close)}?" if close else "homeport --help lists the commands"


@click.group(
    cls=Commands,
    subcommand_metavar="[COMMAND | ADDR] [OPTIONS]",
    options_metavar="",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(homeport.__version__, prog_name="homeport", message="%(prog)s %(version)s")
def cli() -> None:
    """One look at the addresses and ports of your own machine.

    Without a command it lists what listens (ls); with an address it shows that address (show). ADDR is what you have
    at hand: 62893, :62893, 127.0.0.1:62893, localhost:62893, [::1]:62893, :5353/udp, http://localhost:62893/path.
    """


for _one in COMMANDS:
    cli.add_command(_one)


def main(words: Sequence[str]) -> int:
    """Run the words of a command line and return the exit code. Raises HomeportError."""
    completing = os.environ.get(COMPLETE)
    if completing:
        return shell_complete(cli, {}, "homeport", COMPLETE, completing)
    # Not cli.main(), which has a law of its own for closed pipes and interrupts.
    try:
        with cli.make_context("homeport", list(words)) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as leave:  # --help, --version
        return leave.exit_code
    except click.UsageError as error:
        path = "homeport" if error.ctx is None else error.ctx.command_path
        raise UsageError(error.format_message().rstrip("."), remedy=f"{path} --help says more") from error
    except click.ClickException as error:
        raise HomeportError(error.format_message().rstrip(".")) from error
    except click.Abort as error:
        raise KeyboardInterrupt from error
    return code if isinstance(code, int) else 0


def _is_address(word: str) -> bool:
    """Whether a word can only be meant as an address; a bare name might be a mistyped command."""
    from homeport.rules.asked import parse

    try:
        asked = parse(word)
    except AddressError:  # only an address can be wrong in its own way; `show` says how
        return any(character in ".:[" or character.isdigit() for character in word)
    plain = asked.endpoint.port is None and asked.endpoint.address is None
    return not plain or asked.name == "localhost" or "." in (asked.name or "")
