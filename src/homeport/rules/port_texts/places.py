"""Where files with port numbers are: in a project, and for a server program."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

PROJECT_FILES: tuple[str, ...] = (
    "package.json", ".env", ".env.local", ".env.development", ".env.development.local", ".env.production", ".flaskenv",
    "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", "docker-compose.override.yml",
    "Procfile", "Procfile.dev", "pyproject.toml", "vite.config.*", "next.config.*", "nuxt.config.*", "astro.config.*",
    "svelte.config.*", "webpack.config.*", "angular.json", "vue.config.js", "rspack.config.*", "gunicorn.conf.py",
    "config/puma.rb", "config.ru", "src/main/resources/application.properties", "src/main/resources/application.yml",
    "src/main/resources/application.yaml", "Properties/launchSettings.json", "appsettings.json", "Makefile", "justfile",
    "Taskfile.yml", "Caddyfile", "nginx.conf", "ecosystem.config.*", "wrangler.toml", "deno.json", "Dockerfile",
    ".vscode/launch.json", ".devcontainer/devcontainer.json", "settings.py", "config.py", "server.js", "server.ts",
    "index.js", "app.js", "main.py", "app.py", "server.py", "main.go", "src/main.rs", "src/index.ts", "src/server.ts",
)  # fmt: skip
"""Names below a project's root that commonly hold a port, the likeliest first; the last part may be a glob."""

_Finder = Callable[[Sequence[str], str], tuple[str, ...]]


def configuration(program: str, words: Sequence[str], cwd: str | None) -> tuple[str, ...]:
    """Paths (with a glob at most in the last part) of its configuration: what its words name, or the standard."""
    finder = _PROGRAMS.get(program) or _PROGRAMS.get(program.rstrip("0123456789.-"))  # php-fpm8.2
    if finder is None:
        return ()
    paths = finder(words, cwd or "/")
    return tuple(posixpath.normpath(posixpath.join(cwd or "/", path)) for path in paths)


def kind_name(program: str) -> str | None:
    """The kind that a server's own configuration files are of, whatever they are called; None: as they are called."""
    return _KINDS.get(program)


def option(words: Sequence[str], *names: str) -> str | None:
    """The value of the last of the options: `-c FILE`, `--config FILE`, `--config=FILE`, `-cFILE`."""
    found = None
    for index, word in enumerate(words):
        for name in names:
            if word == name and index + 1 < len(words):
                found = words[index + 1]
            elif word.startswith(f"{name}="):
                found = word[len(name) + 1 :]
            elif len(name) == 2 and word.startswith(name) and len(word) > 2 and not word.startswith("--"):
                found = word[2:].removeprefix("=")
    return found


def _option_or(names: tuple[str, ...], *standard: str) -> _Finder:
    def find(words: Sequence[str], _: str) -> tuple[str, ...]:
        named = option(words, *names)
        return standard if named is None else (named,)

    return find


def _nginx(words: Sequence[str], _: str) -> tuple[str, ...]:
    prefix = option(words, "-p") or "/etc/nginx"
    named = option(words, "-c")
    return (
        ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf")
        if named is None
        else (posixpath.join(prefix, named),)
    )


def _postgres(words: Sequence[str], _: str) -> tuple[str, ...]:
    folder = option(words, "-D", "--data-directory")
    named = next(
        (
            word.partition("=")[2]
            for word in words
            if word.removeprefix("--").startswith(("config_file=", "config-file="))
        ),
        None,
    )
    found = [named] if named else []
    if folder is not None:
        found += [f"{folder}/{name}" for name in ("postgresql.auto.conf", "postgresql.conf", "postmaster.opts")]
    return tuple(found)


def _first_file(*standard: str) -> _Finder:
    def find(words: Sequence[str], _: str) -> tuple[str, ...]:
        named = next(
            (word for word in words if not word.startswith("-") and (word.endswith(".conf") or word.startswith("/"))),
            None,
        )
        return standard if named is None else (named,)

    return find


