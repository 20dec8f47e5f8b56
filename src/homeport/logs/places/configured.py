"""Logs that the configuration of a server names. To add a server: a function, a `Place`, and its line in `PLACES`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from datetime import datetime

from homeport.logs.places.kind import Candidate, Config, Facts, OfFile, Place, of_file
from homeport.logs.places.texts import EQUALS, directives
from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind
from homeport.rules.shell import word


def _of(facts: Facts, *programs: str) -> Iterator[Config]:
    return (one for one in facts.configs if one.program in programs)


def _syslog(facts: Facts, label: str, evidence: Evidence, tag: str) -> Candidate:
    """A place that is the system's log: the file that a syslog daemon keeps, where there is one."""
    if facts.syslog is None:
        reason = f"{label} goes to syslog, and no file of a syslog daemon is here"
        asked = f"journalctl -t {word(tag)}"
        return Candidate(LogKind.SYSLOG, label, asked, None, (evidence,), reason, asked)
    return Candidate(LogKind.SYSLOG, f"{tag} in syslog", facts.syslog, OfFile(facts.syslog, only=tag), (evidence,))


def nginx(facts: Facts) -> Iterator[Candidate]:
    """access_log and error_log, from the prefix that `-p` or the standard gives; with `-e` the first error log."""
    for config in _of(facts, "nginx"):
        prefix = _option(config, "-p") or ("/usr/share/nginx" if config.path.startswith("/etc/nginx") else None)
        for name, value, line in directives(config.text, "access_log|error_log"):
            if value in ("off", "stderr") or value.startswith(("memory:", "|")):
                continue
            if value.startswith("syslog:"):
                tag = re.search(r"tag=(\w+)", value)
                yield _syslog(facts, name, Evidence(config.path, line), tag[1] if tag else "nginx")
                continue
            path = value if value.startswith("/") or prefix is None else posixpath.join(prefix, value)
            if "$" in path:
                reason = f"the name of {path} is made for each request: there is no one file"
                remedy = f"ls -t {word(posixpath.dirname(path.partition('$')[0] + '_'))}"
                yield Candidate(LogKind.FILE, name, path, None, (Evidence(config.path, line),), reason, remedy)
                continue
            yield from _file(path, config, line)


def apache(facts: Facts) -> Iterator[Candidate]:
    """ErrorLog, CustomLog and TransferLog, from ServerRoot; ${NAME} as of Define and the environment."""
    configs = list(_of(facts, "apache2", "httpd"))
    variables: dict[str, str] = {}
    root = "/etc/apache2"
    for config in configs:
        variables |= config.member.environment or {}
        for name, value, line in directives(config.text, "(?i:ServerRoot|Define)"):
            if name.lower() == "serverroot":
                root = value
            elif len(words := line.split()) > 2:
                variables[words[1]] = words[2].strip("\"'")
    for config in configs:
        for name, value, line in directives(config.text, "(?i:ErrorLog|CustomLog|TransferLog)"):
            path = re.sub(r"\$\{(\w+)\}", lambda found: variables.get(found[1], found[0]), value)
            if path == "syslog" or path.startswith("syslog:"):
                yield _syslog(facts, name, Evidence(config.path, line), config.program)
            elif path.startswith("|"):
                reason = f"{name} is piped to {path.lstrip('|$')}"
                yield Candidate(LogKind.PIPE, name, None, None, (Evidence(config.path, line),), reason)
            elif "${" not in path:
                yield from _file(posixpath.join(root, path), config, line)


def postgresql(facts: Facts) -> Iterator[Candidate]:
    """logging_collector, log_destination, log_directory and log_filename; later files win over earlier ones."""
    configs = sorted(_of(facts, "postgres"), key=lambda one: one.path.endswith("postgresql.auto.conf"))
    if not configs:
        return
    names = "logging_collector|log_destination|log_directory|log_filename|data_directory|syslog_ident"
    settings: dict[str, tuple[str, Config, str]] = {}
    for config in configs:
        for name, value, line in directives(config.text, names, r"\s{0,9}=?\s{0,9}"):
            settings[name] = (value, config, line)
    config = configs[0]
    for name, value in _given(config.member.words):
        settings[name] = (value, config, f"{name}={value} on the command line")
    destination, where, line = settings.get("log_destination", ("stderr", config, "log_destination by default"))
    if "syslog" in destination:
        ident = settings.get("syslog_ident", ("postgres", config, ""))[0]
        yield _syslog(facts, "log_destination", Evidence(where.path, line), ident)
    if settings.get("logging_collector", ("off",))[0].lower() not in ("on", "true", "yes", "1"):
        return
    data = _option(config, "-D") or settings.get("data_directory", (posixpath.dirname(config.path),))[0]
    folder, where, line = settings.get("log_directory", ("log", config, "log_directory by default"))
    name = settings.get("log_filename", ("postgresql-%Y-%m-%d_%H%M%S.log",))[0]
    if "%H" not in name and "%M" not in name and "%S" not in name:  # else the open file alone tells which it is
        path = posixpath.join(data, folder, datetime.now().astimezone().strftime(name))
        yield from _file(path, where, line)


