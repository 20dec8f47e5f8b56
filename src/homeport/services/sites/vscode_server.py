"""The server of Visual Studio Code (`code serve-web`, openvscode-server): the configuration in its page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "VS Code server",
    body(r'<meta id="vscode-workbench-web-configuration" '),
    programs=("code-tunnel", "openvscode-server", "code-server-*"),
    private=("/",),
)
