"""Tests of the rules over an inventory."""
