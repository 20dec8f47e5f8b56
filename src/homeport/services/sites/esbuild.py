"""esbuild's development server: the list of a folder, in the only style that it has (internal/helpers/serve.go)."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "esbuild",
    body(
        r"^body \{ margin: 30px; color: #222; background: #fff; font: 16px/22px sans-serif; \}$",
        r"^<title>Directory: /[^<\n]{0,200}</title>$",
    ),
    programs=("esbuild",),
)
