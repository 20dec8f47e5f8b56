"""Why a listener has the port it has: what to read, and what to conclude from it.

`wanted` says which files could hold the number; `judge` weighs what was found. The answer names the place where a
person would change the port: a line that leads to an argument beats the argument. A number without a word about ports
around it never convinces. `_Weight` is the order of conviction; to add a kind of clue, add a function to `_CLUES`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import NamedTuple

from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Owner, Process, Project, Unit
from homeport.model.provenance import Origin, Provenance
from homeport.model.publishing import Published
from homeport.rules import commands, port_texts
from homeport.rules.masking import mask, mask_environment
from homeport.rules.naming import label
from homeport.rules.port_texts import Mention, Strength

MAX_ARGUMENT_FILES = 12
MAX_PARENTS = 5
"""How many ancestors may have said the port."""
MAX_EVIDENCE = 8


class Part(StrEnum):
    """What a file is to the process."""

    CONFIGURATION = "configuration"
    """Of its program: named on the command line, or in its standard place."""
    STARTED = "started"
    """Named on its command line: a script, an environment file."""
    DRIVER = "driver"
    """What started it was started with: package.json, a shell script, a Makefile, a unit."""
    PROJECT = "project"
    OPEN = "open"
    """It has the file open."""


class Place(NamedTuple):
    """A file to read: an absolute path whose last part may be a glob pattern; `within`: links may not lead out.

    `kind` names the one of `port_texts.KINDS` that it is, whatever it is called.
    """

    path: str
    part: Part
    within: str | None
    kind: str | None = None


class Text(NamedTuple):
    """A file that was read."""

    path: str
    part: Part
    text: str
    kind: str | None = None


class Facts(NamedTuple):
    """All that is known about one listener and its maker.

    `chain` are the parents of `process`, nearest first. `environment` is that of its start (proc(5)); None: closed.
    `heirs` are other processes that hold the socket. `searched` is what was read, and what could not be.
    `contained`: it runs in a container.
    """

    port: int
    process: Process
    chain: tuple[Process, ...]
    heirs: tuple[Owner, ...]
    environment: Mapping[str, str] | None
    texts: tuple[Text, ...]
    ephemeral: tuple[int, int] | None
    published: Published | None
    searched: tuple[str, ...]
    contained: bool = False


class _Weight(IntEnum):
    """What convinces more; a clue of a higher weight is the answer, the others are its evidence."""

    RUBBISH = 1
    BARE_MENTION = 10
    OTHER_VARIABLE = 15
    TITLE = 20
    EPHEMERAL = 30
    KEYED_MENTION = 35
    DEFAULT = 40
    DRIVER_MENTION = 50
    PROJECT_MENTION = 55
    ZERO = 58
    BARE_ARGUMENT = 60
    SCRIPT_MENTION = 65
    VARIABLE = 70
    PARENT_ARGUMENT = 75
    VARIABLE_IN_FILE = 78
    CONFIGURATION = 80
    ARGUMENT = 85
    ZERO_ARGUMENT = 88
    DRIVEN_ARGUMENT = 90
    PUBLISHED = 95
    INHERITED = 100


class _Clue(NamedTuple):
    weight: _Weight
    origin: Origin
    statement: str
    confidence: Confidence
    evidence: Evidence
    file: str | None = None
    line: int | None = None


_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox"))
_CLIENTS = frozenset(
    """ab curl fuser grep hey homeport http https k6 kill less lsof mariadb mongo mongosh mysql nano nc ncat netcat
    netstat nmap nvim openssl pg_isready psql redis-cli rg scp sftp sleep socat ss ssh sshpass strace tail tcpdump
    telnet timeout valkey-cli vi vim wait-for-it.sh wait-on watch wget wrk xdg-open""".split()  # noqa: SIM905
)
"""Programs that name a port because they ask for it, or that take other numbers."""
_DRIVERS = {
    **dict.fromkeys(("npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx", "npm-cli.js", "node"), ("package.json",)),
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
    **dict.fromkeys(("foreman", "overmind", "honcho", "hivemind", "goreman"), ("Procfile", "Procfile.dev", ".env")),
    **dict.fromkeys(("pm2", "PM2"), ("ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.json")),
}
_SYSTEM_UNITS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
)
_USER_UNITS = ("/etc/systemd/user", "/usr/lib/systemd/user")
_CODE = frozenset(("-c", "-e", "--eval"))
"""Options of interpreters whose value is a program text."""
_PORT_NAME = re.compile(r"(port|listen|bind|addr|address|host|url|http|endpoint|origin|server)", re.IGNORECASE)
_SHORT = frozenset(("-p", "-P", "-l", "-b", "-S", "-a", "-H", "-h"))
_DEFAULTS = {
    "http.server": 8000, "flask": 5000, "manage.py": 8000, "django-admin": 8000, "uvicorn": 8000, "gunicorn": 8000,
    "hypercorn": 8000, "jupyter-lab": 8888, "jupyter-notebook": 8888, "streamlit": 8501, "mkdocs": 8000,
    "vite": 5173, "vite.js": 5173, "next": 3000, "nuxt": 3000, "astro": 4321, "ng": 4200, "react-scripts": 3000,
    "webpack-dev-server": 8080, "http-server": 8080, "rails": 3000, "puma": 9292, "hugo": 1313, "jekyll": 4000,
    "nginx": 80, "apache2": 80, "httpd": 80, "caddy": 2019, "postgres": 5432, "mysqld": 3306, "mariadbd": 3306,
    "redis-server": 6379, "valkey-server": 6379, "memcached": 11211, "mongod": 27017, "sshd": 22, "cupsd": 631,
    "ollama": 11434, "prometheus": 9090, "grafana": 3000, "etcd": 2379, "nats-server": 4222, "mosquitto": 1883,
    "minio": 9000, "consul": 8500, "vault": 8200, "chronyd": 323, "dnsmasq": 53, "named": 53, "beam.smp": 5672,
}  # fmt: skip
"""The port that a program takes when nobody says one."""


def wanted(process: Process, chain: Sequence[Process], project: Project | None, unit: Unit | None) -> list[Place]:
    """What to read, the likeliest first; the reader's own bounds cut the list."""
    places = [
        *_drivers(process, chain, project),
        *([] if unit is None else _units(unit, process)),
        *_started(process, project),
        *_configuration(process),
    ]
    if project is not None:
        folders = [project.root]
        if process.cwd and process.cwd != project.root and process.cwd.startswith(project.root.rstrip("/") + "/"):
            folders.insert(0, process.cwd)
        for name in port_texts.PROJECT_FILES:
            places += [Place(posixpath.join(folder, name), Part.PROJECT, project.root) for folder in folders]
    return list(dict.fromkeys(places))


