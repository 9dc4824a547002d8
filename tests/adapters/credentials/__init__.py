"""Specification of logins: where they come from, and that nobody sees them."""
