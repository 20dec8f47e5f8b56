"""The rack of logs: formats of lines, and places where programs log."""
