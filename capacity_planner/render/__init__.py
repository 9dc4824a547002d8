"""A plan for somebody: as a table, CSV, Markdown, Terraform variables, CloudFormation parameters, or a picture.

Every renderer is a pure function from a plan to text.
"""
