"""The picture of the address space.

`tiles` says who has which block, `geometry` where a block is, `ink` is SVG, `card` one VPC, `page` the whole.
"""
