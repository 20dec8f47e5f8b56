"""What an entry of the rack is made of. An entry reads bytes and says which to send; it opens nothing.

There are two kinds of entries. A `Speaker` is a protocol of its own: recognised by what it says unasked (`greeting`),
or by its answer to a question (`ask`). A `Site` is an application or server that speaks HTTP: recognised by its answer
to `GET /`, and where that leaves it open, by one or two further pages.

What every question must keep to: the fewest bytes that prove the protocol; nothing that changes state, logs anybody in,
fills a log with errors where another question would not, or prints paper.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import NamedTuple
from typing import Protocol as Interface

from homeport.model.addresses import Protocol


class Clues(NamedTuple):
    """What is known of a listener before a byte is sent.

    `programs`: names of its owner in lower case: base names of executable and script, module, the kernel's name, image
    of the container. `commands`: the command lines of its owners, word by word, with the words of `JAVA_TOOL_OPTIONS`
    where that is seen. Both empty where nobody can be named.
    """

    port: int
    programs: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...] = ()


class Match(NamedTuple):
    """What the bytes prove. `evidence` quotes them, `facts` are as those of `model.services.Service`."""

    protocol: str
    product: str | None
    version: str | None
    evidence: str
    facts: tuple[tuple[str, str], ...] = ()


class Conversation(Interface):
    """A connection (or a UDP socket) to the listener, bounded in time and bytes; nothing here raises.

    Where the peer closes, resets or says nothing in time, `receive` gives what came until then, perhaps nothing.
    """

    def send(self, data: bytes) -> None:
        """Send all of `data`."""

    def receive(self, complete: Callable[[bytes], bool] | None = None) -> bytes:
        """What the peer says next; with `complete`, read on until it holds of all bytes read by this call."""
        ...


class Speaker(NamedTuple):
    """A protocol that is not HTTP.

    `ports` and `programs` (shell patterns) say where it is usual: there it is asked first. `greeting` reads what the
    peer says unasked; `ask` speaks on a connection on which the peer has said nothing so far, and gives None where the
    answer proves nothing. `reply` speaks on with a peer whose greeting, its first argument, may be that of the protocol
    but leaves it open; it gives None, without a byte sent, where the greeting cannot be. `only_with_clue`: never asked
    where neither port nor program fits.

    `fragile` says by the owner's command line that the listener is of this protocol and that a connection would do
    harm, even one without a byte: it is not to be dialled, and recognised by that evidence: likely, not certain.

    `ready` asks on a connection of its own whether the service serves, which its server may log: `homeport check` alone
    asks so. It gives a fact, `state` or `access` as in a `Match`, where it does not.
    """

    name: str
    ports: tuple[int, ...] = ()
    programs: tuple[str, ...] = ()
    transport: Protocol = Protocol.TCP
    greeting: Callable[[bytes], Match | None] | None = None
    ask: Callable[[Conversation], Match | None] | None = None
    reply: Callable[[bytes, Conversation], Match | None] | None = None
    only_with_clue: bool = False
    fragile: Callable[[Clues], Match | None] | None = None
    ready: Callable[[Conversation], tuple[str, str] | None] | None = None


class Answer(NamedTuple):
    """An HTTP response to a GET of `target`; header names are in lower case, the body may be cut."""

    target: str
    version: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class Site(NamedTuple):
    """An application or server that speaks HTTP.

    `recognise` gets the answers so far, `GET /` first, and says what they prove. `more`: a further page to ask for,
    only where that promises to help: by the clues, or by the first answer.
    """

    name: str
    recognise: Callable[[tuple[Answer, ...]], Match | None]
    ports: tuple[int, ...] = ()
    programs: tuple[str, ...] = ()
    more: Callable[[Answer, Clues], str | None] | None = None


def suits(entry: Speaker | Site, clues: Clues) -> bool:
    """Whether the owner's name makes an entry likely."""
    return any(fnmatchcase(name, pattern) for name in clues.programs for pattern in entry.programs)
