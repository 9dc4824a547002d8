"""From what workloads demand to CIDR blocks, and to the first limit on the way to on-premises that will break.

The walk: `demand` (text to values) -> `concurrency` -> `interfaces` (ENIs) -> `layout` (blocks) -> `checks` ->
`render`; beside it `path` (every hop and its limit). `addresses` is arithmetic on blocks, `limits` the dated figures of
AWS with their sources. All of it is pure functions over frozen values; `commands` and `live` alone do I/O.
"""
