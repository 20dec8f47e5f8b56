"""Where the system keeps what services say: the journal, container engines, unit files, supervisors, pm2."""

from __future__ import annotations

from collections.abc import Iterator

from homeport.logs.places.kind import Candidate, Facts, OfContainer, OfFile, OfUnit, Place, of_file
from homeport.logs.places.texts import EQUALS, directives, sections
from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind
from homeport.rules.shell import word


def journal(facts: Facts) -> Iterator[Candidate]:
    """The unit's journal."""
    unit = facts.unit
    if unit is None or facts.container is not None:
        return
    user = unit.scope == "user"
    what = f"journalctl {'--user -u' if user else '-u'} {word(unit.name)}"
    if not facts.journal:
        reason = "journalctl is not installed here"
        yield Candidate(LogKind.JOURNAL, unit.name, what, None, unit.evidence, reason)
        return
    yield Candidate(LogKind.JOURNAL, unit.name, what, OfUnit(unit.name, user), unit.evidence)


def units(facts: Facts) -> Iterator[Candidate]:
    """`StandardOutput=append:/path` of the unit's file (systemd.exec(5))."""
    for config in facts.configs:
        if config.program == "systemd":
            for _, value, line in directives(config.text, "StandardOutput|StandardError", EQUALS):
                kind, _, path = value.partition(":")
                one = of_file(path, config.member._replace(root=None), Evidence(config.path, line))
                if kind in ("append", "file", "truncate") and one is not None:
                    yield one


def container(facts: Facts) -> Iterator[Candidate]:
    """What the engine keeps of the container's output: its file where that may be read, else by asking."""
    one = facts.container
    if one is None:
        return
    name = one.name or one.id[:12]
    what = f"{one.engine} logs {name}" if one.engine in ("docker", "podman") else None
    if facts.container_file is not None:
        evidence = Evidence(facts.container_file, f"the file that {one.engine} keeps the output of container {name} in")
        reading = OfFile(facts.container_file)
        yield Candidate(LogKind.CONTAINER, name, what or facts.container_file, reading, (*one.evidence, evidence))
    elif facts.engine is not None:
        evidence = Evidence(f"engine at {facts.engine}", f"GET /containers/{one.id[:12]}/logs")
        yield Candidate(LogKind.CONTAINER, name, what, OfContainer(one.id), (*one.evidence, evidence))
    else:
        reason = f"no file of {one.engine} for it may be read, and no engine that knows it answers"
        yield Candidate(LogKind.CONTAINER, name, what, None, one.evidence, reason, "sudo homeport logs …")


def pm2(facts: Facts) -> Iterator[Candidate]:
    """pm2 tells what it starts, by variables, where it writes its output."""
    for member in facts.members:
        for name in ("pm_out_log_path", "pm_err_log_path"):
            path = (member.environment or {}).get(name)
            if path:
                evidence = Evidence(f"/proc/{member.process.pid}/environ", f"{name}={path}")
                one = of_file(path, member._replace(root=None), evidence)
                if one is not None:
                    yield one


def supervisord(facts: Facts) -> Iterator[Candidate]:
    """`stdout_logfile` and `stderr_logfile` of its program's section."""
    variables = next(
        (one.environment for one in facts.members if "SUPERVISOR_PROCESS_NAME" in (one.environment or {})), None
    )
    if variables is None:
        return
    process, group = variables["SUPERVISOR_PROCESS_NAME"], variables.get("SUPERVISOR_GROUP_NAME", "")
    for config in facts.configs:
        if config.program != "supervisord":
            continue
        here = config.path.rpartition("/")[0] or "/"
        for section, text in sections(config.text):
            kind, _, name = section.partition(":")
            if kind not in ("program", "fcgi-program", "eventlistener") or name.strip() not in (group, process):
                continue
            for _, value, line in directives(text, "stdout_logfile|stderr_logfile", EQUALS):
                path = value
                for variable, meaning in (("program_name", name.strip()), ("process_num", "0"), ("here", here)):
                    path = path.replace(f"%({variable})s", meaning).replace(f"%({variable})d", meaning)
                one = of_file(path, config.member, Evidence(config.path, line))
                if one is not None and path.startswith("/") and "%(" not in path:
                    yield one


JOURNAL = Place("journal", journal)
UNITS = Place("unit files", units)
CONTAINER = Place("container engines", container)
PM2 = Place("pm2", pm2)
SUPERVISORD = Place("supervisord", supervisord)
