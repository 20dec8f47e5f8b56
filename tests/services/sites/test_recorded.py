"""What real products answered, and what they are recognised as; the whole of the rack against each answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homeport.services.kind import Answer, Clues
from homeport.services.sites import site

Recorded = Callable[[str], tuple[Answer, ...]]

NOBODY = Clues(1, ())

PRODUCTS: dict[str, tuple[str | None, str | None, dict[str, str]]] = {
    # recording: product, version, facts
    "adminer": ("Adminer", "4.8.1", {"server": "PHP built-in server 8.2.36"}),
    "aiohttp": ("aiohttp", "3.14.5", {}),
    "airflow": ("Airflow", None, {"authentication": "demanded", "server": "gunicorn"}),
    "alertmanager": ("Alertmanager", "0.25.0", {"authentication": "not demanded"}),
    "angular": ("Angular development server", None, {}),
    "apache-unavailable": ("Apache httpd", "2.4.71", {}),
    "apache": ("Apache httpd", "2.4.71", {}),
    "apollo": ("Apollo Server", None, {"framework": "Express"}),
    "astro": ("Astro", "4.5.6", {}),
    "blackbox-exporter": ("blackbox_exporter", None, {}),
    "caddy-nginx": ("Caddy", None, {"server": "nginx 1.22.1"}),
    "caddy": ("Caddy", None, {}),
    "cherrypy": ("Cheroot", None, {}),
    "chrome-devtools": ("Chrome DevTools", "120.0.6099.109", {"authentication": "not demanded"}),
    "clickhouse": ("ClickHouse", None, {}),
    "cockpit": ("Cockpit", None, {}),
    "code-server": ("code-server", None, {"authentication": "demanded"}),
    "consul": ("Consul", "1.16.1", {"authentication": "not demanded"}),
    "couchdb": ("CouchDB", "3.3.2", {}),
    "cups": ("CUPS", "2.4", {}),
    "daphne": ("Daphne", None, {}),
    "dask": ("Dask", None, {"server": "Tornado 6.6.1"}),
    "django-login": ("Django", None, {"server": "Python wsgiref 3.11.7"}),
    "django-new": ("Django", "5.2", {"server": "Python wsgiref 3.11.7"}),
    "django": ("Django", None, {"server": "Python wsgiref 3.11.7"}),
    "docker": ("Docker API", "24.0.7", {"authentication": "not demanded"}),
    "elasticsearch-refused": ("Elasticsearch", None, {"authentication": "demanded"}),
    "elasticsearch": ("Elasticsearch", "8.11.1", {"authentication": "not demanded"}),
    "envoy": ("Envoy", None, {}),
    "esbuild": ("esbuild", None, {}),
    "etcd": ("etcd", "3.4.23", {}),
    "express": ("Express", None, {}),
    "fastapi": ("FastAPI", None, {"server": "uvicorn"}),
    "fastify": ("Fastify", None, {}),
    "forgejo": ("Forgejo", "7.0.0+gitea-1.22.0", {}),
    "gitea": ("Gitea", "1.21.0", {}),
    "gitlab": ("GitLab", None, {"authentication": "demanded", "server": "nginx"}),
    "gogs": ("Gogs", None, {}),
    "gradio": ("Gradio", "6.31.0", {"server": "uvicorn"}),
    "grafana-page": ("Grafana", "9.5.2", {"authentication": "not demanded"}),
    "grafana": ("Grafana", "10.2.2", {"authentication": "demanded"}),
    "granian": ("Granian", None, {}),
    "gunicorn": ("Werkzeug", None, {"server": "gunicorn"}),
    "haproxy-stats": ("HAProxy", "2.6.12-1+deb12u4", {}),
    "haproxy-unavailable": ("HAProxy", None, {}),
    "home-assistant": ("Home Assistant", None, {}),
    "http-sys": ("Microsoft HTTPAPI", "2.0", {}),
    "hugo": ("Hugo server", "0.120.4", {}),
    "hypercorn": ("Hypercorn", None, {}),
    "icecast": ("Icecast", "2.4.4", {}),
    "iis": ("Microsoft IIS", "10.0", {}),
    "influxdb": ("InfluxDB", "1.6.7~rc0", {}),
    "jaeger": ("Jaeger", "v1.50.0", {}),
    "jellyfin": ("Jellyfin", "10.8.11", {"server": "Kestrel"}),
    "jenkins": ("Jenkins", "2.426.1", {"authentication": "demanded", "server": "Jetty 10.0.18"}),
    "jetty": ("Jetty", "9.4.57.v20241219", {}),
    "jupyter-lab": ("Jupyter Server", "2.21.1", {"authentication": "demanded", "server": "Tornado 6.6.1"}),
    "jupyter-notebook": ("Jupyter Notebook", "7.6.5", {"authentication": "not demanded", "server": "Tornado 6.6.1"}),
    "jupyterhub": ("JupyterHub", "4.0.2", {"server": "Tornado 6.3.3"}),
    "kestrel": ("Kestrel", None, {}),
    "kibana": ("Kibana", "8.11.1", {}),
    "kubelet-open": ("kubelet", None, {"authentication": "not demanded"}),
    "kubelet": ("kubelet", None, {"authentication": "demanded"}),
    "kubernetes-forbidden": ("Kubernetes API", "v1.28.2", {"authentication": "demanded"}),
    "lighttpd": ("lighttpd", "1.4.69", {}),
    "llama-cpp": ("llama.cpp server", "b4524-6171c9d2", {"authentication": "not demanded"}),
    "lm-studio": ("LM Studio", None, {"framework": "Express"}),
    "local-ai": ("LocalAI", "v2.22.0", {}),
    "loki": ("Grafana Loki", "2.9.2", {}),
    "mailhog": ("MailHog", None, {"authentication": "not demanded"}),
    "mailpit": ("Mailpit", "v1.10.0", {"authentication": "not demanded"}),
    "mcp-sse": ("MCP server", None, {"transport": "SSE", "server": "uvicorn"}),
    "mcp-streamable": ("MCP server", None, {"transport": "streamable HTTP", "server": "uvicorn"}),
    "mcp-typescript": ("MCP server", None, {"transport": "streamable HTTP", "framework": "Express"}),
    "metabase": ("Metabase", "v0.47.8", {"server": "Jetty 11.0.16"}),
    "minio": ("MinIO", None, {}),
    "mlflow": ("MLflow", "3.17.2", {"server": "uvicorn"}),
    "mongodb": ("MongoDB", None, {}),
    "neo4j": ("Neo4j", "5.13.0", {}),
    "nest": ("NestJS", None, {}),
    "netdata": ("Netdata", "v1.37.1", {}),
    "next": ("Next.js", None, {}),
    "nexus": ("Sonatype Nexus", "3.61.0-02", {}),
    "nginx-bad-gateway": ("nginx", None, {}),
    "nginx": ("nginx", "1.22.1", {}),
    "node-exporter": ("node_exporter", "1.5.0", {}),
    "node-inspector": ("Node.js inspector", "v20.20.2", {"authentication": "not demanded"}),
    "node-plain": (None, None, {}),
    "nomad": ("Nomad", "1.6.2", {"authentication": "not demanded"}),
    "nuxt": ("Nuxt", None, {}),
    "ollama": ("Ollama", "0.5.4", {}),
    "openai-api-refused": ("OpenAI-compatible API", None, {}),
    "openai-api": ("OpenAI-compatible API", None, {}),
    "openresty": ("OpenResty", "1.21.4.2", {}),
    "opensearch-dashboards": ("OpenSearch Dashboards", "2.11.0", {}),
    "opensearch-refused": ("OpenSearch", None, {"authentication": "demanded"}),
    "opensearch": ("OpenSearch", "2.11.0", {"authentication": "not demanded"}),
    "otel-collector": ("OpenTelemetry Collector", None, {}),
    "otel-health": ("OpenTelemetry Collector", None, {}),
    "parcel": ("Parcel", None, {}),
    "passenger": ("nginx", "1.24.0", {"server": "Phusion Passenger 6.0.18"}),
    "pgadmin": ("pgAdmin", None, {"authentication": "demanded", "server": "gunicorn"}),
    "php-not-found": ("PHP built-in server", None, {}),
    "php-page": ("PHP built-in server", "8.2.36", {}),
    "phpmyadmin": ("phpMyAdmin", "5.2.1", {"server": "Apache httpd 2.4.57"}),
    "plex": ("Plex Media Server", "1.32.7.7621-871adbd44", {"authentication": "demanded"}),
    "podman": ("Podman API", "4.3.1", {"authentication": "not demanded"}),
    "portainer": ("Portainer", "2.19.1", {}),
    "prometheus": ("Prometheus", "2.42.0+ds", {"authentication": "not demanded"}),
    "puma-error": ("Puma", "5.6.5", {}),
    "pushgateway": ("Pushgateway", "1.5.1", {}),
    "python-http-server": ("Python http.server", "3.11.7", {}),
    "qbittorrent": ("qBittorrent", None, {}),
    "qdrant": ("Qdrant", "1.6.1", {}),
    "rabbitmq": ("RabbitMQ management", None, {"server": "Cowboy"}),
    "rails-own": ("Ruby on Rails", None, {}),
    "rails": ("Ruby on Rails", None, {}),
    "ray": ("Ray dashboard", "2.8.0", {"authentication": "not demanded", "server": "aiohttp 3.8.5"}),
    "sonarqube": ("SonarQube", "10.2.1.78527", {}),
    "spring-boot-page": ("Spring Boot", None, {}),
    "spring-boot": ("Spring Boot", None, {}),
    "squid": ("Squid", "5.7", {}),
    "storybook": ("Storybook", "10.6.7", {}),
    "streamlit": ("Streamlit", None, {"server": "uvicorn"}),
    "superset": ("Superset", None, {"authentication": "demanded", "server": "gunicorn"}),
    "sveltekit": ("SvelteKit", None, {}),
    "syncthing": ("Syncthing", "v1.19.2-ds1", {}),
    "tensorboard": ("TensorBoard", "2.21.0", {"authentication": "not demanded", "server": "Werkzeug 3.1.9"}),
    "text-generation-inference": ("Text Generation Inference", "1.3.0", {}),
    "tinyproxy": ("Tinyproxy", "1.11.1", {}),
    "tomcat": ("Apache Tomcat", "10.1.60", {}),
    "tornado": ("Tornado", "6.6.1", {}),
    "traefik": ("Traefik", "2.10.4", {"authentication": "not demanded"}),
    "transmission": ("Transmission", None, {"authentication": "not demanded"}),
    "twisted": ("Twisted Web", "22.10.0", {}),
    "varnish": ("Varnish", "7.1", {"server": "nginx 1.22.1"}),
    "vault": ("Vault", "1.15.2", {}),
    "verdaccio": ("Verdaccio", "5.27.0", {}),
    "vite": ("Vite", None, {}),
    "vllm": ("vLLM", None, {"authentication": "not demanded", "server": "uvicorn"}),
    "vscode-server": ("VS Code server", None, {"authentication": "not demanded"}),
    "waitress": ("Werkzeug", None, {"server": "waitress"}),
    "webmin": ("Webmin", "2.021", {}),
    "webpack-dev-server": ("webpack-dev-server", None, {"framework": "Express"}),
    "webrick": ("WEBrick", "1.8.1", {}),
    "websocket-ws": (None, None, {}),
    "werkzeug": ("Werkzeug", "3.1.9", {}),
    "zipkin": ("Zipkin", "2.24.3", {}),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_what_a_product_says_proves_it(name: str, recorded: Recorded) -> None:
    match = site(recorded(name), NOBODY)

    assert (match.product, match.version, dict(match.facts)) == PRODUCTS[name]


@pytest.mark.parametrize("name", PRODUCTS)
def test_evidence_quotes_one_of_the_answers(name: str, recorded: Recorded) -> None:
    answers = recorded(name)

    evidence = site(answers, NOBODY).evidence

    assert any(evidence.startswith(f"GET {answer.target}: ") for answer in answers)
    assert "\n" not in evidence


def test_every_recording_is_in_the_table() -> None:
    recordings = {path.stem for path in (Path(__file__).parent / "recorded").glob("*.txt")}

    assert recordings == set(PRODUCTS)
