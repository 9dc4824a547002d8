"""Blocks of addresses as integers: parsing, overlaps, free space, allocation."""
