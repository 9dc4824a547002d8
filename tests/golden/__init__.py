"""Golden cases: one file, input, a line of dashes, output or diagnostics."""
