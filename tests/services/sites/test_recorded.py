"""What real products answered, and what they are recognised as; the whole of the rack against each answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homeport.services.kind import Answer, Clues
from homeport.services.sites import site

Recorded = Callable[[str], tuple[Answer, ...]]

NOBODY = Clues(1, ())

PRODUCTS: dict[str, tuple[str, str | None, dict[str, str]]] = {
    # recording: product, version, facts
    "aiohttp": ("aiohttp", "3.14.5", {}),
    "alertmanager": ("Alertmanager", "0.25.0", {"authentication": "not demanded"}),
    "apache-unavailable": ("Apache httpd", "2.4.71", {}),
    "apache": ("Apache httpd", "2.4.71", {}),
    "blackbox-exporter": ("blackbox_exporter", None, {}),
    "caddy-nginx": ("Caddy", None, {"server": "nginx 1.22.1"}),
    "caddy": ("Caddy", None, {}),
    "cockpit": ("Cockpit", None, {}),
    "dask": ("Dask", None, {"server": "Tornado 6.6.1"}),
    "django": ("Django", None, {"server": "Python wsgiref 3.11.7"}),
    "etcd": ("etcd", "3.4.23", {}),
    "fastapi": ("FastAPI", None, {"server": "uvicorn"}),
    "gradio": ("Gradio", "6.31.0", {"server": "uvicorn"}),
    "gunicorn": ("Werkzeug", None, {"server": "gunicorn"}),
    "haproxy-stats": ("HAProxy", "2.6.12-1+deb12u4", {}),
    "haproxy-unavailable": ("HAProxy", None, {}),
    "hypercorn": ("Hypercorn", None, {}),
    "influxdb": ("InfluxDB", "1.6.7~rc0", {}),
    "jetty": ("Jetty", "9.4.57.v20241219", {}),
    "jupyter-lab": ("Jupyter Server", "2.21.1", {"authentication": "demanded", "server": "Tornado 6.6.1"}),
    "jupyter-notebook": ("Jupyter Server", "2.21.1", {"authentication": "not demanded", "server": "Tornado 6.6.1"}),
    "lighttpd": ("lighttpd", "1.4.69", {}),
    "mcp-sse": ("MCP server", None, {"transport": "SSE", "server": "uvicorn"}),
    "mcp-streamable": ("MCP server", None, {"transport": "streamable HTTP", "server": "uvicorn"}),
    "mlflow": ("MLflow", "3.17.2", {"server": "uvicorn"}),
    "netdata": ("Netdata", "v1.37.1", {}),
    "nginx-bad-gateway": ("nginx", None, {}),
    "nginx": ("nginx", "1.22.1", {}),
    "node-exporter": ("node_exporter", "1.5.0", {}),
    "php-not-found": ("PHP built-in server", None, {}),
    "php-page": ("PHP built-in server", "8.2.36", {}),
    "podman": ("Podman API", "4.3.1", {"authentication": "not demanded"}),
    "prometheus": ("Prometheus", "2.42.0+ds", {"authentication": "not demanded"}),
    "puma-error": ("Puma", "5.6.5", {}),
    "pushgateway": ("Pushgateway", "1.5.1", {}),
    "python-http-server": ("Python http.server", "3.11.7", {}),
    "qbittorrent": ("qBittorrent", None, {}),
    "squid": ("Squid", "5.7", {}),
    "streamlit": ("Streamlit", None, {"server": "uvicorn"}),
    "syncthing": ("Syncthing", "v1.19.2-ds1", {"authentication": "not demanded"}),
    "tensorboard": ("TensorBoard", "2.21.0", {"authentication": "not demanded", "server": "Werkzeug 3.1.9"}),
    "tinyproxy": ("Tinyproxy", "1.11.1", {}),
    "tomcat": ("Apache Tomcat", "10.1.60", {}),
    "tornado": ("Tornado", "6.6.1", {}),
    "transmission": ("Transmission", None, {"authentication": "not demanded"}),
    "waitress": ("Werkzeug", None, {"server": "waitress"}),
    "werkzeug": ("Werkzeug", "3.1.9", {}),
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
