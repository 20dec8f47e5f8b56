"""GitLab: headers and a cookie of its own. It tells no version before the login."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "GitLab",
    header("x-gitlab-meta"),
    header("set-cookie", r"^_gitlab_session="),
    body(r'<meta content="GitLab" property="og:site_name">'),
    private=("/",),
)