def literal(path: str) -> str:
    """The pattern that means this path alone, whatever its last part is called."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, re.sub(r"([*?[])", r"[\1]", name))


def judge(facts: Facts) -> Provenance:
    """The best supported origin with all of its evidence, strongest first."""
    clues = sorted((clue for find in _CLUES for clue in find(facts)), key=lambda clue: -clue.weight)
    clues = _agreeing(clues)
    if not clues or clues[0].weight <= _Weight.RUBBISH:
        what = "written nowhere that was read" if facts.searched else "nothing about it could be read"
        return Provenance(
            origin=Origin.UNKNOWN, statement=what, confidence=Confidence.CERTAIN, file=None, line=None, evidence=(),
            searched=facts.searched,
        )  # fmt: skip
    best = clues[0]
    evidence = tuple(dict.fromkeys(clue.evidence for clue in clues))[:MAX_EVIDENCE]
    return Provenance(
        origin=best.origin, statement=best.statement, confidence=best.confidence, file=best.file, line=best.line,
        evidence=evidence, searched=facts.searched,
    )  # fmt: skip


def told(process: Process, environment: Mapping[str, str] | None, port: int) -> Evidence | None:
    """What tells a process to use a port, of its own arguments and variables; None where nothing certainly does.

    A program that is only a client of the port is not told to use it.
    """
    if commands.read(process).program in _CLIENTS:
        return None
    facts = Facts(port, process, (), (), environment, (), None, None, ())
    sure = (_Weight.ARGUMENT, _Weight.VARIABLE, _Weight.BARE_ARGUMENT)
    clues = (one for one in (*_arguments(facts), *_variables(facts)) if one.weight in sure)
    found = min(clues, key=lambda one: sure.index(one.weight), default=None)
    return None if found is None else found.evidence


def _agreeing(clues: list[_Clue]) -> list[_Clue]:
    """A file that drives the process, or holds its environment, and an argument or variable that shows its number."""
    weights = {clue.weight for clue in clues}
    raised = []
    for clue in clues:
        if clue.weight in _DRIVEN and weights & {_Weight.ARGUMENT, _Weight.BARE_ARGUMENT}:
            clue = clue._replace(weight=_Weight.DRIVEN_ARGUMENT, confidence=Confidence.CERTAIN)
        elif clue.weight in (_Weight.DRIVER_MENTION, _Weight.PROJECT_MENTION) and _Weight.VARIABLE in weights:
            clue = clue._replace(weight=_Weight.VARIABLE_IN_FILE)
        elif clue.weight is _DRIVEN_ONLY:
            clue = clue._replace(weight=_Weight.BARE_MENTION)
        raised.append(clue)
    return sorted(raised, key=lambda clue: -clue.weight)


_DRIVEN_ONLY = _Weight.RUBBISH
_DRIVEN = (_Weight.DRIVER_MENTION, _DRIVEN_ONLY)
"""A bare number in a driver's file counts only together with the argument that it became."""


