"""The dated limits: AWS's quotas and figures with their sources, the planner's named assumptions, and overrides."""
