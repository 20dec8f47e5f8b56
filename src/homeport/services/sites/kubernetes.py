"""The API of Kubernetes: /version, or the Status by which it refuses.
https://kubernetes.io/docs/reference/using-api/
"""

from __future__ import annotations

from homeport.services.sites.signs import entry, fields, header

REFUSED = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "reason": "Unauthorized|Forbidden",
    "code": "40[13]",
}

SITE = entry(
    "Kubernetes API",
    fields(
        {"gitVersion": "v.+", "gitCommit": ".*", "goVersion": "go.*", "platform": ".+"}, "gitVersion", at="/version"
    ),
    fields(REFUSED),
    header("x-kubernetes-pf-flowschema-uid"),
    ports=(6443,),
    programs=("kube-apiserver", "k3s", "k3s-server", "minikube"),
    page="/version",
    private=("/",),
)
