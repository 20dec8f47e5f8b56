"""Settings as keys and values: YAML, TOML, INI, properties, JSON and the configuration of many servers."""

from __future__ import annotations

from homeport.rules.port_texts.kind import ADDRESS, NUMBER, Kind, lines_after

_KEY = r"^[\"']?[\w.\-]{0,60}"

KIND = Kind(
    name="settings",
    files=(
        "*.toml", "*.yaml", "*.yml", "*.ini", "*.cfg", "*.conf", "*.config", "*.properties", "*.json", "*.jsonc",
        "*.json5", "*.cnf", "*.xml", "Caddyfile", "Corefile", "*.hcl", "*.nix",
    ),
    explicit=(
        rf"{_KEY}port[\w.\-]{{0,40}}[\"']?\s*[:=\s]\s*[\"']?{ADDRESS}{NUMBER}",
        rf"{_KEY}(?:listen|bind|addr|address|host|url|endpoint)[\w.\-]{{0,40}}[\"']?\s*[:=\s]\s*[\"'\[]*(?:\w+://)?\S{{0,200}}?:{NUMBER}",
        rf"^(?:listener|http-listen|bind)\s+{ADDRESS}{NUMBER}",
        rf"^(?:https?://)?[\w.\-*]*:{NUMBER}\s*\{{?\s*$",
        rf"\bport\s*=\s*\"{NUMBER}\"",
        rf"{_KEY}urls?[\"']?\s*[:=]\s*[\"']?\S{{0,200}};\S{{0,200}}?:{NUMBER}",
        rf"^(?:https?|socket|http-socket)\s*=\s*\S{{0,200}}?:{NUMBER}",
        rf"^listeners\.[\w.]+\s*=\s*{ADDRESS}{NUMBER}",
        rf"\blisten-on(?:-v6)?\s+port\s+{NUMBER}",
    ),
    comments=("#", ";", "//", "<!--"),
    blocks=(("<!--", "-->"), ("/*", "*/")),
    includes=lines_after(r"^\s*import\s+(\S+)", r"^\s*files\s*=\s*(\S+)"),
)  # fmt: skip
