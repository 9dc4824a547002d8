"""OTLP over HTTP: bodies read within bounds, decoded, normalised, stored, and only then acknowledged."""