def redis(facts: Facts) -> Iterator[Candidate]:
    """logfile; the empty one is standard output. syslog-enabled."""
    for config in _of(facts, "redis-server", "valkey-server", "redis-check-rdb"):
        title = re.search(r":(\d{1,5})\b", config.member.words[0]) if config.member.words else None
        ports = {value for _, value, _ in directives(config.text, "(?i:port|tls-port)")} or {"6379"}
        if title is not None and title[1] not in ports:  # it was not given by name, and is of another server
            continue
        for name, value, line in directives(config.text, "(?i:logfile|syslog-enabled)"):
            if name.lower() == "logfile" and value:
                yield from _file(value, config, line)
            elif name.lower() == "syslog-enabled" and value == "yes":
                yield _syslog(facts, "syslog-enabled", Evidence(config.path, line), "redis")


def mysql(facts: Facts) -> Iterator[Candidate]:
    """log_error, general_log_file and slow_query_log_file, from the data folder."""
    for config in _of(facts, "mysqld", "mariadbd"):
        data = _long(config, "datadir") or next((v for _, v, _ in directives(config.text, "datadir", EQUALS)), None)
        names = "log[_-]error|general[_-]log[_-]file|slow[_-]query[_-]log[_-]file"
        for _, value, line in directives(config.text, names, EQUALS):
            if value != "stderr":
                yield from _file(posixpath.join(data or "/var/lib/mysql", value), config, line)


def php_fpm(facts: Facts) -> Iterator[Candidate]:
    """error_log, access.log and slowlog, with `$pool`."""
    for config in facts.configs:
        if not config.program.startswith("php-fpm"):
            continue
        pool = re.search(r"(?m)^\[(?!global\])([\w.-]+)\]", config.text)
        for name, value, line in directives(config.text, r"error_log|access\.log|slowlog", EQUALS):
            path = value.replace("$pool", pool[1] if pool else "www")
            if path == "syslog":
                yield _syslog(facts, name, Evidence(config.path, line), "php-fpm")
            elif "$" not in path:
                yield from _file(path if path.startswith("/") else posixpath.join("/var", path), config, line)


def haproxy(facts: Facts) -> Iterator[Candidate]:
    """`log /dev/log local0` and `log 127.0.0.1:514 …`: HAProxy knows syslog alone."""
    for config in _of(facts, "haproxy"):
        for _, value, line in directives(config.text, "log"):
            if value in ("global", "stdout", "stderr") or value.startswith(("fd@", "ring@")):
                continue
            yield _syslog(facts, "log", Evidence(config.path, line), "haproxy")
            return


def _file(path: str, config: Config, line: str) -> Iterator[Candidate]:
    one = of_file(path, config.member, Evidence(config.path, line))
    if one is not None:
        yield one


def _option(config: Config, name: str) -> str | None:
    words = config.member.words
    return next((words[at + 1] for at, word in enumerate(words[:-1]) if word == name), None)


def _long(config: Config, name: str) -> str | None:
    return next((word.partition("=")[2] for word in config.member.words if word.startswith(f"--{name}=")), None)


def _given(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """`-c name=value` and `--name=value` of postgres(1)."""
    for one in words:
        name, equals, value = one.removeprefix("--").partition("=")
        if equals and name.replace("-", "_").startswith("log"):
            yield name.replace("-", "_"), value


_FINDERS: tuple[tuple[str, Callable[[Facts], Iterator[Candidate]]], ...] = (
    ("nginx", nginx),
    ("Apache", apache),
    ("PostgreSQL", postgresql),
    ("Redis", redis),
    ("MariaDB and MySQL", mysql),
    ("php-fpm", php_fpm),
    ("HAProxy", haproxy),
)
PLACES = tuple(Place(name, find) for name, find in _FINDERS)
