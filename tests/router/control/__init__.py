"""Tests of the control process."""
