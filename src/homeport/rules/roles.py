"""The rack of programs that are recognised among the ancestors of a server.

To add one, add an entry to the tuple of its kind; nothing else. Entries are tried in order, the first that fits wins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homeport.model.evidence import Confidence, Evidence
from homeport.model.lineage import Cause
from homeport.model.owners import Process
from homeport.rules.commands import Command, plain_words, presentable, read


class Role(NamedTuple):
    """A program that starts others.

    It is recognised by the basename of its executable or script, or by its module (`programs`), by the npm package that
    its script lies in (`packages`) or by a piece of the path to it (`places`). `subcommands`: only with one of these as
    first word; `when`: only where this holds. `shows` words of the command line belong to its name in a summary, the
    values of its `valued` options not counted. `keeps`: it restarts what it started, so that it is the cause even where
    somebody started it in turn. `variable` names, in the environment of its children, which of its things they are.
    """

    name: str
    role: str
    cause: Cause | None
    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    subcommands: tuple[str, ...] = ()
    shows: int = 0
    valued: tuple[str, ...] = ()
    when: Callable[[Command], bool] | None = None
    keeps: bool = False
    variable: str | None = None

    @property
    def decides(self) -> bool:
        """Whether it is a cause by itself, or only passes on what somebody else wanted."""
        return self.keeps if self.cause is Cause.SUPERVISOR else self.cause is not None


class Recognition(NamedTuple):
    """A process that is recognised as something; `label` is its name and the words that belong to it."""

    role: Role
    label: str
    confidence: Confidence
    evidence: Evidence


def _ssh_session(command: Command) -> bool:
    """`sshd: ada@pts/3` or `sshd: ada [priv]` (OpenSSH's setproctitle), not the daemon that waits for clients."""
    words = (command.title or "").split()
    return len(words) > 1 and words[-1] != "startups" and "[listener]" not in words and (
        (len(words) == 2 and "@" in words[1]) or words[-1] == "[priv]"
    )  # fmt: skip


def _user_manager(command: Command) -> bool:
    """`systemd --user`, the manager of a user's units."""
    return "--user" in command.words


def _goose_agent(command: Command) -> bool:
    """The agent `goose session`, not the database migrations of the same name."""
    return command.words[:1] in (("session",), ("run",), ("web",))


_S, _RUNNER = Cause.SUPERVISOR, "package runner"

SHELLS = (
    Role("shell", "shell", None, ("sh", "bash", "dash", "zsh", "fish", "ksh", "mksh", "ash", "tcsh", "csh", "nu",
                                  "pwsh", "elvish", "xonsh", "rbash")),
)  # fmt: skip
SESSIONS = (
    Role("sshd", "ssh session", Cause.SSH, ("sshd", "sshd-session"), when=_ssh_session),
    Role("dropbear", "ssh session", Cause.SSH, ("dropbear",)),
    Role("mosh", "ssh session", Cause.SSH, ("mosh-server",)),
    Role("sshd", "ssh server", None, ("sshd", "sshd-session", "sshd-auth")),
    Role("tmux", "terminal multiplexer", Cause.MULTIPLEXER, ("tmux",), variable="TMUX_PANE"),
    Role("screen", "terminal multiplexer", Cause.MULTIPLEXER, ("screen", "SCREEN"), variable="STY"),
    Role("zellij", "terminal multiplexer", Cause.MULTIPLEXER, ("zellij",), variable="ZELLIJ_SESSION_NAME"),
    Role("login", "login", Cause.TERMINAL, ("login", "agetty", "getty")),
    *(Role(name, "terminal emulator", Cause.TERMINAL, (name, *others)) for name, *others in (
        ("gnome-terminal", "gnome-terminal-server"), ("konsole",), ("xterm",), ("alacritty",), ("kitty",), ("foot",),
        ("wezterm", "wezterm-gui", "wezterm-mux-server"), ("ghostty",), ("xfce4-terminal",), ("terminator",),
        ("tilix",), ("urxvt", "urxvtd", "rxvt"), ("st",), ("rio",), ("ptyxis", "ptyxis-agent"), ("kgx",), ("tilda",),
        ("guake",), ("yakuake",), ("lxterminal",), ("mate-terminal",), ("terminology",), ("warp", "warp-terminal"),
        ("iTerm2", "iTermServer"), ("Terminal",),
    )),
    *(Role(name, "change of user", None, (name,)) for name in ("su", "sudo", "doas", "runuser", "pkexec", "setpriv")),
    *(Role(name, "wrapper", None, (name,)) for name in (
        "env", "nohup", "setsid", "timeout", "nice", "ionice", "taskset", "chrt", "stdbuf", "time", "script", "strace",
        "ltrace", "gdb", "unshare", "nsenter", "systemd-inhibit", "flock", "xargs", "expect", "faketime",
    )),
)  # fmt: skip
SCHEDULERS = (
    Role("cron", "scheduler", Cause.CRON, ("cron", "crond", "CRON", "fcron", "cronie")),
    Role("at", "scheduler", Cause.CRON, ("atd",)),
    Role("anacron", "scheduler", Cause.CRON, ("anacron",)),
)
CONTAINERS = (
    Role("containerd", "container runtime", Cause.CONTAINER,
         ("containerd-shim", "containerd-shim-runc-v1", "containerd-shim-runc-v2")),
    Role("conmon", "container runtime", Cause.CONTAINER, ("conmon", "conmonrs")),
    Role("docker", "container engine", Cause.CONTAINER, ("dockerd", "containerd", "rootlesskit")),
    Role("podman", "container engine", Cause.CONTAINER, ("podman",)),
    Role("lxc", "container runtime", Cause.CONTAINER, ("lxc-start", "lxd", "incusd")),
    Role("systemd-nspawn", "container runtime", Cause.CONTAINER, ("systemd-nspawn",)),
    Role("kubelet", "container engine", Cause.CONTAINER, ("kubelet",)),
    *(Role(name, "init of a container", _S, (name,)) for name in ("tini", "dumb-init", "docker-init", "catatonit")),
)  # fmt: skip
KEEPERS = (
    Role("pm2", "process manager", _S, ("PM2",), packages=("pm2",), keeps=True, variable="name"),
    Role("supervisord", "process manager", _S, ("supervisord", "supervisor.supervisord"), keeps=True,
         variable="SUPERVISOR_PROCESS_NAME"),
    Role("circus", "process manager", _S, ("circusd",), keeps=True),
    Role("runit", "process manager", _S, ("runsv", "runsvdir"), keeps=True),
    Role("s6", "process manager", _S, ("s6-supervise", "s6-svscan"), keeps=True),
    Role("daemontools", "process manager", _S, ("supervise", "svscan"), keeps=True),
    Role("monit", "process manager", _S, ("monit",), keeps=True),
    Role("god", "process manager", _S, ("god",), keeps=True),
    Role("process-compose", "process manager", _S, ("process-compose",), keeps=True),
    Role("systemd --user", "user manager", None, ("systemd",), when=_user_manager),
)  # fmt: skip
MASTERS = (
    Role("gunicorn", "server master", _S, ("gunicorn", "gunicorn.app.wsgiapp")),
    Role("uwsgi", "server master", _S, ("uwsgi", "uwsgi-core")),
    Role("uvicorn", "server master", _S, ("uvicorn",)),
    Role("hypercorn", "server master", _S, ("hypercorn",)),
    Role("granian", "server master", _S, ("granian",)),
    Role("celery", "server master", _S, ("celery",)),
    Role("puma", "server master", _S, ("puma",)),
    Role("unicorn", "server master", _S, ("unicorn", "unicorn_rails")),
    Role("passenger", "server master", _S, ("PassengerAgent", "Passenger")),
    Role("php-fpm", "server master", _S, ("php-fpm",)),
    Role("nginx", "server master", _S, ("nginx", "openresty")),
    Role("apache", "server master", _S, ("apache2", "httpd")),
    Role("postgres", "server master", _S, ("postgres", "postmaster")),
    Role("mysqld_safe", "server master", _S, ("mysqld_safe", "mariadbd-safe")),
    Role("xinetd", "super-server", _S, ("xinetd", "inetd"), keeps=True),
)
_PREFIX = ("--prefix", "-C", "--dir", "--cwd", "--filter", "-F", "-w", "--workspace")
RUNNERS = (
    Role("npx", _RUNNER, _S, ("npx", "npx-cli.js"), shows=1, valued=("-p", "--package")),
    Role("npm", _RUNNER, _S, ("npm", "npm-cli.js"), shows=2, valued=_PREFIX),
    Role("pnpm", _RUNNER, _S, ("pnpm", "pnpm.cjs"), shows=2, valued=_PREFIX),
    Role("yarn", _RUNNER, _S, ("yarn", "yarnpkg", "yarn.js"), places=("/.yarn/releases/yarn-",), shows=2,
         valued=_PREFIX),
    Role("bun", _RUNNER, _S, ("bun", "bunx"), subcommands=("run", "x", "dev", "start"), shows=2, valued=_PREFIX),
    Role("deno", _RUNNER, _S, ("deno",), subcommands=("task", "run", "serve"), shows=2),
    Role("uv", _RUNNER, _S, ("uv",), subcommands=("run", "tool"), shows=2,
         valued=("--with", "-p", "--python", "--directory", "--project", "--env-file", "--extra", "--group")),
    Role("uvx", _RUNNER, _S, ("uvx",), shows=1, valued=("--from", "--with", "-p", "--python")),
    Role("poetry", _RUNNER, _S, ("poetry",), subcommands=("run",), shows=2, valued=("-C", "--directory", "-P")),
    Role("pipenv", _RUNNER, _S, ("pipenv",), subcommands=("run",), shows=2),
    Role("pdm", _RUNNER, _S, ("pdm",), subcommands=("run",), shows=2),
    Role("hatch", _RUNNER, _S, ("hatch",), subcommands=("run",), shows=2, valued=("-e", "--env")),
    Role("rye", _RUNNER, _S, ("rye",), subcommands=("run",), shows=2),
    Role("pixi", _RUNNER, _S, ("pixi",), subcommands=("run",), shows=2),
    Role("conda", _RUNNER, _S, ("conda", "mamba", "micromamba"), subcommands=("run",), shows=1),
    Role("bundle", _RUNNER, _S, ("bundle", "bundler"), subcommands=("exec",), shows=2),
    Role("cargo", _RUNNER, _S, ("cargo",), subcommands=("run", "watch", "leptos", "tauri"), shows=1),
    Role("go", _RUNNER, _S, ("go",), subcommands=("run", "tool", "test"), shows=2),
    Role("air", "file watcher", _S, ("air",)),
    Role("dotnet", _RUNNER, _S, ("dotnet",), subcommands=("run", "watch"), shows=1),
    Role("mvn", _RUNNER, _S, ("org.codehaus.plexus.classworlds.launcher.Launcher", "mvn", "mvnd"), shows=1),
    Role("gradle", _RUNNER, _S, ("org.gradle.launcher.daemon.bootstrap.GradleDaemon", "gradle-wrapper.jar",
                                 "org.gradle.wrapper.GradleWrapperMain", "gradle")),
    Role("make", _RUNNER, _S, ("make", "gmake"), shows=1, valued=("-C", "-f", "-j", "--directory", "--file")),
    Role("just", _RUNNER, _S, ("just",), shows=1, valued=("-f", "--justfile", "-d", "--working-directory")),
    Role("task", _RUNNER, _S, ("task", "go-task"), shows=1, valued=("-d", "--dir", "-t", "--taskfile")),
    Role("mise", _RUNNER, _S, ("mise",), subcommands=("run", "exec", "r", "x"), shows=2),
    Role("tox", _RUNNER, _S, ("tox",)),
    Role("pytest", "test runner", _S, ("pytest", "py.test")),
    Role("nodemon", "file watcher", _S, ("nodemon", "nodemon.js")),
    Role("ts-node-dev", "file watcher", _S, ("ts-node-dev", "tsnd"), packages=("ts-node-dev",)),
    Role("tsx", "file watcher", _S, ("tsx",), packages=("tsx",)),
    Role("watchexec", "file watcher", _S, ("watchexec",)),
    Role("entr", "file watcher", _S, ("entr",)),
    Role("watchfiles", "file watcher", _S, ("watchfiles",)),
    Role("watchman", "file watcher", _S, ("watchman",)),
    Role("concurrently", "process runner", _S, ("concurrently",), packages=("concurrently",)),
    Role("npm-run-all", "process runner", _S, ("npm-run-all", "run-p", "run-s"),
         packages=("npm-run-all", "npm-run-all2")),
    Role("turbo", "process runner", _S, ("turbo",), packages=("turbo",), shows=2, valued=_PREFIX),
    Role("nx", "process runner", _S, ("nx",), packages=("nx",), shows=2),
    Role("lerna", "process runner", _S, ("lerna",), packages=("lerna",), shows=2),
    Role("foreman", "process runner", _S, ("foreman",)),
    Role("overmind", "process runner", _S, ("overmind",)),
    Role("hivemind", "process runner", _S, ("hivemind",)),
    Role("honcho", "process runner", _S, ("honcho",)),
    Role("goreman", "process runner", _S, ("goreman",)),
    Role("docker-compose", "process runner", _S, ("docker-compose",), shows=1,
         valued=("-f", "--file", "-p", "--profile")),
    Role("docker", "container client", _S, ("docker",), subcommands=("run", "exec", "compose"), shows=1),
)  # fmt: skip
EDITORS = (
    Role("VS Code", "editor", Cause.EDITOR, ("code", "code-insiders", "codium", "code-oss", "code-tunnel"),
         places=("/.vscode-server/", "/.vscode-server-insiders/", "/.vscodium-server/", "/.vscode-remote/")),
    Role("code-server", "editor", Cause.EDITOR, ("code-server", "openvscode-server"), places=("/lib/code-server/",)),
    Role("Cursor", "editor", Cause.EDITOR, ("cursor", "Cursor"), places=("/.cursor-server/",)),
    Role("Windsurf", "editor", Cause.EDITOR, ("windsurf",), places=("/.windsurf-server/",)),
    Role("JetBrains IDE", "editor", Cause.EDITOR,
         ("com.intellij.idea.Main", "idea", "pycharm", "webstorm", "phpstorm", "rubymine", "goland", "clion", "rider",
          "rustrover", "datagrip", "dataspell", "studio", "fleet"),
         places=("/JetBrains/Toolbox/apps/", "/JetBrains/RemoteDev/")),
    Role("Zed", "editor", Cause.EDITOR, ("zed", "zed-editor", "zeditor", "zed-remote-server"),
         places=("/.zed_server/",)),
    Role("Sublime Text", "editor", Cause.EDITOR, ("sublime_text", "plugin_host", "plugin_host-3.8")),
    Role("Eclipse", "editor", Cause.EDITOR, ("eclipse",)),
    Role("Jupyter", "notebook", Cause.EDITOR, ("jupyter", "jupyter-lab", "jupyter-notebook", "ipykernel_launcher")),
    Role("RStudio", "editor", Cause.EDITOR, ("rstudio", "rsession", "rserver")),
    Role("neovim", "editor", Cause.EDITOR, ("nvim",)),
    Role("vim", "editor", Cause.EDITOR, ("vim", "vi", "gvim", "vim.basic", "vim.tiny", "vim.nox", "vim.gtk3")),
    Role("emacs", "editor", Cause.EDITOR, ("emacs", "emacs-gtk", "emacs-nox", "emacs-x", "emacs-pgtk", "emacs-lucid")),
    Role("helix", "editor", Cause.EDITOR, ("hx", "helix")),
)  # fmt: skip
AGENTS = (
    Role(
        "claude", "coding agent", Cause.AGENT, ("claude",), ("@anthropic-ai/claude-code",),
         ("/share/claude/versions/",)
    ),
    Role("codex", "coding agent", Cause.AGENT, ("codex",), ("@openai/codex",)),
    Role("gemini", "coding agent", Cause.AGENT, ("gemini",), ("@google/gemini-cli",)),
    Role("qwen", "coding agent", Cause.AGENT, ("qwen",), ("@qwen-code/qwen-code",)),
    Role("copilot", "coding agent", Cause.AGENT, ("copilot",), ("@github/copilot",)),
    Role("cursor-agent", "coding agent", Cause.AGENT, ("cursor-agent",), places=("/share/cursor-agent/versions/",)),
    Role("aider", "coding agent", Cause.AGENT, ("aider",)),
    Role("opencode", "coding agent", Cause.AGENT, ("opencode",), ("opencode-ai",)),
    Role("goose", "coding agent", Cause.AGENT, ("goose",), when=_goose_agent),
    Role("goose", "coding agent", Cause.AGENT, ("goosed",)),
    Role("amp", "coding agent", Cause.AGENT, (), ("@sourcegraph/amp",)),
    Role("crush", "coding agent", Cause.AGENT, ("crush",), ("@charmland/crush",)),
    Role("openhands", "coding agent", Cause.AGENT, ("openhands",)),
    Role("q", "coding agent", Cause.AGENT, ("qchat", "kiro-cli")),
)  # fmt: skip
RUNNERS_OF_CI = (
    Role("GitHub Actions", "CI runner", Cause.CI, ("Runner.Worker", "Runner.Listener", "act")),
    Role("GitLab", "CI runner", Cause.CI, ("gitlab-runner",)),
    Role("Forgejo", "CI runner", Cause.CI, ("forgejo-runner", "act_runner")),
    Role("Buildkite", "CI runner", Cause.CI, ("buildkite-agent",)),
    Role("Jenkins", "CI runner", Cause.CI, ("agent.jar", "remoting.jar", "jenkins.war")),
    Role("Woodpecker", "CI runner", Cause.CI, ("woodpecker-agent",)),
    Role("TeamCity", "CI runner", Cause.CI, ("jetbrains.buildServer.agent.AgentMain",)),
)  # fmt: skip
DESKTOPS = (
    Role("GNOME", "desktop", Cause.DESKTOP, ("gnome-shell", "gnome-session-binary", "gnome-session-service")),
    Role("KDE Plasma", "desktop", Cause.DESKTOP, ("plasmashell", "krunner", "kwin_wayland", "startplasma-wayland",
                                                  "startplasma-x11", "plasma_session")),
    *(Role(name, "desktop", Cause.DESKTOP, (name, *others)) for name, *others in (
        ("sway",), ("i3",), ("Hyprland", "hyprland"), ("niri",), ("river",),
        ("xfce4-panel", "xfce4-session", "xfdesktop"),
        ("cinnamon", "cinnamon-session"), ("mate-panel", "mate-session"), ("lxqt-panel", "lxqt-session"), ("dwm",),
        ("awesome",), ("bspwm", "sxhkd"), ("openbox",), ("cosmic-session", "cosmic-launcher"), ("rofi",), ("dmenu",),
    )),
)  # fmt: skip

ROLES = (
    *AGENTS, *EDITORS, *KEEPERS, *MASTERS, *RUNNERS, *SHELLS, *SESSIONS, *SCHEDULERS, *CONTAINERS, *RUNNERS_OF_CI,
    *DESKTOPS,
)  # fmt: skip
"""Every program that is recognised."""

_BY_PROGRAM: dict[str, list[Role]] = {}
_BY_PLACE: list[tuple[str, Role]] = []
for _role in ROLES:
    for _name in _role.programs:
        _BY_PROGRAM.setdefault(_name, []).append(_role)
    _BY_PLACE += [(_place, _role) for _place in _role.places]
    _BY_PLACE += [(f"/node_modules/{_package}/", _role) for _package in _role.packages]

VARIABLES = frozenset(role.variable for role in ROLES if role.variable is not None)
"""Environment variables by which children of these programs know which of its things they are."""


def recognise(process: Process) -> Recognition | None:
    """What a process is known as; None for everything else, which includes kernel threads."""
    if not process.cmdline and process.exe is None and process.ppid in (0, 2):
        return None  # a kernel thread, whose name proves nothing
    command = read(process)
    for role in _candidates(command):
        shown = _shown(role, command)
        if shown is not None and (role.when is None or role.when(command)):
            return Recognition(role, shown, command.confidence, command.evidence)
    return None


def _candidates(command: Command) -> list[Role]:
    """By the program's name, without its version if need be (`php-fpm8.2`), then by where it lies."""
    name = command.program
    found = _BY_PROGRAM.get(name) or _BY_PROGRAM.get(name.rstrip("0123456789.-")) or []
    path = command.path
    return found if path is None else [*found, *(role for place, role in _BY_PLACE if place in path)]


def _shown(role: Role, command: Command) -> str | None:
    """The role's name with the words that belong to it; None where its subcommand is none that starts others."""
    if not role.shows:
        return role.name
    words = list(plain_words(command.words, role.valued))
    if role.subcommands and (not words or words[0] not in role.subcommands):
        return None
    named = [word for word in map(presentable, words[: role.shows]) if word is not None]
    return " ".join((role.name, *named))
