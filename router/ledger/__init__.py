"""Control's memory: who moved what and when (append-only), which estates were published, and what nodes should run.

`records` has the values, `tables` the schema, `migrate` brings an older one up to date, `triggers` and `chain` keep the
past as it was, `store` and `writes` are the only code that talks to the database. Nothing here decides anything:
`router.control` computes a `Step`, the ledger makes it durable at one stroke.
"""
