"""Simulated releases."""
