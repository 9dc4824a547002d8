"""Specification of `adapters`."""
