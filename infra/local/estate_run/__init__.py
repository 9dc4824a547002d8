"""A whole estate on one machine: what `fig up` reads, starts, watches and ends.

`local_file`, `ports` and `preflight` decide (text -> values), `stages` says what to start, `child` and `run` do it,
`warden` ends the processes when `fig up` itself was killed. Nothing here knows Envoy: the parts are started through the
command `fig`.
"""
