"""Several nodes and one control, as real processes."""
