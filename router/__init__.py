"""The routing layer: estate files become Envoy configuration, nodes run it, control moves weights.

Text -> `source` -> `estate` -> `check` -> `snapshot` -> `node`; `control` keeps the `ledger`; `commands` is the edge.
"""
