"""Pure reasoning over facts: no I/O, so that every rule is tested with built values."""
