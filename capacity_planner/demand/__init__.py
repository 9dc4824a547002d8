"""What the workloads demand: the demand file, its shapes, and its frozen values."""
