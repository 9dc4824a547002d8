"""The pure machine that runs a ramp: (ramp, state, event, now) to a new state and the actions that make it true.

`state` is what the ledger keeps, `events` what happens and what follows, `machine` decides.
"""