# What to read


def _drivers(process: Process, chain: Sequence[Process], project: Project | None) -> Iterator[Place]:
    within = project.root if project is not None else None
    for parent in (process, *chain[:MAX_PARENTS]):
        command = commands.read(parent)
        names = _DRIVERS.get(command.program) or _DRIVERS.get(command.program.split(" ", 1)[0])
        folder = parent.cwd or process.cwd
        if names is not None and folder is not None and (parent is not process or command.program != "node"):
            yield from (Place(posixpath.join(folder, name), Part.DRIVER, within or folder) for name in names)
        elif parent is not process and command.program in _SHELLS and parent.cwd is not None:
            script = next(commands.plain_words(parent.cmdline[1:] if parent.cmdline else (), ("-o", "-O")), None)
            if script is not None and "-c" not in (parent.cmdline or ()):
                yield Place(posixpath.normpath(posixpath.join(parent.cwd, script)), Part.DRIVER, None)


def _units(unit: Unit, process: Process) -> Iterator[Place]:
    stem = unit.name.rsplit(".", 1)[0]
    names: tuple[str, ...] = (unit.name, f"{stem}.socket")
    if "@" in stem:
        template = stem.split("@", 1)[0]
        names += (f"{template}@.service", f"{template}@.socket")
    folders: tuple[str, ...] = _SYSTEM_UNITS
    if unit.scope == "user":
        home = f"/home/{process.user}" if process.user and process.user != "root" else "/root"
        folders = (f"{home}/.config/systemd/user", *_USER_UNITS)
    for folder in folders:
        for name in names:
            yield Place(f"{folder}/{name}", Part.DRIVER, None)
            yield Place(f"{folder}/{name}.d/*.conf", Part.DRIVER, None)


def _started(process: Process, project: Project | None) -> Iterator[Place]:
    """Arguments that look like files; whether they are is the reader's to see."""
    if not process.cmdline:
        return
    found = 0
    for word in process.cmdline[1:]:
        name = word.partition("=")[2] if word.startswith("-") else word
        if not name or "://" in name or len(name) > 1024 or "\0" in name or not ("/" in name or "." in name):
            continue
        if process.cwd is None and not name.startswith("/"):
            continue
        path = posixpath.normpath(posixpath.join(process.cwd or "/", name))
        inside = project is not None and path.startswith(project.root.rstrip("/") + "/")
        yield Place(literal(path), Part.STARTED, project.root if inside and project is not None else None)
        found += 1
        if found >= MAX_ARGUMENT_FILES:
            return


def _configuration(process: Process) -> Iterator[Place]:
    command = commands.read(process)
    words = command.words or tuple((command.title or "").split())
    for path in port_texts.configuration(command.program, words, process.cwd):
        yield Place(path, Part.CONFIGURATION, None, port_texts.kind_name(command.program))


# What was found


def _inherited(facts: Facts) -> Iterator[_Clue]:
    environment = facts.environment or {}
    count = environment.get("LISTEN_FDS", "")
    if count.isascii() and count.isdigit() and environment.get("LISTEN_PID") == str(facts.process.pid):
        text = f"LISTEN_FDS={count} LISTEN_PID={facts.process.pid}"
        yield _Clue(
            _Weight.INHERITED, Origin.INHERITED, f"socket activation handed it over ({text}, sd_listen_fds(3))",
            Confidence.CERTAIN, Evidence(f"/proc/{facts.process.pid}/environ", text),
        )  # fmt: skip
    ours = facts.process
    for heir in facts.heirs:
        theirs = heir.process
        if ours.exe != theirs.exe and label(ours) != label(theirs) and ours.pid != theirs.pid:
            text = f"{label(theirs)} ({theirs.pid}) holds what {label(ours)} ({ours.pid}) held before"
            yield _Clue(
                _Weight.INHERITED, Origin.INHERITED, f"{label(ours)} made the socket and handed it to {label(theirs)}",
                Confidence.LIKELY, Evidence(f"/proc/{theirs.pid}/fd", text),
            )  # fmt: skip
            return


