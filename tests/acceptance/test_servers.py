"""The page about a port, with real servers on it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Page = Callable[..., dict[str, Any]]
Start = Callable[..., int]
Wait = Callable[[int], None]

SERVER_JS = """
const port = Number(process.env.PORT ?? process.argv[2] ?? 0);
const server = require("http").createServer((_, answer) => answer.end("hello\\n"));
server.listen(port, "127.0.0.1", () => require("fs").writeFileSync("port", String(server.address().port)));
"""


def only(answer: dict[str, Any]) -> dict[str, Any]:
    (one,) = answer["listeners"]
    return dict(one)


def test_a_python_server_from_a_shell(start: Start, page: Page, wait_for: Wait, port: int, project: Path) -> None:
    script = f"python3 -m http.server {port} --bind 127.0.0.1; :"
    start("bash", "-c", script, cwd=project)
    wait_for(port)
    one = only(page(f"127.0.0.1:{port}"))
    (owner,) = one["owners"]
    assert owner["cmdline"][-5:] == ["-m", "http.server", str(port), "--bind", "127.0.0.1"]
    assert owner["project"]["root"] == str(project)
    assert owner["project"]["branch"] == "shop"
    assert "bash" in [each["name"] for each in one["lineage"]["ancestors"]]
    assert one["provenance"]["origin"] == "argument"
    assert str(port) in one["provenance"]["statement"] + str(one["provenance"]["evidence"])
    assert one["scope"] == "machine"


def node_project(project: Path, script: str) -> None:
    (project / "server.js").write_text(SERVER_JS)
    (project / "package.json").write_text(json.dumps({"name": "shop", "scripts": {"dev": script}}, indent=2))


def test_npm_run_dev_with_the_port_in_package_json(
    start: Start, page: Page, wait_for: Wait, port: int, project: Path
) -> None:
    node_project(project, f"node server.js {port}")
    start("npm", "run", "dev", cwd=project)
    wait_for(port)
    one = only(page(str(port)))
    assert one["owners"][0]["name"] == "node"
    assert one["owners"][0]["project"]["name"] == "shop"
    assert "npm run dev" in one["lineage"]["summary"]
    assert one["provenance"]["origin"] == "file"
    assert one["provenance"]["file"] == str(project / "package.json")
    assert str(port) in (project / "package.json").read_text().splitlines()[one["provenance"]["line"] - 1]


def test_npm_run_dev_with_the_port_in_dotenv(
    start: Start, page: Page, wait_for: Wait, port: int, project: Path
) -> None:
    node_project(project, "node --env-file=.env server.js")
    (project / ".env").write_text(f"SECRET_KEY=do-not-show-me\nPORT={port}\n")
    start("npm", "run", "dev", cwd=project)
    wait_for(port)
    answer = page(str(port))
    one = only(answer)
    assert one["provenance"]["origin"] == "file"
    assert one["provenance"]["file"] == str(project / ".env")
    assert one["provenance"]["line"] == 2
    assert "do-not-show-me" not in json.dumps(answer)


def test_port_zero_is_the_kernels_choice(start: Start, page: Page, wait_for: Wait, project: Path) -> None:
    node_project(project, "node server.js 0")
    start("npm", "run", "dev", cwd=project)
    written = project / "port"
    for _ in range(1200):
        if written.exists() and written.read_text():
            break
        subprocess.run(["sleep", "0.05"], check=True)
    port = int(written.read_text())
    wait_for(port)
    one = only(page(f"127.0.0.1:{port}"))
    assert one["provenance"]["origin"] == "kernel"


def test_nginx_with_listen_in_its_configuration(
    start: Start, page: Page, wait_for: Wait, port: int, tmp_path: Path
) -> None:
    sites = tmp_path / "sites"
    sites.mkdir()
    site = sites / "shop.conf"
    site.write_text(f"server {{\n    listen 127.0.0.1:{port};\n    root {tmp_path};\n}}\n")
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; include {sites}/*.conf; }}\n"
    )
    start("nginx", "-c", conf, "-p", tmp_path)
    wait_for(port)
    one = only(page(str(port)))
    assert {owner["name"] for owner in one["owners"]} == {"nginx"}
    assert len(one["owners"]) > 1
    assert (one["provenance"]["origin"], one["provenance"]["file"], one["provenance"]["line"]) == ("file", str(site), 2)


@pytest.fixture
def postgres_folder() -> Iterator[Path]:
    """A folder of the user postgres, who may not enter pytest's own."""
    with tempfile.TemporaryDirectory(prefix="hp-acceptance-") as name:
        shutil.chown(name, "postgres")
        yield Path(name)


def test_postgresql_by_its_configuration_file(
    postgres_folder: Path, start: Start, page: Page, wait_for: Wait, port: int
) -> None:
    (binaries,) = {path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")}
    as_postgres = ("runuser", "-u", "postgres", "--")
    data = postgres_folder / "db"
    make: list[str | Path] = [*as_postgres, binaries / "initdb", "-D", data, "-A", "trust"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd="/")
    conf = data / "postgresql.conf"
    with conf.open("a") as file:
        file.write(f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{postgres_folder}'\n")
    start(*as_postgres, binaries / "postgres", "-D", data, cwd=Path("/"))
    wait_for(port)
    one = only(page(str(port)))
    assert (one["owners"][0]["name"], one["owners"][0]["user"]) == ("postgres", "postgres")
    assert (one["provenance"]["origin"], one["provenance"]["file"]) == ("file", str(conf))
    assert conf.read_text().splitlines()[one["provenance"]["line"] - 1] == f"port = {port}"
