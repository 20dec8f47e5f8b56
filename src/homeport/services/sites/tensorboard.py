"""TensorBoard: the page's own element, and /data/environment."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, fields

SITE = entry(
    "TensorBoard",
    body(r'<meta name="tb-relative-root"', r"<title>TensorBoard</title>"),
    fields({"version": r"\d.*", "data_location": ".*", "window_title": ".*"}, "version", at="/data/environment"),
    programs=("tensorboard",),
    page="/data/environment",
    when=body(r"<title>TensorBoard</title>"),
    private=("/data/environment",),
)
