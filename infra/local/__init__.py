"""A whole estate on one machine: `functions` is a local Lambda, `estate_run` starts and ends everything together."""
