"""The ledger's schema, step by step: what makes it from nothing, and what brings an older ledger up to date.

A revision is never edited once it was released: it states its tables itself and does not import the present ones.
"""
