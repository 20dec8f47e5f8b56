"""Panel, on Bokeh's server: the scripts in its page."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry

SITE = entry(
    "Panel",
    body(r"<title>Panel Application</title>", r'src="[\w./-]{0,60}static/js/bokeh\.min\.js\?v='),
    body(r'="[\w./-]{0,60}static/extensions/panel/', r'src="[\w./-]{0,60}static/js/bokeh\.min\.js\?v='),
    programs=("panel",),
)
