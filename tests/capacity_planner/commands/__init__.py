"""Tests of the commands below `fig cidr`."""
