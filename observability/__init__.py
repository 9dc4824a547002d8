"""Logs, metrics and traces of both worlds in one place; nothing of it is here yet."""
