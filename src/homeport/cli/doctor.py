"""Text of `homeport doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homeport.cli.text import Paint, safe, table
from homeport.model.health import Health, NamespaceHealth


def lines(health: Health, paint: Paint) -> list[str]:
    """The page: sources, what they build on, namespaces, container engines, rights, and what to do next."""
    found = [
        f"homeport {health.version}, Python {health.python}, {health.system} {safe(health.kernel)}, {_caller(health)}"
    ]
    sections = (
        ("Sources", _sources(health)),
        ("Ground", _ground(health)),
        ("Network namespaces", _namespaces(health.namespaces)),
        ("Container engines", [(one.place, f"answers, {one.containers} running") for one in health.engines]),
        ("Rights", [(one.name, "yes" if one.held else "no", one.adds) for one in health.rights]),
    )
    for title, rows in sections:
        if rows:
            found += ["", paint(title, "bold")]
            found += [f"  {line}" for line in table([[safe(cell) for cell in row] for row in rows])]
    found += [paint(f"note: {safe(limit)}", "dim") for limit in health.limits]
    advice = list(_advice(health))
    if advice:
        found += ["", *advice]
    return found


def _caller(health: Health) -> str:
    if health.uid is None:
        return "user unknown"
    return "root" if health.uid == 0 else f"user {health.uid}"


def _sources(health: Health) -> list[tuple[str, ...]]:
    return [
        (
            one.name,
            _state(one.reason, "works, and is what a listing takes now" if one.name == health.chosen else "works"),
        )
        for one in health.sources
    ]


def _ground(health: Health) -> list[tuple[str, ...]]:
    if health.system != "Linux":
        return []
    pinned = {None: "unknown", True: "kept in the kernel", False: "not kept: loaded when they are needed"}
    return [
        ("BTF", "the kernel carries its types" if health.btf else "no /sys/kernel/btf/vmlinux"),
        ("libbpf", health.libbpf or "not installed; kernels before 5.17 need it for the bpf source"),
        ("BPF iterators", pinned[health.pinned]),
        ("/proc", health.hidden or "shows every process"),
    ]


def _namespaces(all_of_them: Sequence[NamespaceHealth]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in all_of_them:
        number = "may not be read" if one.netns.inode is None else str(one.netns.inode)
        name = one.netns.name or ("" if one.netns.pid is None else f"of process {one.netns.pid}")
        rows.append((number, "this one" if one.netns.own else name, _state(one.reason, "can be entered")))
    return rows


def _state(reason: str | None, good: str) -> str:
    return good if reason is None else f"no: {reason}"


def _advice(health: Health) -> Iterator[str]:
    if any(not one.held for one in health.rights):
        yield "sudo homeport …          sees what the missing rights hide"
    elif health.pinned is False and any(one.name == "bpf" and one.reason is None for one in health.sources):
        yield "homeport doctor --pin    keeps the BPF iterators loaded, for quicker answers"
