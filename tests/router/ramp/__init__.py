"""The machine that runs a ramp."""
