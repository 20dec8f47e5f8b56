from __future__ import annotations

from ipaddress import ip_network

import pytest

from homeport.model.explanation import Block
from homeport.rules.special_blocks import BLOCKS, REGISTRY_DATE


def test_every_row_is_a_network_once() -> None:
    networks = [ip_network(one.network) for one in BLOCKS]
    assert len(set(networks)) == len(networks)
    assert sum(network.version == 4 for network in networks) == 26
    assert sum(network.version == 6 for network in networks) == 25
    assert REGISTRY_DATE.year >= 2026


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: one.network)
def test_rows_keep_the_rules_of_the_registry(block: Block) -> None:
    assert block.references
    assert all(reference.startswith("RFC ") for reference in block.references)
    assert block.allocated is not None
    assert len(block.allocated) == 7
    if block.destination is False:  # RFC 6890 §2.2.1: then these two are false as well
        assert block.forwardable is False
        assert block.globally_reachable is False
    if block.terminated is not None:
        assert block.source is block.destination is block.forwardable is block.globally_reachable is None
    else:
        assert block.source is not None


# why Python's ipaddress (3.11 to 3.13) and the registry's "globally reachable" are not the same for a row
KNOWN_DIFFERENCES = {
    "100.64.0.0/10": "shared: Python says neither private nor global, the registry only not global",
    "192.0.0.0/24": "Python before 3.11.10 and 3.12.4 has only 192.0.0.0/29 of it",
    "192.0.0.8/32": "the same",
    "192.88.99.0/24": "deprecated: the registry says N/A, Python global",
    "192.88.99.2/32": "inside of the deprecated block, and not in Python's list",
    "64:ff9b:1::/48": "in Python's list from 3.12.4 and 3.11.10 on",
    "100:0:0:1::/64": "of 2025, not in Python's list",
    "2001::/32": "N/A in the registry; Python has it under the private 2001::/23",
    "2001:10::/28": "deprecated: the registry says N/A",
    "2002::/16": "N/A in the registry; private in Python from 3.12.4 on, global before",
    "3fff::/20": "of 2024, in Python's list from 3.13 on",
    "5f00::/16": "of 2024, not in Python's list",
    "::ffff:0:0/96": "Python from 3.13 on judges by the IPv4 address inside",
    # exceptions inside of larger blocks, known to Python from 3.12.4 and 3.11.10 on
    "192.0.0.9/32": "exception",
    "192.0.0.10/32": "exception",
    "2001:1::1/128": "exception",
    "2001:1::2/128": "exception",
    "2001:1::3/128": "exception of 2024",
    "2001:3::/32": "exception",
    "2001:4:112::/48": "exception",
    "2001:20::/28": "exception",
    "2001:30::/28": "exception",
}


@pytest.mark.parametrize("network", [one.network for one in BLOCKS])
def test_as_python_has_it_but_for_known_differences(network: str) -> None:
    block = next(one for one in BLOCKS if one.network == network)
    parsed = ip_network(network)
    more_specific = [ip_network(one.network) for one in BLOCKS if one.network != network]
    inside = [one for one in more_specific if one.version == parsed.version and one.subnet_of(parsed)]  # type: ignore[arg-type]
    addresses = [parsed[0], parsed[-1], parsed[parsed.num_addresses // 2]]
    for address in addresses:
        if not any(address in one for one in inside) and network not in KNOWN_DIFFERENCES:
            assert address.is_global is block.globally_reachable, address
            assert address.is_private is not block.globally_reachable, address


@pytest.mark.parametrize("network", KNOWN_DIFFERENCES)
def test_the_differences_are_of_rows_that_exist(network: str) -> None:
    assert network in {one.network for one in BLOCKS}
