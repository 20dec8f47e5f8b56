"""`homeport logs` as it is asked in these tests, and servers that are asked about."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOMEPORT = (sys.executable, "-P", "-m", "homeport")
PODMAN = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
Start = Callable[..., int]
Wait = Callable[[int], None]
Done = subprocess.CompletedProcess[str]


def logs(*words: str | int, env: dict[str, str] | None = None, before: tuple[str, ...] = ()) -> Done:
    command = [*before, *HOMEPORT, "logs", *map(str, words)]
    return subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False, timeout=120, cwd="/"
    )


def sources(*words: str | int, code: int = 0, env: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    done = logs(*words, "--sources", "--json", env=env)
    assert done.returncode == code, (done.returncode, done.stderr)
    return {one["label"]: one for one in json.loads(done.stdout)["sources"]}


def get(port: int, path: str = "/") -> None:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read()
    except urllib.error.HTTPError:
        pass


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Follower:
    """`homeport logs ADDR --follow`, with what it has written so far."""

    def __init__(self, *words: str | int, env: dict[str, str] | None = None, before: tuple[str, ...] = ()) -> None:
        command = [*before, *HOMEPORT, "logs", *map(str, words), "--follow"]
        self.process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, text=True, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.out: list[str] = []
        self.errors: list[str] = []
        self.threads = [
            threading.Thread(target=self._collect, args=pair)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.errors))
        ]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _collect(stream: Any, into: list[str]) -> None:
        for line in stream:
            into += [line.rstrip("\n")]

    def sees(self, text: str) -> None:
        until(lambda: any(text in line for line in self.out), f"{text!r} in {self.out} {self.errors}")

    def says(self, text: str) -> None:
        until(lambda: any(text in line for line in self.errors), f"{text!r} in {self.errors} {self.out}")

    def count(self, text: str) -> int:
        return sum(text in line for line in self.out)

    def end(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        for thread in self.threads:
            thread.join(30)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


SERVER_JS = """
const server = require("http").createServer((request, answer) => {
  if (request.url.startsWith("/throw")) console.error(new TypeError("no cart " + process.hrtime()[1]).stack);
  const level = request.url === "/bad" ? 50 : 30;
  console.log(JSON.stringify({level, time: Date.now(), msg: "request " + request.url}));
  answer.end("hello\\n");
});
server.listen(Number(process.argv[2]), "127.0.0.1");
"""


SERVER_PY = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/throw":
            raise ValueError("no such cart")
        self.send_error(404) if self.path == "/missing" else self.send_response(200)
        self.end_headers()
print("ready to serve", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def nginx_configuration(folder: Path, port: int) -> Path:
    (folder / "conf.d").mkdir()
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text("hello\n")
    (folder / "logs").mkdir()
    (folder / "conf.d" / "site.conf").write_text(
        f"server {{ listen 127.0.0.1:{port}; root {folder}/www; access_log {folder}/logs/site.log combined;\n"
        f"  location /bad {{ return 500; }} }}\n"
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"user root; pid {folder}/nginx.pid; error_log {folder}/logs/trouble.log notice; daemon off;\n"
        f"events {{}}\nhttp {{ include conf.d/*.conf; client_body_temp_path {folder}; proxy_temp_path {folder};\n"
        f"  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder}; }}\n"
    )
    return path
