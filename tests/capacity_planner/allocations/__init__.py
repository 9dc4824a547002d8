"""Tests of the lists of allocations."""
