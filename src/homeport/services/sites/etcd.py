"""etcd: /version. https://etcd.io/docs/latest/dev-guide/api_reference_v3/"""

from __future__ import annotations

from homeport.services.sites.signs import both, entry, fields, header, status

SITE = entry(
    "etcd",
    fields({"etcdserver": ".+", "etcdcluster": ".*"}, "etcdserver", at="/version"),
    ports=(2379,),
    programs=("etcd",),
    page="/version",
    when=both(status(404), header("access-control-allow-headers", "^accept, content-type, authorization$")),
)
