"""The nouns. Immutable values from the standard library alone: no I/O, no display text, no logic beyond a property.

Import from the module that holds a noun. What `homeport ls` needs is made of NamedTuples, since `dataclasses` alone
costs half of the time that listing an idle machine may take:

    addresses.py    Protocol, Family, Scope, IPAddress, Endpoint
    evidence.py     Confidence, Evidence
    sockets.py      State, Socket, Holder
    owners.py       Process, Container, Unit, Project, Owner, Reason, Unattributed
    snapshot.py     Query, Netns, Listener, Snapshot

and what only a page needs:

    lineage.py      Cause, Ancestor, Lineage
    provenance.py   Origin, Provenance
    explanation.py  Block, AddressExplanation, PortExplanation, Explanation
    publishing.py   Forward, Published
    page.py         Neighbour, Peer, Absence, Page
"""
