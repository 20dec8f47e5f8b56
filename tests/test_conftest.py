"""In CI a skipped test is a failed one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

IN_A_TEST = "import pytest\ndef test(): pytest.skip('no such part here')\n"
BY_A_MARK = "import pytest\n@pytest.mark.skip(reason='no such part here')\ndef test(): pass\n"
AS_A_MODULE = "import pytest\npytest.skip('no such part here', allow_module_level=True)\n"


def run(folder: Path, text: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text((HERE / "conftest.py").read_text("utf-8"), "utf-8")
    (folder / "test_it.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    return subprocess.run(
        command, env={**os.environ, "CI": ci}, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("text", [IN_A_TEST, BY_A_MARK, AS_A_MODULE])
def test_in_ci_a_skip_is_a_failure_that_says_why(tmp_path: Path, text: str) -> None:
    done = run(tmp_path, text, "true")
    assert done.returncode != 0
    assert "no such part here" in done.stdout


def test_elsewhere_a_skip_is_one(tmp_path: Path) -> None:
    assert run(tmp_path, IN_A_TEST, "").returncode == 0
