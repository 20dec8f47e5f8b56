"""The kubelet: the list of its pods, or the words by which it refuses that."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "kubelet",
    fields({"kind": "PodList", "apiVersion": "v1", "items": r"\[\]"}, at="/pods"),
    body(r"\AForbidden \(user=[^,\n]{1,100}, verb=get, resource=nodes, subresource=", failed=True),
    ports=(10250, 10255),
    programs=("kubelet",),
    page_tells_version=False,
    page="/pods",
    private=("/pods",),
)
