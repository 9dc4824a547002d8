"""From needs to blocks: which VPC, which block for each purpose and AZ, and what a re-plan may still change (nothing).

The walk: `needs` (demand and sizing to addresses per purpose) -> `placing` (which function in which VPC) -> `building`
(blocks inside a VPC) -> `spaces` (VPCs inside their parents) -> `plan` (the whole); beside it `document` (the plan file
there and back) and `difference` (two plans compared).
"""
