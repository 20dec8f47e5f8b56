"""Cowboy, the server of Erlang and Elixir: the header Server."""

from __future__ import annotations

from homeport.services.sites.signs import entry, server

SITE = entry("Cowboy", server("Cowboy"))
