"""Tests of the way from text to the estate."""
