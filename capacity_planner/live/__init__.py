"""The only places where the planner looks at the world: AWS accounts and NetBox, read and never written."""
