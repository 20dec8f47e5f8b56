"""Processes whose command line names a port: what a socket may belong to whose holder the caller may not see.

Command lines may be read by anybody (proc_pid_cmdline(5)), descriptors only by their user. Nothing is attributed by
this; it says what to ask first, and what had better be left alone.
"""

from __future__ import annotations

import os
import re
from functools import cached_property

from homeport.model.owners import Process
from homeport.system import procfs
from homeport.system.conditions import MAX_PROCESSES, ancestors


class Bystanders:
    """The processes of this moment, read when they are first asked for. Not the caller, nor what started it."""

    def of(self, uid: int | None) -> tuple[Process, ...]:
        """Those that may hold a socket of that user: its own, and of root's those that gave its rights up."""
        return tuple(one for one in self._all if uid in (0, one.uid)) if uid is not None else ()

    def naming(self, port: int, uid: int | None) -> tuple[Process, ...]:
        """Those of them in whose command line the number of the port stands."""
        number = re.compile(rf"(?<!\d){port}(?!\d)")
        return tuple(one for one in self.of(uid) if any(number.search(word) for word in one.cmdline or ()))

    @cached_property
    def _all(self) -> tuple[Process, ...]:
        asking = ancestors(os.getpid())
        found = (procfs.read_process(pid) for pid in procfs.all_pids()[:MAX_PROCESSES] if pid not in asking)
        return tuple(one for one in found if one is not None and one.cmdline)
