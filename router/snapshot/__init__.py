"""An estate and its settled weights, compiled to the files that Envoy reads.

`compiler` makes a `Snapshot` from an `Estate`; one small module for each resource type does the work (`bootstrap`,
`clusters`, `entry_listener`, `lambda_listener`, `routes`); `directory` writes it, `validate` asks the real Envoy,
`runtime` makes the weights file. Nothing here knows about processes or HTTP.
"""
