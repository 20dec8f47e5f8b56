"""SeaweedFS: the header Server of its S3 gateway, filer and volume servers, with the size of a volume in the middle."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "SeaweedFS",
    header("server", r"^SeaweedFS(?: \w{1,20})? \d{1,9}GB (?P<version>\d[\w.]{0,20})"),
    programs=("weed",),
)
