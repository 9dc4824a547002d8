"""Tests of the way to on-premises."""
