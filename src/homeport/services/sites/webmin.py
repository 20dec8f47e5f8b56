"""Webmin and its kin: the header Server of its own little server, whose number is its own."""

from __future__ import annotations

from homeport.services.sites.signs import entry, header

SITE = entry("Webmin", header("server", r"^MiniServ(?:/(?P<version>\d[\w.]{0,20}))?"))
