"""`local`: a whole estate on one machine. The topology is not here yet."""
