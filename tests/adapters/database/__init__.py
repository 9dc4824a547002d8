"""Databases against a real MariaDB, through proxies that misbehave."""
