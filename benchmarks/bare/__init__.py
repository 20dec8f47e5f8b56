"""Programs for a bare interpreter (`python -I -S -E`): they import next to nothing and are started, not imported."""
