"""Tests of the package observability: normalise."""
