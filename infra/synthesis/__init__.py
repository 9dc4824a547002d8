"""From inputs to templates: which stacks there are, what each holds, and the folder that is written."""
