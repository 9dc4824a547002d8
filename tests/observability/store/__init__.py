"""Tests of the package observability: store."""
