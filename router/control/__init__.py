"""The control process: what every node should run, who changed it, and whether it is in force.

`state` says what a change does (pure), `keeper` makes it durable and wakes who waits, `shifting`, `publishing` and
`folding` are the three ways to change it, `nodes` knows what is in force where, `traffic` reads the nodes' counters.
`api` is the HTTP edge, `server` the process. Nothing here is in the path of a request: nodes go on without it.
"""
