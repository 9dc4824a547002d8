"""What is there: allocations, and what is known of the VPCs around them, out of lists, plans, AWS's output."""