def _published(facts: Facts) -> Iterator[_Clue]:
    if facts.published is not None:
        one = facts.published
        name = "a container" if one.container is None else f"container {one.container.name or one.container.id[:12]}"
        target = "" if one.target_port is None else f", port {one.target_port} inside"
        evidence = one.evidence[0] if one.evidence else Evidence("publishing", one.via)
        statement = f"published to {name}{target} ({one.via})"
        yield _Clue(_Weight.PUBLISHED, Origin.PUBLISHED, statement, Confidence.CERTAIN, evidence)


def _is_title(words: Sequence[str]) -> bool:
    """Whether a process has written a title over its arguments (setproctitle(3))."""
    return len(words) == 1 and " " in words[0].strip()


def _arguments(facts: Facts) -> Iterator[_Clue]:
    for depth, process in enumerate((facts.process, *facts.chain[:MAX_PARENTS])):
        words = process.cmdline or ()
        source = f"/proc/{process.pid}/cmdline"
        if _is_title(words) and depth == 0:
            if _value_is(words[0].split()[-1], facts.port):
                text = mask(words[0], facts.port)
                yield _Clue(
                    _Weight.TITLE, Origin.UNKNOWN, f"its process title says so: {text}", Confidence.POSSIBLE,
                    Evidence(source, text),
                )  # fmt: skip
            continue
        for index, text, strong in _in_words(words, facts.port, commands.read(process).program):
            shown = mask(text, facts.port)
            if depth == 0:
                weight = _Weight.ARGUMENT if strong else _Weight.BARE_ARGUMENT
                statement = f"argument {index} of its command line: {shown}"
                confidence = Confidence.CERTAIN if strong else Confidence.LIKELY
            elif strong:
                weight, confidence = _Weight.PARENT_ARGUMENT, Confidence.LIKELY
                statement = f"argument of {label(process)}, which started it: {shown}"
            else:
                continue
            yield _Clue(weight, Origin.ARGUMENT, statement, confidence, Evidence(source, statement))
            break


def _in_words(words: Sequence[str], port: int, program: str) -> Iterator[tuple[int, str, bool]]:
    """(index, text, whether it certainly speaks of a port) of arguments with the number."""
    for index, word in enumerate(words):
        if index == 0:
            continue
        before = words[index - 1]
        code = port_texts.mentions("argument", word, port, "source") if before in _CODE and " " in word else ()
        if code and code[0].strength is Strength.EXPLICIT and program not in _SHELLS:
            yield index, f"{before} {code[0].text}", True
        elif word.startswith("-") and "=" in word:
            name, _, value = word.partition("=")
            if _value_is(value, port):
                yield index, word, bool(_PORT_NAME.search(name)) or ":" in value
        elif _value_is(word, port):
            named = before.startswith("-") and (bool(_PORT_NAME.search(before)) or before in _SHORT)
            certain = named or ":" in word or program in ("http.server", "manage.py", "runserver")
            yield index, f"{before} {word}" if named else word, certain
        elif len(word) > 2 and word[:2] in _SHORT and _value_is(word[2:], port):
            yield index, word, True
        elif " " in word and len(word) < 4096:  # the text of sh -c
            inner = word.split()
            for _, text, strong in _in_words(["", *inner], port, _module(inner)):
                yield index, text, strong


def _module(words: Sequence[str]) -> str:
    return words[words.index("-m") + 1] if "-m" in words[:-1] else ""


def _value_is(value: str, port: int) -> bool:
    """Whether a word is the port, or an address, a pair or a URL with it."""
    number = str(port)
    value = value.strip("'\"")
    if value == number:
        return True
    if len(value) > 512 or number not in value:
        return False
    return bool(re.search(rf"[:=]{number}($|[/?:,;\s'\"])", value) or re.match(rf"{number}:\d+(/|$)", value))


def _variables(facts: Facts) -> Iterator[_Clue]:
    for name, value in (facts.environment or {}).items():
        if not _value_is(value, facts.port):
            continue
        named = "PORT" in name.upper() or (bool(_PORT_NAME.search(name)) and ":" in value)
        text = mask_environment(name, value, facts.port)
        weight = _Weight.VARIABLE if named else _Weight.OTHER_VARIABLE
        yield _Clue(
            weight, Origin.ENVIRONMENT, f"environment variable {text}, set when it started",
            Confidence.LIKELY if named else Confidence.POSSIBLE, Evidence(f"/proc/{facts.process.pid}/environ", text),
        )  # fmt: skip


