"""The health check of gRPC: https://github.com/grpc/grpc/blob/master/doc/health-checking.md over its HTTP/2 mapping.

`grpc.health.v1.Health/Check` takes `HealthCheckRequest { string service = 1; }` and answers
`HealthCheckResponse { ServingStatus status = 1; }`; a message goes over the wire after a byte "compressed" and its
length.
"""

from __future__ import annotations

from homeport.errors import WireError
from homeport.wire.http import Response

PATH = "/grpc.health.v1.Health/Check"
HEADERS = (("content-type", "application/grpc"), ("te", "trailers"))
SERVING = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
STATUSES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""The names of grpc-status; the index is the code."""


def health_request(service: str = "") -> bytes:
    """The body of a request; an empty service asks for the whole server. Raises WireError."""
    name = service.encode()
    if len(name) > 127:
        raise WireError("a service name of more than 127 bytes")
    message = b"" if not name else bytes((0x0A, len(name))) + name
    return b"\0" + len(message).to_bytes(4, "big") + message


def serving(body: bytes) -> str | None:
    """The serving status in the body of an answer; None where there is none that can be read."""
    if len(body) < 5 or body[0] != 0:
        return None
    message = body[5 : 5 + int.from_bytes(body[1:5], "big")]
    if not message:  # proto3 leaves out the default
        return SERVING[0]
    if len(message) >= 2 and message[0] == 0x08 and message[1] < len(SERVING):
        return SERVING[message[1]]
    return None


def status(found: Response, trailers: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    """The grpc-status by its name, with its message; None: the answer is no gRPC.

    Both stand in the trailers, or in the headers of an answer that is only trailers (a call that was refused).
    """
    fields = dict((*found.headers, *trailers))
    if not fields.get("content-type", "").startswith("application/grpc"):
        return None
    text = fields.get("grpc-status", "")
    known = text.isascii() and text.isdigit() and len(text) < 3 and int(text) < len(STATUSES)
    return (STATUSES[int(text)] if known else text or "no grpc-status"), fields.get("grpc-message", "")