def _apache(words: Sequence[str], _: str) -> tuple[str, ...]:
    named = option(words, "-f")
    root = option(words, "-d")
    if named is not None:
        return (posixpath.join(root or "/etc/apache2", named),)
    return (
        (f"{root}/apache2.conf",)
        if root
        else ("/etc/apache2/apache2.conf", "/etc/apache2/ports.conf", "/etc/httpd/conf/httpd.conf")
    )


def _tomcat(words: Sequence[str], _: str) -> tuple[str, ...]:
    base = next((word.partition("=")[2] for word in words if word.startswith("-Dcatalina.base=")), None)
    return () if base is None else (f"{base}/conf/server.xml",)


def _php_fpm(words: Sequence[str], _: str) -> tuple[str, ...]:
    named = option(words, "-y", "--fpm-config") or next((word[1:-1] for word in words if word[:2] == "(/"), None)
    path = named or "/etc/php-fpm.conf"
    return (path, posixpath.join(posixpath.dirname(path), "pool.d" if named else "php-fpm.d", "*.conf"))


_MYSQL = _option_or(("--defaults-file",), "/etc/mysql/my.cnf", "/etc/my.cnf", "/etc/mysql/mariadb.cnf")
_REDIS = _first_file("/etc/redis/redis.conf", "/etc/redis.conf", "/etc/valkey/valkey.conf")

_PROGRAMS: dict[str, _Finder] = {
    "nginx": _nginx,
    "postgres": _postgres,
    "redis-server": _REDIS,
    "redis-check-rdb": _REDIS,  # Debian's redis-server is a link to it
    "valkey-server": _REDIS,
    "mysqld": _MYSQL,
    "mariadbd": _MYSQL,
    "apache2": _apache,
    "httpd": _apache,
    "sshd": _option_or(("-f",), "/etc/ssh/sshd_config"),
    "caddy": _option_or(("--config", "-c"), "Caddyfile", "/etc/caddy/Caddyfile"),
    "haproxy": _option_or(("-f",), "/etc/haproxy/haproxy.cfg"),
    "mosquitto": _option_or(("-c", "--config-file"), "/etc/mosquitto/mosquitto.conf", "/etc/mosquitto/conf.d/*.conf"),
    "mongod": _option_or(("-f", "--config"), "/etc/mongod.conf"),
    "php-fpm": _php_fpm,
    "supervisord": _option_or(("-c", "--configuration"), "/etc/supervisor/supervisord.conf", "/etc/supervisord.conf"),
    "gunicorn": _option_or(("-c", "--config"), "gunicorn.conf.py"),
    "uwsgi": _option_or(("--ini", "--yaml", "--json"), "uwsgi.ini"),
    "dnsmasq": _option_or(("-C", "--conf-file"), "/etc/dnsmasq.conf", "/etc/dnsmasq.d/*"),
    "unbound": _option_or(("-c",), "/etc/unbound/unbound.conf", "/etc/unbound/unbound.conf.d/*.conf"),
    "named": _option_or(("-c",), "/etc/bind/named.conf.options"),
    "cupsd": _option_or(("-c",), "/etc/cups/cupsd.conf"),
    "grafana": _option_or(("--config",), "/etc/grafana/grafana.ini"),
    "grafana-server": _option_or(("--config",), "/etc/grafana/grafana.ini"),
    "beam.smp": _option_or(("-conf",), "/etc/rabbitmq/rabbitmq.conf"),
    "influxd": _option_or(("-config", "--config"), "/etc/influxdb/influxdb.conf"),
    "vsftpd": _first_file("/etc/vsftpd.conf"),
    "Bootstrap": _tomcat,
    "org.apache.catalina.startup.Bootstrap": _tomcat,
}
"""By the name of the program that runs; another one is a line here."""

_KINDS = {
    "nginx": "nginx",
    "postgres": "postgresql",
    **dict.fromkeys(("redis-server", "redis-check-rdb", "valkey-server"), "redis"),
    **dict.fromkeys(("mysqld", "mariadbd"), "mysql"),
    **dict.fromkeys(("apache2", "httpd"), "apache"),
    "sshd": "sshd",
}
