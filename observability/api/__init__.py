"""The JSON that pages and commands ask for, behind a login."""
