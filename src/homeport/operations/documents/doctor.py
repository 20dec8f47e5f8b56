"""The document of `homeport doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from homeport.model.health import Health


def document(health: Health) -> dict[str, Any]:
    """The fields of `Health`, with `ok` for each source and namespace, and `ok` for the whole."""
    facts = asdict(health)
    for kind in ("sources", "namespaces"):
        facts[kind] = [{**one, "ok": one["reason"] is None} for one in facts[kind]]
    for one in facts["namespaces"]:
        one["netns"] = one["netns"]._asdict()
    return {"ok": any(one["ok"] for one in facts["sources"]), **facts}
