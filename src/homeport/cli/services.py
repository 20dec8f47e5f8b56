"""What speaks at a listener, in words."""

from __future__ import annotations

from homeport.cli.text import safe
from homeport.model.evidence import Confidence
from homeport.model.services import Service


def service_text(one: Service) -> str:
    """`nginx 1.22.1 (http)`, `Caddy (http in TLS)`, `ssh`, `PostgreSQL (postgresql, likely)`."""
    spoken = one.protocol + (" in TLS" if one.tls and one.protocol != "tls" else "")
    doubt = "" if one.confidence is Confidence.CERTAIN else one.confidence.value
    if one.product is None:
        return safe(f"{spoken} ({doubt})" if doubt else spoken)
    name = f"{one.product} {one.version}" if one.version else one.product
    return safe(f"{name} ({', '.join(part for part in (spoken, doubt) if part)})")
