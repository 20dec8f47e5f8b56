"""Settings as keys and values: YAML, TOML, INI, properties, JSON and the configuration of many servers."""

from __future__ import annotations

from homeport.rules.port_texts.kind import ADDRESS, NUMBER, Kind, lines_after

_KEY = r"^[\"']?[\w.\-]*"

KIND = Kind(
    name="settings",
    files=(
        "*.toml", "*.yaml", "*.yml", "*.ini", "*.cfg", "*.conf", "*.config", "*.properties", "*.json", "*.jsonc",
        "*.json5", "*.cnf", "*.xml", "Caddyfile", "Corefile", "*.hcl", "*.nix",
    ),
    explicit=(
        rf"{_KEY}port[\w.\-]*[\"']?\s*[:=\s]\s*[\"']?{ADDRESS}{NUMBER}",
        rf"{_KEY}(?:listen|bind|addr|address|host|url|endpoint)[\w.\-]*[\"']?\s*[:=\s]\s*[\"'\[]*(?:\w+://)?\S*:{NUMBER}",
        rf"^(?:listener|http-listen|bind)\s+{ADDRESS}{NUMBER}",
        rf"^(?:https?://)?[\w.\-*]*:{NUMBER}\s*\{{?\s*$",
        rf"\bport\s*=\s*\"{NUMBER}\"",
    ),
    comments=("#", ";", "//", "<!--"),
    includes=lines_after(r"^\s*import\s+(\S+)", r"^\s*files\s*=\s*(\S+)"),
)  # fmt: skip
