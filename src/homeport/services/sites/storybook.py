"""Storybook: the scripts of its manager; /project.json tells the version."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "Storybook",
    body(r"<title>[^<\n]{1,200}</title>", r"import '\./sb-manager/(?:globals-)?runtime\.js'"),
    fields({"generatedAt": r"\d+", "storybookVersion": ".+"}, "storybookVersion", at="/project.json"),
    programs=("storybook", "sb"),
    page="/project.json",
)
