"""vLLM: whose models it says that they are."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "vLLM",
    body(r'"object": ?"model"', r'"owned_by": ?"vllm"', at="/v1/models"),
    programs=("vllm", "vllm*"),
    page_tells_version=False,
    page="/v1/models",
    private=("/v1/models",),
)
