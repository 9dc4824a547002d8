"""The small leaf that every package may import and that imports nothing of ours.

A module belongs here only when two packages use it: `documents` (YAML with positions), `shapes` (shape errors as
diagnostics), `diagnostics` (what is wrong with a user's text), `units` (durations, sizes, shares) and `names`
(headers).
"""
