"""Whether a step of a ramp keeps its limits: evidence in, verdict out, nothing else.

`evidence` holds what was counted (in columns: `counts`), `sums` adds and subtracts it, `wire` is its JSON; `values`
holds the limits, `window` what one look sees, `verdict` the answer. `judge` walks: `trust` (may this evidence be
believed?), `breaker` (is it a disaster?), then one comparison for each limit (`shares`, `quantiles`, `sizes`), all on
the boundaries of `sequences`.
Pure functions over values: no I/O, no clock, nothing but the standard library.
"""
