"""What is compared: `nmap -sV` and `homeport ls --services`, on the very same ports, and how long each takes."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.service_judging import Said

Place = tuple[str, int]
"""Protocol and port."""


class Run(NamedTuple):
    """What a tool said of each place, and its wall time in seconds."""

    said: dict[Place, Said]
    seconds: float


def nmap(places: Sequence[Place]) -> Run:
    """`nmap -sV` with its default intensity; without name resolution, and without asking whether the host is up."""
    tcp = [str(port) for protocol, port in places if protocol == "tcp"]
    udp = [str(port) for protocol, port in places if protocol == "udp"]
    kinds = [*(("-sS",) if tcp else ()), *(("-sU",) if udp else ())]
    ports = ",".join([*(("T:" + ",".join(tcp),) if tcp else ()), *(("U:" + ",".join(udp),) if udp else ())])
    command = ["nmap", "-n", "-Pn", "-sV", *kinds, "-p", ports, "-oX", "-", "127.0.0.1"]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=1800)
    return Run(of_nmap(done.stdout), time.monotonic() - started)


def of_nmap(document: str) -> dict[Place, Said]:
    """What nmap's XML says."""
    found = {}
    for port in ET.fromstring(document).iter("port"):
        service = port.find("service")
        sure = service is not None and service.get("method") == "probed"
        product = service.get("product") if service is not None and sure else None
        version = service.get("version") if service is not None and sure else None
        found[str(port.get("protocol")), int(port.get("portid", "0"))] = Said(product, version)
    return found


def homeport(places: Sequence[Place], python: str, rounds: int = 3) -> Run:
    """`homeport ls --services --json PORT…`, nothing remembered; the median of its times."""
    ports = sorted({str(port) for _, port in places})
    command = [python, "-P", "-m", "homeport", "ls", "--services", "--json", *ports]
    times = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = os.path.join(folder, "compiled")
        for number in range(rounds + 1):  # the first one compiles
            environment["XDG_STATE_HOME"] = os.path.join(folder, str(number))
            started = time.monotonic()
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
            times.append(time.monotonic() - started)
    return Run(of_homeport(done.stdout), sorted(times[1:])[rounds // 2])


def of_homeport(document: str) -> dict[Place, Said]:
    """What homeport's document says: the product, or where it names none, what carries it."""
    found: dict[Place, Said] = {}
    for one in json.loads(document)["listeners"]:
        service = one["service"]
        place = one["protocol"], one["port"]
        if service is None:
            found.setdefault(place, Said(None, None))
        elif place not in found or found[place].product is None:
            found[place] = Said(service["product"], service["version"], service["confidence"] == "certain")
    return found
