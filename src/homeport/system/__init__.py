"""Everything that touches the machine. OSErrors are translated here, once per module."""
