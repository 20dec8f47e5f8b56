"""RabbitMQ's management: the page, and the realm of its API."""

from __future__ import annotations

from homeport.services.sites.signs import body, entry, header

SITE = entry(
    "RabbitMQ management",
    body(r"<title>RabbitMQ Management</title>", r'src="js/ejs-[\w.]{1,20}\.js"'),
    header("www-authenticate", r'realm="RabbitMQ Management"'),
    programs=("rabbitmq*",),
)
