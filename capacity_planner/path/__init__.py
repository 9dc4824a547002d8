"""Every hop from the VIP to the database: its load, its limit, and which one breaks first.

The walk: `case` (when) -> `loads` (what the functions put on the way) -> one module for each part of the way, which
compares its load with its limit -> `judge` (all hops in all cases, the binding limit first) -> `remedies`, `report`.
"""
