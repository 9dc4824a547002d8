"""Rules over the estate: what is possible to write and yet wrong, or unwise.

Each rule is a function from a `Subject` to findings; `rules` lists them all.
"""
