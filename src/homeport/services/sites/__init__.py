"""The rack of HTTP products: what a server's own headers and pages say that it is.

An application is what a page is made by, a server what carries it: Django, by gunicorn. A program can be only one of
them. To add one: a file with a `SITE`, and its name in one of the two tuples.
"""

from __future__ import annotations

from homeport.services.kind import Answer, Clues, Match, Site, suits
from homeport.services.sites import (
    aiohttp,
    alertmanager,
    apache,
    caddy,
    cheroot,
    cockpit,
    cups,
    daphne,
    dask,
    django,
    docker,
    etcd,
    exporters,
    fastapi,
    gradio,
    granian,
    gunicorn,
    haproxy,
    hypercorn,
    influxdb,
    jetty,
    jupyter_hub,
    jupyter_lab,
    jupyter_notebook,
    jupyter_server,
    lighttpd,
    mcp,
    mcp_sse,
    mlflow,
    netdata,
    nginx,
    openresty,
    php,
    podman,
    prometheus,
    puma,
    pushgateway,
    python_http_server,
    qbittorrent,
    squid,
    streamlit,
    syncthing,
    tensorboard,
    tinyproxy,
    tomcat,
    tornado,
    transmission,
    twisted,
    uvicorn,
    waitress,
    webrick,
    werkzeug,
    wsgiref,
)
from homeport.services.sites.signs import REDIRECTS, clean

APPLICATIONS: tuple[Site, ...] = (
    podman.SITE,
    docker.SITE,
    etcd.SITE,
    prometheus.SITE,
    alertmanager.SITE,
    pushgateway.SITE,
    exporters.SITE,
    jupyter_lab.SITE,
    jupyter_notebook.SITE,
    jupyter_hub.SITE,
    jupyter_server.SITE,
    tensorboard.SITE,
    streamlit.SITE,
    gradio.SITE,
    dask.SITE,
    mlflow.SITE,
    mcp.SITE,
    mcp_sse.SITE,
    influxdb.SITE,
    netdata.SITE,
    syncthing.SITE,
    transmission.SITE,
    qbittorrent.SITE,
    cockpit.SITE,
    cups.SITE,
    fastapi.SITE,
    django.SITE,
    werkzeug.SITE,
)
"""What makes pages: the most specific first, what others are built of last."""

SERVERS: tuple[Site, ...] = (
    caddy.SITE,
    haproxy.SITE,
    openresty.SITE,
    nginx.SITE,
    squid.SITE,
    tinyproxy.SITE,
    apache.SITE,
    lighttpd.SITE,
    tomcat.SITE,
    jetty.SITE,
    php.SITE,
    puma.SITE,
    webrick.SITE,
    gunicorn.SITE,
    uvicorn.SITE,
    hypercorn.SITE,
    daphne.SITE,
    granian.SITE,
    waitress.SITE,
    tornado.SITE,
    aiohttp.SITE,
    cheroot.SITE,
    twisted.SITE,
    werkzeug.SITE,
    wsgiref.SITE,
    python_http_server.SITE,
)
"""What carries pages, those that stand in front of others first."""

AT_MOST = 2  # further pages that a listener is asked for


def site(answers: tuple[Answer, ...], clues: Clues) -> Match:  # noqa: ARG001 (clues prove nothing)
    """What the answers prove together: the application, or else the server; neither: HTTP, and no product.

    `answers`: that of `GET /` first. Facts are those of the application, and "server": what carries it, or by what name
    it calls itself where nobody here knows it.
    """
    carriers = [match for entry in SERVERS if (match := entry.recognise(answers))]
    application = next((match for entry in APPLICATIONS if (match := entry.recognise(answers))), None)
    if not application and not carriers:
        return _nobody(answers)
    found = application or carriers[0]
    names = [_called(match) for match in carriers if match.product != found.product]
    return found._replace(facts=(*found.facts, ("server", ", ".join(names)))) if names else found


def wanted(answer: Answer, clues: Clues) -> tuple[str, ...]:
    """The further targets that promise to help after the first answer, at most `AT_MOST`, the best first.

    If the answer proves an application, only that one has a say. Else the order is: what the owner's program suggests,
    what the port suggests, what the form of the answer suggests, the page that it redirects to.
    """
    proved = next((entry for entry in APPLICATIONS if entry.recognise((answer,))), None)
    asking = (proved,) if proved else (*APPLICATIONS, *SERVERS)
    targets = []
    for place, entry in enumerate(asking):
        target = entry.more(answer, clues) if entry.more else None
        if target is not None:
            rank = 0 if suits(entry, clues) else 1 if clues.port in entry.ports else 2
            targets.append((rank, place, target))
    pages = [target for _, _, target in sorted(targets)]
    if not proved and (there := _redirected(answer)):
        pages.append(there)
    return tuple(dict.fromkeys(page for page in pages if page != answer.target))[:AT_MOST]


def _nobody(answers: tuple[Answer, ...]) -> Match:
    """HTTP by something that is in neither tuple."""
    first = answers[0] if answers else None
    evidence = f"GET {first.target}: HTTP/{first.version} {first.status}" if first else "no answer"
    name = first.header("server") if first else None
    return Match("http", None, None, clean(evidence), (("server", clean(name)),) if name and name.strip() else ())


def _called(match: Match) -> str:
    return f"{match.product} {match.version}" if match.version else str(match.product)


def _redirected(answer: Answer) -> str | None:
    """The target on the same server that an answer redirects to; None where it may be elsewhere."""
    location = (answer.header("location") or "").strip()
    target = location.partition("#")[0]
    if answer.status not in REDIRECTS or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    plain = len(target) < 200 and target.isascii() and target.isprintable() and " " not in target
    return target if plain else None
