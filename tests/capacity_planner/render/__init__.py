"""Tests of the planner's render."""
