"""JupyterLab: the data of its page, for who is logged in. What it demands of others is told by Jupyter Server,
which carries it.
"""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "JupyterLab",
    body(
        r'<script id="jupyter-config-data"', r'"appName": ?"JupyterLab"', r'"appVersion": ?"(?P<version>[\w.+-]{1,30})"'
    ),
    private=("/lab", "/tree"),
)
