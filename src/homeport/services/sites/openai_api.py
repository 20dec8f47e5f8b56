"""Servers of models that speak the API of OpenAI and do not say who they are: their list of models, or the error in
that form by which they refuse it.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "OpenAI-compatible API",
    body(r'"object": ?"model"', r'"object": ?"list"', at="/v1/models"),
    fields({"error.message": ".+", "error.type": "invalid_request_error|authentication_error"}, at="/v1/models"),
    ports=(1234,),
    programs=("llama*", "lms", "lm-studio", "litellm", "koboldcpp*", "sglang*", "tabby*", "mlx_lm*"),
    page_tells_version=False,
    page="/v1/models",
)
