"""The rack of HTTP products: what a server's own headers and pages say that it is.

An application makes pages, a framework is what it is written with, a server carries them: Superset, Werkzeug, gunicorn.
To add one: a file with a `SITE`, and its name in one of the three tuples.
"""

from __future__ import annotations

import re

from homeport.services.kind import Answer, Clues, Match, Site, suits
from homeport.services.sites import (
    adminer,
    aiohttp,
    airflow,
    alertmanager,
    angular,
    apache,
    apollo,
    asp_net,
    astro,
    azurite,
    bokeh,
    bottle,
    caddy,
    cheroot,
    cherrypy,
    chrome_devtools,
    clickhouse,
    cockpit,
    code_server,
    comfy_ui,
    consul,
    couchdb,
    cowboy,
    cups,
    daphne,
    dash,
    dask,
    datasette,
    deluge,
    directus,
    django,
    docker,
    drupal,
    elasticsearch,
    envoy,
    esbuild,
    etcd,
    exporters,
    express,
    fastapi,
    fastify,
    forgejo,
    gitea,
    gitlab,
    gogs,
    gradio,
    grafana,
    granian,
    gunicorn,
    h2o,
    haproxy,
    home_assistant,
    http_sys,
    hugo,
    hypercorn,
    icecast,
    iis,
    influxdb,
    jaeger,
    jellyfin,
    jenkins,
    jetty,
    jupyter_hub,
    jupyter_lab,
    jupyter_notebook,
    jupyter_server,
    kestrel,
    keycloak,
    kibana,
    kubelet,
    kubernetes,
    laravel,
    lighttpd,
    litestar,
    live_server,
    llama_cpp,
    lm_studio,
    local_ai,
    local_stack,
    locust,
    loki,
    mailhog,
    mailpit,
    marimo,
    mcp,
    mcp_sse,
    meilisearch,
    metabase,
    mini_httpd,
    minidlna,
    minio,
    mkdocs,
    mlflow,
    mongodb,
    moto,
    neo4j,
    nest,
    netdata,
    next_js,
    nexus,
    nginx,
    nice_gui,
    node_inspector,
    node_red,
    nomad,
    npm_http_server,
    nuxt,
    ollama,
    open_webui,
    openai_api,
    openresty,
    opensearch,
    opensearch_dashboards,
    otel_collector,
    panel,
    parcel,
    passenger,
    pgadmin,
    php,
    phpmyadmin,
    plex,
    podman,
    portainer,
    postgrest,
    privoxy,
    prometheus,
    puma,
    pushgateway,
    pypiserver,
    python_http_server,
    python_websockets,
    qbittorrent,
    qdrant,
    rabbitmq,
    radicale,
    rails,
    ray,
    react_router,
    remix,
    restify,
    s3_api,
    seaweedfs,
    solr,
    sonarqube,
    spark,
    spring_boot,
    squid,
    storybook,
    strapi,
    streamlit,
    superset,
    svelte_kit,
    symfony,
    syncthing,
    tensorboard,
    text_generation_inference,
    tinyproxy,
    tomcat,
    tornado,
    traefik,
    transmission,
    twisted,
    uvicorn,
    varnish,
    vault,
    verdaccio,
    vite,
    vllm,
    voila,
    vscode_server,
    waitress,
    webdriver,
    webmin,
    webpack,
    webrick,
    websocket,
    werkzeug,
    wordpress,
    wsgiref,
    zipkin,
)
from homeport.services.sites.signs import PAGE, REDIRECTS, clean

