"""Tests of the arithmetic on blocks."""
