"""A router host: one state directory, one Envoy, and the agent that keeps the two in step with control.

`state_directory` names the files, `envoy_process` and `supervisor` run Envoy, `admin` asks it, `switch` changes its
structure make-before-break, `weights` moves weights, `local_moves` and `rollback` move them on this host alone,
`agent` is the loop that joins these, `app` builds it. Nothing here needs pydantic or SQLAlchemy: the agent has to
stay small.
"""
