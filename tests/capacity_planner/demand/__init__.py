"""Tests of the demand file."""
