"""Tests of the package observability: query."""
