"""webpack-dev-server: the page of its own that lists what it has made."""

from __future__ import annotations

from homeport.services.sites.signs import body, both, either, entry, header

SITE = entry(
    "webpack-dev-server",
    body(r"<h1>Assets Report:</h1><div>", at="/webpack-dev-server"),
    programs=("webpack", "webpack-*", "react-scripts", "vue-cli-service"),
    page_tells_version=False,
    page="/webpack-dev-server",
    when=both(
        header("x-powered-by", "^Express$"),
        either(
            header("cross-origin-resource-policy", "^same-origin$"),
            body(r'<script defer src="/static/js/bundle\.js"></script>'),  # Create React App
        ),
    ),
)