_MENTION_WEIGHTS = {
    (Part.CONFIGURATION, Strength.EXPLICIT): (_Weight.CONFIGURATION, Confidence.CERTAIN),
    (Part.CONFIGURATION, Strength.KEYED): (_Weight.PROJECT_MENTION, Confidence.LIKELY),
    (Part.STARTED, Strength.EXPLICIT): (_Weight.SCRIPT_MENTION, Confidence.CERTAIN),
    (Part.DRIVER, Strength.EXPLICIT): (_Weight.DRIVER_MENTION, Confidence.LIKELY),
    (Part.DRIVER, Strength.KEYED): (_Weight.DRIVER_MENTION, Confidence.LIKELY),
    (Part.DRIVER, Strength.BARE): (_DRIVEN_ONLY, Confidence.POSSIBLE),
    (Part.PROJECT, Strength.EXPLICIT): (_Weight.PROJECT_MENTION, Confidence.LIKELY),
    (Part.OPEN, Strength.EXPLICIT): (_Weight.PROJECT_MENTION, Confidence.LIKELY),
}


def _mentions(facts: Facts) -> Iterator[_Clue]:
    for one in facts.texts:
        compose = port_texts.kind_of(one.path, one.kind).name == "compose"
        idle = compose and not facts.contained and facts.published is None  # it speaks of containers alone
        for mention in port_texts.mentions(one.path, one.text, facts.port, one.kind)[:3]:
            weight, confidence = _MENTION_WEIGHTS.get(
                (one.part, mention.strength),
                (_Weight.KEYED_MENTION, Confidence.POSSIBLE)
                if mention.strength is Strength.KEYED
                else (_Weight.BARE_MENTION, Confidence.POSSIBLE),
            )
            if idle:
                weight, confidence = min(weight, _Weight.KEYED_MENTION), Confidence.POSSIBLE
            yield _in_file(weight, confidence, one.path, mention)


def _in_file(weight: _Weight, confidence: Confidence, path: str, mention: Mention) -> _Clue:
    place, text = f"{path}:{mention.line}", " ".join(mention.text.split())
    return _Clue(weight, Origin.FILE, f"{place}: {text}", confidence, Evidence(place, text), path, mention.line)


def _kernels_choice(facts: Facts) -> Iterator[_Clue]:
    if facts.ephemeral is None or not facts.ephemeral[0] <= facts.port <= facts.ephemeral[1]:
        return
    span = "{}-{}".format(*facts.ephemeral)
    source = "net.ipv4.ip_local_port_range"
    for index, text, strong in _in_words(facts.process.cmdline or (), 0, ""):
        yield _Clue(
            _Weight.ZERO_ARGUMENT if strong else _Weight.ZERO, Origin.KERNEL,
            f"the kernel chose it from its ephemeral range {span}: argument {index}, {mask(text)}, asks for port 0",
            Confidence.LIKELY, Evidence(f"/proc/{facts.process.pid}/cmdline", f"argument {index}: {mask(text)}"),
        )  # fmt: skip
    for one in facts.texts:
        if one.part in (Part.DRIVER, Part.STARTED, Part.CONFIGURATION):
            for mention in port_texts.mentions(one.path, one.text, 0, one.kind)[:1]:
                if mention.strength is not Strength.BARE:
                    place = f"{one.path}:{mention.line}"
                    yield _Clue(
                        _Weight.ZERO, Origin.KERNEL,
                        f"the kernel chose it from its ephemeral range {span}: {place} asks for port 0",
                        Confidence.LIKELY, Evidence(place, mention.text),
                    )  # fmt: skip
    words = facts.process.cmdline or ()
    if _is_title(words) and _value_is(words[0].split()[-1], facts.port):
        return  # it names the port, and where from was written over: nothing speaks for the kernel
    yield _Clue(
        _Weight.EPHEMERAL, Origin.KERNEL,
        f"the kernel chose it, as it does for port 0: in its ephemeral range {span}, and written nowhere that was read",
        Confidence.LIKELY, Evidence(source, span),
    )  # fmt: skip


def _default(facts: Facts) -> Iterator[_Clue]:
    program = commands.read(facts.process).program
    if _DEFAULTS.get(program) == facts.port:
        yield _Clue(
            _Weight.DEFAULT, Origin.DEFAULT, f"the default of {program}, and written nowhere that was read",
            Confidence.LIKELY, Evidence("homeport's table of defaults", f"{program} {facts.port}"),
        )  # fmt: skip


_CLUES = (_inherited, _published, _arguments, _variables, _mentions, _kernels_choice, _default)
