"""Tests of the planner's layout."""
