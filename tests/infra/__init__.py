"""Tests of the topology: readers, templates, their check, a deployment to moto."""
