"""The commands below `fig cidr`: parse, ask, print."""