APPLICATIONS: tuple[Site, ...] = (
    mongodb.SITE,
    node_inspector.SITE,
    chrome_devtools.SITE,
    webdriver.SITE,
    podman.SITE,
    docker.SITE,
    kubernetes.SITE,
    kubelet.SITE,
    etcd.SITE,
    consul.SITE,
    vault.SITE,
    nomad.SITE,
    traefik.SITE,
    opensearch.SITE,
    elasticsearch.SITE,
    opensearch_dashboards.SITE,
    kibana.SITE,
    clickhouse.SITE,
    couchdb.SITE,
    influxdb.SITE,
    neo4j.SITE,
    qdrant.SITE,
    meilisearch.SITE,
    solr.SITE,
    minio.SITE,
    seaweedfs.SITE,
    moto.SITE,
    azurite.SITE,
    local_stack.SITE,
    postgrest.SITE,
    prometheus.SITE,
    alertmanager.SITE,
    pushgateway.SITE,
    grafana.SITE,
    loki.SITE,
    jaeger.SITE,
    zipkin.SITE,
    otel_collector.SITE,
    netdata.SITE,
    exporters.SITE,
    voila.SITE,
    jupyter_lab.SITE,
    jupyter_notebook.SITE,
    jupyter_hub.SITE,
    jupyter_server.SITE,
    marimo.SITE,
    tensorboard.SITE,
    streamlit.SITE,
    gradio.SITE,
    dash.SITE,
    nice_gui.SITE,
    dask.SITE,
    datasette.SITE,
    panel.SITE,
    bokeh.SITE,
    locust.SITE,
    ray.SITE,
    mlflow.SITE,
    spark.SITE,
    airflow.SITE,
    superset.SITE,
    metabase.SITE,
    ollama.SITE,
    open_webui.SITE,
    comfy_ui.SITE,
    lm_studio.SITE,
    llama_cpp.SITE,
    vllm.SITE,
    local_ai.SITE,
    text_generation_inference.SITE,
    openai_api.SITE,
    mcp.SITE,
    mcp_sse.SITE,
    adminer.SITE,
    phpmyadmin.SITE,
    pgadmin.SITE,
    rabbitmq.SITE,
    portainer.SITE,
    forgejo.SITE,
    gitea.SITE,
    gogs.SITE,
    gitlab.SITE,
    jenkins.SITE,
    keycloak.SITE,
    sonarqube.SITE,
    nexus.SITE,
    verdaccio.SITE,
    pypiserver.SITE,
    radicale.SITE,
    node_red.SITE,
    strapi.SITE,
    directus.SITE,
    wordpress.SITE,
    drupal.SITE,
    mailhog.SITE,
    mailpit.SITE,
    code_server.SITE,
    vscode_server.SITE,
    cockpit.SITE,
    webmin.SITE,
    cups.SITE,
    home_assistant.SITE,
    jellyfin.SITE,
    plex.SITE,
    syncthing.SITE,
    transmission.SITE,
    qbittorrent.SITE,
    deluge.SITE,
    minidlna.SITE,
    icecast.SITE,
    storybook.SITE,
    astro.SITE,
    angular.SITE,
    nuxt.SITE,
    svelte_kit.SITE,
    next_js.SITE,
    react_router.SITE,
    remix.SITE,
    hugo.SITE,
    mkdocs.SITE,
    live_server.SITE,
    npm_http_server.SITE,
    vite.SITE,
    webpack.SITE,
    parcel.SITE,
    esbuild.SITE,
    apollo.SITE,
    s3_api.SITE,
    websocket.SITE,
)
"""What makes pages: the most specific first, what others are built of last."""

FRAMEWORKS: tuple[Site, ...] = (
    spring_boot.SITE,
    django.SITE,
    rails.SITE,
    symfony.SITE,
    laravel.SITE,
    asp_net.SITE,
    fastapi.SITE,
    nest.SITE,
    fastify.SITE,
    restify.SITE,
    bottle.SITE,
    litestar.SITE,
    express.SITE,
    werkzeug.SITE,
)
"""What applications are written with: the product where no application is known."""

SERVERS: tuple[Site, ...] = (
    caddy.SITE,
    haproxy.SITE,
    envoy.SITE,
    varnish.SITE,
    openresty.SITE,
    nginx.SITE,
    squid.SITE,
    tinyproxy.SITE,
    privoxy.SITE,
    apache.SITE,
    lighttpd.SITE,
    mini_httpd.SITE,
    h2o.SITE,
    iis.SITE,
    http_sys.SITE,
    kestrel.SITE,
    tomcat.SITE,
    jetty.SITE,
    php.SITE,
    passenger.SITE,
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
    cherrypy.SITE,
    cheroot.SITE,
    twisted.SITE,
    werkzeug.SERVER,
    wsgiref.SITE,
    python_http_server.SITE,
    python_websockets.SITE,
    cowboy.SITE,
)
"""What carries pages, those that stand in front of others first."""

