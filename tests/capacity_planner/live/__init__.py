"""Tests of the readers of accounts and of NetBox."""
