"""`check("127.0.0.1:3000", "--host", "shop.test")`: what `homeport check … --json` answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Check = Callable[..., dict[str, Any]]

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Runs the command; `cwd`, `env` and `user` as for a person who stands there. Without proxy variables."""

    def run(
        address: str, *words: str, cwd: Path | None = None, env: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> dict[str, Any]:  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
        environment |= {"XDG_STATE_HOME": str(tmp_path / "state"), **(env or {})}
        done = subprocess.run(
            [*prefix, sys.executable, "-P", "-m", "homeport", "check", address, "--json", *words],
            env=environment, cwd=cwd or tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode in (0, 1), (done.returncode, done.stderr)
        answer = json.loads(done.stdout)
        diagnosis = answer["diagnosis"]
        assert diagnosis["ok"] is (done.returncode == 0)
        return dict(diagnosis)

    return run
