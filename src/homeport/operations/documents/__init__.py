"""Model values as plain dicts by the names of schema `homeport/1`, which `--json` prints and programs rely on."""
