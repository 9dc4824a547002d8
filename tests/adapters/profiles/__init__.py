"""Profiles from documents, URLs and the environment."""
