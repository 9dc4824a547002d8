"""Specification of the local estate: `fig lambda` and `fig up`."""
