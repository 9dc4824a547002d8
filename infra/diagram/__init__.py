"""From the plan to a picture of the topology with its addresses."""
