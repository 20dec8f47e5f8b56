"""Jupyter Server: where browsers shall report violations, on each of its pages; /api tells its version to
everybody.
"""

from __future__ import annotations

from homeport.services.sites.signs import both, entry, fields, header

SITE = entry(
    "Jupyter Server",
    header("content-security-policy", r"report-uri /[^;]{0,100}api/security/csp-report"),
    version=fields({"version": r"\d.*"}, "version", at="/api"),
    programs=("jupyter", "jupyter-*", "ipykernel*"),
    page="/api",
    when=both(header("server", "^TornadoServer/"), header("location", r"^/(?:[^?]{1,60}/)?(?:lab|tree|login)\b")),
    private=("/lab", "/tree"),
)
