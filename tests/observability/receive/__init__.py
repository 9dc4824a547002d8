"""Tests of the package observability: receive."""
