"""The commands but `ls`, which has many options and a file of its own. What they need is imported when they run.

Each parses its words, calls one operation, renders its value, and answers with the exit code.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from homeport.cli.completion import SHELLS, AddressType
from homeport.cli.options import Seconds
from homeport.cli.text import Paint
from homeport.errors import UsageError
from homeport.system.sources import SOURCES

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """`--json`: the same facts and their evidence, as one JSON document."""
    return click.option("--json", "as_json", is_flag=True, help="Write one JSON document instead of text.")(function)


def source_option(function: F) -> F:
    """`--source`: where the facts come from."""
    names = click.Choice([one.name for one in SOURCES])
    return click.option("--source", type=names, help="Use this source of facts and no other.")(function)


def columns() -> int | None:
    """How wide the terminal is that is written to; None off a terminal, where nothing is wrapped or cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write(lines: Iterable[str]) -> None:
    """Write lines of text to standard output."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


@click.command(
    epilog="""\b
Examples:
  homeport show localhost:5432        who listens there, why, and who is connected
  homeport show :5353/udp --json      the same for programs"""
)
@click.argument("address", metavar="ADDR", type=AddressType())
@click.option("--passive", is_flag=True, help="Only look: send nothing to what listens, so that it is not checked.")
@json_option
@source_option
def show(address: str, passive: bool, as_json: bool, source: str | None) -> int:
    """Everything about one address, on one page.

    What it is; what listens there, whose it is, why it runs and why it has this port; whether it answers; what else is
    near; who is connected. If nothing listens: why not, as far as the kernel knows. The answer is 1 when nothing
    listens there.
    """
    from homeport.operations import show as operation

    page = operation.show(address, source, passive=passive)
    if as_json:
        from homeport.cli.document import emit
        from homeport.operations.documents.page import document

        emit("show", document(page))
    else:
        from homeport.cli.listing import width
        from homeport.cli.show import lines

        write(lines(page, Paint(), width() if sys.stdout.isatty() else None))
    operation.remember(page)
    return 0 if page.residents else 1


@click.command(
    epilog="""\b
Examples:
  homeport check localhost:3000                     what is wrong with it, and whose fault it is
  homeport check https://shop.localhost:8443/cart   with the name, TLS and the path of a client
  homeport check 5432 --from web                    from inside of a container
  homeport check :8080 --watch                      says when it changes"""
)
@click.argument("address", metavar="ADDR|URL", type=AddressType())
@click.option("--timeout", "seconds", type=Seconds(0.5, 300), default=5.0, show_default=True,
              metavar="SECONDS", help="For the whole check.")  # fmt: skip
@click.option(
    "--from", "place", metavar="NAMESPACE|CONTAINER", help="Try it from there: a name, a number, or a process id."
)
@click.option("--host", metavar="NAME", help="The Host to send, and the name for TLS, instead of the one in ADDR.")
@click.option("--http2", is_flag=True, help="Speak HTTP/2 from the first byte (RFC 9113 section 3.3).")
@click.option("--plain", is_flag=True, help="Without TLS, whatever the scheme says.")
@click.option("--tls", is_flag=True, help="With TLS, whatever the scheme says.")
@click.option("--watch", is_flag=False, flag_value=2.0, type=Seconds(0.5, 3600), metavar="[SECONDS]",
              help="Check again every SECONDS (default 2) until Ctrl-C, and show what changes; "
              "with --json, one document a line.")  # fmt: skip
@json_option
@source_option
def check(
    address: str, seconds: float, place: str | None, host: str | None, http2: bool, plain: bool, tls: bool,
    watch: float | None, as_json: bool, source: str | None,
) -> int:  # fmt: skip
    """Try it layer by layer, and say what is wrong.

    Name, route, listener, firewall, connection, first bytes, TLS, protocol, HTTP or the service's own greeting: each
    step with its time, then one verdict with its cause and what to do. Nothing is sent to another machine. The answer
    is 1 when the verdict is not "ok".
    """
    from homeport.cli import check as face
    from homeport.model.case import Wish

    if plain and tls:
        raise UsageError("--plain and --tls exclude one another")
    wish = Wish(seconds=seconds, host=host, plain=plain, tls=tls, http2=http2, place=place)
    if watch is not None:
        return face.watch(address, wish, watch, place=place, source=source, as_json=as_json)
    return face.once(address, wish, place=place, source=source, as_json=as_json)


@click.command(
    epilog="""\b
Examples:
  homeport explain 127.0.0.1:62893    the address and the port
  homeport explain 169.254.169.254    an address alone
  homeport explain localhost          what a name gives here"""
)
@click.argument("address", metavar="ADDR", type=AddressType())
@json_option
def explain(address: str, as_json: bool) -> int:
    """What an address and a port mean, on paper and on this machine.

    Nothing has to listen there. ADDR may also be a host name or an address without a port.
    """
    from homeport.operations import explain as operation

    explanation = operation.explain(address)
    if as_json:
        from homeport.cli.document import emit
        from homeport.operations.documents.explanation import document

        emit("explain", document(explanation))
    else:
        from homeport.cli.explain import lines

        write(lines(explanation, Paint(), columns()))
    return 0


@click.command(
    epilog="""\b
Examples:
  homeport doctor
  sudo homeport doctor --pin"""
)
@click.option("--pin", "change", flag_value="pin", help="Keep the BPF program loaded (root), for quicker answers.")
@click.option("--unpin", "change", flag_value="unpin", help="Take the kept BPF program away.")
@json_option
def doctor(change: str | None, as_json: bool) -> int:
    """What can be seen here, and what rights would add.

    Which sources of facts work, and why others don't; which namespaces can be entered; which container engines answer.
    The answer is 1 when no source works.
    """
    from homeport.operations import doctor as operation

    if change is not None:
        operation.pin() if change == "pin" else operation.unpin()
    health = operation.examine()
    if as_json:
        from homeport.cli.document import emit
        from homeport.operations.documents.doctor import document

        emit("doctor", document(health))
    else:
        from homeport.cli.doctor import lines

        write(lines(health, Paint()))
    return 0 if any(one.reason is None for one in health.sources) else 1


@click.command(
    epilog="""\b
Examples:
  homeport completion bash > ~/.local/share/bash-completion/completions/homeport
  homeport completion zsh > ~/.zfunc/_homeport      (with ~/.zfunc in fpath)
  homeport completion fish > ~/.config/fish/completions/homeport.fish"""
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print a script with which a shell completes words and ports."""
    from homeport.cli.completion import script

    write(script(context.find_root().command, shell).splitlines())
    return 0
