"""Exporters of metrics for Prometheus, by whatever name they call themselves: the title of the landing page that their
toolkit makes (github.com/prometheus/exporter-toolkit), and NAME_build_info among their metrics.
"""

from __future__ import annotations

import re

from homeport.services.kind import Answer, Clues, Match, Site, suits
from homeport.services.sites.signs import PAGE, clean, clean_version

TITLE = re.compile(
    r"<title>(?P<name>[A-Za-z][\w .-]{1,60} [Ee]xporter)(?: v?(?P<version>\d[\w.+~-]{0,40}))?</title>", re.ASCII
)
METRICS = re.compile(r"<a href=[\"']?/?metrics[\"']?>", re.ASCII)
VERSION = re.compile(r"[( ]version=(?P<version>[\w.+~-]{1,40})[,)]", re.ASCII)
BUILD = re.compile(
    r'^(?P<name>[a-z]\w{1,60}_exporter)_build_info\{[^}\n]{0,600}?\bversion="(?P<version>[^"\n]{0,40})"', re.M | re.A
)


def recognise(answers: tuple[Answer, ...]) -> Match | None:
    """The exporter's own name, in the spelling of its metrics: "node_exporter"."""
    for pattern, also in ((BUILD, None), (TITLE, METRICS)):
        for answer in answers:
            text = answer.body[:PAGE].decode("utf-8", "replace")
            found = pattern.search(text)
            if answer.status == 200 and found and (also is None or also.search(text)):
                name = re.sub(r"[ .-]", "_", found["name"].lower())
                told = found if found["version"] else VERSION.search(text)
                version = clean_version(told["version"]) if told else None
                return Match("http", name, version, clean(f"GET {answer.target}: {found.group()}"))
    return None


def more(answer: Answer, clues: Clues) -> str | None:
    """The metrics, where the program is an exporter, or its page has a link to them and no version."""
    proved = recognise((answer,))
    if proved is None:
        return "/metrics" if suits(SITE, clues) else None
    return "/metrics" if proved.version is None else None


SITE = Site("exporter", recognise, programs=("*_exporter", "*-exporter", "prometheus-node"), more=more)
