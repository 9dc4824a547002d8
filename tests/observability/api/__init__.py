"""Tests of the package observability: api."""
