"""Tests of what becomes an inventory."""
