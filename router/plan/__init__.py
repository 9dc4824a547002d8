"""What would change, who would move, and what speaks against it: a release against what is there.

`present` is what control knows, `capacity` what the planner said; `course` when steps come, `load` what they weigh,
`problems` what is refused; `release_plan` puts it together, `document` is the file, `words` what people read. Pure.
"""
