"""Profiles: where a target is, how it is reached, how it proves itself, and how much it may be asked for.

`values` has the frozen values, whose constructors refuse what is impossible; the other modules find a profile's
document by name (environment, file, SSM parameter) and turn it into one, with all faults at once.
"""
