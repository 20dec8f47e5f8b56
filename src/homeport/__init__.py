"""homeport: one look at the addresses and ports of one's own machine."""

__version__ = "0.1.0"
