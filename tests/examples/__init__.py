"""Every example is run by a test."""
