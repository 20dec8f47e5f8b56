"""The commands that are compared. Each prints one line per listener with its process; nobody resolves names."""

from __future__ import annotations

import glob
import os
import re
import subprocess
from typing import NamedTuple

from benchmarks.rounds import Tool

SOURCES = ("bpf", "netlink", "psutil")
"""What `--source` can force."""
HOMEPORT = "homeport"
"""The name of homeport's own command as a user has it, with the source it chooses itself."""
SYSTEM_PYTHON = "/usr/bin/python3"
ORDINARY_UID = 65534
"""nobody: an ordinary user that every machine has."""

_PSUTIL = """
import psutil
names = {}
for c in psutil.net_connections('tcp'):
    if c.status == psutil.CONN_LISTEN:
        if c.pid not in names:
            try:
                names[c.pid] = psutil.Process(c.pid).name()
            except (psutil.Error, ValueError):
                names[c.pid] = '-'
        print(c.laddr.ip, c.laddr.port, c.pid, names[c.pid])
"""


class Toolbox(NamedTuple):
    """Makes the commands: `python` has homeport installed, `prefix` runs them as somebody else."""

    python: str
    prefix: tuple[str, ...] = ()

    def as_ordinary_user(self) -> Toolbox:
        """The same commands without any right: another user, no groups, no capabilities."""
        ids = (f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups")
        return self._replace(prefix=("setpriv", *ids, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"))

    def tool(self, name: str, *argv: str) -> Tool:
        """A command under that name."""
        return Tool(name, (*self.prefix, *argv))

    def homeport(self, *words: str, name: str = HOMEPORT) -> Tool:
        """homeport as `scripts/homeport` starts it."""
        return self.tool(name, self.python, "-I", "-m", "homeport", *words)

    def console_script(self) -> tuple[Tool, ...]:
        """homeport as an installer puts it next to the interpreter, where one did."""
        script = os.path.join(os.path.dirname(self.python), "homeport")
        return (self.tool("homeport (installed script)", script, "ls", "--tcp"),) if os.path.exists(script) else ()

    def homeport_sources(self) -> tuple[Tool, ...]:
        """The listing by each source."""
        return tuple(
            self.homeport("ls", "--tcp", "--source", source, name=f"homeport --source {source}") for source in SOURCES
        )

    def listing(self) -> tuple[Tool, ...]:
        """Everything that lists all TCP listeners with their processes."""
        return (
            self.homeport("ls", "--tcp"),
            self.tool("ss -tlnp", "ss", "-tlnp"),
            self.tool("lsof -iTCP -sTCP:LISTEN", "lsof", "-nP", "-iTCP", "-sTCP:LISTEN"),
            self.tool("netstat -tlnp", "netstat", "-tlnp"),
            self.tool("psutil.net_connections", self.python, "-c", _PSUTIL),
            *self.console_script(),
            *self.homeport_sources(),
        )

    def one_port(self, port: int) -> tuple[Tool, ...]:
        """Everything that tells who listens on one port."""
        return (
            self.homeport("ls", "--tcp", f":{port}", name="homeport ls :PORT"),
            self.homeport("show", str(port), name="homeport show PORT"),
            self.tool("lsof -iTCP:PORT", "lsof", "-nP", f"-iTCP:{port}"),
            self.tool("ss -tlnp sport = :PORT", "ss", "-tlnp", "sport", "=", f":{port}"),
            self.python_pass(),
        )

    def python_pass(self) -> Tool:
        """What the interpreter costs before it does anything."""
        return self.tool("python -c pass", self.python, "-c", "pass")

    def usable(self) -> bool:
        """Whether the commands can be run through `prefix`: a user may not reach an interpreter in another's folder."""
        ask = [self.python, "-c", "import sys, homeport, psutil; print(sys.version)"]
        answer = _output([*self.prefix, *ask])
        return answer is not None and answer == _output(ask)

    def reachable(self, folder: str) -> Toolbox | None:
        """The same toolbox if it is usable; else one on the system's Python, with the same packages, made in `folder`.

        None where the system has no Python of the same version (its compiled packages would not fit).
        """
        if self.usable():
            return self
        venv = os.path.join(folder, "venv")
        if _output([SYSTEM_PYTHON, "-m", "venv", "--without-pip", venv]) is None:
            return None
        os.chmod(folder, 0o755)
        paths = _output([self.python, "-c", "import sys; print('\\n'.join(p for p in sys.path if p))"]) or ""
        wanted = [path for path in paths.splitlines() if "site-packages" in path or path.endswith("src")]
        for site in glob.glob(os.path.join(venv, "lib", "python*", "site-packages")):
            with open(os.path.join(site, "homeport.pth"), "w", encoding="utf-8") as file:
                file.write("\n".join(wanted) + "\n")
        made = self._replace(python=os.path.join(venv, "bin", "python"))
        return made if made.usable() else None


class Machine(NamedTuple):
    """What figures depend on; nothing that names the machine."""

    kernel: str
    cpu: str
    cores: int
    python: str
    versions: dict[str, str]

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"Linux {self.kernel}, {self.cores} cores ({self.cpu}), Python {self.python}, {versions}"


def machine(python: str) -> Machine:
    """The machine and the competitors' versions."""
    about = "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.version.partition('[')[2].rstrip(']'))"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    wanted = {
        "iproute2": (["ss", "-V"], r"iproute2-([\d.]+)"),
        "lsof": (["lsof", "-v"], r"revision: ([\d.]+)"),
        "net-tools": (["netstat", "-V"], r"net-tools ([\d.]+)"),
        "psutil": ([python, "-c", "import psutil; print(psutil.__version__)"], r"([\d.]+)"),
        "homeport": ([python, "-c", "import homeport; print(homeport.__version__)"], r"(\S+)"),
    }
    versions = {}
    for name, (argv, pattern) in wanted.items():
        found = re.search(pattern, _output(argv) or "")
        versions[name] = found[1] if found else "not installed"
    return Machine(
        kernel=os.uname().release.partition("-")[0],
        cpu=models[0] if models else os.uname().machine,
        cores=os.cpu_count() or 1,
        python=(_output([python, "-c", about]) or "unknown").strip(),
        versions=versions,
    )


def _output(argv: list[str]) -> str | None:
    """What a command prints, on both streams; None where it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, cwd="/")
    except (OSError, subprocess.TimeoutExpired):
        return None  # not installed: said so in its place
    return done.stdout + done.stderr if done.returncode == 0 else None
