"""The capacity planner, from what workloads demand to CIDR blocks; nothing of it is here yet."""
