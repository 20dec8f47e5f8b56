"""Why an address answers or not: what each step saw, and one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from homeport.model.evidence import Confidence, Evidence
from homeport.model.services import Service


class Layer(StrEnum):
    """The steps of a check, from the name down to the service, in their order."""

    NAME = "name"
    ROUTE = "route"
    LISTENER = "listener"
    FIREWALL = "firewall"
    CONNECT = "connect"
    FIRST_BYTES = "first-bytes"
    TLS = "tls"
    PROTOCOL = "protocol"
    HTTP = "http"
    SERVICE = "service"


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    ODD = "odd"
    """It works, but not as most would expect."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """It was not taken, and the detail says why."""


class Verdict(StrEnum):
    """What is wrong: the closed list of answers of `homeport check`. docs/check.md has a real case of each."""

    OK = "ok"
    NOTHING_LISTENS = "nothing-listens"
    OTHER_FAMILY = "other-family"
    OTHER_ADDRESS = "other-address"
    OTHER_PORT = "other-port"
    OTHER_PROTOCOL = "other-protocol"
    OTHER_NAMESPACE = "other-namespace"
    NOT_PUBLISHED = "not-published"
    SHADOWED = "shadowed"
    FIREWALL_DROP = "firewall-drop"
    FIREWALL_REJECT = "firewall-reject"
    LOOPBACK_DOWN = "loopback-down"
    BACKLOG_FULL = "backlog-full"
    STOPPED = "stopped"
    OUT_OF_DESCRIPTORS = "out-of-descriptors"
    NO_ANSWER = "no-answer"
    CLOSED_EARLY = "closed-early"
    WRONG_PROTOCOL = "wrong-protocol"
    TLS_EXPECTED = "tls-expected"
    PLAIN_EXPECTED = "plain-expected"
    TLS_FAILED = "tls-failed"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NAME = "certificate-name"
    CERTIFICATE_UNTRUSTED = "certificate-untrusted"
    HTTP_ERROR = "http-error"
    HOST_REFUSED = "host-refused"
    REDIRECT_LOOP = "redirect-loop"
    REDIRECT_ELSEWHERE = "redirect-elsewhere"
    HTTP2_ONLY = "http2-only"
    SERVICE_ERROR = "service-error"
    PROXY_IN_THE_WAY = "proxy-in-the-way"
    NAME_RESOLUTION = "name-resolution"
    STARTING = "starting"
    CRASH_LOOP = "crash-loop"
    NOT_THIS_MACHINE = "not-this-machine"
    UNKNOWN = "unknown"


class Fault(StrEnum):
    """On which side the mending is to be done."""

    NOBODY = "nobody"
    CLIENT = "client"
    SERVER = "server"
    MACHINE = "machine"
    """What lies between both: names, routes, firewall, namespaces."""
    UNKNOWN = "unknown"


class RemedyKind(StrEnum):
    """In which form a remedy comes."""

    COMMAND = "command"
    EDIT = "edit"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What to do: `text` is a command to run, an edit ("in FILE: …"), or else advice; `why` what it brings."""

    kind: RemedyKind
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one step saw. `seconds` is how long it took; None where nothing was waited for."""

    layer: Layer
    outcome: Outcome
    detail: str
    seconds: float | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The answer of `homeport check`.

    `cause` is one sentence; `remedies` the best first, empty where there is nothing to mend; `service` what was
    recognised on the way; `seconds` how long everything took; `limits` what could not be looked at, a line each.
    """

    asked: str
    taken_at: datetime
    verdict: Verdict
    fault: Fault
    cause: str
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...]
    confidence: Confidence
    observations: tuple[Observation, ...]
    service: Service | None
    seconds: float
    limits: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether there is nothing to mend."""
        return self.verdict is Verdict.OK
