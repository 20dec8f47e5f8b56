"""How servers refuse a Host that they were not told about, and where each is told. One row per server."""

from __future__ import annotations

from typing import NamedTuple


class HostRule(NamedTuple):
    """`words` of which one stands in the body (lower case), `statuses` that come with it, `edit` what allows a host."""

    server: str
    words: tuple[str, ...]
    statuses: frozenset[int]
    edit: str


HOST_RULES = (
    HostRule(
        "Vite",
        ("blocked request. this host", "server.allowedhosts", "preview.allowedhosts"),
        frozenset((403,)),
        "in vite.config.js: server: {{ allowedHosts: ['{host}'] }}",
    ),
    HostRule(
        "Django",
        ("invalid http_host header", "disallowedhost", "allowed_hosts"),
        frozenset((400,)),
        "in settings.py: ALLOWED_HOSTS = ['{host}', 'localhost', '127.0.0.1']",
    ),
    HostRule(
        "Rails",
        ("blocked hosts", "blocked host:", "config.hosts"),
        frozenset((403,)),
        "in config/environments/development.rb: config.hosts << '{host}'",
    ),
    HostRule(
        "Angular",
        ("blocked request", "angular.json"),
        frozenset((403,)),
        "in angular.json: serve.options.allowedHosts: ['{host}']",
    ),
    HostRule(
        "webpack-dev-server",
        ("invalid host header", "invalid host/origin header"),
        frozenset((200, 403)),
        "in webpack.config.js: devServer: {{ allowedHosts: ['{host}'] }}",
    ),
    HostRule(
        "Starlette",
        ("invalid host header",),
        frozenset((400,)),
        "where TrustedHostMiddleware is added: allowed_hosts=['{host}', …]",
    ),
    HostRule(
        "Werkzeug",
        ("host '", "is not trusted"),
        frozenset((400,)),
        "in the application's settings: TRUSTED_HOSTS = ['{host}']",
    ),
    HostRule(
        "Jupyter Server",
        ("blocking request with non-local 'host'",),
        frozenset((403,)),
        "in jupyter_server_config.py: c.ServerApp.local_hostnames = ['localhost', '{host}']",
    ),
    HostRule(
        "Syncthing",
        ("host check error",),
        frozenset((403,)),
        "in its settings: insecureSkipHostcheck, or ask for it as localhost",
    ),
)
"""Of rows with the same words the first whose status fits is taken."""


def refuses(status: int, body: str) -> HostRule | None:
    """The row of a server that says that it refuses the Host, or None."""
    text = body.lower()
    return next((one for one in HOST_RULES if status in one.statuses and any(word in text for word in one.words)), None)
