"""Control's memory: who moved what and when (append-only), which estates were published, and what nodes should run.

`records` has the values, `tables` the schema with its triggers, `store` the only code that talks to the database.
Nothing here decides anything: `router.control.state` computes a `Step`, the ledger makes it durable at one stroke.
"""
