"""Programs as they look in /proc, and programs that only look like them."""

from __future__ import annotations

import pytest

from homeport.model.evidence import Confidence
from homeport.model.lineage import Cause
from homeport.model.owners import Process
from homeport.rules.roles import ROLES, recognise

NODE, PYTHON, RUBY, JAVA = "/usr/bin/node", "/usr/bin/python3.11", "/usr/bin/ruby3.1", "/usr/lib/jvm/17/bin/java"


def process(exe: str | None, *cmdline: str, name: str = "x", ppid: int = 10) -> Process:
    return Process(
        pid=11, start_ticks=1, start_time=None, name=name, cmdline=cmdline, exe=exe, exe_deleted=False, cwd=None, uid=0,
        user="root", ppid=ppid, session=11, terminal=None, state="S", cgroup=None,
    )  # fmt: skip


RECOGNISED = [
    ((NODE, "npm run dev"), "npm run dev", Cause.SUPERVISOR),
    ((NODE, "node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "run", "dev"), "npm run dev", Cause.SUPERVISOR),
    ((NODE, "node", "/usr/bin/npm", "--prefix", "web", "run", "dev", "--", "--token", "x"), "npm run dev",
     Cause.SUPERVISOR),
    ((NODE, "npm start"), "npm start", Cause.SUPERVISOR),
    ((NODE, "node", "/usr/bin/npx", "-p", "typescript", "vite"), "npx vite", Cause.SUPERVISOR),
    ((NODE, "node", "/usr/lib/node_modules/pnpm/bin/pnpm.cjs", "--filter", "web", "dev"), "pnpm dev", Cause.SUPERVISOR),
    ((NODE, "node", "/home/a/p/.yarn/releases/yarn-4.1.0.cjs", "dev"), "yarn dev", Cause.SUPERVISOR),
    ((NODE, "node", "/usr/bin/yarn", "dev"), "yarn dev", Cause.SUPERVISOR),
    (("/home/a/.bun/bin/bun", "bun", "run", "dev"), "bun run dev", Cause.SUPERVISOR),
    (("/root/.local/bin/uv", "uv", "run", "--with", "flask", "app.py"), "uv run app.py", Cause.SUPERVISOR),
    ((PYTHON, "python", "/usr/bin/poetry", "run", "serve"), "poetry run serve", Cause.SUPERVISOR),
    ((PYTHON, "python", "-m", "pipenv", "run", "serve"), "pipenv run serve", Cause.SUPERVISOR),
    (("/root/.rustup/toolchains/stable/bin/cargo", "cargo", "run"), "cargo run", Cause.SUPERVISOR),
    (("/usr/local/go/bin/go", "go", "run", "./cmd/server"), "go run server", Cause.SUPERVISOR),
    (("/usr/bin/make", "make", "-C", "web", "serve", "TOKEN=secret"), "make serve", Cause.SUPERVISOR),
    ((NODE, "node", "/p/node_modules/.bin/nodemon", "app.js"), "nodemon", Cause.SUPERVISOR),
    ((NODE, "node", "/p/node_modules/nodemon/bin/nodemon.js", "app.js"), "nodemon", Cause.SUPERVISOR),
    ((NODE, "node", "/p/node_modules/concurrently/dist/bin/concurrently.js", "a"), "concurrently", Cause.SUPERVISOR),
    ((RUBY, "foreman: master"), "foreman", Cause.SUPERVISOR),
    ((RUBY, "puma 6.0.0 (tcp://0.0.0.0:3000) [shop]"), "puma", Cause.SUPERVISOR),
    ((NODE, "PM2 v5.3.0: God Daemon (/root/.pm2)"), "pm2", Cause.SUPERVISOR),
    ((PYTHON, "/usr/bin/python3", "/usr/bin/supervisord", "-n"), "supervisord", Cause.SUPERVISOR),
    ((PYTHON, "python3", "-m", "gunicorn", "app:app"), "gunicorn", Cause.SUPERVISOR),
    ((PYTHON, "/venv/bin/python", "-X", "dev", "/venv/bin/gunicorn", "app:app"), "gunicorn", Cause.SUPERVISOR),
    ((PYTHON, "gunicorn: master [app:app]"), "gunicorn", Cause.SUPERVISOR),
    (("/usr/sbin/php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"), "php-fpm", Cause.SUPERVISOR),
    (("/usr/sbin/nginx", "nginx: master process /usr/sbin/nginx"), "nginx", Cause.SUPERVISOR),
    (("/usr/sbin/sshd", "sshd: ada@pts/3"), "sshd", Cause.SSH),
    (("/usr/sbin/sshd", "sshd: ada@pts/3,pts/4"), "sshd", Cause.SSH),
    (("/usr/lib/openssh/sshd-session", "sshd-session: ada [priv]"), "sshd", Cause.SSH),
    (("/usr/sbin/sshd", "sshd: /usr/sbin/sshd -D -o AllowUsers=a@b [listener] 0 of 10-100 startups"), "sshd", None),
    (("/usr/sbin/sshd", "/usr/sbin/sshd", "-D"), "sshd", None),
    (("/usr/bin/tmux", "tmux", "new", "-s", "work"), "tmux", Cause.MULTIPLEXER),
    (("/usr/bin/screen", "SCREEN", "-S", "work"), "screen", Cause.MULTIPLEXER),
    (("/usr/sbin/cron", "/usr/sbin/CRON", "-f"), "cron", Cause.CRON),
    (("/usr/bin/conmon", "conmon", "-c", "a1"), "conmon", Cause.CONTAINER),
    (("/usr/bin/containerd-shim-runc-v2", "x", "-namespace", "moby"), "containerd", Cause.CONTAINER),
    (("/usr/share/code/code", "/usr/share/code/code", "--type=utility"), "VS Code", Cause.EDITOR),
    (("/root/.vscode-server/cli/servers/Stable-1/server/node", "node", "/root/.vscode-server/out/server-main.js"),
     "VS Code", Cause.EDITOR),
    ((JAVA, "java", "-classpath", "/opt/idea/lib/a.jar", "-Xmx2g", "com.intellij.idea.Main"), "JetBrains IDE",
     Cause.EDITOR),
    (("/usr/bin/vim.basic", "vim", "npm.txt"), "vim", Cause.EDITOR),
    ((NODE, "claude"), "claude", Cause.AGENT),
    ((NODE, "node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"), "claude", Cause.AGENT),
    (("/root/.local/share/claude/versions/2.0.1", "claude", "--resume"), "claude", Cause.AGENT),
    (("/usr/bin/codex", "codex"), "codex", Cause.AGENT),
    ((NODE, "node", "/usr/lib/node_modules/@google/gemini-cli/dist/index.js"), "gemini", Cause.AGENT),
    ((PYTHON, "python", "/venv/bin/aider"), "aider", Cause.AGENT),
    (("/usr/local/bin/goose", "goose", "session"), "goose", Cause.AGENT),
    (("/actions-runner/bin/Runner.Worker", "Runner.Worker", "spawnclient"), "GitHub Actions", Cause.CI),
    (("/usr/bin/gnome-shell", "/usr/bin/gnome-shell"), "GNOME", Cause.DESKTOP),
    (("/usr/bin/bash", "-bash"), "shell", None),
    (("/usr/lib/systemd/systemd", "/lib/systemd/systemd", "--user"), "systemd --user", None),
]  # fmt: skip


@pytest.mark.parametrize(("words", "label", "cause"), RECOGNISED)
def test_a_program_is_recognised(words: tuple[str, ...], label: str, cause: Cause | None) -> None:
    exe, *cmdline = words
    found = recognise(process(exe, *cmdline))
    assert found is not None
    assert (found.label, found.role.cause) == (label, cause)
    assert found.evidence.source.startswith("/proc/11/")


@pytest.mark.parametrize(
    "words",
    [
        (PYTHON, "python3", "-m", "http.server", "gunicorn"),
        (PYTHON, "python3", "-c", "import os", "supervisord"),
        (PYTHON, "python3", "code.py"),
        (PYTHON, "python3", "server.py", "/usr/bin/supervisord"),
        (NODE, "node", "-e", "npm"),
        (NODE, "node", "server.js", "npm", "run", "dev"),
        (NODE, "node", "/home/a/claude/server.js"),
        (NODE, "node", "/home/a/cursor-agent/server.js"),
        ("/usr/bin/tail", "tail", "-f", "/var/log/nginx/access.log"),
        ("/usr/local/bin/goose", "goose", "up"),
        ("/root/.local/bin/uv", "uv", "pip", "install", "x"),
        ("/usr/bin/cargo", "cargo", "build"),
        ("/home/a/npm.txt", "/home/a/npm.txt"),
        (JAVA, "java", "-cp", "com.intellij.idea.Main", "org.example.Main"),
    ],
)
def test_what_only_mentions_a_program_is_not_taken_for_it(words: tuple[str, ...]) -> None:
    exe, *cmdline = words
    assert recognise(process(exe, *cmdline)) is None


def test_confidence_is_that_of_the_source() -> None:
    by_kernel = recognise(process("/usr/bin/tmux", "tmux"))
    by_arguments = recognise(process(None, "tmux", "new"))
    by_title = recognise(process(None, "sshd: ada@pts/0"))
    by_name = recognise(process(None, name="tmux: server"))
    assert by_kernel is not None and by_kernel.confidence is Confidence.CERTAIN
    assert by_arguments is not None and by_arguments.confidence is Confidence.LIKELY
    assert by_title is not None and by_title.confidence is Confidence.LIKELY
    assert by_name is not None and by_name.confidence is Confidence.POSSIBLE


def test_a_kernel_thread_is_nothing_whatever_it_is_called() -> None:
    assert recognise(process(None, name="nginx", ppid=2)) is None


@pytest.mark.parametrize("word", ["https://ada:hunter2@example.org", "TOKEN=hunter2", "x" * 41, "two words", ""])
def test_a_label_holds_no_word_that_could_be_a_secret(word: str) -> None:
    found = recognise(process("/usr/bin/make", "make", word))
    assert found is not None
    assert found.label in ("make", "make example.org")
    assert "hunter2" not in found.label


def test_every_entry_can_be_reached() -> None:
    assert all(role.programs or role.packages or role.places for role in ROLES)
    assert all(role.name and role.role for role in ROLES)
