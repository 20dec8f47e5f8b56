"""Completion in bash, zsh and fish: click's, with the ports that listen now, and with addresses in bash."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from homeport.cli.text import safe
from homeport.errors import HomeportError

SHELLS = ("bash", "zsh", "fish")
COMPLETE = "_HOMEPORT_COMPLETE"
"""The environment variable by which the scripts ask for completions."""

# Readline takes the colons of an address for the ends of words (COMP_WORDBREAKS): the words are taken from the line
# instead, and of each answer only what follows the last typed colon is handed back.
_BASH = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" completion typed=
    local word="${line##*[[:space:]]}"
    [[ $COMP_WORDBREAKS == *:* ]] && typed="${word%%"${word##*:}"}"
    COMPREPLY=()
    while IFS= read -r completion; do
        completion="${completion#*,}"
        COMPREPLY+=("${completion#"$typed"}")
    done < <(COMP_WORDS="$line" %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@add_completion_class
class Bash(BashComplete):
    """Bash, with words that may hold colons."""

    source_template = _BASH

    @staticmethod
    def _check_version() -> None:
        """Nothing: the script is the same for every bash, and whoever asks for it need not run it here."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The finished words of the line, and the one being typed."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        incomplete = words.pop() if words and not line[-1:].isspace() else ""
        return words, incomplete


class AddressType(click.ParamType[str]):
    """An address as a person has it at hand; read by the operation, completed with the ports that listen now."""

    name = "address"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter | None,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        """`6` → `62893`, `:6` → `:62893`, `localhost:6` → `localhost:62893`."""
        host, colon, _ = incomplete.rpartition(":")
        return [
            CompletionItem(text, help=who)
            for port, who in _listening()
            if (text := f"{host}{colon}{port}").startswith(incomplete)
        ]


def script(cli: click.Command, shell: str) -> str:
    """The text that makes `shell` complete `homeport`."""
    make = get_completion_class(shell)
    if make is None:
        raise ValueError(shell)
    source: ShellComplete = make(cli, {}, "homeport", COMPLETE)
    return source.source()


def _listening() -> Iterator[tuple[int, str]]:
    """Each port that listens in this namespace, once, with the name of its owner."""
    from homeport.model.addresses import Protocol
    from homeport.model.snapshot import Query
    from homeport.operations.ls import look

    try:
        snapshot = look(Query(frozenset(Protocol), namespaces=False))
    except HomeportError:  # no answer is the right one: there is no place for a message inside a line being typed
        return
    owners: dict[int, str] = {}
    for one in snapshot.listeners:
        name = one.owners[0].process.name if one.owners else "owner unknown"
        owners.setdefault(one.socket.port, safe(name).replace(",", " "))
    yield from sorted(owners.items())
