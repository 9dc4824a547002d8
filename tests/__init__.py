"""Tests: each name and its sentence is a line of the specification."""
