"""Jenkins: a header of its own, also on what it refuses."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry(
    "Jenkins",
    header("x-jenkins", r"^(?P<version>\d[\w.-]{0,20})$"),
    header("x-hudson"),
    programs=("jenkins", "jenkins.war"),
    private=("/",),
)
