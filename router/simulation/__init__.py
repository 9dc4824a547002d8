"""What a release would do to users who do not exist: the machine and the judge that run in control, in minutes' worth.

`crowd` has the users, `counting` what they would make the router count, `run` lets time pass, `outcome` and `picture`
show what came of it. Randomness comes from a seed: the same arguments give the same run.
"""
