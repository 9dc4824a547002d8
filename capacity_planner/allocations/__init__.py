"""Lists of allocations: CSV, JSON and AWS's own output become columns; every row knows its place."""
