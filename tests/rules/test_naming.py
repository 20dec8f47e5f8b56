from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.owners import Process
from homeport.rules.naming import label


def process(name: str, cmdline: tuple[str, ...] | None) -> Process:
    return Process(1, 1, None, name, cmdline, None, False, None, 0, "root", 0, None, None, "S", None)


@pytest.mark.parametrize(
    ("name", "cmdline", "expected"),
    [
        ("python3", ("python3", "-m", "http.server", "62893"), "python3 -m http.server"),
        ("python3", ("/usr/bin/python3", "-u", "-X", "dev", "/srv/app/manage.py", "runserver"), "python3 manage.py"),
        ("python3.11", ("python3.11", "-c", "import secrets"), "python3.11 -c"),
        ("python3", ("python3",), "python3"),
        ("node", ("node", "--env-file", ".env", "server.js"), "node server.js"),
        ("node", ("/usr/bin/node", "/srv/node_modules/.bin/vite", "--port", "5173"), "node vite"),
        ("java", ("java", "-Xmx1g", "-jar", "/opt/app.jar"), "java app.jar"),
        ("java", ("java", "-cp", "a:b", "org.apache.catalina.startup.Bootstrap", "start"), "java Bootstrap"),
        ("nginx", ("nginx: master process /usr/sbin/nginx",), "nginx"),
        ("nginx", ("nginx: master process nginx -c /srv/nginx.conf",), "nginx"),
        ("redis-server", ("/usr/bin/redis-server 127.0.0.1:6379",), "redis-server"),
        ("systemd-resolve", ("/lib/systemd/systemd-resolved",), "systemd-resolved"),
        ("postgres", ("/usr/lib/postgresql/15/bin/postgres", "-D", "/data"), "postgres"),
        ("Web Content", ("/usr/lib/firefox/firefox", "-contentproc"), "Web Content"),
        ("kworker", (), "kworker"),
        ("hidden", None, "hidden"),
    ],
)
def test_labels(name: str, cmdline: tuple[str, ...] | None, expected: str) -> None:
    assert label(process(name, cmdline)) == expected


@given(st.text(), st.none() | st.lists(st.text(), max_size=6).map(tuple))
def test_any_command_line(name: str, cmdline: tuple[str, ...] | None) -> None:
    assert isinstance(label(process(name, cmdline)), str)
