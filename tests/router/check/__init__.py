"""Tests of the rules over the estate."""
