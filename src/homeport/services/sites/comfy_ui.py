"""ComfyUI: what it says of its machine."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "ComfyUI",
    fields(
        {"system.os": ".+", "system.python_version": ".+", "devices": r"\[\]"},
        "system.comfyui_version",
        at="/system_stats",
    ),
    ports=(8188,),
    programs=("comfyui", "comfy"),
    page="/system_stats",
    when=body(r"<title>ComfyUI</title>"),
    private=("/system_stats",),
)
