"""The topology, and `local`: a whole estate on one machine."""
