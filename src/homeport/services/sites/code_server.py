"""code-server: the options in its page; /healthz."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "code-server",
    body(r'<meta id="coder-options"'),
    body(r'<meta id="vscode-workbench-web-configuration" ', r"(?:\"|&quot;)codeServerVersion(?:\"|&quot;):"),
    fields({"status": "alive|expired", "lastHeartbeat": r"\d+"}, at="/healthz"),
    version=body(r'(?:"|&quot;)codeServerVersion(?:"|&quot;): ?(?:"|&quot;)(?P<version>\d[\w.-]{0,30})'),
    programs=("code-server",),
    page_tells_version=False,
    page="/healthz",
    private=("/",),
)
