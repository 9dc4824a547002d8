"""Everything that was stored, sent on to another collector, masked as it is here, with a queue on disk."""
