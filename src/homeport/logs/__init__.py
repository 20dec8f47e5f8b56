"""The racks of logs: `formats` (how lines are written) and `places` (where programs log). Neither touches anything."""