TITLE = re.compile(rb"<title[^>]{0,60}>([^<]{1,200})</title>", re.IGNORECASE)
TARGET = re.compile(  # origin-form (RFC 9112, 3.2.1) of a path that stays on this server
    r"/(?:[\w.~!$&'()*+,;=@%-][\w.~!$&'()*+,;=@%/-]*)?(?:\?[\w.~!$&'()*+,;=:@%/?-]*)?", re.ASCII
)
AT_MOST = 2  # further pages that a listener is asked for


def site(answers: tuple[Answer, ...], clues: Clues) -> Match:
    """What the answers prove together: application, framework or server, in this order; else HTTP, and no product.

    `answers`: that of `GET /` first. Facts are those of the product, "framework": what it is written with, and
    "server": what carries it, or by what name it calls itself where nobody here knows that; of a page by no known
    application its "title". Where several servers carry an answer one behind the other, the clues say which of them is
    the one in front.
    """
    application, framework = _first(APPLICATIONS, answers), _first(FRAMEWORKS, answers)
    carriers = [
        match for entry in sorted(SERVERS, key=lambda one: not suits(one, clues)) if (match := entry.recognise(answers))
    ]
    found = application or framework or (carriers[0] if carriers else None)
    if found is None:
        return _nobody(answers)
    facts = list(found.facts)
    others = [match for match in carriers if match.product != found.product]
    if framework and framework.product not in (found.product, *(match.product for match in others)):
        facts.append(("framework", _called(framework)))
    if others:
        facts.append(("server", ", ".join(map(_called, others))))
    if not application:
        facts += _title(answers)
    return found._replace(facts=tuple(facts))


def wanted(answer: Answer, clues: Clues) -> tuple[str, ...]:
    """The further targets that promise to help after the first answer, at most `AT_MOST`, the best first.

    If the answer proves an application, no other one has a say. The order is: what the owner's program suggests, what
    the port suggests, what the form of the answer suggests, the page that it redirects to.
    """
    proved = next((entry for entry in APPLICATIONS if entry.recognise((answer,))), None)
    asking = (proved,) if proved else (*APPLICATIONS, *FRAMEWORKS, *SERVERS)
    targets = []
    for place, entry in enumerate(asking):
        target = entry.more(answer, clues) if entry.more else None
        if target is not None:
            rank = 0 if suits(entry, clues) else 1 if clues.port in entry.ports else 2
            targets.append((rank, place, target))
    pages = [target for _, _, target in sorted(targets)]
    if there := _redirected(answer, clues.port):
        pages.append(there)
    return tuple(dict.fromkeys(page for page in pages if page != answer.target))[:AT_MOST]


def _first(entries: tuple[Site, ...], answers: tuple[Answer, ...]) -> Match | None:
    return next((match for entry in entries if (match := entry.recognise(answers))), None)


def _nobody(answers: tuple[Answer, ...]) -> Match:
    """HTTP by something that is in neither tuple."""
    first = answers[0] if answers else None
    evidence = f"GET {first.target}: HTTP/{first.version} {first.status}" if first else "no answer"
    name = first.header("server") if first else None
    server = [("server", clean(name))] if name and name.strip() else []
    return Match("http", None, None, clean(evidence), (*server, *_title(answers)))


def _title(answers: tuple[Answer, ...]) -> list[tuple[str, str]]:
    """The title of the first page that is one: what tells one's own applications apart."""
    for answer in answers:
        if answer.status == 200 and (found := TITLE.search(answer.body[:PAGE])):
            from html import unescape

            text = clean(unescape(found[1].decode("utf-8", "replace")))
            return [("title", text)] if text else []
    return []


def _called(match: Match) -> str:
    return f"{match.product} {match.version}" if match.version else str(match.product)


def _redirected(answer: Answer, port: int) -> str | None:
    """The target on the same server that the answer to `GET /` redirects to; None where it may be elsewhere."""
    location = (answer.header("location") or "").strip().partition("#")[0]
    if answer.status not in REDIRECTS:
        return None
    for origin in (
        f"http://localhost:{port}/",
        f"https://localhost:{port}/",
        "http://localhost/",
        "https://localhost/",
    ):
        if location.startswith(origin):
            location = location[len(origin) - 1 :]
    if not location.startswith("/"):
        location = f"/{location.removeprefix('./')}"
    return location if TARGET.fullmatch(location) else None
