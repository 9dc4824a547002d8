"""The control process: what every node should run, who changed it, and whether it is in force.

`state` says what a change does (pure), `keeper` makes it durable and wakes who waits, `shifting`, `publishing` and
`folding` are three ways to change it, `nodes` knows what is in force where, `traffic` reads the nodes' counters.
Releases are the fourth: `intake` and `evidence` take what nodes counted, `judging` asks the gate, `ramping` looks at
every ramp, `deciding` makes it true by the steps of `ramp_steps` (pure), `releasing` does what people order.
`api` and `releases_api` are the HTTP edge, `server` the process. Nothing here is in the path of a request: nodes go on
without it.
"""
